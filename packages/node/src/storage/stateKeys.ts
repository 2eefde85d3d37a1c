import type { Nibbles, Suite } from '@hanse/protocol';
import { type Address, bigintToFixedBytes, hexToBytes, trieKey } from '@hanse/protocol';
import { slotKey } from './slotMap.ts';

/** The hash under which the state keeps an account or a slot: as the trie's key and as bytes. */
export interface StateKey {
  readonly nibbles: Nibbles;
  /** 32 bytes; not to be changed. */
  readonly bytes: Uint8Array;
}

/** How many keys one generation holds; two generations of both kinds are about 30 MB. */
const GENERATION_SIZE = 32_768;

/**
 * Hashes addresses and slots into their keys and remembers the recent ones: a block's hot accounts and slots are read, and then
 * written into the trie, many times, and a hash costs several times a look-up.
 */
export class StateKeys {
  readonly #suite: Suite;
  readonly #addresses = new GenerationCache<string>();
  readonly #slots = new GenerationCache<string | number>();

  constructor(suite: Suite) {
    this.#suite = suite;
  }

  ofAddress(address: Address): StateKey {
    return this.#addresses.get(address) ?? this.#addresses.add(address, this.#key(hexToBytes(address)));
  }

  ofSlot(slot: bigint): StateKey {
    const name = slotKey(slot);
    return this.#slots.get(name) ?? this.#slots.add(name, this.#key(bigintToFixedBytes(slot, 32)));
  }

  #key(preimage: Uint8Array): StateKey {
    const bytes = this.#suite.hash(preimage);
    return { nibbles: trieKey(bytes), bytes };
  }
}

/** Forgets what was asked for neither in this generation nor in the one before. Bounded, without bookkeeping on a hit. */
class GenerationCache<K> {
  #young = new Map<K, StateKey>();
  #old = new Map<K, StateKey>();

  get(name: K): StateKey | undefined {
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const old = this.#old.get(name);
    return old === undefined ? undefined : this.add(name, old);
  }

  add(name: K, key: StateKey): StateKey {
    if (this.#young.size >= GENERATION_SIZE) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(name, key);
    return key;
  }
}
