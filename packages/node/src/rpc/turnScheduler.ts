import type { Clock } from '../runtime/clock.ts';

/**
 * Shares the thread with consensus. Work that may be long calls `pause` between small steps; when the RPC as a whole
 * has kept the thread for `sliceMs`, callers wait, in order, for later turns of the event loop. One budget for all: ten log queries
 * at once delay consensus no more than one.
 */
export class TurnScheduler {
  readonly #clock: Clock;
  readonly #sliceMs: number;
  #waiting: (() => void)[] = [];
  #sliceStartedMs = Number.NEGATIVE_INFINITY;
  #armed = false;

  constructor(clock: Clock, sliceMs: number) {
    this.#clock = clock;
    this.#sliceMs = sliceMs;
  }

  /** Undefined when the caller may go on at once; otherwise a promise of its turn. */
  pause(): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#withinSlice()) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#arm();
    });
  }

  #withinSlice(): boolean {
    return this.#clock.monotonicMs() - this.#sliceStartedMs < this.#sliceMs;
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(() => void this.#runSlice());
  }

  async #runSlice(): Promise<void> {
    this.#armed = false;
    this.#sliceStartedMs = this.#clock.monotonicMs();
    do {
      this.#waiting.shift()?.();
      // The released work runs up to its next `pause` (or I/O) before these microtasks are through.
      await Promise.resolve();
      await Promise.resolve();
    } while (this.#waiting.length > 0 && this.#withinSlice());
    if (this.#waiting.length > 0) this.#arm();
  }
}
