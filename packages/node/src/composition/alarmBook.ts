import type { Clock } from '../runtime/clock.ts';
import { TokenBucket } from '../runtime/tokenBucket.ts';

/** Something that a person should know; kept until the member restarts. */
export interface Alarm {
  readonly kind: string;
  readonly detail: string;
}

const MAX_KEPT = 256;
/** A Byzantine validator can raise an alarm in every view, by signing two votes: that must fill neither the log nor the memory. */
const LINES_BURST = 64;
const LINES_PER_SECOND = 0.1;

/** The alarms since the start: all counted, the newest kept. */
export class AlarmBook {
  readonly #clock: Clock;
  readonly #lines: TokenBucket;
  #alarms: Alarm[] = [];
  #count = 0;
  #unsaid = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lines = new TokenBucket(LINES_PER_SECOND, LINES_BURST, clock.monotonicMs());
  }

  get count(): number {
    return this.#count;
  }

  get last(): Alarm | undefined {
    return this.#alarms.at(-1);
  }

  /** Keeps an alarm. The number of alarms since the last line if this one is worth a line, else undefined. */
  raise(kind: string, detail: string): { readonly unsaid: number } | undefined {
    this.#count++;
    this.#alarms.push({ kind, detail });
    if (this.#alarms.length > MAX_KEPT) this.#alarms = this.#alarms.slice(-MAX_KEPT / 2);
    if (!this.#lines.take(1, this.#clock.monotonicMs())) {
      this.#unsaid++;
      return undefined;
    }
    const unsaid = this.#unsaid;
    this.#unsaid = 0;
    return { unsaid };
  }
}
