import type {
  Certificate,
  FinalizeStatement,
  Hash,
  NotarizeStatement,
  Proposal,
  Statement,
  Vote,
} from '@hanse/protocol';
import { Epoch, Height, View } from '@hanse/protocol';
import type { ConsensusState } from '../state.ts';
import type { Effect, FinalizedPoint, Input, ProposalMessage } from '../types.ts';
import type { CoreUnderTest } from './coreUnderTest.ts';
import { fakeDigest, fakeHash, fakeVote, isGoodCertificate, isGoodVote } from './fakeSuite.ts';
import type { LogEntry, Message, StoredBlock } from './messages.ts';

/** `Input` without its time: the simulated member stamps it. */
type Unstamped<I = Input> = I extends Input ? Omit<I, 'atMs'> : never;

/** What a member asks of the world around it. */
export interface World {
  readonly core: CoreUnderTest;
  readonly validators: number;
  readonly quorum: number;
  nowMs(): number;
  /** A moment of up to `limitMs`, drawn from the seed. */
  delay(limitMs: number): number;
  later(delayMs: number, member: SimulatedMember, action: () => void): void;
  send(from: number, to: number, message: Message): void;
  everyone(): readonly number[];
  options(self: number | undefined): ConsensusState['options'];
  closes(height: number): boolean;
  signed(member: SimulatedMember, vote: Vote): void;
  finalized(member: SimulatedMember, block: StoredBlock): void;
  alarmed(member: SimulatedMember, effect: Extract<Effect, { type: 'alarm' }>): void;
}

/** A transaction that no honest member accepts in a block. */
export const INVALID_TRANSACTION = fakeHash('invalid transaction');

export const GENESIS = fakeHash('genesis');

/** Where every simulated chain starts. */
export const ORIGIN: FinalizedPoint = {
  digest: GENESIS,
  height: Height(0),
  view: View(0),
  timeMs: 0,
  certificate: undefined,
};

/** What executing a block gives; the chain of results is as deterministic as a ledger's. */
export function resultOf(parentResult: Hash, digest: Hash): Hash {
  return fakeHash(`result|${parentResult}|${digest}`);
}

interface ExecutedBlock {
  /** Undefined for what storage holds. */
  readonly proposal: Proposal | undefined;
  readonly digest: Hash;
  readonly height: Height;
  readonly blockHash: Hash;
  readonly timeMs: number;
}

/**
 * A host of the core as the spec asks for it, on simulated time, disk and network: it flushes before it sends, feeds own votes back, executes, fetches,
 * imports and restarts from what was flushed.
 */
export class SimulatedMember {
  readonly index: number;
  readonly world: World;
  /** Survives a crash. */
  log: LogEntry[] = [];
  readonly blocks: StoredBlock[] = [];
  head: FinalizedPoint;
  alive = false;
  /** Grows with every start, so that what was under way before a crash finds nobody. */
  incarnation = 0;
  state: ConsensusState;
  /** The transactions it has heard of; a real pool comes back by gossip after a restart, this one stays. */
  readonly pool = new Set<Hash>();
  readonly included = new Set<Hash>();
  readonly enteredViews: number[] = [];
  #appended: LogEntry[] = [];
  #proposals = new Map<Hash, ProposalMessage>();
  #executed = new Map<Hash, ExecutedBlock>();
  #executing = new Set<Hash>();
  #wanted = new Map<Hash, { readonly holders: readonly number[]; attempts: number }>();
  #checks: { readonly view: View; readonly message: ProposalMessage }[] = [];
  #importing = false;
  #wake = 0;
  #toldPending: boolean | undefined;
  #signer: number | undefined;
  /** Its log was lost once: it can never again take an absent vote for one that was not cast. */
  #forgetful = false;

  constructor(index: number, world: World) {
    this.index = index;
    this.world = world;
    this.#signer = index < world.validators ? index : undefined;
    this.head = ORIGIN;
    this.state = world.core.createConsensus(world.options(this.#signer), this.head);
  }

  start(): void {
    this.alive = true;
    this.incarnation += 1;
    this.#appended = [];
    this.#proposals = new Map();
    this.#executed = new Map();
    this.#executing = new Set();
    this.#wanted = new Map();
    this.#checks = [];
    this.#importing = false;
    this.#toldPending = undefined;
    const { head } = this;
    const last = this.blocks.at(-1);
    const blockHash = last?.blockHash ?? fakeHash('genesis block');
    this.#executed.set(head.digest, {
      proposal: undefined,
      digest: head.digest,
      height: head.height,
      blockHash,
      timeMs: head.timeMs,
    });
    this.state = this.world.core.createConsensus(this.world.options(this.#signer), head);
    const ownVotes: Vote[] = [];
    const certificates: Certificate[] = [];
    const proposals: ProposalMessage[] = [];
    for (const entry of this.log) {
      if (entry.type === 'vote') ownVotes.push(entry.vote);
      else if (entry.type === 'certificate') certificates.push(entry.certificate);
      else {
        proposals.push(entry.message);
        this.#proposals.set(entry.message.digest, entry.message);
      }
    }
    this.feed({
      type: 'start',
      recovered: { ownVotes, certificates, proposals, ...(this.#forgetful && { amnesia: true }) },
    });
    this.#sendStatus(this.world.everyone(), true);
    this.#heartbeat();
  }

  /** Loses what was not flushed, but for `kept` records that the disk happened to have written. */
  crash(kept: number): void {
    this.alive = false;
    this.log.push(...this.#appended.slice(0, kept));
    this.#appended = [];
  }

  forget(): void {
    this.log = [];
    this.#forgetful = true;
  }

  /** The connection to a member ended. */
  lose(peer: number): void {
    if (peer < this.world.validators) this.feed({ type: 'disconnected', peer });
  }

  feed(input: Unstamped): void {
    const effects = this.world.core.step(this.state, { ...input, atMs: this.world.nowMs() } as Input);
    for (const effect of effects) this.#carryOut(effect);
    this.#tellPending();
  }

  proposalOf(digest: Hash): Proposal | undefined {
    return this.#proposals.get(digest)?.proposal;
  }

  hearOf(transaction: Hash): void {
    if (this.pool.has(transaction)) return;
    this.pool.add(transaction);
    if (!this.alive) return;
    for (const to of this.world.everyone())
      if (to !== this.index) this.world.send(this.index, to, { type: 'transaction', hash: transaction });
    this.#tellPending();
  }

  receive(from: number, message: Message): void {
    switch (message.type) {
      case 'proposal':
        if (this.#isGoodProposal(message.message)) {
          this.#hold(message.message);
          this.feed({ type: 'proposal', from, message: message.message });
        }
        return;
      case 'vote':
        if (isGoodVote(message.vote, this.world.validators)) this.feed({ type: 'vote', from, vote: message.vote });
        return;
      case 'certificate':
        this.#take(from, message.certificate);
        return;
      case 'status': {
        for (const certificate of message.certificates) this.#take(from, certificate);
        const { view, finalizedHeight, finalizedView } = message;
        this.feed({ type: 'status', from, view, finalizedHeight, finalizedView });
        if (message.asks) this.#sendStatus([from], false);
        return;
      }
      case 'fetchCertificates':
        for (const certificate of this.world.core.certificatesBetween(this.state, message.fromView, message.toView)) {
          this.world.send(this.index, from, { type: 'certificate', certificate });
        }
        return;
      case 'fetchProposal': {
        const held = this.#proposals.get(message.digest);
        if (held !== undefined) this.world.send(this.index, from, { type: 'heldProposal', message: held });
        return;
      }
      case 'heldProposal':
        if (this.#isGoodProposal(message.message)) this.#hold(message.message);
        return;
      case 'fetchBlocks': {
        const wanted = this.blocks.slice(message.fromHeight - 1, message.certificate.statement.height);
        this.world.send(this.index, from, { type: 'blocks', blocks: wanted, certificate: message.certificate });
        return;
      }
      case 'blocks':
        this.#importBlocks(message.blocks, message.certificate);
        return;
      case 'transaction':
        this.hearOf(message.hash);
    }
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'vote': {
        for (const certificate of effect.flushWith) this.#append({ type: 'certificate', certificate });
        const vote = this.#sign(effect.statement);
        this.#append({ type: 'vote', vote });
        this.#flushThen(() => {
          this.world.signed(this, vote);
          this.#broadcast({ type: 'vote', vote });
          this.feed({ type: 'vote', from: this.index, vote });
        });
        return;
      }
      case 'propose': {
        const { proposal, digest, justification } = effect;
        const leaderVote = this.#sign(effect.statement) as Vote<NotarizeStatement>;
        const message: ProposalMessage = { proposal, digest, leaderVote, justification };
        this.#append({ type: 'proposal', message });
        this.#append({ type: 'vote', vote: leaderVote });
        this.#flushThen(() => {
          this.world.signed(this, leaderVote);
          this.#hold(message);
          this.#broadcast({ type: 'proposal', message });
          this.feed({ type: 'vote', from: this.index, vote: leaderVote });
        });
        return;
      }
      case 'record':
        this.#append({ type: 'certificate', certificate: effect.certificate });
        return;
      case 'broadcast':
        this.#broadcast({ type: 'certificate', certificate: effect.certificate });
        return;
      case 'send':
        for (const certificate of effect.certificates)
          this.world.send(this.index, effect.to, { type: 'certificate', certificate });
        for (const vote of effect.ownVotes) this.world.send(this.index, effect.to, { type: 'vote', vote });
        return;
      case 'resend':
        for (const certificate of effect.certificates) this.#broadcast({ type: 'certificate', certificate });
        if (effect.proposal !== undefined) this.#broadcast({ type: 'proposal', message: effect.proposal });
        for (const vote of effect.ownVotes) this.#broadcast({ type: 'vote', vote });
        return;
      case 'check':
        this.#append({ type: 'proposal', message: effect.message });
        this.#flushThen(() => {
          this.#checks.push(effect);
          this.#answerChecks();
        });
        return;
      case 'execute':
        this.#wanted.set(effect.digest, { holders: effect.holders, attempts: 0 });
        this.#executeWhatIsReady();
        return;
      case 'build': {
        const delayMs = Math.max(0, effect.notBeforeMs - this.world.nowMs()) + this.world.delay(2);
        this.world.later(delayMs, this, () => this.#build(effect));
        return;
      }
      case 'finalize':
        this.world.later(this.world.delay(3), this, () => this.#finalize(effect.digest, effect.certificate));
        return;
      case 'fetchCertificates': {
        const { fromView, toView, preferred } = effect;
        this.world.send(this.index, preferred, { type: 'fetchCertificates', fromView, toView });
        return;
      }
      case 'behind': {
        const { certificate, preferred } = effect;
        this.world.send(this.index, preferred, { type: 'fetchBlocks', fromHeight: this.head.height + 1, certificate });
        return;
      }
      case 'wakeAt': {
        const wake = ++this.#wake;
        const delayMs = Math.max(0, effect.atMs - this.world.nowMs());
        this.world.later(delayMs, this, () => {
          if (wake === this.#wake) this.feed({ type: 'tick' });
        });
        return;
      }
      case 'enteredView':
        this.enteredViews.push(effect.view);
        return;
      case 'evidence':
        return;
      case 'alarm':
        this.world.alarmed(this, effect);
    }
  }

  #sign(statement: Statement): Vote {
    return fakeVote(statement, this.index);
  }

  #append(entry: LogEntry): void {
    this.#appended.push(entry);
  }

  /** Everything appended so far becomes durable a moment later; flushes end in the order in which they began. */
  #flushThen(action: () => void): void {
    const entries = this.#appended;
    const count = entries.length;
    const last = entries[count - 1];
    this.world.later(this.world.delay(3), this, () => {
      const upTo = last === undefined ? 0 : this.#appended.indexOf(last) + 1;
      this.log.push(...this.#appended.splice(0, upTo));
      action();
    });
  }

  #broadcast(message: Message): void {
    for (const to of this.world.everyone()) if (to !== this.index) this.world.send(this.index, to, message);
  }

  #sendStatus(to: readonly number[], asks: boolean): void {
    const { statusOf, statusCertificates } = this.world.core;
    const message = {
      type: 'status' as const,
      ...statusOf(this.state),
      certificates: statusCertificates(this.state),
      asks,
    };
    for (const peer of to) if (peer !== this.index) this.world.send(this.index, peer, message);
  }

  #heartbeat(): void {
    this.world.later(1_000, this, () => {
      this.#sendStatus(this.world.everyone(), this.state.reported.size < this.world.quorum - 1);
      this.#heartbeat();
    });
  }

  #isGoodProposal(message: ProposalMessage): boolean {
    const { validators, quorum } = this.world;
    if (fakeDigest(message.proposal) !== message.digest || !isGoodVote(message.leaderVote, validators)) return false;
    return message.justification.every((certificate) => isGoodCertificate(certificate, quorum, validators));
  }

  #take(from: number, certificate: Certificate): void {
    if (!isGoodCertificate(certificate, this.world.quorum, this.world.validators)) return;
    this.feed({ type: 'certificate', from, certificate });
  }

  #hold(message: ProposalMessage): void {
    if (message.proposal.height <= this.head.height) return;
    if (!this.#proposals.has(message.digest)) this.#proposals.set(message.digest, message);
    this.#executeWhatIsReady();
  }

  #answerChecks(): void {
    for (const check of [...this.#checks]) {
      const { view, message } = check;
      const { proposal, digest } = message;
      const parent = this.#executed.get(proposal.parentDigest);
      if (parent === undefined) continue;
      this.#checks = this.#checks.filter((other) => other !== check);
      const valid =
        proposal.height === parent.height + 1 &&
        proposal.timeMs > parent.timeMs &&
        !proposal.transactionHashes.includes(INVALID_TRANSACTION);
      this.world.later(this.world.delay(3), this, () => this.feed({ type: 'checked', view, digest, valid }));
    }
  }

  #executeWhatIsReady(): void {
    for (const [digest, wanted] of this.#wanted) {
      const known = this.#executed.get(digest);
      if (known !== undefined) {
        this.#wanted.delete(digest);
        this.#reportExecuted(known);
        continue;
      }
      const message = this.#proposals.get(digest);
      if (message === undefined) {
        if (wanted.attempts === 0) this.#fetchProposal(digest);
        continue;
      }
      const parent = this.#executed.get(message.proposal.parentDigest);
      if (parent === undefined || this.#executing.has(digest)) continue;
      this.#executing.add(digest);
      this.world.later(this.world.delay(6), this, () => {
        const { proposal } = message;
        const { height, timeMs } = proposal;
        const block = { proposal, digest, height, timeMs, blockHash: resultOf(parent.blockHash, digest) };
        this.#executed.set(digest, block);
        this.#executing.delete(digest);
        this.#wanted.delete(digest);
        this.#reportExecuted(block);
        this.#answerChecks();
        this.#executeWhatIsReady();
      });
    }
  }

  #reportExecuted(block: ExecutedBlock): void {
    const { proposal, digest, height, blockHash } = block;
    const closing = this.world.closes(height) ? proposal : undefined;
    this.feed({ type: 'executed', digest, height, blockHash, closing });
  }

  #fetchProposal(digest: Hash): void {
    const wanted = this.#wanted.get(digest);
    if (wanted === undefined || this.#proposals.has(digest) || wanted.attempts > 100) return;
    const holder = wanted.holders[wanted.attempts % Math.max(1, wanted.holders.length)];
    wanted.attempts += 1;
    if (holder !== undefined) this.world.send(this.index, holder, { type: 'fetchProposal', digest });
    this.world.later(60, this, () => this.#fetchProposal(digest));
  }

  #build(effect: Extract<Effect, { type: 'build' }>): void {
    const { view, parentDigest } = effect;
    const parent = this.#executed.get(parentDigest);
    const signer = this.#signer;
    if (parent === undefined || signer === undefined) {
      this.feed({ type: 'built', view, proposal: undefined, digest: parentDigest });
      return;
    }
    const proposal = {
      epoch: Epoch(0),
      view,
      leader: signer,
      parentDigest,
      height: Height(parent.height + 1),
      timeMs: Math.max(parent.timeMs + 1, this.world.nowMs()),
      transactionHashes: effect.empty ? [] : this.#waiting().slice(0, 3),
    };
    const digest = fakeDigest(proposal);
    this.#toldPending = undefined;
    this.feed({ type: 'built', view, proposal, digest });
  }

  #waiting(): Hash[] {
    const inBranch = new Set<Hash>();
    for (const digest of this.world.core.bestBranch(this.state)) {
      for (const hash of this.#proposals.get(digest)?.proposal.transactionHashes ?? []) inBranch.add(hash);
    }
    return [...this.pool].filter((hash) => !this.included.has(hash) && !inBranch.has(hash));
  }

  #tellPending(): void {
    const waiting = this.pool.size > this.included.size && this.#waiting().length > 0;
    if (!this.alive || waiting === this.#toldPending) return;
    this.#toldPending = waiting;
    this.feed({ type: 'pending', waiting });
  }

  #finalize(digest: Hash, certificate: Certificate<FinalizeStatement>): void {
    const chain: StoredBlock[] = [];
    for (let at = digest; at !== this.head.digest; ) {
      const message = this.#proposals.get(at);
      const executed = this.#executed.get(at);
      // Already final with a descendant.
      if (message !== undefined && message.proposal.height <= this.head.height) return;
      if (message === undefined || executed === undefined) {
        if (certificate.statement.height <= this.head.height) return;
        throw new Error(`member ${this.index} was asked to finalize ${digest}, whose branch it has not executed`);
      }
      const { height, blockHash } = executed;
      const view = at === digest ? certificate.statement.view : message.proposal.view;
      chain.unshift({ height, digest: at, blockHash, view, proposal: message.proposal });
      at = message.proposal.parentDigest;
    }
    this.#apply(chain, certificate);
  }

  #apply(chain: readonly StoredBlock[], certificate: Certificate<FinalizeStatement>): void {
    for (const block of chain) {
      this.blocks.push(block);
      for (const hash of block.proposal.transactionHashes) this.included.add(hash);
      this.world.finalized(this, block);
    }
    const last = chain.at(-1);
    if (last === undefined) return;
    this.head = {
      digest: last.digest,
      height: last.height,
      view: last.view,
      timeMs: last.proposal.timeMs,
      certificate,
      ...(this.world.closes(last.height) && { closesEpoch: true }),
    };
    this.#executed.set(last.digest, {
      proposal: undefined,
      digest: last.digest,
      height: last.height,
      blockHash: last.blockHash,
      timeMs: this.head.timeMs,
    });
    for (const [digest, block] of this.#executed) if (block.height < last.height) this.#executed.delete(digest);
    for (const [digest, { proposal }] of this.#proposals)
      if (proposal.height + 20 < last.height) this.#proposals.delete(digest);
    // The log is cut by view: a nullify vote has no height.
    this.log = this.log.filter((entry) => viewOf(entry) > last.view);
    this.feed({ type: 'applied', point: this.head });
    this.#answerChecks();
    this.#executeWhatIsReady();
  }

  #importBlocks(blocks: readonly StoredBlock[], certificate: Certificate<FinalizeStatement>): void {
    const fresh = blocks.filter(({ height }) => height > this.head.height);
    const last = fresh.at(-1);
    if (this.#importing || last === undefined || last.digest !== certificate.statement.digest) return;
    let parent = this.head.digest;
    for (const { digest, proposal } of fresh) {
      if (fakeDigest(proposal) !== digest || proposal.parentDigest !== parent) return;
      parent = digest;
    }
    this.#importing = true;
    this.world.later(this.world.delay(20), this, () => {
      this.#importing = false;
      if (fresh[0]?.proposal.parentDigest !== this.head.digest) return;
      this.#apply([...fresh.slice(0, -1), { ...last, view: certificate.statement.view }], certificate);
    });
  }
}

function viewOf(entry: LogEntry): number {
  switch (entry.type) {
    case 'vote':
      return entry.vote.statement.view;
    case 'certificate':
      return entry.certificate.statement.view;
    case 'proposal':
      return entry.message.leaderVote.statement.view;
  }
}
