import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../formatError.ts';
import type { JsonValue } from './jsonValue.ts';
import { parseJson } from './parseJson.ts';
import { printJson } from './printJson.ts';

function plain(value: JsonValue): unknown {
  switch (value.kind) {
    case 'null':
      return null;
    case 'number':
      return Number(value.text);
    case 'array':
      return value.items.map(plain);
    case 'object':
      return Object.fromEntries([...value.members].map(([name, member]) => [name, plain(member)]));
    default:
      return value.value;
  }
}

describe('JSON (RFC 8259)', () => {
  it('agrees with JSON.parse on whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(undefined, 2, '\t'), (text, indent) => {
        const expected: unknown = JSON.parse(text);
        expect(plain(parseJson(JSON.stringify(expected, null, indent)))).toEqual(expected);
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it('keeps the text of numbers and the order of members, and prints them again', () => {
    const text = '{"b":[1.10,-0,1E+2,12345678901234567890.1],"a":"\\u00e9\\n\\"","c":null,"d":true}';
    expect(printJson(parseJson(`\uFEFF ${text} `))).toBe(text.replace('\\u00e9', 'é'));
  });

  it.each([
    ['', 'ends too early'],
    ['{"a":1,"a":2}', 'appears twice'],
    ['{"a":1,}', 'member name'],
    ['[1,]', 'no JSON value'],
    ['[1 2]', 'comma or ]'],
    ['{"a" 1}', 'colon'],
    ['01', 'follows the end'],
    ['+1', 'no JSON value'],
    ['.5', 'no JSON value'],
    ['NaN', 'no JSON value'],
    ['nul', 'no JSON value'],
    ["'a'", 'no JSON value'],
    ['"a', 'does not end'],
    ['"\n"', 'control character'],
    ['"\\x"', 'escape'],
    ['"\\u12g4"', 'escape'],
    ['"\\ud800"', 'surrogate'],
    ['{} {}', 'follows the end'],
    ['// x', 'no JSON value'],
  ])('refuses %j', (text, reason) => {
    expect(() => parseJson(text)).toThrow(FormatError);
    expect(() => parseJson(text)).toThrow(reason);
  });

  it('says where', () => {
    expect(() => parseJson('{"a":\n [1, x]}')).toThrow('$.a[1]: no JSON value (line 2, column 6)');
  });

  it('is bounded in length, depth and number of values', () => {
    const limits = { maxLength: 100, maxDepth: 3, maxValues: 10 };
    const code = (text: string): string => {
      try {
        parseJson(text, limits);
        return 'read';
      } catch (error) {
        return (error as FormatError).code;
      }
    };
    expect(code('[[[1]]]')).toBe('read');
    expect(code('[[[[1]]]]')).toBe('too-large');
    expect(code(`[${'1,'.repeat(9)}1]`)).toBe('too-large');
    expect(code(`"${'a'.repeat(100)}"`)).toBe('too-large');
    expect(code('['.repeat(100))).toBe('too-large');
  });
});
