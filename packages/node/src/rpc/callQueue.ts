import { rpcError } from './codes.ts';

/** Runs a few things at a time, lets a bounded number wait in order, and refuses the rest with `limit-exceeded`. */
export class CallQueue {
  readonly #maxConcurrent: number;
  readonly #maxQueued: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(maxConcurrent: number, maxQueued: number) {
    this.#maxConcurrent = maxConcurrent;
    this.#maxQueued = maxQueued;
  }

  get running(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#waiting.length;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#maxConcurrent) {
      this.#running++;
    } else {
      if (this.#waiting.length >= this.#maxQueued) {
        throw rpcError('limit-exceeded', `${this.#maxQueued} calls wait already, try again later`);
      }
      // Whoever finishes hands its place over, so the count stays as it is.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
