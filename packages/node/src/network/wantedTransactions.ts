import type { Hash } from '@hanse/protocol';

const MAX_HOLDERS = 4;

interface Wanted {
  /** Who told of it first. */
  readonly teller: string;
  /** Who said to have it, in the order in which to ask. */
  readonly holders: string[];
}

/**
 * Transactions that peers told of and that have not come: bounded. When there are too many, the oldest of the peer that told of most goes, so
 * that one that makes them up pushes out nobody's but its own.
 */
export class WantedTransactions {
  readonly #capacity: number;
  readonly #wanted = new Map<Hash, Wanted>();
  readonly #byTeller = new Map<string, Set<Hash>>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#wanted.size;
  }

  add(hash: Hash, peer: string): void {
    const known = this.#wanted.get(hash);
    if (known !== undefined) {
      if (known.holders.length < MAX_HOLDERS && !known.holders.includes(peer)) known.holders.push(peer);
      return;
    }
    this.#wanted.set(hash, { teller: peer, holders: [peer] });
    const told = this.#byTeller.get(peer) ?? new Set();
    this.#byTeller.set(peer, told);
    told.add(hash);
    if (this.#wanted.size > this.#capacity) this.#forgetOldest();
  }

  forget(hash: Hash): void {
    const wanted = this.#wanted.get(hash);
    if (wanted === undefined) return;
    this.#wanted.delete(hash);
    const told = this.#byTeller.get(wanted.teller);
    told?.delete(hash);
    if (told?.size === 0) this.#byTeller.delete(wanted.teller);
  }

  /**
   * What to ask now, by peer: each hash still lacking goes to its next holder at hand, and stays here while it has further ones.
   */
  take(lacking: (hash: Hash) => boolean, atHand: (peer: string) => boolean): ReadonlyMap<string, readonly Hash[]> {
    const requests = new Map<string, Hash[]>();
    for (const [hash, { holders }] of this.#wanted) {
      let peer = holders.shift();
      while (peer !== undefined && !atHand(peer)) peer = holders.shift();
      if (peer === undefined || !lacking(hash)) {
        this.forget(hash);
        continue;
      }
      const hashes = requests.get(peer) ?? [];
      requests.set(peer, hashes);
      hashes.push(hash);
      if (holders.length === 0) this.forget(hash);
    }
    return requests;
  }

  #forgetOldest(): void {
    const most = [...this.#byTeller.values()].reduce((a, b) => (b.size > a.size ? b : a));
    const [oldest] = most;
    if (oldest !== undefined) this.forget(oldest);
  }
}
