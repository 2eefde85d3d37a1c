import type { Clock, Timer } from './clock.ts';

interface Armed {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that moves only when told to, for tests and the simulator. Timers due at the same moment fire in the
 * order in which they were armed, so that two runs of the same program are the same.
 */
export class ManualClock implements Clock {
  #elapsedMs = 0;
  #armed = 0;
  readonly #startMs: number;
  readonly #timers = new Set<Armed>();

  constructor(startMs = 1_700_000_000_000) {
    this.#startMs = startMs;
  }

  /** Whole milliseconds, as `Date.now` gives them, though timers may be due in between. */
  nowMs(): number {
    return Math.floor(this.#startMs + this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const timer: Armed = { atMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#armed++, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** How many timers are armed. */
  get pending(): number {
    return this.#timers.size;
  }

  /** When the next timer is due, on `monotonicMs`; undefined if none is armed. */
  get nextAtMs(): number | undefined {
    return this.#next()?.atMs;
  }

  /** Moves on by `milliseconds` and fires everything that comes due on the way, at its own moment. */
  advance(milliseconds: number): void {
    const targetMs = this.#elapsedMs + milliseconds;
    for (let next = this.#next(); next !== undefined && next.atMs <= targetMs; next = this.#next()) {
      this.#timers.delete(next);
      this.#elapsedMs = next.atMs;
      next.callback();
    }
    this.#elapsedMs = targetMs;
  }

  #next(): Armed | undefined {
    let best: Armed | undefined;
    for (const timer of this.#timers) {
      if (best === undefined || timer.atMs < best.atMs || (timer.atMs === best.atMs && timer.order < best.order)) {
        best = timer;
      }
    }
    return best;
  }
}
