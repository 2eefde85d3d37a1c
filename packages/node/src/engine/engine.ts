import {
  bestBranch,
  type ConsensusOptions,
  type ConsensusState,
  certificatesBetween,
  createConsensus,
  type Effect,
  type FinalizedPoint,
  leaderOf,
  type ProposalMessage,
  step,
} from '@hanse/consensus';
import {
  type Certificate,
  type FinalizeStatement,
  type Hash,
  type Proposal,
  proposalDigest,
  quorum,
  type ValidatorIndex,
  type ValidatorSet,
  View,
  type Vote,
} from '@hanse/protocol';
import type { FinalizedBlock, FinalizedHead, PendingRecovery } from '../chain/ledger.ts';
import type { Timer } from '../runtime/clock.ts';
import { alarmKindOf } from '../runtime/diskFailure.ts';
import { BlockPipeline, type Head, type UntimedInput } from './blockPipeline.ts';
import { type EngineLoad, engineLoad } from './engineLoad.ts';
import { certificateOf, type EngineLog, headOf, placeOf, type RecoveredLog } from './engineLog.ts';
import type { EngineModules, EngineOptions, EngineState, VotingState } from './engineOptions.ts';
import { type EngineRecord, encodeEngineRecord } from './logRecords.ts';
import type { EngineMetrics } from './metrics.ts';
import { Outgoing } from './outgoing.ts';
import { PeerDesk } from './peerDesk.ts';
import { ProposalStore } from './proposalStore.ts';
import { Sleeper } from './sleeper.ts';
import { StatusExchange } from './statusExchange.ts';
import type { ValidatorBudgets } from './validatorBudgets.ts';
import { Verifier } from './verification.ts';
import { certificateRecords, VoteDesk } from './voteDesk.ts';

export type { EngineModules, EngineOptions, EngineState, VotingState } from './engineOptions.ts';
export { defaultEngineOptions } from './engineOptions.ts';

/** What an engine begins with. */
export interface EngineBeginning {
  readonly log: EngineLog;
  readonly metrics: EngineMetrics;
  readonly head: FinalizedHead;
  readonly recovered: RecoveredLog;
  /** What members may cost, by the places of this epoch. */
  readonly budgets: ValidatorBudgets;
  /** The process ran the epoch before, with this log: nothing was signed in this one. */
  readonly enteredAnew: boolean;
}

/**
 * Hosts the consensus core: hands it what was verified, and carries out its effects in order with the discipline
 * append, await flushed, then send (packages/consensus/spec.md, "The host", 2, 3 and 8). One instance serves one epoch's
 * set. Everything runs on the caller's thread and waits for nothing but promises and the injected clock.
 */
export class Engine {
  readonly metrics: EngineMetrics;
  readonly #options: EngineOptions;
  readonly #modules: EngineModules;
  readonly #log: EngineLog;
  readonly #validators: ValidatorSet;
  readonly #self: ValidatorIndex | undefined;
  readonly #store = new ProposalStore();
  readonly #sleeper: Sleeper;
  readonly #budgets: ValidatorBudgets;
  readonly #verifier: Verifier;
  readonly #pipeline: BlockPipeline;
  readonly #peers: PeerDesk;
  readonly #outgoing: Outgoing;
  readonly #votes: VoteDesk | undefined;
  readonly #status: StatusExchange;
  readonly #recovered: RecoveredLog;
  readonly #enteredAnew: boolean;
  readonly #recoveryPending: PendingRecovery | undefined;
  #core: ConsensusState;
  #head: Head;
  #headCertificate: Certificate<FinalizeStatement> | undefined;
  #amnesia: boolean;
  /** The first view in which this member voted after it lost its log. */
  #votedAgainInView: View | undefined;
  #inputs: UntimedInput[] = [];
  #stepping = false;
  #started = false;
  #stopped = false;
  /** The core threw: its state can no longer be trusted. */
  #broken = false;
  #closed = false;
  #wake: Timer | undefined;
  #pendingDue = false;

  /** The engine of the epoch that follows `beginning.head`; it does nothing until `start`. */
  constructor(options: EngineOptions, modules: EngineModules, beginning: EngineBeginning) {
    const { suite, genesisHash } = options;
    const { head, recovered } = beginning;
    this.#options = options;
    this.#modules = modules;
    this.#log = beginning.log;
    this.metrics = beginning.metrics;
    this.#enteredAnew = beginning.enteredAnew;
    this.#validators = head.validators;
    this.#recoveryPending = head.recoveryPending;
    this.#self = head.recoveryPending !== undefined ? undefined : placeOf(beginning.log.signer, head.validators);
    this.#head = headOf(head);
    this.#headCertificate = certificateOf(head);
    this.#recovered = recovered;
    this.#amnesia = recovered.amnesia;
    this.#sleeper = new Sleeper(modules.clock);
    this.#budgets = beginning.budgets;
    this.#verifier = new Verifier({ suite, genesisHash, validators: head.validators, budgets: this.#budgets });
    this.#core = createConsensus(this.#consensusOptions(), this.#point());
    this.#pipeline = this.#createPipeline();
    this.#peers = this.#createPeerDesk();
    this.#outgoing = new Outgoing(
      {
        epoch: head.validators.epoch,
        validatorCount: head.validators.validators.length,
        self: this.#self,
        requestTimeoutMs: options.requestTimeoutMs,
      },
      { transport: modules.transport, peers: this.#peers, store: this.#store },
    );
    this.#votes = this.#createVoteDesk();
    this.#status = this.#createStatusExchange();
    // An own proposal holds an own vote, and a crash may have torn off the vote's record behind it.
    const leaderVotes = recovered.proposals.map(({ message }) => message.leaderVote);
    const own = [...recovered.votes, ...leaderVotes.filter(({ signer }) => signer === this.#self)];
    for (const vote of own) this.#votes?.recall(vote);
  }

  /** Begins to take part: feeds the core what the log gave back and asks the others where they are. */
  start(): void {
    if (this.#started) throw new Error('the engine was started twice');
    this.#started = true;
    for (const { message, transactions } of this.#recovered.proposals) {
      const entry = this.#pipeline.register({ message, inline: transactions }, undefined);
      entry.logged = true;
      // Kept like what was checked in this life: after a power cut of all members nobody else may have it in memory.
      entry.wanted = true;
    }
    for (const { statement, signer, signature } of this.#recovered.votes)
      this.#verifier.trust(statement, signer, signature);
    const { votes, certificates, proposals, amnesia, floor } = this.#recovered;
    const messages = proposals.map(({ message }) => message);
    const enteredAnew = this.#enteredAnew;
    const recovered = { ownVotes: votes, certificates, proposals: messages, amnesia, floor, enteredAnew };
    this.#feed({ type: 'start', recovered });
    const connected = this.#modules.transport.connected();
    for (const peer of this.#validators.validators.keys()) if (!connected.includes(peer)) this.peerDisconnected(peer);
    if (amnesia)
      this.#alarm('amnesia', 'the log of votes was lost: this member follows without a vote until that is safe', false);
    this.#modules.bodies.onPending(() => this.#considerPending());
    this.#considerPending();
    this.#status.start();
  }

  /** A message from a validator. Never throws. */
  receive(from: ValidatorIndex, kind: number, payload: Uint8Array): void {
    if (this.#started && !this.#closed) this.#peers.receive(from, kind, payload);
  }

  /** A request from a validator. Rejects if it is malformed, too much, or this member is not running. */
  async serve(from: ValidatorIndex, kind: number, payload: Uint8Array): Promise<Uint8Array> {
    if (!this.#started || this.#closed) throw new Error('the engine is not running');
    return this.#peers.answer(from, kind, payload);
  }

  /** A connection to a validator was made. */
  peerConnected(peer: ValidatorIndex): void {
    if (this.#started) void this.#status.ask(peer);
  }

  /** The connection to a validator ended. */
  peerDisconnected(peer: ValidatorIndex): void {
    if (this.#started && !this.#closed) this.#feed({ type: 'disconnected', peer });
  }

  /** Blocks were imported into the ledger up to `head`, which must be of this engine's epoch. */
  synced(head: FinalizedHead): void {
    if (this.#closed || head.height <= this.#head.height) return;
    if (head.validators.epoch !== this.#validators.epoch)
      throw new Error(`epoch ${head.validators.epoch} needs an engine of its own`);
    this.#moveHead(headOf(head), certificateOf(head), new Set());
  }

  /**
   * Something outside the engine shows that this member cannot be relied on, for example that its execution differs from what a
   * quorum certified: an alarm, and no vote any more.
   */
  silence(kind: string, detail: string): void {
    if (!this.#stopped) this.#alarm(kind, detail, true);
  }

  state(): EngineState {
    const { epoch } = this.#validators;
    return {
      epoch,
      view: this.#core.view,
      leader: leaderOf(this.#core, this.#core.view),
      finalizedHeight: this.#head.height,
      voting: this.#votingState(),
      self: this.#self,
      recoveryPending: this.#recoveryPending,
      signedAsFinal: this.#votes?.signedAsFinal(this.#head.height) ?? [],
    };
  }

  /** What of what others sent is kept, and how far they used their budgets. */
  load(): EngineLoad {
    const parts = { core: this.#core, verifier: this.#verifier, store: this.#store, peers: this.#peers };
    return engineLoad(parts, this.#budgets);
  }

  /** Stops: nothing is signed, sent or asked any more. The log stays open for the next engine. */
  retire(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake?.cancel();
    this.#votes?.stop();
    this.#status.close();
    this.#sleeper.close();
    this.#pipeline.close();
  }

  /** Stops, and resolves when every finalization that was begun is done. */
  async stopped(): Promise<void> {
    this.retire();
    await this.#pipeline.settled();
  }

  /** The same, and flushes and closes the log. */
  async close(): Promise<void> {
    await this.stopped();
    await this.#log.log.close();
  }

  #consensusOptions(): ConsensusOptions {
    const { deltaFloorMs, idleBlockIntervalMs, maxUnfinalizedBlocks, resendIntervalMs, paceMs } = this.#options;
    const limits = { deltaFloorMs, idleBlockIntervalMs, maxUnfinalizedBlocks, resendIntervalMs, paceMs };
    return { epoch: this.#validators.epoch, validators: this.#validators, self: this.#self, ...limits };
  }

  #point(): FinalizedPoint {
    const { digest, height, view, timeMs } = this.#head;
    return { digest, height, view, timeMs, certificate: this.#headCertificate, closesEpoch: this.#head.closesEpoch };
  }

  #votingState(): VotingState {
    if (this.#recoveryPending !== undefined) return 'recovery';
    if (this.#self === undefined) return 'observer';
    if (this.#stopped) return 'stopped';
    if (this.#amnesia && this.#votedAgainInView === undefined) return 'amnesia';
    if (this.#recovered.floor > this.#head.view) return 'waiting';
    if (this.#enteredAnew) return 'voting';
    return this.#peers.answered.size + 1 >= quorum(this.#validators.validators.length) ? 'voting' : 'waiting';
  }

  /** Queues an input and steps the core through everything queued; effects may feed further inputs. */
  #feed(input: UntimedInput): void {
    if (this.#broken) return;
    this.#inputs.push(input);
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (
        let next = this.#inputs.shift();
        next !== undefined && !this.#closed && !this.#broken;
        next = this.#inputs.shift()
      ) {
        const timed = { ...next, atMs: this.#modules.clock.monotonicMs() };
        for (const effect of step(this.#core, timed)) this.#perform(effect);
      }
    } catch (error) {
      this.#broken = true;
      // A broken invariant of the core must not be taken for a peer's fault, nor be survived with a vote.
      this.#alarm('core-failed', describe(error), true);
    } finally {
      this.#stepping = false;
    }
  }

  #perform(effect: Effect): void {
    const { events } = this.#modules;
    switch (effect.type) {
      case 'vote':
        this.#guard(this.#vote(effect));
        return;
      case 'propose':
        this.#guard(this.#propose(effect));
        return;
      case 'record':
        this.#append({ kind: 'certificate', certificate: effect.certificate });
        return;
      case 'broadcast':
        this.#outgoing.toAll([effect.certificate], []);
        return;
      case 'send':
        this.#outgoing.toOne(effect.to, effect.certificates, effect.ownVotes);
        return;
      case 'resend':
        this.#outgoing.toAll(effect.certificates, effect.ownVotes);
        if (effect.proposal !== undefined) this.#outgoing.proposal(effect.proposal);
        return;
      case 'check':
        this.#guard(this.#pipeline.check(effect.view, effect.message));
        return;
      case 'execute':
        this.#guard(this.#pipeline.execute(effect.digest, effect.view, effect.holders));
        return;
      case 'build':
        this.#guard(this.#pipeline.build(effect));
        return;
      case 'finalize':
        this.#pipeline.finalize(effect.digest, effect.certificate);
        return;
      case 'fetchCertificates':
        void this.#outgoing.fetchCertificates(effect.fromView, effect.toView, effect.preferred, () => this.#closed);
        return;
      case 'behind':
        events.behind(effect.certificate.statement.height, effect.preferred);
        return;
      case 'wakeAt':
        this.#wakeAt(effect.atMs);
        return;
      case 'enteredView':
        this.metrics.viewsEntered++;
        events.enteredView(this.#validators.epoch, effect.view, leaderOf(this.#core, effect.view));
        this.#considerPending();
        return;
      case 'evidence':
        events.evidence(effect.first, effect.second);
        return;
      case 'alarm':
        if (effect.kind === 'amnesia') this.#guard(this.#loseMemory(effect.detail));
        else this.#alarm(effect.kind, effect.detail, effect.stop);
    }
  }

  /** Nothing that runs on its own should fail: if it does, this member cannot be relied on and is silent. */
  #guard(work: Promise<void>): void {
    work.catch((error: unknown) => this.#alarm('engine-failed', describe(error), true));
  }

  async #vote(effect: Extract<Effect, { type: 'vote' }>): Promise<void> {
    const vote = await this.#cast(effect.statement, () => certificateRecords(effect.flushWith));
    if (vote === undefined || this.#closed) return;
    this.#outgoing.toAll([], [vote]);
    this.#feed({ type: 'vote', from: vote.signer, vote });
  }

  async #propose(effect: Extract<Effect, { type: 'propose' }>): Promise<void> {
    const { proposal, digest, justification, statement } = effect;
    const transactions = this.#store.get(digest)?.transactions;
    if (transactions === undefined) {
      this.#alarm('core-failed', `${digest} is to be proposed, but its bodies are not held`, true);
      return;
    }
    let message: ProposalMessage | undefined;
    const vote = await this.#cast(statement, (leaderVote) => {
      message = { proposal, digest, justification, leaderVote: leaderVote as ProposalMessage['leaderVote'] };
      return [{ kind: 'proposal', message, transactions: transactions.map(({ raw }) => raw) }];
    });
    if (vote === undefined || message === undefined || this.#closed) return;
    const entry = this.#pipeline.register({ message, inline: [] }, undefined);
    entry.logged = true;
    this.metrics.proposalsSent++;
    this.#outgoing.proposal(message);
    this.#feed({ type: 'vote', from: vote.signer, vote });
  }

  async #cast(
    statement: Vote['statement'],
    others: (vote: Vote) => readonly EngineRecord[],
  ): Promise<Vote | undefined> {
    const decidedUnderAmnesia = this.#amnesia;
    const vote = await this.#votes?.cast(statement, others);
    // What was decided before the log turned out to be lost neither leaves nor shows that the rule of amnesia was followed.
    if (vote === undefined || (this.#amnesia && !decidedUnderAmnesia)) return undefined;
    this.#verifier.trust(vote.statement, vote.signer, vote.signature);
    if (this.#amnesia) this.#votedAgainInView ??= statement.view;
    return vote;
  }

  #append(record: EngineRecord): void {
    try {
      this.#log.log.append(encodeEngineRecord(record));
    } catch (error) {
      this.#alarm('log-failed', error instanceof Error ? error.message : String(error), true);
    }
  }

  #wakeAt(atMs: number): void {
    this.#wake?.cancel();
    const { clock } = this.#modules;
    this.#wake = clock.schedule(Math.max(0, atMs - clock.monotonicMs()), () => {
      if (this.#closed) return;
      // A timer may fire a fraction early; the core would find nothing due and not ask again for the same moment.
      if (clock.monotonicMs() < atMs) this.#wakeAt(atMs);
      else this.#feed({ type: 'tick' });
    });
  }

  /** Tells the core, once a turn, whether a transaction waits that the best branch does not hold. */
  #considerPending(): void {
    if (this.#pendingDue || this.#closed) return;
    this.#pendingDue = true;
    queueMicrotask(() => {
      this.#pendingDue = false;
      if (this.#closed || !this.#started) return;
      const waiting = this.#pipeline.hasPending(bestBranch(this.#core), this.#core.finalized.digest);
      if (waiting !== this.#core.pending) this.#feed({ type: 'pending', waiting });
    });
  }

  /**
   * The core takes an empty block for a no. If the pool still offers something then, for example what must wait for another
   * transaction, the next try is a moment away: nothing may build empty blocks in a circle.
   */
  #considerAfterBuild(proposal: Proposal | undefined): void {
    if (proposal === undefined || proposal.transactionHashes.length > 0) this.#considerPending();
    else void this.#sleeper.sleep(this.#options.deltaFloorMs).then(() => this.#considerPending());
  }

  #applied(blocks: readonly FinalizedBlock[], certificate: Certificate<FinalizeStatement>): void {
    const last = blocks.at(-1)!;
    const { clock, events } = this.#modules;
    for (const { digest, transactionHashes } of blocks) {
      this.metrics.blocksFinalized++;
      this.metrics.transactionsFinalized += transactionHashes.length;
      const seenMs = this.#store.get(digest)?.firstSeenMs;
      if (seenMs === undefined) continue;
      const latencyMs = clock.monotonicMs() - seenMs;
      this.metrics.blockLatencyMs += latencyMs;
      this.metrics.blockLatencyMaxMs = Math.max(this.metrics.blockLatencyMaxMs, latencyMs);
    }
    events.finalized(blocks);
    const { view } = certificate.statement;
    const { height, digest, timeMs, closesEpoch } = last;
    const finalized = new Set(blocks.map((block) => block.digest));
    this.#moveHead({ height, digest, view, timeMs, closesEpoch }, certificate, finalized);
    if (closesEpoch) events.epochClosed(this.#validators.epoch);
  }

  #moveHead(head: Head, certificate: Certificate<FinalizeStatement> | undefined, finalized: ReadonlySet<Hash>): void {
    this.#head = head;
    this.#headCertificate = certificate;
    this.#pipeline.headMoved(finalized);
    this.#votes?.prune(head.view);
    if (this.#amnesia && this.#votedAgainInView !== undefined && head.view >= this.#votedAgainInView) {
      // Every later start begins above the first view of the new votes, and so above all that the lost log held.
      this.#amnesia = false;
      this.#append(this.#log.noteFound(this.#validators.epoch));
      this.#modules.events.alarmOver('amnesia');
    }
    this.#log.log.cutBelow(this.#validators.epoch, head.view).catch((error: unknown) => {
      this.#modules.logger.log('warn', 'old segments of the log could not be removed', { error: String(error) });
    });
    this.#feed({ type: 'applied', point: this.#point() });
    this.#considerPending();
  }

  /**
   * A vote of this key turned up that the log lacks: what the log says cannot be relied on
   * (packages/consensus/spec.md, "Amnesia"). The core begins anew without a vote, and finds out when voting is safe again.
   */
  async #loseMemory(detail: string): Promise<void> {
    if (this.#amnesia && this.#votedAgainInView !== undefined) {
      // It happened again after the rule was followed: then somebody else uses the key.
      this.#alarm('amnesia', detail, true);
      return;
    }
    this.#amnesia = true;
    this.#alarm('amnesia', detail, false);
    const old = this.#core;
    try {
      await this.#log.noteLost(this.#validators.epoch);
    } catch (error) {
      this.#alarm(alarmKindOf(error, 'log-failed'), String(error), true);
      return;
    }
    if (this.#closed || this.#stopped) return;
    this.#core = createConsensus(this.#consensusOptions(), this.#point());
    this.#peers.forgetAnswers();
    const certificates = certificatesBetween(old, View(this.#head.view + 1), old.view);
    const ownVotes = this.#votes?.ownVotes() ?? [];
    const { floor } = this.#recovered;
    this.#feed({ type: 'start', recovered: { ownVotes, certificates, proposals: [], amnesia: true, floor } });
    this.#status.askAll();
  }

  #alarm(kind: string, detail: string, stop: boolean): void {
    if (this.#closed) return;
    this.#modules.logger.log('error', `alarm: ${kind}`, { detail, stop });
    if (stop) {
      this.#stopped = true;
      this.#votes?.stop();
    }
    this.#modules.events.alarm(kind, detail);
  }

  #digestOf = (proposal: Proposal): Hash => proposalDigest(this.#options.suite, this.#options.genesisHash, proposal);

  #createPipeline(): BlockPipeline {
    const { ledger, bodies, transport, clock, events } = this.#modules;
    const { maxBlockTransactions, maxBlockBytes, requestTimeoutMs, deltaFloorMs } = this.#options;
    const options = {
      epoch: this.#validators.epoch,
      validatorCount: this.#validators.validators.length,
      self: this.#self,
      requestTimeoutMs,
      retryMs: deltaFloorMs,
      maxClockLeadMs: 500,
      maxBlockTransactions,
      maxBlockBytes,
    };
    return new BlockPipeline(options, {
      ledger,
      bodies,
      transport,
      clock,
      store: this.#store,
      metrics: this.metrics,
      host: {
        feed: (input) => {
          this.#feed(input);
          if (input.type === 'built') this.#considerAfterBuild(input.proposal);
        },
        head: () => this.#head,
        view: () => this.#core.view,
        verifyProposal: (from, message) => this.#verifier.proposal(from, message),
        canonicalProposal: (message) => this.#peers.canonicalProposal(message),
        digestOf: this.#digestOf,
        hashOf: (raw) => this.#options.suite.hashHex(raw),
        logProposal: (message, transactions) =>
          this.#append({ kind: 'proposal', message, transactions: transactions.map(({ raw }) => raw) }),
        epochCloses: () => events.epochCloses(),
        applied: (blocks, certificate) => this.#applied(blocks, certificate),
        behind: (height, from) => events.behind(height, from),
        alarm: (kind, detail, stop) => this.#alarm(kind, detail, stop),
      },
    });
  }

  #createPeerDesk(): PeerDesk {
    const { transport, bodies } = this.#modules;
    return new PeerDesk({
      epoch: this.#validators.epoch,
      self: this.#self,
      core: () => this.#core,
      verifier: this.#verifier,
      transport,
      bodies,
      store: this.#store,
      metrics: this.metrics,
      budgets: this.#budgets,
      digestOf: this.#digestOf,
      feed: (input) => this.#feed(input),
      register: (envelope, from) => {
        this.#pipeline.register(envelope, from);
        this.#considerPending();
      },
    });
  }

  #createStatusExchange(): StatusExchange {
    const { transport, logger } = this.#modules;
    const { statusIntervalMs, askStatusIntervalMs, requestTimeoutMs } = this.#options;
    const validatorCount = this.#validators.validators.length;
    return new StatusExchange(
      { self: this.#self, validatorCount, statusIntervalMs, askIntervalMs: askStatusIntervalMs, requestTimeoutMs },
      { transport, logger, peers: this.#peers, sleeper: this.#sleeper },
    );
  }

  #createVoteDesk(): VoteDesk | undefined {
    const { signer } = this.#log;
    if (signer === undefined || this.#self === undefined) return undefined;
    const { suite, genesisHash, resendIntervalMs } = this.#options;
    const options = { suite, genesisHash, self: this.#self, signerRetryMs: resendIntervalMs };
    return new VoteDesk(options, {
      signer,
      log: this.#log.log,
      sleeper: this.#sleeper,
      metrics: this.metrics,
      finalizedView: () => this.#head.view,
      alarm: (kind, detail, stop) => this.#alarm(kind, detail, stop),
    });
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
