import {
  decodeTransaction,
  type Hash,
  ProtocolError,
  type SignedTransaction,
  type Suite,
  type Transaction,
} from '@hanse/protocol';
import { FairRecovery } from './fairRecovery.ts';
import type { TransactionBody } from './ledger.ts';
import type { SenderService } from './senderService.ts';
import type { TransactionPool } from './transactionPool.ts';
import { decodingRejection, type Rejection } from './transactionRejection.ts';

export interface IntakeModules {
  readonly suite: Suite;
  readonly senders: Pick<SenderService, 'recover'>;
  readonly pool: TransactionPool;
  /** Every rule that needs no state, before the sender is looked for: that is by far the most expensive step. */
  readonly checkForm: (transaction: Transaction) => Rejection | undefined;
}

export interface IntakeOptions {
  /** Encodings longer than this are refused before they are parsed. */
  readonly maxTransactionBytes: number;
  /** How many bodies that came with proposals are kept beside the pool, and their encodings together. */
  readonly maxProposalBodies: number;
  readonly maxProposalBytes: number;
}

/** Sources beside the peers, whose names have no spaces. */
const CLIENTS = 'the clients';
const PROPOSALS = 'the proposals';

/** What became of one encoding. */
export type IntakeResult =
  | { readonly ok: true; readonly hash: Hash }
  | { readonly ok: false; readonly rejection: Rejection; readonly hash?: Hash };

/**
 * The one door by which transactions enter, from clients, from gossip and with proposals: bounds, decoding, the sender's
 * signature (on a worker, many at once), then the pool. Bodies of proposals are kept even when the pool has no place for them,
 * because a vote stands on them.
 */
export class TransactionIntake {
  readonly #options: IntakeOptions;
  readonly #modules: IntakeModules;
  readonly #recovery: FairRecovery;
  readonly #proposalBodies = new Map<Hash, TransactionBody>();
  #proposalBytes = 0;

  constructor(options: IntakeOptions, modules: IntakeModules) {
    this.#options = options;
    this.#modules = modules;
    this.#recovery = new FairRecovery(modules.senders);
  }

  /** Offers encodings to the pool. Each source has its share of the worker that finds senders: the clients together, each peer for itself. */
  async submit(raws: readonly Uint8Array[], source: string = CLIENTS): Promise<readonly IntakeResult[]> {
    const verified = await Promise.all(raws.map((raw) => this.#verify(raw, source, this.#modules.checkForm)));
    const good = verified.filter((result): result is SignedTransaction => 'sender' in result);
    const answers = this.#modules.pool.add(good);
    let next = 0;
    return verified.map((result) => {
      if (!('sender' in result)) return { ok: false, rejection: result };
      const rejection = answers[next++];
      return rejection === undefined ? { ok: true, hash: result.hash } : { ok: false, rejection, hash: result.hash };
    });
  }

  /** The same for one. */
  async submitOne(raw: Uint8Array): Promise<IntakeResult> {
    const [result] = await this.submit([raw]);
    if (result === undefined) throw new Error('The pool gave no answer.');
    return result;
  }

  /** Verifies encodings that came for a proposal and keeps the good ones until `release`. */
  async accept(raws: readonly Uint8Array[]): Promise<readonly TransactionBody[]> {
    const verified = await Promise.all(raws.map((raw) => this.#verify(raw, PROPOSALS)));
    const good = verified.filter((result): result is SignedTransaction => 'sender' in result);
    for (const { hash, raw, sender } of good) this.#keep({ hash, raw, sender });
    // They wait like any other, in case the proposal comes to nothing; whether the pool takes them does not matter here.
    this.#modules.pool.add(good);
    return good;
  }

  /** Those of `hashes` that are at hand. */
  bodies(hashes: readonly Hash[]): ReadonlyMap<Hash, TransactionBody> {
    const found = new Map<Hash, TransactionBody>();
    for (const hash of hashes) {
      const body = this.#proposalBodies.get(hash) ?? this.#modules.pool.get(hash);
      if (body !== undefined) found.set(hash, { hash: body.hash, raw: body.raw, sender: body.sender });
    }
    return found;
  }

  /** Bodies of proposals that are kept beside the pool. */
  get retained(): { readonly count: number; readonly bytes: number } {
    return { count: this.#proposalBodies.size, bytes: this.#proposalBytes };
  }

  /** Their blocks are final: storage has them now. */
  release(hashes: readonly Hash[]): void {
    for (const hash of hashes) this.#forget(hash);
  }

  #keep(body: TransactionBody): void {
    this.#forget(body.hash);
    this.#proposalBodies.set(body.hash, body);
    this.#proposalBytes += body.raw.length;
    const { maxProposalBodies, maxProposalBytes } = this.#options;
    // The oldest ones belong to proposals that were overtaken long ago; the engine's log has what votes stand on.
    for (const oldest of this.#proposalBodies.keys()) {
      if (this.#proposalBodies.size <= maxProposalBodies && this.#proposalBytes <= maxProposalBytes) break;
      this.#forget(oldest);
    }
  }

  #forget(hash: Hash): void {
    this.#proposalBytes -= this.#proposalBodies.get(hash)?.raw.length ?? 0;
    this.#proposalBodies.delete(hash);
  }

  async #verify(
    raw: Uint8Array,
    source: string,
    check: (transaction: Transaction) => Rejection | undefined = () => undefined,
  ): Promise<SignedTransaction | Rejection> {
    if (raw.length > this.#options.maxTransactionBytes) {
      return {
        code: 'oversized',
        message: `oversized data: transaction size ${raw.length}, limit ${this.#options.maxTransactionBytes}`,
      };
    }
    let transaction: Transaction;
    try {
      transaction = decodeTransaction(raw, this.#modules.suite);
    } catch (error) {
      if (error instanceof ProtocolError) return decodingRejection(error);
      throw error;
    }
    const refused = check(transaction);
    if (refused !== undefined) return refused;
    const known = this.#proposalBodies.get(transaction.hash) ?? this.#modules.pool.get(transaction.hash);
    const sender = known?.sender ?? (await this.#recovery.recover(raw, source));
    if (sender === undefined)
      return { code: 'invalid-sender', message: 'invalid sender: the signature gives no account' };
    return { ...transaction, sender };
  }
}
