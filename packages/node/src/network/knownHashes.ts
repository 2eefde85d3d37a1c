import type { Hash } from '@hanse/protocol';

/** The hashes seen most recently, at most `capacity` of them; the one not seen for the longest goes first. */
export class KnownHashes {
  readonly #capacity: number;
  readonly #hashes = new Set<Hash>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#hashes.size;
  }

  has(hash: Hash): boolean {
    return this.#hashes.has(hash);
  }

  add(hash: Hash): void {
    this.#hashes.delete(hash);
    this.#hashes.add(hash);
    if (this.#hashes.size <= this.#capacity) return;
    const oldest = this.#hashes.values().next();
    if (!oldest.done) this.#hashes.delete(oldest.value);
  }
}
