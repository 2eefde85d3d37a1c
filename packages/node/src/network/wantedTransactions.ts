import type { Hash } from '@hanse/protocol';

const MAX_HOLDERS = 4;

/** Transactions that peers told of and that have not come: bounded, the oldest forgotten first. */
export class WantedTransactions {
  readonly #capacity: number;
  /** Who said to have it, in the order in which to ask. */
  readonly #holders = new Map<Hash, string[]>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#holders.size;
  }

  add(hash: Hash, peer: string): void {
    const holders = this.#holders.get(hash);
    if (holders !== undefined) {
      if (holders.length < MAX_HOLDERS && !holders.includes(peer)) holders.push(peer);
      return;
    }
    this.#holders.set(hash, [peer]);
    if (this.#holders.size <= this.#capacity) return;
    const oldest = this.#holders.keys().next();
    if (!oldest.done) this.#holders.delete(oldest.value);
  }

  forget(hash: Hash): void {
    this.#holders.delete(hash);
  }

  /**
   * What to ask now, by peer: each hash still lacking goes to its next holder at hand, and stays here while it has further ones.
   */
  take(lacking: (hash: Hash) => boolean, atHand: (peer: string) => boolean): ReadonlyMap<string, readonly Hash[]> {
    const requests = new Map<string, Hash[]>();
    for (const [hash, holders] of this.#holders) {
      let peer = holders.shift();
      while (peer !== undefined && !atHand(peer)) peer = holders.shift();
      if (peer === undefined || !lacking(hash)) {
        this.#holders.delete(hash);
        continue;
      }
      const hashes = requests.get(peer) ?? [];
      requests.set(peer, hashes);
      hashes.push(hash);
      if (holders.length === 0) this.#holders.delete(hash);
    }
    return requests;
  }
}
