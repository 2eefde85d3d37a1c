import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ethereumJson } from '../test/ethereumData.ts';
import { bigintToBytes, bytesToHex, hexToBytes, utf8ToBytes } from './bytes.ts';
import { decodeRlp, encodeRlp, RlpFields, type RlpItem } from './rlp.ts';
import type { Hex } from './types.ts';

const item: fc.Arbitrary<RlpItem> = fc.letrec<{ item: RlpItem }>((tie) => ({
  item: fc.oneof(
    { maxDepth: 5 },
    fc.uint8Array({ maxLength: 70 }),
    fc.array(tie('item'), { maxLength: 5 }) as fc.Arbitrary<RlpItem>,
  ),
})).item;

describe('RLP', () => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(item, (value) => {
        expect(decodeRlp(encodeRlp(value))).toEqual(value);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('accepts only encodings that it would make itself', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 12 }), item.map(encodeRlp)),
        fc.nat(),
        fc.nat(255),
        (bytes, at, value) => {
          const changed = bytes.slice();
          if (changed.length > 0) changed[at % changed.length] = value;
          try {
            expect(encodeRlp(decodeRlp(changed))).toEqual(changed);
          } catch (error) {
            expect(error).toMatchObject({ name: 'ProtocolError', code: 'invalid-rlp' });
          }
        },
      ),
      { seed: 2, numRuns: 1500 },
    );
  });

  it('encodes lengths around every change of form', () => {
    for (const length of [0, 1, 2, 55, 56, 57, 255, 256, 65_535, 65_536]) {
      const bytes = new Uint8Array(length).fill(0x80);
      expect(decodeRlp(encodeRlp(bytes))).toEqual(bytes);
      expect(decodeRlp(encodeRlp([bytes, [bytes]]))).toEqual([bytes, [bytes]]);
    }
    expect(bytesToHex(encodeRlp(new Uint8Array(56)).subarray(0, 2))).toBe('0xb838');
  });

  it('refuses nesting that could exhaust the stack', () => {
    const nested = (depth: number): RlpItem => {
      let value: RlpItem = [];
      for (let level = 1; level < depth; level++) value = [value];
      return value;
    };
    expect(decodeRlp(encodeRlp(nested(64)))).toEqual(nested(64));
    expect(() => decodeRlp(encodeRlp(nested(65)))).toThrow('lists nest deeper than 64');
    // Well-formed but for its depth, as an attacker would send it: 20,000 lists in one another, from the inside out.
    let size = 0;
    const prefixes: number[][] = [];
    for (let level = 0; level < 20_000; level++) {
      const digits = size.toString(16);
      const length = size < 56 ? [] : [...hexToBytes(digits.length % 2 === 0 ? `0x${digits}` : `0x0${digits}`)];
      const prefix = size < 56 ? [0xc0 + size] : [0xf7 + length.length, ...length];
      prefixes.push(prefix);
      size += prefix.length;
    }
    const bomb = Uint8Array.from(prefixes.reverse().flat());
    expect(() => decodeRlp(bomb)).toThrow('lists nest deeper than 64');
  });

  it('names the field that is wrong', () => {
    const fields = new RlpFields('invalid-header', 'header');
    const code = (run: () => unknown) => {
      try {
        run();
        return undefined;
      } catch (error) {
        expect((error as Error).message).toContain('header: field');
        return (error as { code: string }).code;
      }
    };
    const bytes = (...values: number[]) => Uint8Array.from(values);
    expect(code(() => fields.list(bytes(), 'field'))).toBe('invalid-header');
    expect(code(() => fields.list([], 'field', 1))).toBe('invalid-header');
    expect(code(() => fields.bytes([], 'field'))).toBe('invalid-header');
    expect(code(() => fields.bytes(undefined, 'field'))).toBe('invalid-header');
    expect(code(() => fields.bytes(bytes(1, 2), 'field', 1))).toBe('invalid-header');
    expect(code(() => fields.fixed(bytes(1, 2), 'field', 1))).toBe('invalid-header');
    expect(code(() => fields.hash(bytes(1), 'field'))).toBe('invalid-header');
    expect(code(() => fields.address(bytes(1), 'field'))).toBe('invalid-header');
    expect(code(() => fields.bigint(bytes(0), 'field', 8))).toBe('invalid-header');
    expect(code(() => fields.bigint(bytes(1, 2), 'field', 1))).toBe('invalid-header');
    expect(code(() => fields.number(bytes(0x20, 0, 0, 0, 0, 0, 0), 'field'))).toBe('invalid-header');
    expect(code(() => fields.number(bytes(1, 0, 0, 0, 0, 0, 0, 0), 'field'))).toBe('invalid-header');
    expect(fields.number(bytes(0x1f, 255, 255, 255, 255, 255, 255), 'field')).toBe(Number.MAX_SAFE_INTEGER);
    expect(fields.bigint(bytes(), 'field', 8)).toBe(0n);
  });
});

type RlpTestInput = string | number | readonly RlpTestInput[];

/** In the tests a string is text, one that begins with # a large number. */
function fromTest(input: RlpTestInput): RlpItem {
  if (typeof input === 'number') return bigintToBytes(BigInt(input));
  if (typeof input !== 'string') return input.map(fromTest);
  return input.startsWith('#') ? bigintToBytes(BigInt(input.slice(1))) : utf8ToBytes(input);
}

describe('ethereum-tests RLPTests', () => {
  it('rlptest', () => {
    const tests = ethereumJson<Record<string, { in: RlpTestInput; out: Hex }>>('ethereum-tests/RLPTests/rlptest.json');
    for (const [name, test] of Object.entries(tests)) {
      const value = fromTest(test.in);
      expect(bytesToHex(encodeRlp(value)), name).toBe(test.out);
      expect(decodeRlp(hexToBytes(test.out)), name).toEqual(value);
    }
  });

  it('invalidRLPTest', () => {
    const tests = ethereumJson<Record<string, { out: Hex }>>('ethereum-tests/RLPTests/invalidRLPTest.json');
    for (const [name, test] of Object.entries(tests)) {
      const encoded = hexToBytes(test.out.startsWith('0x') ? test.out : `0x${test.out}`);
      expect(() => decodeRlp(encoded), name).toThrow(expect.objectContaining({ code: 'invalid-rlp' }));
    }
  });

  it('RandomRLPTests', () => {
    const tests = ethereumJson<Record<string, { in: string; out: Hex }>>(
      'ethereum-tests/RLPTests/RandomRLPTests/example.json',
    );
    for (const test of Object.values(tests)) expect(() => decodeRlp(hexToBytes(test.out))).not.toThrow();
  });
});
