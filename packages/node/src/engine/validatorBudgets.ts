import type { ValidatorIndex } from '@hanse/protocol';
import { TokenBucket } from '../runtime/tokenBucket.ts';

interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * What one validator's messages may cost this member. An honest one of 31 that is stuck sends 64 certificates of 21 signatures and 64
 * votes a second (rule R1 of packages/consensus/spec.md), and one that makes 20 views a second 40 votes and 40 certificates: 1,500 items a second at
 * most, of which others brought most before. The bursts have room for 15 s of that, which is how long a member may be busy
 * with something else before its peers take it for lost.
 */
export const validatorLimits = {
  /** Votes, and certificates with each of their signatures, whether they are new or not: 8,000 take 3 % of this thread. */
  items: { perSecond: 8_000, burst: 65_536 },
  /** Signatures that had to be verified: 2,000 take a tenth of this thread. */
  signatures: { perSecond: 2_000, burst: 16_384 },
  /** Reports of where it is, asked for or not: each may be answered with 64 certificates and votes. Every 5 s is usual, twice a second after a start. */
  statuses: { perSecond: 8, burst: 64 },
  /** Votes for views beyond the window in which they count; they show only that this member is behind. */
  distantVotes: { perSecond: 16, burst: 64 },
  /** Transactions that came with its proposals and whose senders had to be found: half of the thread that does it. */
  bodies: { perSecond: 8_192, burst: 32_768 },
  /** Bytes of answers to its requests, and what looking for the answers costs, counted as bytes. */
  answers: { perSecond: 16 * 1024 * 1024, burst: 64 * 1024 * 1024 },
  /** Requests of an epoch that is over, each of which reads storage: one answer is enough to leave it. A member that waits for others asks twice a second. */
  pastRequests: { perSecond: 8, burst: 64 },
} as const satisfies Readonly<Record<string, Rate>>;

export type BudgetName = keyof typeof validatorLimits;

/** What each member may still cost, whatever its place in which epoch: a new epoch brings no new budget. */
export class MemberBudgets {
  readonly #monotonicMs: () => number;
  readonly #limits: Readonly<Record<BudgetName, Rate>>;
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #lowest = new Map<BudgetName, number>();

  constructor(monotonicMs: () => number, limits: Partial<Record<BudgetName, Rate>> = {}) {
    this.#monotonicMs = monotonicMs;
    this.#limits = { ...validatorLimits, ...limits };
  }

  /** Takes so much of a member's budget if it is there; otherwise takes nothing and says false. */
  take(member: string, name: BudgetName, amount: number): boolean {
    const nowMs = this.#monotonicMs();
    const key = `${member}:${name}`;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      const { perSecond, burst } = this.#limits[name];
      bucket = new TokenBucket(perSecond, burst, nowMs);
      this.#buckets.set(key, bucket);
    }
    const taken = bucket.take(amount, nowMs);
    const left = taken ? bucket.left(nowMs) : 0;
    this.#lowest.set(name, Math.min(this.#lowest.get(name) ?? Number.POSITIVE_INFINITY, left));
    return taken;
  }

  /** The share of a budget that was used at most, by any member: 0 nothing, 1 all of it. */
  worstUse(name: BudgetName): number {
    const { burst } = this.#limits[name];
    return 1 - Math.min(burst, this.#lowest.get(name) ?? burst) / burst;
  }
}

/** The same by the places of one epoch. */
export class ValidatorBudgets {
  readonly #members: MemberBudgets;
  readonly #nameOf: (place: ValidatorIndex) => string;

  constructor(members: MemberBudgets, nameOf: (place: ValidatorIndex) => string) {
    this.#members = members;
    this.#nameOf = nameOf;
  }

  /** See `MemberBudgets.take`. */
  take(from: ValidatorIndex, name: BudgetName, amount: number): boolean {
    return this.#members.take(this.#nameOf(from), name, amount);
  }

  worstUse(name: BudgetName): number {
    return this.#members.worstUse(name);
  }
}
