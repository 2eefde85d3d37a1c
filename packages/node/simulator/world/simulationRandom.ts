import type { Random } from '../../src/runtime/random.ts';

/**
 * The generator from which everything of a run is drawn (sfc32, by Chris Doty-Humphrey). Each use has a stream of its own,
 * named, so that a fault that draws once more leaves the workload as it was. The same on every machine and for ever.
 */
export class SimulationRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream: string) {
    [this.#a, this.#b, this.#c] = [Math.floor(seed / 2 ** 32) | 0, seed | 0, 0];
    for (let index = 0; index < stream.length; index++) {
      this.#c = Math.imul(this.#c ^ stream.charCodeAt(index), 0x9e3779b1);
      this.#next();
    }
    for (let round = 0; round < 12; round++) this.#next();
  }

  /** An integer of [0, bound), bound at most 2^32. */
  below(bound: number): number {
    return Math.floor((this.#next() / 0x1_0000_0000) * bound);
  }

  /** An integer of [least, most]. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** A multiple of a microsecond of [least, most): where things happen between whole milliseconds. */
  milliseconds(least: number, most: number): number {
    return Math.round((least + (this.#next() / 0x1_0000_0000) * (most - least)) * 1_000) / 1_000;
  }

  /** True in `percent` of 100 cases; fractions of a percent are heard too. */
  chance(percent: number): boolean {
    return (this.#next() / 0x1_0000_0000) * 100 < percent;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('there is nothing to pick from');
    return item;
  }

  /** Some of the items, each with the same chance, in a random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const rest = [...items];
    const chosen: T[] = [];
    while (chosen.length < count && rest.length > 0) chosen.push(...rest.splice(this.below(rest.length), 1));
    return chosen;
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let index = 0; index < length; index += 4) {
      const word = this.#next();
      for (let byte = 0; byte < 4 && index + byte < length; byte++) out[index + byte] = word >>> (8 * byte);
    }
    return out;
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }
}
