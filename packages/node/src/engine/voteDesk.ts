import { sameStatement } from '@hanse/consensus';
import {
  type Certificate,
  type Hash,
  type Height,
  type Statement,
  type Suite,
  statementBytes,
  type ValidatorIndex,
  type View,
  type Vote,
} from '@hanse/protocol';
import { alarmKindOf } from '../runtime/diskFailure.ts';
import { type EngineRecord, encodeEngineRecord } from './logRecords.ts';
import type { EngineMetrics } from './metrics.ts';
import type { Signer } from './signer.ts';
import type { Sleeper } from './sleeper.ts';
import type { WriteAheadLog } from './writeAheadLog.ts';

export interface VoteDeskOptions {
  readonly suite: Suite;
  readonly genesisHash: Hash;
  readonly self: ValidatorIndex;
  /** How long to wait before a signer that failed is asked again. */
  readonly signerRetryMs: number;
}

export interface VoteDeskModules {
  readonly signer: Signer;
  readonly log: WriteAheadLog;
  readonly sleeper: Sleeper;
  readonly metrics: EngineMetrics;
  /** The newest finalized view: votes up to it are of no more use. */
  readonly finalizedView: () => View;
  readonly alarm: (kind: string, detail: string, stop: boolean) => void;
}

/**
 * The one place where this member's key is used: signs, appends, waits for the flush, and only then hands the vote
 * out. Whatever asks for votes, it never signs two that contradict one another (a second defence behind the core's own).
 */
export class VoteDesk {
  readonly #options: VoteDeskOptions;
  readonly #modules: VoteDeskModules;
  /** Own votes above the finalized view, by view: what this member is bound by. */
  readonly #own = new Map<View, Vote[]>();
  #appending: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(options: VoteDeskOptions, modules: VoteDeskModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Takes back a vote that the log holds. */
  recall(vote: Vote): void {
    this.#votesOf(vote.statement.view).push(vote);
  }

  /** Every own vote above the finalized view. */
  ownVotes(): readonly Vote[] {
    return [...this.#own.values()].flat();
  }

  /** The blocks above a height that this member signed as final, ascending. */
  signedAsFinal(height: Height): readonly { readonly height: Height; readonly blockHash: Hash }[] {
    const blocks = this.ownVotes().flatMap(({ statement }) =>
      statement.kind === 'finalize' && statement.height > height
        ? [{ height: statement.height, blockHash: statement.blockHash }]
        : [],
    );
    return blocks.sort((a, b) => a.height - b.height);
  }

  /** No vote leaves any more. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Signs a statement, appends the vote and whatever `others` gives for it, and resolves to the vote once all of that is
   * durable; `undefined` if nothing may be signed any more. Votes become durable in the order of the calls.
   */
  cast(statement: Statement, others: (vote: Vote) => readonly EngineRecord[]): Promise<Vote | undefined> {
    if (!this.#mayCast(statement)) return Promise.resolve(undefined);
    const signed = this.#sign(statement);
    const appended = this.#appending.then(async () => {
      const vote = await signed;
      if (vote === undefined || !this.#mayCast(statement)) return undefined;
      if (!this.#bind(vote)) return undefined;
      for (const record of others(vote)) this.#modules.log.append(encodeEngineRecord(record));
      this.#modules.log.append(encodeEngineRecord({ kind: 'vote', vote }));
      // Not awaited here, so that the next vote can share the flush.
      return { vote, flushed: this.#modules.log.flushed() };
    });
    this.#appending = appended.catch(() => undefined);
    return appended
      .then(async (pending) => {
        if (pending === undefined) return undefined;
        await pending.flushed;
        return this.#stopped ? undefined : pending.vote;
      })
      .catch((error: unknown) => {
        this.#fail(alarmKindOf(error, 'log-failed'), error);
        return undefined;
      });
  }

  /** What lies at or below the finalized view binds nobody any more. */
  prune(view: View): void {
    for (const old of [...this.#own.keys()]) if (old <= view) this.#own.delete(old);
  }

  #mayCast(statement: Statement): boolean {
    return !this.#stopped && statement.view > this.#modules.finalizedView();
  }

  async #sign(statement: Statement): Promise<Vote | undefined> {
    const { suite, genesisHash, self, signerRetryMs } = this.#options;
    const { signer, sleeper } = this.#modules;
    const message = statementBytes(genesisHash, statement);
    for (;;) {
      if (!this.#mayCast(statement)) return undefined;
      try {
        const signature = await signer.sign(message);
        if (suite.verify(signer.publicKey, message, signature)) return { statement, signer: self, signature };
        throw new Error('the signature does not verify by the vote key');
      } catch (error) {
        // A signing device may be away for a moment; meanwhile this member is silent, which is safe.
        this.#modules.alarm('signer-failed', messageOf(error), false);
        await sleeper.sleep(signerRetryMs);
      }
    }
  }

  /** One notarize and one finalize a view, never nullify and finalize in one view (packages/consensus/spec.md, S1, P6, E2). */
  #bind(vote: Vote): boolean {
    const votes = this.#votesOf(vote.statement.view);
    for (const { statement } of votes) {
      const { kind } = vote.statement;
      const both = new Set([kind, statement.kind]);
      const contradicts =
        kind === statement.kind
          ? !sameStatement(statement, vote.statement)
          : both.has('nullify') && both.has('finalize');
      if (!contradicts) continue;
      this.#fail('double-vote-prevented', new Error(`${kind} after ${statement.kind} in view ${statement.view}`));
      return false;
    }
    votes.push(vote);
    this.#count(vote.statement);
    return true;
  }

  #count(statement: Statement): void {
    const { metrics } = this.#modules;
    if (statement.kind === 'notarize') metrics.notarizeVotes++;
    else if (statement.kind === 'finalize') metrics.finalizeVotes++;
    else metrics.timeouts++;
  }

  #votesOf(view: View): Vote[] {
    const votes = this.#own.get(view) ?? [];
    this.#own.set(view, votes);
    return votes;
  }

  #fail(kind: string, error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#modules.alarm(kind, messageOf(error), true);
  }
}

/** The records that a certificate list becomes. */
export function certificateRecords(certificates: readonly Certificate[]): readonly EngineRecord[] {
  return certificates.map((certificate) => ({ kind: 'certificate', certificate }));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
