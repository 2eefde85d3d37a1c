import type { Effect, Input, ProposalMessage } from '@hanse/consensus';
import type {
  Certificate,
  Epoch,
  FinalizeStatement,
  Hash,
  Height,
  Proposal,
  ValidatorIndex,
  View,
} from '@hanse/protocol';
import type { ExecutionResult, FinalizedBlock, Ledger, TransactionBody } from '../chain/ledger.ts';
import type { Clock } from '../runtime/clock.ts';
import { alarmKindOf, isDiskFailure } from '../runtime/diskFailure.ts';
import {
  decodeProposalAnswer,
  decodeTransactions,
  encodeHashes,
  messageKinds,
  type ProposalEnvelope,
} from './messages.ts';
import type { EngineMetrics } from './metrics.ts';
import type { EngineBodies, EngineTransport } from './ports.ts';
import { addBody, type ProposalEntry, type ProposalStore } from './proposalStore.ts';
import { Sleeper } from './sleeper.ts';
import type { Verdict } from './verification.ts';

export interface PipelineOptions {
  readonly epoch: Epoch;
  readonly validatorCount: number;
  readonly self: ValidatorIndex | undefined;
  /** How long one peer may take to answer, and how long to wait after all were asked in vain. */
  readonly requestTimeoutMs: number;
  readonly retryMs: number;
  /** A proposal's time may be ahead of this member's clock by so much (packages/consensus/spec.md, "Time"). */
  readonly maxClockLeadMs: number;
  readonly maxBlockTransactions: number;
  readonly maxBlockBytes: number;
}

/** Where the finalized chain ends, as the engine sees it. */
export interface Head {
  readonly height: Height;
  readonly digest: Hash;
  readonly view: View;
  readonly timeMs: number;
  /** It closed this engine's own epoch. */
  readonly closesEpoch: boolean;
}

/** What the pipeline asks of the engine around it. */
export interface PipelineHost {
  feed(input: UntimedInput): void;
  head(): Head;
  view(): View;
  verifyProposal(from: ValidatorIndex, message: ProposalMessage): Verdict;
  /** A verified proposal with nothing in it that was not verified itself. */
  canonicalProposal(message: ProposalMessage): ProposalMessage;
  digestOf(proposal: ProposalMessage['proposal']): Hash;
  /** The hash of a transaction's encoding. */
  hashOf(raw: Uint8Array): Hash;
  /** Appends proposal and bodies to the log; the flush of any vote that is cast later covers them. */
  logProposal(message: ProposalMessage, transactions: readonly TransactionBody[]): void;
  /** Awaited before storage takes the block that closes the epoch. */
  epochCloses(): Promise<void>;
  /** Storage holds these blocks; the last one is what the certificate names. */
  applied(blocks: readonly FinalizedBlock[], certificate: Certificate<FinalizeStatement>): void;
  /** A peer says that it has finalized beyond what this member can reach from it by proposals. */
  behind(height: Height, from: ValidatorIndex): void;
  alarm(kind: string, detail: string, stop: boolean): void;
}

export interface PipelineModules {
  readonly ledger: Ledger;
  readonly bodies: EngineBodies;
  readonly transport: EngineTransport;
  readonly clock: Clock;
  readonly store: ProposalStore;
  readonly metrics: EngineMetrics;
  readonly host: PipelineHost;
}

type Distribute<I> = I extends Input ? Omit<I, 'atMs'> : never;
/** An input of the core before its host reads the clock. */
export type UntimedInput = Distribute<Input>;
type BuildEffect = Extract<Effect, { type: 'build' }>;

/**
 * Brings proposals from arrival to finality: gathers bodies, has the ledger check, execute and finalize in the right
 * order, and answers the core. Everything is asynchronous, shared per proposal, and gives up only when the proposal
 * can no longer matter.
 */
export class BlockPipeline {
  readonly #options: PipelineOptions;
  readonly #modules: PipelineModules;
  readonly #sleeper: Sleeper;
  readonly #obtaining = new Map<Hash, Promise<ProposalEntry | undefined>>();
  /** Candidates that a build refused; not offered again before the head moves. */
  readonly #unfit = new Set<Hash>();
  #finalizing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: PipelineOptions, modules: PipelineModules) {
    this.#options = options;
    this.#modules = modules;
    this.#sleeper = new Sleeper(modules.clock);
  }

  /** Registers a verified proposal and starts to verify the bodies that came with it. */
  register(envelope: ProposalEnvelope, from: ValidatorIndex | undefined): ProposalEntry {
    const { store, clock } = this.#modules;
    const entry = store.put(envelope.message, clock.monotonicMs());
    if (from !== undefined) entry.holders.add(from);
    if (envelope.inline.length > 0 && entry.transactions === undefined) {
      const accepted = this.#acceptInline(entry, envelope.inline, from);
      entry.accepting = Promise.all([entry.accepting, accepted]).then(() => undefined);
    }
    return entry;
  }

  /** Effect `check`: every body held and in the log, parent executed, static rules, and the time has come. */
  async check(view: View, message: ProposalMessage): Promise<void> {
    const { host, clock } = this.#modules;
    const entry = this.register({ message, inline: [] }, undefined);
    const verdict = await this.#verdict(entry);
    if (verdict === undefined) return;
    if (verdict.valid) {
      entry.wanted = true;
      for (;;) {
        const earlyMs = message.proposal.timeMs - this.#options.maxClockLeadMs - clock.nowMs();
        if (earlyMs <= 0) break;
        // Not invalid, only early: it may still be notarized while its view lasts.
        if (this.#closed || host.view() > view) return;
        await this.#sleeper.sleep(Math.min(earlyMs, this.#options.retryMs));
      }
    }
    if (!this.#closed) host.feed({ type: 'checked', view, digest: message.digest, ...verdict });
  }

  /** Effect `execute`. */
  async execute(digest: Hash, view: View, holders: readonly ValidatorIndex[]): Promise<void> {
    const entry = this.#modules.store.get(digest);
    if (entry?.result !== undefined) this.#reportExecuted(entry.result, entry.proposal);
    else await this.#execution(digest, view, holders);
  }

  /** Effect `finalize`; in the order of the calls. */
  finalize(digest: Hash, certificate: Certificate<FinalizeStatement>): void {
    this.#finalizing = this.#finalizing
      .then(() => this.#finalizeNow(digest, certificate))
      .catch((error: unknown) => this.#modules.host.alarm('engine-failed', messageOf(error), true));
  }

  /** Resolves when every finalization that was asked for is done. */
  settled(): Promise<void> {
    return this.#finalizing;
  }

  /** Effect `build`. */
  async build(effect: BuildEffect): Promise<void> {
    const { clock, host, ledger, store } = this.#modules;
    for (;;) {
      if (this.#closed || host.view() > effect.view) return;
      const waitMs = effect.notBeforeMs - clock.monotonicMs();
      if (waitMs <= 0) break;
      await this.#sleeper.sleep(waitMs);
    }
    const { parentDigest, view } = effect;
    const parentView = store.get(parentDigest)?.view ?? host.head().view;
    const { height } = host.head();
    try {
      const candidates = effect.empty ? [] : this.#candidates(parentDigest);
      const leader = this.#options.self!;
      const nowMs = clock.nowMs();
      const built = await ledger.build({ epoch: this.#options.epoch, view, leader, parentDigest, nowMs, candidates });
      this.#dropUnfit(parentDigest, built.rejected);
      if (this.#closed) return;
      store.putBuilt(built.proposal, built.digest, parentView, built.transactions, clock.monotonicMs());
      host.feed({ type: 'built', view, proposal: built.proposal, digest: built.digest });
    } catch (error) {
      const importedTo = await this.#storedHeight();
      if (this.#closed) return;
      // After an import the ledger stands higher than this engine knew, and what was the head is no parent any more.
      if (importedTo <= height) host.alarm('build-failed', `view ${view}: ${messageOf(error)}`, false);
      host.feed({ type: 'built', view, proposal: undefined, digest: parentDigest });
    }
  }

  /**
   * Whether a transaction waits that no block of `branch` holds, nor one that is certified as final and not yet in storage (`tip`
   * and its ancestors), and that no build refused on this head.
   */
  hasPending(branch: readonly Hash[], tip: Hash): boolean {
    const excluded = new Set(this.#excluded(tip));
    for (const digest of branch) {
      for (const hash of this.#modules.store.get(digest)?.proposal.transactionHashes ?? []) excluded.add(hash);
    }
    return this.#modules.bodies.hasPending(excluded);
  }

  /** The finalized block moved: what was refused may fit now, and what is excluded is let go. */
  headMoved(finalized: ReadonlySet<Hash>): void {
    this.#unfit.clear();
    const { view, height } = this.#modules.host.head();
    this.#modules.store.prune(finalized, view, height);
  }

  close(): void {
    this.#closed = true;
    this.#sleeper.close();
  }

  #candidates(parentDigest: Hash): readonly TransactionBody[] {
    return this.#modules.bodies.candidates({
      maxCount: this.#options.maxBlockTransactions,
      maxBytes: this.#options.maxBlockBytes,
      exclude: this.#excluded(parentDigest),
    });
  }

  #excluded(tip: Hash): ReadonlySet<Hash> {
    const branch = this.#modules.store.branchHashes(tip);
    if (this.#unfit.size === 0) return branch;
    return new Set([...branch, ...this.#unfit]);
  }

  #dropUnfit(parentDigest: Hash, rejected: readonly { readonly hash: Hash; readonly reason: string }[]): void {
    if (rejected.length === 0) return;
    for (const { hash } of rejected) this.#unfit.add(hash);
    // On an unfinalized parent the refusal may be undone with its branch; on the finalized block it is certain.
    if (parentDigest === this.#modules.host.head().digest) this.#modules.bodies.rejected(rejected);
  }

  /** Bodies that came with a proposal. Hashing is cheap; what the proposal does not name is not worth finding a sender for. */
  async #acceptInline(
    entry: ProposalEntry,
    inline: readonly Uint8Array[],
    from: ValidatorIndex | undefined,
  ): Promise<void> {
    const expected = new Set(entry.proposal.transactionHashes);
    const wanted: Uint8Array[] = [];
    for (const raw of inline) {
      const hash = this.#modules.host.hashOf(raw);
      if (!expected.has(hash)) {
        if (from !== undefined)
          this.#modules.transport.misbehaved(from, 'a proposal with transactions that are not its own');
        return;
      }
      if (!entry.bodies.has(hash)) wanted.push(raw);
    }
    if (wanted.length > 0) await this.#accept(entry, wanted);
  }

  async #accept(entry: ProposalEntry, raws: readonly Uint8Array[]): Promise<number> {
    const expected = new Set(entry.proposal.transactionHashes);
    let taken = 0;
    try {
      for (const body of await this.#modules.bodies.accept(raws)) {
        if (!expected.has(body.hash) || entry.bodies.has(body.hash)) continue;
        addBody(entry, body);
        taken++;
      }
      this.#modules.store.trim();
    } catch (error) {
      this.#modules.host.alarm('bodies-failed', messageOf(error), false);
    }
    return taken;
  }

  /** Whether a proposal can still matter: its view lasts, or a certificate stands behind it and nothing later is final. */
  #matters(entry: ProposalEntry): boolean {
    const { host } = this.#modules;
    if (this.#closed || entry.view <= host.head().view) return false;
    return entry.wanted || entry.view >= host.view();
  }

  #gathered(entry: ProposalEntry): Promise<readonly TransactionBody[] | undefined> {
    if (entry.transactions !== undefined) return Promise.resolve(entry.transactions);
    entry.gathering ??= this.#gather(entry).finally(() => {
      entry.gathering = undefined;
    });
    return entry.gathering;
  }

  /** packages/consensus/spec.md, "Bodies": ask the leader, after one round trip the members that notarized, then anybody. */
  async #gather(entry: ProposalEntry): Promise<readonly TransactionBody[] | undefined> {
    await entry.accepting;
    for (let attempt = 0; ; ) {
      const missing = this.#missing(entry);
      if (missing.length === 0) {
        entry.transactions = entry.proposal.transactionHashes.map((hash) => entry.bodies.get(hash)!);
        return entry.transactions;
      }
      if (!this.#matters(entry)) return undefined;
      const peers = this.#peers([entry.leader, ...entry.holders]);
      if (attempt >= peers.length) {
        attempt = 0;
        await this.#sleeper.sleep(this.#options.retryMs);
        continue;
      }
      await this.#requestBodies(entry, peers[attempt]!, missing);
      attempt++;
    }
  }

  #missing(entry: ProposalEntry): readonly Hash[] {
    const { transactionHashes } = entry.proposal;
    const absent = transactionHashes.filter((hash) => !entry.bodies.has(hash));
    if (absent.length === 0) return absent;
    for (const body of this.#modules.bodies.get(absent).values()) addBody(entry, body);
    return absent.filter((hash) => {
      const elsewhere = entry.bodies.has(hash) ? undefined : this.#modules.store.body(hash);
      if (elsewhere !== undefined) addBody(entry, elsewhere);
      return !entry.bodies.has(hash);
    });
  }

  async #requestBodies(entry: ProposalEntry, peer: ValidatorIndex, missing: readonly Hash[]): Promise<void> {
    const { transport, metrics } = this.#modules;
    metrics.bodyRequests++;
    let answer: Uint8Array;
    try {
      answer = await transport.request(
        peer,
        messageKinds.requestBodies,
        encodeHashes(missing),
        this.#options.requestTimeoutMs,
      );
    } catch {
      return;
    }
    try {
      const raws = decodeTransactions(answer);
      if (raws.length > missing.length) throw new Error('more transactions than were asked for');
      if (
        raws.length > 0 &&
        (await this.#accept(entry, raws)) === 0 &&
        this.#missing(entry).length === missing.length
      ) {
        throw new Error('transactions that were not asked for');
      }
    } catch (error) {
      transport.misbehaved(peer, messageOf(error));
    }
  }

  /** Validators to ask, the preferred ones first, without this member and without those that are not connected. */
  #peers(preferred: readonly ValidatorIndex[]): readonly ValidatorIndex[] {
    const connected = new Set(this.#modules.transport.connected());
    const all = new Set([...preferred, ...connected]);
    return [...all].filter((peer) => peer !== this.#options.self && connected.has(peer));
  }

  /** The static rules' verdict; undefined if the proposal stopped to matter first. */
  #verdict(entry: ProposalEntry): Promise<{ readonly valid: boolean; readonly reason?: string } | undefined> {
    entry.verdict ??= this.#findVerdict(entry).then((verdict) => {
      if (verdict === undefined) entry.verdict = undefined;
      return verdict;
    });
    return entry.verdict;
  }

  async #findVerdict(entry: ProposalEntry): Promise<{ readonly valid: boolean; readonly reason?: string } | undefined> {
    if (entry.built) return { valid: true };
    const { ledger, host } = this.#modules;
    const { parentDigest } = entry.proposal;
    for (let attempt = 0; attempt < 2; attempt++) {
      const transactions = await this.#gathered(entry);
      if (transactions === undefined) return undefined;
      if (entry.message === undefined) return undefined;
      // Appended now, flushed with the vote that stands on it: a flush of its own would make the vote wait for two.
      if (!entry.logged) host.logProposal(entry.message, transactions);
      entry.logged = true;
      if (!(await this.#isExecuted(parentDigest, entry.parentView, [entry.leader, ...entry.holders]))) return undefined;
      try {
        const verdict = await ledger.check(entry.proposal, transactions);
        if (verdict.verdict === 'valid') return { valid: true };
        if (verdict.verdict === 'invalid') return { valid: false, reason: verdict.reason };
      } catch (error) {
        host.alarm('check-failed', `${entry.digest}: ${messageOf(error)}`, false);
        return undefined;
      }
      this.#forgetExecutions(parentDigest);
    }
    return undefined;
  }

  /** The ledger let executed blocks go, for example because blocks were imported: the branch is checked and executed once more. */
  #forgetExecutions(tip: Hash): void {
    const { store } = this.#modules;
    for (let entry = store.get(tip); entry !== undefined; entry = store.get(entry.proposal.parentDigest)) {
      Object.assign(entry, { execution: undefined, result: undefined, verdict: undefined, built: false });
    }
  }

  async #isExecuted(digest: Hash, view: View, holders: readonly ValidatorIndex[]): Promise<boolean> {
    if (digest === this.#modules.host.head().digest) return true;
    const result = await this.#execution(digest, view, holders);
    return result !== undefined || digest === this.#modules.host.head().digest;
  }

  async #execution(digest: Hash, view: View, holders: readonly ValidatorIndex[]): Promise<ExecutionResult | undefined> {
    const entry = this.#modules.store.get(digest) ?? (await this.#obtain(digest, view, holders));
    if (entry === undefined) return undefined;
    entry.wanted = true;
    for (const holder of holders) entry.holders.add(holder);
    entry.execution ??= this.#run(entry).then((result) => {
      if (result === 'abandoned') {
        entry.execution = undefined;
        return undefined;
      }
      return result;
    });
    return entry.execution;
  }

  /** Undefined if it can never be executed here, `abandoned` if it stopped to matter. */
  async #run(entry: ProposalEntry): Promise<ExecutionResult | undefined | 'abandoned'> {
    const { ledger, host, metrics } = this.#modules;
    const verdict = await this.#verdict(entry);
    if (verdict === undefined) return 'abandoned';
    if (!verdict.valid) {
      host.feed({ type: 'checked', view: entry.view, digest: entry.digest, ...verdict });
      return undefined;
    }
    try {
      const result = await ledger.execute(entry.digest);
      if (this.#closed) return 'abandoned';
      metrics.executions++;
      metrics.executionMs += result.executionMs;
      entry.result = result;
      this.#reportExecuted(result, entry.proposal);
      return result;
    } catch (error) {
      if ((await this.#storedHeight()) >= entry.proposal.height || !this.#matters(entry)) return 'abandoned';
      // Execution is total: this is a bug or a broken disk. The finalize vote is withheld, and nothing loops.
      host.alarm('execution-failed', `${entry.digest} at height ${entry.proposal.height}: ${messageOf(error)}`, false);
      return undefined;
    }
  }

  #reportExecuted({ digest, height, blockHash, closesEpoch }: ExecutionResult, proposal: Proposal): void {
    const closing = closesEpoch ? proposal : undefined;
    if (!this.#closed) this.#modules.host.feed({ type: 'executed', digest, height, blockHash, closing });
  }

  /** Fetches a certified proposal that never arrived. */
  #obtain(digest: Hash, view: View, holders: readonly ValidatorIndex[]): Promise<ProposalEntry | undefined> {
    let pending = this.#obtaining.get(digest);
    if (pending === undefined) {
      pending = this.#fetchProposal(digest, view, holders).finally(() => this.#obtaining.delete(digest));
      this.#obtaining.set(digest, pending);
    }
    return pending;
  }

  async #fetchProposal(
    digest: Hash,
    view: View,
    holders: readonly ValidatorIndex[],
  ): Promise<ProposalEntry | undefined> {
    const { store, host } = this.#modules;
    for (let attempt = 0; ; ) {
      const entry = store.get(digest);
      if (entry !== undefined) return entry;
      if (this.#closed || view <= host.head().view) return undefined;
      const peers = this.#peers(holders);
      if (attempt >= peers.length) {
        attempt = 0;
        await this.#sleeper.sleep(this.#options.retryMs);
        continue;
      }
      await this.#requestProposal(digest, peers[attempt]!);
      attempt++;
    }
  }

  async #requestProposal(digest: Hash, peer: ValidatorIndex): Promise<void> {
    const { transport, host } = this.#modules;
    let bytes: Uint8Array;
    try {
      const request = encodeHashes([digest]);
      bytes = await transport.request(peer, messageKinds.requestProposal, request, this.#options.requestTimeoutMs);
    } catch {
      return;
    }
    try {
      const answer = decodeProposalAnswer(bytes, host.digestOf);
      if (answer.envelope === undefined) {
        if (answer.finalizedHeight > host.head().height) host.behind(answer.finalizedHeight, peer);
        return;
      }
      const { message } = answer.envelope;
      if (message.digest !== digest) throw new Error('a proposal that was not asked for');
      const verdict = host.verifyProposal(peer, message);
      if (verdict.verdict === 'bad') throw new Error(verdict.reason);
      if (verdict.verdict === 'ignored' || this.#closed) return;
      const canonical = host.canonicalProposal(message);
      this.register({ ...answer.envelope, message: canonical }, peer);
      host.feed({ type: 'proposal', from: peer, message: canonical });
    } catch (error) {
      transport.misbehaved(peer, messageOf(error));
    }
  }

  /** How far storage is, which an import may have moved beyond the head that this engine knows; -1 if it does not answer. */
  async #storedHeight(): Promise<number> {
    const head = await this.#modules.ledger.finalizedHead().catch(() => undefined);
    return head?.height ?? -1;
  }

  async #finalizeNow(digest: Hash, certificate: Certificate<FinalizeStatement>): Promise<void> {
    const { host, ledger } = this.#modules;
    const { height, view, blockHash } = certificate.statement;
    const holders = certificate.signatures.map(({ signer }) => signer);
    for (let attempt = 1; !this.#closed && height > host.head().height; attempt++) {
      const result = await this.#execution(digest, view, holders);
      if (result === undefined || this.#closed || height <= host.head().height) return;
      if (result.blockHash !== blockHash) {
        host.alarm('divergence', `height ${height}: certified ${blockHash}, executed here ${result.blockHash}`, true);
        return;
      }
      let blocks: readonly FinalizedBlock[];
      try {
        if (result.closesEpoch) await host.epochCloses();
        blocks = await ledger.finalize(digest, certificate);
      } catch (error) {
        // An import may have come first; then the finalization is done and `synced` will say so.
        if ((await this.#storedHeight()) >= height || this.#closed) return;
        if (attempt === 2 || isDiskFailure(error)) {
          const kind = alarmKindOf(error, 'storage-failed');
          host.alarm(kind, `block ${height} could not be made final: ${messageOf(error)}`, true);
          return;
        }
        this.#forgetExecutions(digest);
        continue;
      }
      if (!this.#closed && blocks.length > 0) host.applied(blocks, certificate);
      return;
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
