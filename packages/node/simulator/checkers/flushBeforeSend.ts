import {
  decodeVote,
  encodeVote,
  type Hash,
  type Proposal,
  proposalDigest,
  type Suite,
  type Vote,
} from '@hanse/protocol';
import { decodeEngineRecord, type EngineRecord, MAX_LOG_RECORD_BYTES } from '../../src/engine/logRecords.ts';
import { decodeRecord } from '../../src/engine/writeAheadLog.ts';
import type { Ending } from '../world/cluster.ts';
import type { Machine } from '../world/machine.ts';
import type { Checker, CheckerContext } from './checker.ts';
import { VoteTap } from './voteTap.ts';

/** The log's own records, which say nothing of consensus. */
const LAST_OWN_TYPE = 1;

/**
 * What a vote says is durable before the vote leaves, with what it stands on (ARCHITECTURE.md, "What is flushed before what is sent"): a
 * notarize vote with its proposal and all bodies, a finalize vote with the notarization.
 */
export class FlushBeforeSend implements Checker {
  readonly name = 'flush before send';
  readonly #context: CheckerContext;
  readonly #tap = new VoteTap();
  readonly #durable = new Map<Machine, DurableLog>();
  readonly #everSent = new Set<string>();

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  starting(machine: Machine): void {
    // Its log was lost while it was off, and files of the same names begin anew.
    if (machine.disk.durableFiles('log').size === 0) this.#durable.delete(machine);
  }

  flushed(machine: Machine): void {
    if (machine.honest) this.#log(machine).read();
  }

  ended(machine: Machine, how: Ending): void {
    if (!machine.honest) return;
    // In its next life a member must have read again what it repeats.
    this.#tap.forget(machine);
    if (how === 'power') this.#durable.delete(machine);
  }

  sent(from: Machine, _to: number, frame: Uint8Array): void {
    if (!from.honest) return;
    for (const bytes of this.#tap.newVotes(from, frame)) {
      const sentBefore = this.#everSent.has(keyOf(bytes));
      this.#everSent.add(keyOf(bytes));
      // Others remind a member that lost its log of what it had sent, and it may repeat that: it binds the member to nothing new, and for
      // whatever else was lost there is the rule of "Amnesia" in packages/consensus/spec.md. Likewise one that lost its ledger, of what was
      // cut off its log since (S2).
      if ((from.lostLog || from.ledgersLost > 0) && sentBefore) continue;
      const missing = this.#missing(from, bytes);
      if (missing === undefined) continue;
      const { kind, view } = decodeVote(bytes).statement;
      this.#context.report(`${from.name} sent its ${kind} vote of view ${view} before ${missing} was durable`);
    }
  }

  #missing(from: Machine, bytes: Uint8Array): string | undefined {
    const log = this.#log(from);
    const vote = decodeVote(bytes);
    if (log.missing(vote, bytes) === undefined) return undefined;
    // A log's file that was written anew takes its place when its folder is flushed, of which nobody tells.
    log.read();
    return log.missing(vote, bytes);
  }

  #log(machine: Machine): DurableLog {
    let log = this.#durable.get(machine);
    if (log === undefined) {
      const { suite, genesisHash } = this.#context.cluster.setup;
      log = new DurableLog(machine, suite, (proposal) => proposalDigest(suite, genesisHash, proposal));
      log.read();
      this.#durable.set(machine, log);
    }
    return log;
  }
}

/** What a power cut would leave of a member's log, read as far as it grew. */
class DurableLog {
  readonly #machine: Machine;
  readonly #suite: Suite;
  readonly #digestOf: (proposal: Proposal) => Hash;
  /** How much of each segment was read. */
  readonly #read = new Map<string, number>();
  readonly #votes = new Set<string>();
  readonly #notarized = new Set<string>();
  /** The bodies that stand with each proposal. */
  readonly #proposals = new Map<Hash, { readonly proposal: Proposal; readonly bodies: ReadonlySet<Hash> }>();

  constructor(machine: Machine, suite: Suite, digestOf: (proposal: Proposal) => Hash) {
    this.#machine = machine;
    this.#suite = suite;
    this.#digestOf = digestOf;
  }

  read(): void {
    for (const [path, bytes] of this.#machine.disk.durableFiles('log')) {
      let at = this.#read.get(path) ?? 0;
      for (;;) {
        const decoded = decodeRecord(bytes, at, MAX_LOG_RECORD_BYTES);
        if (decoded === undefined) break;
        at = decoded.end;
        if (decoded.record.type > LAST_OWN_TYPE) this.#take(decodeEngineRecord(decoded.record, this.#digestOf));
      }
      this.#read.set(path, at);
    }
  }

  /** What of that on which the vote stands is not durable. */
  missing({ statement }: Vote, bytes: Uint8Array): string | undefined {
    if (!this.#votes.has(keyOf(bytes))) return 'it';
    if (statement.kind === 'finalize' && !this.#notarized.has(`${statement.view} ${statement.digest}`))
      return 'the notarization';
    if (statement.kind !== 'notarize') return undefined;
    const held = this.#proposals.get(statement.digest);
    if (held === undefined) return 'the proposal';
    const complete = held.proposal.transactionHashes.every((hash) => held.bodies.has(hash));
    return complete ? undefined : 'a body of the proposal';
  }

  #take(record: EngineRecord): void {
    switch (record.kind) {
      case 'vote':
        this.#votes.add(keyOf(encodeVote(record.vote)));
        return;
      case 'certificate': {
        const { statement } = record.certificate;
        if (statement.kind === 'notarize') this.#notarized.add(`${statement.view} ${statement.digest}`);
        return;
      }
      case 'proposal': {
        const { digest, proposal, leaderVote } = record.message;
        const bodies = new Set(record.transactions.map((raw) => this.#suite.hashHex(raw)));
        this.#proposals.set(digest, { proposal, bodies });
        // A leader's own vote stands in its proposal too, also where a crash tore off the record behind it.
        this.#votes.add(keyOf(encodeVote(leaderVote)));
        return;
      }
      case 'amnesia':
      case 'recovery':
    }
  }
}

const keyOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
