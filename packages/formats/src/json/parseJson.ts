import { FormatError } from '../formatError.ts';
import { defaultJsonLimits, type JsonLimits, type JsonValue } from './jsonValue.ts';

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// A run of characters that need no attention: no quote, no backslash, no control character, no surrogate.
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259, section 7 forbids exactly these.
const PLAIN = /[^"\\\u0000-\u001f\ud800-\udfff]+/y;
const HEX4 = /[0-9a-fA-F]{4}/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Parses a JSON text strictly (RFC 8259), within limits. JSON.parse would not do: it rounds numbers to binary floats, takes
 * the last of two members of one name (so that two readers see two documents under one hash), and keeps lone surrogates,
 * which have no UTF-8. A byte order mark at the front is skipped.
 *
 * Throws a FormatError ('invalid-json' or 'too-large') with the line and column.
 */
export function parseJson(text: string, limits: JsonLimits = defaultJsonLimits): JsonValue {
  if (text.length > limits.maxLength)
    throw new FormatError('too-large', '$', `the text has more than ${limits.maxLength} characters`);
  return new Parser(text, limits).document();
}

class Parser {
  readonly #text: string;
  readonly #limits: JsonLimits;
  #at: number;
  #values = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
    this.#at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  }

  document(): JsonValue {
    const value = this.#value('$', 0);
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail('$', 'something follows the end of the document');
    return value;
  }

  #value(path: string, depth: number): JsonValue {
    this.#skipSpace();
    this.#values += 1;
    if (this.#values > this.#limits.maxValues)
      throw new FormatError('too-large', path, `more than ${this.#limits.maxValues} values`);
    const first = this.#text[this.#at];
    switch (first) {
      case '{':
        return this.#object(path, depth + 1);
      case '[':
        return this.#array(path, depth + 1);
      case '"':
        return { kind: 'string', value: this.#string(path) };
      case 't':
        return this.#word('true', path, { kind: 'boolean', value: true });
      case 'f':
        return this.#word('false', path, { kind: 'boolean', value: false });
      case 'n':
        return this.#word('null', path, { kind: 'null' });
      default: {
        const number = this.#match(NUMBER);
        if (number === undefined)
          return this.#fail(path, first === undefined ? 'the text ends too early' : 'no JSON value');
        return { kind: 'number', text: number };
      }
    }
  }

  #object(path: string, depth: number): JsonValue {
    this.#checkDepth(path, depth);
    const members = new Map<string, JsonValue>();
    this.#at += 1;
    if (this.#accept('}')) return { kind: 'object', members };
    do {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') this.#fail(path, 'a member name in quotes is missing');
      const name = this.#string(path);
      if (members.has(name)) this.#fail(path, `the member ${JSON.stringify(name)} appears twice`);
      if (!this.#accept(':')) this.#fail(path, `a colon is missing after ${JSON.stringify(name)}`);
      members.set(name, this.#value(memberPath(path, name), depth));
    } while (this.#accept(','));
    if (!this.#accept('}')) this.#fail(path, 'a comma or } is missing');
    return { kind: 'object', members };
  }

  #array(path: string, depth: number): JsonValue {
    this.#checkDepth(path, depth);
    const items: JsonValue[] = [];
    this.#at += 1;
    if (this.#accept(']')) return { kind: 'array', items };
    do items.push(this.#value(`${path}[${items.length}]`, depth));
    while (this.#accept(','));
    if (!this.#accept(']')) this.#fail(path, 'a comma or ] is missing');
    return { kind: 'array', items };
  }

  #string(path: string): string {
    this.#at += 1;
    let value = '';
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) return this.#fail(path, 'a string does not end');
      if (character === '"') break;
      if (character === '\\') value += this.#escape(path);
      else {
        const plain = this.#match(PLAIN);
        if (plain !== undefined) value += plain;
        else if (character < ' ') this.#fail(path, 'a control character inside a string must be escaped');
        else {
          value += character;
          this.#at += 1;
        }
      }
    }
    this.#at += 1;
    if (hasLoneSurrogate(value)) this.#fail(path, 'a string with half a surrogate pair is no Unicode text');
    return value;
  }

  #escape(path: string): string {
    const letter = this.#text[this.#at + 1] ?? '';
    this.#at += 2;
    const simple = ESCAPES[letter];
    if (simple !== undefined) return simple;
    const hex = letter === 'u' ? this.#match(HEX4) : undefined;
    if (hex === undefined) return this.#fail(path, 'an unknown escape sequence');
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  #word(word: string, path: string, value: JsonValue): JsonValue {
    if (!this.#text.startsWith(word, this.#at)) this.#fail(path, 'no JSON value');
    this.#at += word.length;
    return value;
  }

  /** Skips white space, then takes the character if it is there. */
  #accept(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    if (match !== undefined) this.#at += match.length;
    return match;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #checkDepth(path: string, depth: number): void {
    if (depth > this.#limits.maxDepth)
      throw new FormatError('too-large', path, `nested deeper than ${this.#limits.maxDepth} levels`);
  }

  #fail(path: string, reason: string): never {
    const before = this.#text.slice(0, this.#at).split('\n');
    const column = (before.at(-1) as string).length + 1;
    throw new FormatError('invalid-json', path, `${reason} (line ${before.length}, column ${column})`);
  }
}

/** The path of a member; names that are no plain words are quoted. */
export function memberPath(path: string, name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name.slice(0, 100))}]`;
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
