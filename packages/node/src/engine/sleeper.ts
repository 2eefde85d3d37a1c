import type { Clock, Timer } from '../runtime/clock.ts';

/** Waiting on the injected clock that ends at once when its owner closes. */
export class Sleeper {
  readonly #clock: Clock;
  readonly #sleeping = new Map<Timer, () => void>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  sleep(delayMs: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.schedule(delayMs, () => {
        this.#sleeping.delete(timer);
        resolve();
      });
      this.#sleeping.set(timer, resolve);
    });
  }

  close(): void {
    this.#closed = true;
    for (const [timer, resolve] of this.#sleeping) {
      timer.cancel();
      resolve();
    }
    this.#sleeping.clear();
  }
}
