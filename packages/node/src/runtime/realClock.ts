import type { Clock, Timer } from './clock.ts';

/** The longest delay that Node.js timers hold; longer ones would fire at once. */
const MAX_DELAY_MS = 0x7fff_ffff;

/** The operating system's time. A delay of 0 runs in the next turn of the event loop, without the timers' 1 ms of rounding. */
export function createRealClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    schedule(delayMs: number, callback: () => void): Timer {
      if (delayMs <= 0) {
        // Not unref'd: the event loop does not hurry for such an immediate, it would wait for the next packet or timer.
        const immediate = setImmediate(callback);
        return { cancel: () => clearImmediate(immediate) };
      }
      const timeout = setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS)).unref();
      return { cancel: () => clearTimeout(timeout) };
    },
  };
}
