import {
  type ConsensusState,
  certificatesBetween,
  knowsCertificate,
  knowsVote,
  type ProposalMessage,
  sameStatement,
  statusCertificates,
  statusOf,
  VOTE_WINDOW,
} from '@hanse/consensus';
import type { Certificate, Epoch, Hash, ValidatorIndex, Vote } from '@hanse/protocol';
import type { TransactionBody } from '../chain/ledger.ts';
import type { UntimedInput } from './blockPipeline.ts';
import {
  decodeCertificateRequest,
  decodeCertificates,
  decodeHashes,
  decodeProposalEnvelope,
  decodeStatus,
  decodeVotes,
  encodeCertificates,
  encodeProposalAnswer,
  encodeStatus,
  encodeTransactions,
  MAX_INLINE_BYTES,
  messageKinds,
  type ProposalEnvelope,
  type StatusMessage,
} from './messages.ts';
import type { EngineMetrics } from './metrics.ts';
import type { EngineBodies, EngineTransport } from './ports.ts';
import { ProposalAdmission } from './proposalAdmission.ts';
import type { ProposalEntry, ProposalStore } from './proposalStore.ts';
import type { BudgetName, ValidatorBudgets } from './validatorBudgets.ts';
import type { Verdict, Verifier } from './verification.ts';

export interface PeerDeskModules {
  readonly epoch: Epoch;
  readonly self: ValidatorIndex | undefined;
  readonly core: () => ConsensusState;
  readonly verifier: Verifier;
  readonly transport: EngineTransport;
  readonly bodies: EngineBodies;
  readonly store: ProposalStore;
  readonly metrics: EngineMetrics;
  readonly budgets: ValidatorBudgets;
  readonly digestOf: (proposal: ProposalMessage['proposal']) => Hash;
  readonly feed: (input: UntimedInput) => void;
  /** A verified proposal, before it is fed to the core. */
  readonly register: (envelope: ProposalEnvelope, from: ValidatorIndex) => void;
}

/** What a request costs before its answer is known, as bytes of an answer: a hash of 33 bytes takes as long to look for as 500 to send. */
const REQUEST_COST = 4_096;
const REQUEST_COST_PER_BYTE = 16;
/** How many of each peer's newest votes are remembered, to remind it of them after it restarted. */
const REMEMBERED_VOTES = 4;

/** Decodes and verifies what peers send before the core sees it, and answers what they ask. */
export class PeerDesk {
  readonly #modules: PeerDeskModules;
  readonly #votesSeen = new Map<ValidatorIndex, Vote[]>();
  readonly #answered = new Set<ValidatorIndex>();
  readonly #admission: ProposalAdmission;

  constructor(modules: PeerDeskModules) {
    this.#modules = modules;
    this.#admission = new ProposalAdmission(modules);
  }

  /** A message that asks for no answer. Kinds of later versions are let pass. */
  receive(from: ValidatorIndex, kind: number, payload: Uint8Array): void {
    try {
      switch (kind) {
        case messageKinds.proposal:
          this.#receiveProposal(from, decodeProposalEnvelope(payload, this.#modules.digestOf));
          return;
        case messageKinds.votes:
          this.#receiveVotes(from, decodeVotes(payload));
          return;
        case messageKinds.certificates:
          this.#receiveCertificates(from, decodeCertificates(payload));
          return;
        case messageKinds.status:
          this.#payForStatus(from);
          this.#receiveStatus(from, decodeStatus(payload));
          return;
        default:
          this.#modules.metrics.messagesIgnored++;
      }
    } catch (error) {
      this.#blame(from, error);
    }
  }

  /** An answer to this member's own request for certificates. Returns how many there were. */
  receiveCertificates(from: ValidatorIndex, payload: Uint8Array): number {
    try {
      const certificates = decodeCertificates(payload);
      for (const certificate of certificates) this.receiveCertificate(from, certificate);
      return certificates.length;
    } catch (error) {
      this.#blame(from, error);
      return 0;
    }
  }

  /** The answer to this member's own question where a peer is. */
  receiveStatusAnswer(from: ValidatorIndex, payload: Uint8Array): void {
    try {
      const status = decodeStatus(payload);
      // A peer that is not yet in this epoch is asked again.
      if (status.epoch === this.#modules.epoch) this.#answered.add(from);
      this.#receiveStatus(from, status);
    } catch (error) {
      this.#blame(from, error);
    }
  }

  /** Votes of others that are remembered. */
  get rememberedVotes(): number {
    return [...this.#votesSeen.values()].reduce((sum, votes) => sum + votes.length, 0);
  }

  /** Who has answered this member's question since the start, or since `forgetAnswers`. */
  get answered(): ReadonlySet<ValidatorIndex> {
    return this.#answered;
  }

  forgetAnswers(): void {
    this.#answered.clear();
  }

  receiveCertificate(from: ValidatorIndex, certificate: Certificate): void {
    const { metrics, verifier, core, feed } = this.#modules;
    metrics.certificatesReceived++;
    if (knowsCertificate(core(), certificate) && !this.#contradicts(certificate)) return;
    this.#expect(verifier.certificate(from, certificate));
    feed({ type: 'certificate', from, certificate: verifier.canonical(certificate) });
  }

  #receiveVotes(from: ValidatorIndex, votes: readonly Vote[]): void {
    this.#pay(from, 'items', votes.length);
    for (const vote of votes) this.#receiveVote(from, vote, from);
  }

  #receiveCertificates(from: ValidatorIndex, certificates: readonly Certificate[]): void {
    this.#pay(
      from,
      'items',
      certificates.reduce((sum, { signatures }) => sum + 1 + signatures.length, 0),
    );
    for (const certificate of certificates) this.receiveCertificate(from, certificate);
  }

  /** Unasked reports and questions; an answer to this member's own question costs its sender nothing. */
  #payForStatus(from: ValidatorIndex): void {
    this.#pay(from, 'statuses', 1);
  }

  /** No honest member sends so much, however busy it is or was. */
  #pay(from: ValidatorIndex, budget: BudgetName, amount: number): void {
    if (!this.#modules.budgets.take(from, budget, amount)) throw new Error(`over its budget of ${budget}`);
  }

  #receiveStatus(from: ValidatorIndex, status: StatusMessage): void {
    const { epoch, self, feed, metrics } = this.#modules;
    if (status.epoch !== epoch) {
      metrics.messagesIgnored++;
      return;
    }
    // Reminders of own votes come first: a member that lost its log has to learn it before anything lets it vote.
    if (self !== undefined) for (const vote of status.yourVotes) this.#receiveVote(from, vote, self);
    for (const certificate of status.certificates) this.receiveCertificate(from, certificate);
    // Only an answer carries reminders, so nothing else may count as a report before it.
    if (!this.#answered.has(from)) return;
    const { view, finalizedHeight, finalizedView } = status;
    feed({ type: 'status', from, view, finalizedHeight, finalizedView });
  }

  /** Own status for everybody, or in answer to one who asked. */
  status(asker: ValidatorIndex | undefined): Uint8Array {
    const core = this.#modules.core();
    return encodeStatus({
      epoch: this.#modules.epoch,
      ...statusOf(core),
      certificates: statusCertificates(core),
      yourVotes: asker === undefined ? [] : (this.#votesSeen.get(asker) ?? []),
    });
  }

  /** Answers a request; throws if it is malformed or over the peer's budget, which is no offence: a busy member may ask the same of many at once. */
  answer(from: ValidatorIndex, kind: number, payload: Uint8Array): Uint8Array {
    const { budgets } = this.#modules;
    const denied = (): Error => new Error('too many large requests, try again later');
    // Paid before anything is looked for; what the answer has beyond that is paid before it is sent.
    const cost = REQUEST_COST + payload.length * REQUEST_COST_PER_BYTE;
    if (!budgets.take(from, 'answers', cost)) throw denied();
    let answer: Uint8Array;
    try {
      answer = this.#answer(from, kind, payload);
    } catch (error) {
      this.#blame(from, error);
      throw error;
    }
    if (!budgets.take(from, 'answers', Math.max(0, answer.length - cost))) throw denied();
    return answer;
  }

  /** Which bodies a proposal for `peer` should carry: those that it is not known to have, as many as fit. */
  inlineFor(peer: ValidatorIndex, transactions: readonly TransactionBody[]): readonly Uint8Array[] {
    const raws: Uint8Array[] = [];
    let bytes = 0;
    for (const { hash, raw } of transactions) {
      if (this.#modules.bodies.knownTo(peer, hash) || bytes + raw.length > MAX_INLINE_BYTES) continue;
      bytes += raw.length;
      raws.push(raw);
    }
    return raws;
  }

  /** A copy of a verified proposal whose justification consists of certificates that were verified themselves. */
  canonicalProposal(message: ProposalMessage): ProposalMessage {
    return { ...message, justification: message.justification.map((entry) => this.#modules.verifier.canonical(entry)) };
  }

  #receiveProposal(from: ValidatorIndex, envelope: ProposalEnvelope): void {
    const { metrics, core, register, feed } = this.#modules;
    const { message, inline } = envelope;
    metrics.proposalsReceived++;
    this.#pay(
      from,
      'items',
      message.justification.reduce((sum, { signatures }) => sum + 1 + signatures.length, 1) + inline.length,
    );
    const admitted = this.#admission.admit(from, envelope);
    if ('verdict' in admitted) this.#expect(admitted);
    else {
      // One that this member gave up waiting for still tells the core how long its leader takes; nobody needs its bodies any more.
      if (message.leaderVote.statement.view > core().finalized.view) register(admitted, from);
      feed({ type: 'proposal', from, message: admitted.message });
    }
  }

  /** Members send their own votes, and a restarted member's votes back to itself; nobody relays others'. */
  #receiveVote(from: ValidatorIndex, vote: Vote, expectedSigner: ValidatorIndex): void {
    const { metrics, verifier, core, feed, budgets } = this.#modules;
    metrics.votesReceived++;
    if (vote.signer !== expectedSigner) throw new Error(`a vote signed by validator ${vote.signer}`);
    // A vote that cannot count any more, or counted before, still shows that its sender is there, and needs no verification for that.
    if (!knowsVote(core(), vote)) {
      const distant = vote.statement.view > core().view + VOTE_WINDOW;
      if (distant && !budgets.take(from, 'distantVotes', 1)) throw new Ignored('votes for views far ahead');
      this.#expect(verifier.vote(from, vote));
      if (vote.signer === from) this.#rememberVote(vote);
    }
    feed({ type: 'vote', from, vote });
  }

  #rememberVote(vote: Vote): void {
    const votes = this.#votesSeen.get(vote.signer) ?? [];
    votes.push(vote);
    votes.sort((a, b) => b.statement.view - a.statement.view);
    this.#votesSeen.set(vote.signer, votes.slice(0, REMEMBERED_VOTES));
  }

  /** A certificate that says something else than the known one of its place is evidence of a fork, and goes to the core. */
  #contradicts(certificate: Certificate): boolean {
    const { finalized, rounds } = this.#modules.core();
    const { statement } = certificate;
    const held = statement.kind === 'finalize' ? finalized.certificate : rounds.get(statement.view)?.notarization;
    if (statement.kind === 'nullify' || held === undefined || held.statement.view !== statement.view) return false;
    return !sameStatement(held.statement, statement);
  }

  #answer(from: ValidatorIndex, kind: number, payload: Uint8Array): Uint8Array {
    switch (kind) {
      case messageKinds.requestBodies:
        return encodeTransactions(this.#bodiesOf(decodeHashes(payload)));
      case messageKinds.requestProposal: {
        const [digest] = decodeHashes(payload, 1);
        const entry = digest === undefined ? undefined : this.#modules.store.find(digest);
        const { finalizedHeight } = statusOf(this.#modules.core());
        return encodeProposalAnswer({ finalizedHeight, envelope: this.#envelope(from, entry) });
      }
      case messageKinds.requestCertificates: {
        const { epoch, fromView, toView } = decodeCertificateRequest(payload);
        const known = epoch === this.#modules.epoch;
        return encodeCertificates(known ? certificatesBetween(this.#modules.core(), fromView, toView) : []);
      }
      case messageKinds.requestStatus:
        this.#payForStatus(from);
        this.#receiveStatus(from, decodeStatus(payload));
        return this.status(from);
      default:
        throw new Ignored(`a request of unknown kind ${kind}`);
    }
  }

  #envelope(peer: ValidatorIndex, entry: ProposalEntry | undefined): ProposalEnvelope | undefined {
    if (entry?.message === undefined) return undefined;
    return { message: entry.message, inline: this.inlineFor(peer, entry.transactions ?? []) };
  }

  #bodiesOf(hashes: readonly Hash[]): readonly Uint8Array[] {
    const pooled = this.#modules.bodies.get(hashes);
    const raws: Uint8Array[] = [];
    let bytes = 0;
    for (const hash of new Set(hashes)) {
      const body = pooled.get(hash) ?? this.#modules.store.body(hash);
      if (body === undefined || bytes + body.raw.length > MAX_INLINE_BYTES) continue;
      bytes += body.raw.length;
      raws.push(body.raw);
    }
    return raws;
  }

  /** Throws for the blame of the sender, or quietly ends the handling of what is to be ignored. */
  #expect(verdict: Verdict): void {
    if (verdict.verdict === 'good') return;
    throw verdict.verdict === 'bad' ? new Error(verdict.reason) : new Ignored(verdict.reason);
  }

  #blame(from: ValidatorIndex, error: unknown): void {
    const { metrics, transport } = this.#modules;
    if (error instanceof Ignored) {
      metrics.messagesIgnored++;
      return;
    }
    metrics.messagesBad++;
    transport.misbehaved(from, error instanceof Error ? error.message : String(error));
  }
}

class Ignored extends Error {}
