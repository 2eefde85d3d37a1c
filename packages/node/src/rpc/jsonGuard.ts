import { rpcError } from './codes.ts';

export interface JSONBounds {
  readonly maxDepth: number;
  readonly maxValues: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Looks at JSON while it arrives and refuses what `JSON.parse` would choke on: nesting beyond `maxDepth`, or more than
 * `maxValues` commas and brackets (100,000 of them parse in about 10 ms). It does not check the grammar; the parser does.
 */
export class JSONGuard {
  readonly #bounds: JSONBounds;
  #depth = 0;
  #values = 0;
  #inString = false;
  #escaped = false;

  constructor(bounds: JSONBounds) {
    this.#bounds = bounds;
  }

  /** Throws `parse-error` as soon as a bound is passed. */
  feed(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === QUOTE) {
        this.#inString = true;
      } else if (byte === COMMA) {
        this.#count();
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        this.#depth++;
        if (this.#depth > this.#bounds.maxDepth) {
          throw rpcError('parse-error', `nested deeper than ${this.#bounds.maxDepth} levels`);
        }
        this.#count();
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth--;
      }
    }
  }

  #count(): void {
    this.#values++;
    if (this.#values > this.#bounds.maxValues) {
      throw rpcError('parse-error', `more than ${this.#bounds.maxValues} values`);
    }
  }
}

/** Decodes UTF-8 strictly and parses; throws `parse-error`. The bytes must have passed a guard. */
export function parseJSON(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw rpcError('parse-error', 'the body is not UTF-8');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw rpcError('parse-error', (error as SyntaxError).message.slice(0, 200));
  }
}
