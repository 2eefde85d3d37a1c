import type { Hash, Vote } from '@hanse/protocol';
import { Epoch } from '@hanse/protocol';
import type { ConsensusOptions, Effect } from '../types.ts';
import type { Adversary, Behaviour } from './byzantine.ts';
import type { CoreUnderTest } from './coreUnderTest.ts';
import { EventQueue } from './eventQueue.ts';
import { fakeHash, fakeValidators } from './fakeSuite.ts';
import { Invariants } from './invariants.ts';
import type { Message, StoredBlock } from './messages.ts';
import { type SeededRandom, seededRandom } from './seededRandom.ts';
import { ORIGIN, SimulatedMember, type World } from './simulatedMember.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly core: CoreUnderTest;
  readonly validators: number;
  readonly observers?: number;
  /** Behaviours by validator index. */
  readonly byzantine?: Readonly<Record<number, Behaviour>>;
  /** Until then messages get lost, late, doubled and partitioned, and members crash. */
  readonly faultsUntilMs: number;
  /** Everything submitted has to be final everywhere by then. */
  readonly untilMs: number;
  readonly transactions: number;
  readonly crashes?: number;
  /** Crashes that lose the whole log. */
  readonly amnesiacs?: number;
  /** In percent, while faults last. */
  readonly lossPercent?: number;
  readonly closesAtHeight?: number;
  /** How long a message may take after the faults; 15 if absent. */
  readonly slowMs?: number;
}

export interface SimulationReport {
  readonly violations: readonly string[];
  readonly height: number;
  readonly events: number;
  /** A digest of everything that happened, for comparing runs. */
  readonly audit: Hash;
  /** When the last honest member had everything final; undefined if it never did. */
  readonly doneAtMs: number | undefined;
  readonly alarms: readonly string[];
  readonly members: readonly SimulatedMember[];
}

type Event =
  | { readonly type: 'message'; readonly from: number; readonly to: number; readonly message: Message }
  | {
      readonly type: 'action';
      readonly member: SimulatedMember;
      readonly incarnation: number;
      readonly action: () => void;
    }
  | { readonly type: 'world'; readonly action: () => void };

/** Alarms that may be raised in an honest member by what Byzantine members do; all others are violations. */
const EXPECTED_ALARMS: readonly string[] = ['equivocation', 'conflicting-results', 'no-result-can-reach-quorum'];

/** Runs n cores with their hosts on one simulated clock; the seed decides everything. */
export function simulate(options: SimulationOptions): SimulationReport {
  return new Simulation(options).run();
}

class Simulation implements World {
  readonly core: CoreUnderTest;
  readonly validators: number;
  readonly quorum: number;
  readonly #options: SimulationOptions;
  readonly #random: SeededRandom;
  readonly #events = new EventQueue<Event>();
  readonly #members: SimulatedMember[];
  readonly #everyone: readonly number[];
  readonly #adversaries = new Map<number, { readonly behaviour: Behaviour; readonly self: Adversary }>();
  readonly #invariants: Invariants;
  readonly #alarms: string[] = [];
  readonly #submitted = new Set<Hash>();
  #partition: number[] = [];
  #nowMs = 0;
  #count = 0;
  #audit = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.core = options.core;
    this.validators = options.validators;
    // A planted defect in the quorum is a defect of the whole network.
    this.quorum = this.core.createConsensus(this.options(0), ORIGIN).quorum;
    this.#invariants = new Invariants(options.closesAtHeight);
    this.#random = seededRandom(options.seed);
    const total = options.validators + (options.observers ?? 0);
    this.#everyone = Array.from({ length: total }, (_, index) => index);
    this.#members = this.#everyone.map((index) => new SimulatedMember(index, this));
    const proposals = new Map();
    const validators = this.#everyone.slice(0, options.validators);
    for (const [index, behaviour] of Object.entries(options.byzantine ?? {})) {
      const self: Adversary = {
        index: Number(index),
        random: this.#random,
        validators,
        proposals,
        send: (to, message) => this.#transmit(Number(index), to, message),
      };
      this.#adversaries.set(Number(index), { behaviour, self });
    }
  }

  run(): SimulationReport {
    const { options } = { options: this.#options };
    for (const member of this.#members) this.#at(this.#random.below(20), () => member.start());
    this.#planTransactions();
    this.#planFaults();
    let doneAtMs: number | undefined;
    for (let next = this.#events.next(); next !== undefined; next = this.#events.next()) {
      if (next.atMs > options.untilMs) break;
      this.#nowMs = next.atMs;
      this.#count += 1;
      this.#happen(next.event);
      if (this.#invariants.violations.length > 0) break;
      if (this.#nowMs > options.faultsUntilMs && this.#isDone()) {
        doneAtMs = this.#nowMs;
        break;
      }
    }
    const violations = [...this.#invariants.violations];
    if (violations.length === 0 && doneAtMs === undefined) violations.push(this.#describeStuck());
    const audit = fakeHash(`${this.#audit}|${this.#count}|${this.#nowMs}`);
    const { height } = this.#invariants;
    return { violations, height, events: this.#count, audit, doneAtMs, alarms: this.#alarms, members: this.#members };
  }

  nowMs(): number {
    return this.#nowMs;
  }

  delay(limitMs: number): number {
    return this.#random.below(limitMs + 1);
  }

  later(delayMs: number, member: SimulatedMember, action: () => void): void {
    this.#events.add(this.#nowMs + delayMs, { type: 'action', member, incarnation: member.incarnation, action });
  }

  send(from: number, to: number, message: Message): void {
    const adversary = this.#adversaries.get(from);
    const messages = adversary === undefined ? [message] : adversary.behaviour.outgoing(adversary.self, to, message);
    for (const each of messages) this.#transmit(from, to, each);
  }

  everyone(): readonly number[] {
    return this.#everyone;
  }

  options(self: number | undefined): ConsensusOptions {
    return {
      epoch: Epoch(0),
      validators: fakeValidators(this.validators),
      self,
      deltaFloorMs: 50,
      idleBlockIntervalMs: 20_000,
      maxUnfinalizedBlocks: 16,
      resendIntervalMs: 200,
      paceMs: 5,
    };
  }

  closes(height: number): boolean {
    return height === this.#options.closesAtHeight;
  }

  signed(member: SimulatedMember, vote: Vote): void {
    if (this.#adversaries.has(member.index)) return;
    this.#invariants.signed(member.index, vote);
    if (vote.statement.kind !== 'notarize') return;
    this.#invariants.justified(member.index, member.state, vote, member.proposalOf(vote.statement.digest));
  }

  finalized(member: SimulatedMember, block: StoredBlock): void {
    this.#mix(block.height, member.index);
    if (!this.#adversaries.has(member.index)) this.#invariants.finalized(member.index, block);
  }

  alarmed(member: SimulatedMember, effect: Extract<Effect, { type: 'alarm' }>): void {
    if (this.#adversaries.has(member.index)) return;
    this.#alarms.push(effect.kind);
    if (effect.stop || !EXPECTED_ALARMS.includes(effect.kind)) {
      this.#invariants.violations.push(`member ${member.index} raised ${effect.kind}: ${effect.detail}`);
    }
  }

  #at(atMs: number, action: () => void): void {
    this.#events.add(atMs, { type: 'world', action });
  }

  #happen(event: Event): void {
    switch (event.type) {
      case 'world':
        event.action();
        return;
      case 'action':
        if (event.member.alive && event.member.incarnation === event.incarnation) event.action();
        return;
      case 'message': {
        const member = this.#members[event.to]!;
        if (!member.alive) return;
        this.#mix(event.from, event.to);
        const adversary = this.#adversaries.get(event.to);
        adversary?.behaviour.incoming(adversary.self, event.message);
        member.receive(event.from, event.message);
      }
    }
  }

  #mix(a: number, b: number): void {
    this.#audit = (Math.imul(this.#audit ^ (a * 64 + b), 0x01000193) ^ this.#nowMs) >>> 0;
  }

  #transmit(from: number, to: number, message: Message): void {
    if (this.#nowMs >= this.#options.faultsUntilMs) {
      this.#deliver(from, to, message, 1 + this.#random.below(this.#options.slowMs ?? 15));
      return;
    }
    const apart = this.#partition.length > 0 && this.#partition[from] !== this.#partition[to];
    if (apart || this.#random.chance(this.#options.lossPercent ?? 10)) return;
    const delayMs = this.#random.chance(10) ? this.#random.below(400) : this.#random.below(30);
    this.#deliver(from, to, message, 1 + delayMs);
    if (this.#random.chance(5)) this.#deliver(from, to, message, 1 + this.#random.below(500));
  }

  #deliver(from: number, to: number, message: Message, delayMs: number): void {
    this.#events.add(this.#nowMs + delayMs, { type: 'message', from, to, message });
  }

  #planTransactions(): void {
    for (let number = 0; number < this.#options.transactions; number++) {
      const hash = fakeHash(`transaction ${number}`);
      this.#submitted.add(hash);
      const atMs = 20 + this.#random.below(Math.max(1, this.#options.faultsUntilMs));
      const member = this.#members[this.#random.below(this.#members.length)]!;
      this.#at(atMs, () => member.hearOf(hash));
      // Whoever holds it keeps gossiping: what faults swallowed comes again.
      this.#at(this.#options.faultsUntilMs + 50, () => {
        for (const each of this.#members) each.hearOf(hash);
      });
    }
  }

  #planFaults(): void {
    const { faultsUntilMs, crashes = 0, amnesiacs = 0 } = this.#options;
    // Only one log is ever lost: q others have to remember.
    const forgetful = this.#members[this.#random.below(this.validators)]!;
    for (let crash = 0; crash < crashes + amnesiacs; crash++) {
      const forgets = crash < amnesiacs;
      const member = forgets ? forgetful : this.#members[this.#random.below(this.#members.length)]!;
      const atMs = this.#random.below(Math.max(1, faultsUntilMs));
      this.#at(atMs, () => {
        if (!member.alive) return;
        member.crash(this.#random.below(3));
        this.#loseConnections(() => member.index);
        if (forgets) member.forget();
        const backMs = this.#random.below(300);
        this.#at(this.#nowMs + backMs, () => {
          if (!member.alive) member.start();
        });
      });
    }
    for (let atMs = 0; atMs < faultsUntilMs; atMs += 200 + this.#random.below(400)) {
      const split = this.#random.chance(40);
      this.#at(atMs, () => {
        this.#partition = split ? this.#everyone.map(() => this.#random.below(2)) : [];
        if (split) this.#loseConnections(() => this.#random.below(this.#everyone.length));
      });
    }
  }

  /** Some members are told, rightly or not, that they have lost the connection to another one. */
  #loseConnections(choose: () => number): void {
    for (const member of this.#members) {
      const peer = choose();
      if (!member.alive || member.index === peer || this.#random.chance(30)) continue;
      this.later(this.#random.below(100), member, () => member.lose(peer));
    }
  }

  /** Whether every honest member holds everything that was submitted, or the block that closes the epoch, as final. */
  #isDone(): boolean {
    const { closesAtHeight } = this.#options;
    for (const member of this.#members) {
      if (this.#adversaries.has(member.index)) continue;
      if (closesAtHeight !== undefined && member.head.height >= closesAtHeight) continue;
      for (const hash of this.#submitted) if (!member.included.has(hash)) return false;
    }
    return true;
  }

  #describeStuck(): string {
    const places = this.#members.map(({ index, state, head }) => {
      return `${index}: view ${state.view}, height ${head.height}, certified ${state.finalized.height}, delta ${state.deltaMs}`;
    });
    return `not everything is final ${this.#options.untilMs - this.#options.faultsUntilMs} ms after the faults: ${places.join('; ')}`;
  }
}
