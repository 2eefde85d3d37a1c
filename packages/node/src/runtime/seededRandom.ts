import { createHash } from 'node:crypto';
import type { Random } from './random.ts';

/** A reproducible generator for tests and the simulator: SHA-256 of the seed and a counter. Never for keys of a real network. */
export class SeededRandom implements Random {
  readonly #seed: string;
  #counter = 0;
  #block: Uint8Array = new Uint8Array(0);

  constructor(seed: string | number) {
    this.#seed = String(seed);
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      if (this.#block.length === 0) {
        this.#block = createHash('sha256')
          .update(`${this.#seed}:${this.#counter++}`)
          .digest();
      }
      const part = this.#block.subarray(0, length - filled);
      out.set(part, filled);
      this.#block = this.#block.subarray(part.length);
      filled += part.length;
    }
    return out;
  }
}
