import { bytesToWord, type Keccak256, utf8ToBytes, wordToBytes } from '@hanse/protocol';

/** How many slots of one mapping a generation remembers. */
const REMEMBERED_SLOTS = 8_192;

/** Only mappings at the first slots are remembered: nested ones have hashes for slots. */
const REMEMBERED_MAPPINGS = 64n;

/**
 * Finds the slots of mappings, arrays and long byte strings. Always Keccak-256, in both suites, so that Solidity's tools
 * find the same slots. What it remembers never changes a result: a slot is a pure function of mapping and key.
 */
export class SlotHasher {
  readonly #hasher: Keccak256;
  readonly #buffer = new Uint8Array(64);
  readonly #recent: Map<string, bigint>[] = [];
  readonly #older: Map<string, bigint>[] = [];

  constructor(hasher: Keccak256) {
    this.#hasher = hasher;
  }

  /** keccak256(key . slot) for a key of one word. With `text`, a name that the key alone has in its mapping, the slot is remembered. */
  mappingSlot(slot: bigint, key: bigint, text: string | undefined): bigint {
    if (text === undefined || slot >= REMEMBERED_MAPPINGS) return this.#hashPair(key, slot);
    // Strings are the keys here because their hash in the engine is seeded; that of a bigint anybody can make collide.
    const index = Number(slot);
    let recent = this.#recent[index];
    if (recent === undefined) {
      recent = new Map();
      this.#recent[index] = recent;
    }
    const known = recent.get(text) ?? this.#older[index]?.get(text);
    if (known !== undefined) return known;
    const result = this.#hashPair(key, slot);
    if (recent.size >= REMEMBERED_SLOTS) {
      this.#older[index] = recent;
      recent = new Map();
      this.#recent[index] = recent;
    }
    recent.set(text, result);
    return result;
  }

  /** keccak256(text . slot) for a key that is a string. */
  textMappingSlot(slot: bigint, key: string): bigint {
    const text = utf8ToBytes(key);
    const preimage = new Uint8Array(text.length + 32);
    preimage.set(text);
    preimage.set(wordToBytes(slot), text.length);
    return bytesToWord(this.#hasher.keccak256(preimage));
  }

  /** keccak256(slot): where the content of an array or a long byte string begins. */
  contentSlot(slot: bigint): bigint {
    return bytesToWord(this.#hasher.keccak256(wordToBytes(slot)));
  }

  #hashPair(key: bigint, slot: bigint): bigint {
    this.#buffer.set(wordToBytes(key));
    this.#buffer.set(wordToBytes(slot), 32);
    return bytesToWord(this.#hasher.keccak256(this.#buffer));
  }
}
