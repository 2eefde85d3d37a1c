import type { Clock, Timer } from '../../src/runtime/clock.ts';
import type { ManualClock } from '../../src/runtime/manualClock.ts';
import type { Life } from './life.ts';

/** Timers are due at whole microseconds of the world, so that no difference of a rounding lasts for ever. */
const MICROSECONDS = 1_000;

/**
 * The clocks of one machine: both run a little fast or slow, and the wall clock is off and may be set. They go on while no process
 * runs; the monotonic one never goes back.
 */
export class MachineClock {
  readonly #world: ManualClock;
  /** Seconds of this machine for each second of the world. */
  #rate = 1;
  /** Where the present rate began, on both clocks. */
  #worldAnchorMs = 0;
  #ownAnchorMs: number;
  /** From the monotonic clock to the wall clock. */
  #wallMs: number;

  constructor(world: ManualClock, monotonicStartMs = 0) {
    this.#world = world;
    this.#ownAnchorMs = monotonicStartMs;
    this.#wallMs = world.nowMs() - monotonicStartMs;
  }

  /** Sets the wall clock to the world's time and so much more. */
  setWall(aheadMs: number): void {
    this.#wallMs = this.#world.nowMs() + aheadMs - this.monotonicMs();
  }

  setRate(rate: number): void {
    this.#ownAnchorMs = this.monotonicMs();
    this.#worldAnchorMs = this.#world.monotonicMs();
    this.#rate = rate;
  }

  nowMs(): number {
    return Math.floor(this.#wallMs + this.monotonicMs());
  }

  monotonicMs(): number {
    return this.#ownAnchorMs + (this.#world.monotonicMs() - this.#worldAnchorMs) * this.#rate;
  }

  /** These clocks as a process on the machine sees them. */
  of(life: Life): Clock {
    return {
      nowMs: () => this.nowMs(),
      monotonicMs: () => this.monotonicMs(),
      schedule: (delayMs, callback): Timer => {
        if (!life.alive) return { cancel: () => undefined };
        const worldMs = Math.ceil((Math.max(0, delayMs) / this.#rate) * MICROSECONDS) / MICROSECONDS;
        let cancelled = false;
        const timer = this.#world.schedule(worldMs, () =>
          life.run('timer', () => {
            // It may have been cancelled while it waited in a frozen process.
            if (!cancelled) callback();
          }),
        );
        return {
          cancel: () => {
            cancelled = true;
            timer.cancel();
          },
        };
      },
    };
  }
}
