import type { Hash } from '@hanse/protocol';
import type { TransactionBody } from '../chain/ledger.ts';
import type { TransactionIntake } from '../chain/transactionIntake.ts';
import type { TransactionPool } from '../chain/transactionPool.ts';
import type { MemberBodies } from '../engine/index.ts';

export interface EngineBodiesModules {
  readonly pool: TransactionPool;
  readonly intake: TransactionIntake;
  /** Whether a member is known to have a transaction. */
  readonly knownTo: (peer: string, hash: Hash) => boolean;
}

/** The engine's view of the pool. */
export class EngineBodiesAdapter implements MemberBodies {
  readonly #modules: EngineBodiesModules;

  constructor(modules: EngineBodiesModules) {
    this.#modules = modules;
  }

  get(hashes: readonly Hash[]): ReadonlyMap<Hash, TransactionBody> {
    return this.#modules.intake.bodies(hashes);
  }

  accept(raws: readonly Uint8Array[]): Promise<readonly TransactionBody[]> {
    return this.#modules.intake.accept(raws);
  }

  candidates(limits: Parameters<MemberBodies['candidates']>[0]): readonly TransactionBody[] {
    return this.#modules.pool.candidates(limits);
  }

  hasPending(exclude: ReadonlySet<Hash>): boolean {
    return this.#modules.pool.hasRunnable(exclude);
  }

  onPending(handler: () => void): void {
    this.#modules.pool.onAdded(handler);
  }

  knownTo(peer: string, hash: Hash): boolean {
    return this.#modules.knownTo(peer, hash);
  }

  rejected(rejections: readonly { readonly hash: Hash }[]): void {
    this.#modules.pool.drop(rejections.map(({ hash }) => hash));
  }
}
