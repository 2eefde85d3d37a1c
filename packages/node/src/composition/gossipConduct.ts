import { blameFor, type Rejection } from '../chain/transactionRejection.ts';
import type { Clock } from '../runtime/clock.ts';
import { TokenBucket } from '../runtime/tokenBucket.ts';

/**
 * Transactions of one peer that this member refuses although nothing is wrong with their form: at once, and every second. An honest member
 * passes such on when it is a few blocks ahead or behind, or when an account with a full queue loses its permission; a flood of them
 * costs this member a signature recovery each, and the sender nothing.
 */
const DOUBTFUL_BURST = 8_192;
const DOUBTFUL_PER_SECOND = 512;

/** Judges peers by the transactions that they pass on. A member offers what its own pool took, so that what nobody can take shows intent. */
export class GossipConduct {
  readonly #clock: Clock;
  readonly #budgets = new Map<string, TokenBucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The offence, if what was refused of a peer's message is one. */
  judge(peer: string, refused: readonly Rejection[]): string | undefined {
    let doubtful = 0;
    for (const { code, message } of refused) {
      const blame = blameFor(code);
      if (blame === 'certain') return `it passed on a transaction that nobody can take: ${message}`;
      if (blame === 'doubtful') doubtful++;
    }
    if (doubtful === 0) return undefined;
    const nowMs = this.#clock.monotonicMs();
    const budget = this.#budgets.get(peer) ?? new TokenBucket(DOUBTFUL_PER_SECOND, DOUBTFUL_BURST, nowMs);
    this.#budgets.set(peer, budget);
    return budget.take(doubtful, nowMs) ? undefined : 'it passed on too many transactions that are refused';
  }
}
