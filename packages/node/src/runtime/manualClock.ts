import { BinaryHeap } from './binaryHeap.ts';
import type { Clock, Timer } from './clock.ts';

interface Armed {
  readonly atMs: number;
  readonly order: number;
  /** Undefined once it fired or was cancelled. */
  callback: (() => void) | undefined;
}

/**
 * A clock that moves only when told to, for tests and the simulator. Timers due at the same moment fire in the
 * order in which they were armed, so that two runs of the same program are the same.
 */
export class ManualClock implements Clock {
  #elapsedMs = 0;
  #armed = 0;
  #pending = 0;
  readonly #startMs: number;
  /** Cancelled timers stay until they are due: taking them out of a heap would cost more than they do. */
  readonly #timers = new BinaryHeap<Armed>((a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order));

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
    this.#timers.push(timer);
    this.#pending++;
    return { cancel: () => void this.#take(timer) };
  }

  /** How many timers are armed. */
  get pending(): number {
    return this.#pending;
  }

  /** When the next timer is due, on `monotonicMs`; undefined if none is armed. */
  get nextAtMs(): number | undefined {
    return this.#next()?.atMs;
  }

  /** Moves on by `milliseconds` and fires everything that comes due on the way, at its own moment. */
  advance(milliseconds: number): void {
    const targetMs = this.#elapsedMs + milliseconds;
    while (this.fireNext(targetMs)) {
      // Each fires at its own moment.
    }
    this.#elapsedMs = targetMs;
  }

  /** Moves on to the next timer and fires it, if it is due by `untilMs`; false if none is, and then no time passes. */
  fireNext(untilMs: number): boolean {
    const next = this.#next();
    if (next === undefined || next.atMs > untilMs) return false;
    this.#timers.pop();
    this.#elapsedMs = next.atMs;
    this.#take(next)?.();
    return true;
  }

  #next(): Armed | undefined {
    for (let next = this.#timers.peek(); next !== undefined; next = this.#timers.peek()) {
      if (next.callback !== undefined) return next;
      this.#timers.pop();
    }
    return undefined;
  }

  /** What the timer would call, once. */
  #take(timer: Armed): (() => void) | undefined {
    const { callback } = timer;
    if (callback === undefined) return undefined;
    timer.callback = undefined;
    this.#pending--;
    return callback;
  }
}
