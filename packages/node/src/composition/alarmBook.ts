import type { Clock } from '../runtime/clock.ts';
import { TokenBucket } from '../runtime/tokenBucket.ts';

/** A Byzantine validator can raise an alarm in every view, by signing two votes: that must fill neither the log nor the memory. */
const LINES_BURST = 64;
const LINES_PER_SECOND = 0.1;

/**
 * Alarms that tell of what others did. A person should look, but the member that saw it is well: one faulty validator must not make all the others
 * look broken to whoever sends them clients.
 */
const ABOUT_OTHERS: ReadonlySet<string> = new Set(['equivocation', 'conflicting-results']);

/** The alarms since the start, by kind: all counted, the newest of each kept until it is over. */
export class AlarmBook {
  readonly #clock: Clock;
  readonly #lines: TokenBucket;
  readonly #standing = new Map<string, { detail: string; count: number }>();
  #count = 0;
  #unsaid = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lines = new TokenBucket(LINES_PER_SECOND, LINES_BURST, clock.monotonicMs());
  }

  get count(): number {
    return this.#count;
  }

  /** Whether no standing alarm says that something is wrong with this member. */
  get isWell(): boolean {
    return [...this.#standing.keys()].every((kind) => ABOUT_OTHERS.has(kind));
  }

  /** The standing alarms, those about this member first; `none` if there are none. */
  describe(): string {
    const rank = (kind: string): number => (ABOUT_OTHERS.has(kind) ? 1 : 0);
    const lines = [...this.#standing]
      .sort(([a], [b]) => rank(a) - rank(b))
      .map(([kind, { detail, count }]) => `${kind}${count > 1 ? ` (${count} times, the last)` : ''}: ${detail}`);
    return lines.length === 0 ? 'none' : lines.join('; ');
  }

  /** Keeps an alarm. The number of alarms since the last line if this one is worth a line, else undefined. */
  raise(kind: string, detail: string): { readonly unsaid: number } | undefined {
    this.#count++;
    this.#standing.set(kind, { detail, count: (this.#standing.get(kind)?.count ?? 0) + 1 });
    if (!this.#lines.take(1, this.#clock.monotonicMs())) {
      this.#unsaid++;
      return undefined;
    }
    const unsaid = this.#unsaid;
    this.#unsaid = 0;
    return { unsaid };
  }

  /** What an alarm told of is over. Whether it stood. */
  end(kind: string): boolean {
    return this.#standing.delete(kind);
  }
}
