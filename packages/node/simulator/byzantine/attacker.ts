import type { ProposalMessage } from '@hanse/consensus';
import {
  type Certificate,
  type Epoch,
  genesisValidatorSet,
  type Hash,
  type Hex,
  MAX_TRANSACTION_BYTES,
  type NotarizeStatement,
  type Proposal,
  proposalDigest,
  type Statement,
  type Suite,
  statementBytes,
  type ValidatorSet,
  type View,
  type Vote,
} from '@hanse/protocol';
import {
  decodeProposalAnswer,
  decodeStatus,
  encodeCertificates,
  encodeProposalEnvelope,
  encodeStatus,
  encodeVotes,
  messageKinds,
  type ProposalEnvelope,
} from '../../src/engine/messages.ts';
import { type Envelope, encodeEnvelope } from '../../src/network/envelope.ts';
import { MessageKind } from '../../src/network/messageKinds.ts';
import { decodeTransactions } from '../../src/network/transactionWire.ts';
import type { Cluster } from '../world/cluster.ts';
import type { Interceptor } from '../world/simulatedNetwork.ts';
import { SimulationRandom } from '../world/simulationRandom.ts';
import { type EngineMessage, engineFrame, engineKindOf, readEngineMessage, readEnvelope } from '../world/wire.ts';

/** A frame with what it says. */
export interface ReadFrame {
  readonly bytes: Uint8Array;
  /** Undefined for a hello. */
  readonly envelope: Envelope | undefined;
  /** What it says to the engine, if it is a message of consensus. */
  readonly message: EngineMessage | undefined;
}

/**
 * One way to break the protocol. Around it runs an honest program with the member's key, so that connections are made, questions
 * answered and blocks executed; a behaviour changes what leaves, and adds what it likes.
 */
export interface Behaviour {
  /** What leaves in place of a frame; the same frame if it is absent. */
  outgoing?(to: number, frame: ReadFrame): readonly Uint8Array[];
  /** Sees what arrives, and may send. */
  incoming?(from: number, frame: ReadFrame): void;
}

export type BehaviourFactory = (attacker: Attacker) => Behaviour;

const MAX_KNOWN = 256;

/** What a Byzantine member knows and can do: all that it is sent, its own key, and its connections. */
export class Attacker implements Interceptor {
  readonly member: number;
  readonly #twin: number;
  readonly random: SimulationRandom;
  readonly suite: Suite;
  readonly genesisHash: Hash;
  readonly #genesisSet: ValidatorSet;
  /** The highest view that an honest vote or certificate spoke of, and what was seen, newest last. */
  view = 0 as View;
  readonly proposals = new Map<Hash, ProposalEnvelope>();
  readonly certificates: Certificate[] = [];
  readonly votes: Vote[] = [];
  /** Encodings of transactions. */
  readonly bodies: Uint8Array[] = [];
  readonly #cluster: Cluster;
  /** What it signs with, by the public keys. */
  readonly #privateKeys = new Map<Hex, Uint8Array>();
  readonly #behaviour: Behaviour;
  readonly #connections = new Map<number, (frame: Uint8Array) => void>();
  /** The kinds of its program's own questions, by peer and id: an answer does not name its kind. */
  readonly #asked = new Map<string, number>();
  #rememberedEpoch = 0 as Epoch;

  constructor(cluster: Cluster, member: number, twin: number, createBehaviour: BehaviourFactory) {
    const { setup, options } = cluster;
    this.#cluster = cluster;
    this.member = member;
    this.suite = setup.suite;
    this.genesisHash = setup.genesisHash;
    this.#genesisSet = genesisValidatorSet(setup.genesis);
    this.#twin = twin;
    const { incarnations } = cluster.machine(member, twin);
    this.random = new SimulationRandom(options.seed, `byzantine ${member} ${twin} ${incarnations}`);
    this.#behaviour = createBehaviour(this);
  }

  /** The set of the epoch that its program is in. */
  get validators(): ValidatorSet {
    return this.#cluster.machine(this.member, this.#twin).process?.member?.engine.validators ?? this.#genesisSet;
  }

  get epoch(): Epoch {
    return this.validators.epoch;
  }

  /** Its place in the set; one that nobody has if it is not in it. */
  get place(): number {
    const { names } = this.#cluster.setup;
    const { validators } = this.validators;
    const place = validators.findIndex(({ name }) => name === names[this.member]);
    return place < 0 ? validators.length : place;
  }

  /** Whom it is connected to. */
  get peers(): readonly number[] {
    return [...this.#connections.keys()];
  }

  /** Whether this member leads a view. */
  leads(view: number): boolean {
    return view % this.validators.validators.length === this.place;
  }

  digestOf = (proposal: Proposal): Hash => proposalDigest(this.suite, this.genesisHash, proposal);

  /** Signs anything, with the key that reigns for its member: what is signed with another one, everybody refuses at once. */
  sign<S extends Statement>(statement: S): Vote<S> {
    const signature = this.suite.sign(this.#reigningKey(), statementBytes(this.genesisHash, statement));
    return { statement, signer: this.place, signature };
  }

  /** The same place in the chain with something changed, properly signed. */
  signProposal(
    message: ProposalMessage,
    change: Partial<Proposal>,
    vote: Partial<NotarizeStatement> = {},
  ): ProposalMessage {
    const proposal = { ...message.proposal, ...change };
    const digest = this.digestOf(proposal);
    const leaderVote = this.sign({ ...message.leaderVote.statement, ...vote, digest });
    return { ...message, proposal, digest, leaderVote };
  }

  send(to: number, frame: Uint8Array): void {
    this.#connections.get(to)?.(frame);
  }

  sendVotes(to: number, votes: readonly Vote[]): void {
    this.send(to, engineFrame(this.epoch, messageKinds.votes, encodeVotes(votes)));
  }

  sendCertificates(to: number, certificates: readonly Certificate[]): void {
    this.send(to, engineFrame(this.epoch, messageKinds.certificates, encodeCertificates(certificates)));
  }

  sendProposal(to: number, envelope: ProposalEnvelope): void {
    this.send(to, proposalFrame(envelope));
  }

  /** Signs statements and tells everybody. */
  tellAll(...statements: readonly Statement[]): void {
    const votes = statements.map((statement) => this.sign(statement));
    for (const peer of this.peers) this.sendVotes(peer, votes);
  }

  /** Acts again and again, at times between these, for as long as the run lasts. */
  every(leastMs: number, mostMs: number, act: () => void): void {
    this.#cluster.clock.schedule(this.random.milliseconds(leastMs, mostMs), () => {
      if (this.peers.length > 0) act();
      this.every(leastMs, mostMs, act);
    });
  }

  // What the network tells.

  outgoing(to: number, bytes: Uint8Array): readonly Uint8Array[] {
    const frame = this.#read(bytes);
    const { envelope, message } = frame;
    if (envelope?.type === 'request') this.#asked.set(`${to} ${envelope.id}`, engineKindOf(envelope) ?? -1);
    if (message?.type === 'proposal') this.#remember(message);
    return this.#behaviour.outgoing?.(to, frame) ?? [bytes];
  }

  incoming(from: number, bytes: Uint8Array): Uint8Array | undefined {
    const frame = this.#read(bytes);
    if (frame.message !== undefined) this.#remember(frame.message);
    else if (frame.envelope?.type === 'message' && frame.envelope.kind === MessageKind.transactions)
      this.#rememberTransactions(frame.envelope.payload);
    this.#behaviour.incoming?.(from, frame);
    return this.#withoutReminders(from, frame);
  }

  connected(to: number, send: (frame: Uint8Array) => void): void {
    this.#connections.set(to, send);
  }

  disconnected(to: number): void {
    this.#connections.delete(to);
  }

  /** The key of its machine's ring that the present set names; the newest one where it is in no set. */
  #reigningKey(): Uint8Array {
    const { voteKeys } = this.#cluster.machine(this.member, this.#twin);
    for (const key of voteKeys.slice(this.#privateKeys.size)) this.#privateKeys.set(this.suite.publicKey(key), key);
    const reigning = this.validators.validators[this.place]?.voteKey;
    return (reigning === undefined ? undefined : this.#privateKeys.get(reigning)) ?? voteKeys.at(-1)!;
  }

  #read(bytes: Uint8Array): ReadFrame {
    const envelope = readEnvelope(bytes);
    const message = envelope === undefined ? undefined : readEngineMessage(envelope, this.digestOf);
    return { bytes, envelope, message };
  }

  #remember(message: EngineMessage): void {
    if (message.epoch !== this.epoch) return;
    if (message.epoch !== this.#rememberedEpoch) this.#forget(message.epoch);
    switch (message.type) {
      case 'proposal': {
        const { envelope } = message;
        this.#sawView(envelope.message.leaderVote.statement.view);
        this.proposals.set(envelope.message.digest, envelope);
        for (const raw of envelope.inline) keep(this.bodies, raw);
        for (const oldest of this.proposals.keys()) if (this.proposals.size > MAX_KNOWN) this.proposals.delete(oldest);
        return;
      }
      case 'votes':
        for (const vote of message.votes) keep(this.votes, vote);
        return;
      case 'certificates':
        for (const certificate of message.certificates) {
          this.#sawView((certificate.statement.view + 1) as View);
          keep(this.certificates, certificate);
        }
        return;
      case 'status':
        for (const certificate of message.status.certificates) keep(this.certificates, certificate);
    }
  }

  /** Views and places of another epoch mean nothing in this one. */
  #forget(epoch: Epoch): void {
    this.#rememberedEpoch = epoch;
    this.view = 0 as View;
    this.proposals.clear();
    this.certificates.length = 0;
    this.votes.length = 0;
  }

  #rememberTransactions(payload: Uint8Array): void {
    try {
      for (const raw of decodeTransactions(payload, MAX_TRANSACTION_BYTES)) keep(this.bodies, raw);
    } catch {
      // Another Byzantine member's rubbish.
    }
  }

  #sawView(view: View): void {
    // Other Byzantine members speak of views that nobody is in.
    if (view > this.view && view < this.view + 1_000) this.view = view;
  }

  /**
   * Its own program must not hear of the votes that were signed behind its back, or by its twin: it would take them for those of a lost log, and
   * stop voting, which is what a Byzantine member does not do.
   */
  #withoutReminders(from: number, { envelope, bytes }: ReadFrame): Uint8Array | undefined {
    if (envelope?.type !== 'response') return bytes;
    const key = `${from} ${envelope.id}`;
    const kind = this.#asked.get(key);
    this.#asked.delete(key);
    try {
      if (kind === messageKinds.requestStatus) {
        const payload = encodeStatus({ ...decodeStatus(envelope.payload), yourVotes: [] });
        return encodeEnvelope({ ...envelope, payload });
      }
      if (kind === messageKinds.requestProposal) {
        const answer = decodeProposalAnswer(envelope.payload, this.digestOf);
        if (answer.envelope?.message.leaderVote.signer === this.place) return undefined;
      }
    } catch {
      // Another Byzantine member's answer.
    }
    return bytes;
  }
}

export function proposalFrame(envelope: ProposalEnvelope): Uint8Array {
  const { epoch } = envelope.message.leaderVote.statement;
  return engineFrame(epoch, messageKinds.proposal, encodeProposalEnvelope(envelope));
}

/** A message of votes without those of a kind; nothing if none are left. */
export function votesFrameWithout(
  kind: Statement['kind'],
  message: Extract<EngineMessage, { type: 'votes' }>,
): readonly Uint8Array[] {
  const votes = message.votes.filter(({ statement }) => statement.kind !== kind);
  return votes.length === 0 ? [] : [engineFrame(message.epoch, messageKinds.votes, encodeVotes(votes))];
}

function keep<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > MAX_KNOWN) list.shift();
}
