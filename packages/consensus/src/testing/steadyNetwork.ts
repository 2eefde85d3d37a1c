import { Epoch, type View, type Vote } from '@hanse/protocol';
import { leaderOf } from '../state.ts';
import type { ConsensusOptions, Effect } from '../types.ts';
import { type CoreUnderTest, realCore } from './coreUnderTest.ts';
import { EventQueue } from './eventQueue.ts';
import { fakeHash, fakeValidators } from './fakeSuite.ts';
import { Invariants } from './invariants.ts';
import type { Message, StoredBlock } from './messages.ts';
import { SimulatedMember, type World } from './simulatedMember.ts';

export interface SteadyOptions {
  readonly validators: number;
  /** How long a message takes on its way, in milliseconds. */
  readonly linkMs: (from: number, to: number, nowMs: number, kind: Message['type']) => number;
  /** How long a flush, a check, an execution, a build and a write to storage take; 1 if absent. */
  readonly workMs?: number;
  readonly deltaFloorMs?: number;
  readonly paceMs?: number;
  /** How often a new transaction reaches all members; never if absent. */
  readonly transactionEveryMs?: number | undefined;
}

/** What one member saw of one view, in milliseconds since the start of the simulation. */
export interface SeenView {
  readonly view: number;
  readonly leader: number;
  readonly enteredMs: number;
  /** When the next view was entered. */
  leftMs: number | undefined;
  /** Whether a nullification ended it. */
  nullified: boolean;
  /** When its block, or a later one, was certified as final. */
  finalMs: number | undefined;
  /** Delta of this member when it entered. */
  readonly deltaMs: number;
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

/**
 * n cores with their hosts where everything takes a time that is known beforehand: no loss, no chance. What a view costs can be said to
 * the millisecond.
 */
export class SteadyNetwork implements World {
  readonly core: CoreUnderTest = realCore;
  readonly validators: number;
  readonly quorum: number;
  readonly members: readonly SimulatedMember[];
  readonly alarms: string[] = [];
  /** Which messages never arrive; none, until a test says so. */
  lose: (sent: { readonly from: number; readonly to: number; readonly message: Message }) => boolean = () => false;
  readonly #options: SteadyOptions;
  readonly #events = new EventQueue<Event>();
  readonly #invariants = new Invariants(undefined);
  readonly #everyone: readonly number[];
  readonly #seen: SeenView[][];
  #nowMs = 0;
  #submitted = 0;

  constructor(options: SteadyOptions) {
    this.#options = options;
    this.validators = options.validators;
    this.#everyone = Array.from({ length: options.validators }, (_, index) => index);
    this.members = this.#everyone.map((index) => new SimulatedMember(index, this));
    this.quorum = this.members[0]!.state.quorum;
    this.#seen = this.#everyone.map(() => []);
    for (const member of this.members) this.#at(0, () => member.start());
    const { transactionEveryMs } = options;
    if (transactionEveryMs !== undefined) this.#submitEvery(transactionEveryMs);
  }

  /** Lets time pass until a moment since the start. */
  runUntil(atMs: number): void {
    let done = false;
    this.#at(atMs, () => {
      done = true;
    });
    for (let next = this.#events.next(); next !== undefined; next = done ? undefined : this.#events.next()) {
      this.#nowMs = next.atMs;
      this.#happen(next.event);
    }
  }

  /** A transaction reaches all living members. */
  submit(): void {
    const hash = fakeHash(`transaction ${this.#submitted++}`);
    for (const member of this.members) if (member.alive) member.hearOf(hash);
  }

  /** A member dies. The others learn of its connections' end when a message would have reached them, unless it `hangs`. */
  stop(index: number, { hangs = false } = {}): void {
    this.members[index]!.crash(0);
    if (hangs) return;
    for (const member of this.members) {
      if (member.index === index) continue;
      const delayMs = this.#options.linkMs(index, member.index, this.#nowMs, 'status');
      this.later(delayMs, member, () => member.lose(index));
    }
  }

  /** A stopped member starts again, and the others tell it what waits. */
  restart(index: number): void {
    const member = this.members[index]!;
    member.start();
    for (let number = 0; number < this.#submitted; number++) member.hearOf(fakeHash(`transaction ${number}`));
  }

  /** The views that a member entered, in order. */
  seen(index: number): readonly SeenView[] {
    return this.#seen[index]!;
  }

  get violations(): readonly string[] {
    return this.#invariants.violations;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  delay(): number {
    return this.#options.workMs ?? 1;
  }

  later(delayMs: number, member: SimulatedMember, action: () => void): void {
    this.#events.add(this.#nowMs + delayMs, { type: 'action', member, incarnation: member.incarnation, action });
  }

  send(from: number, to: number, message: Message): void {
    if (this.lose({ from, to, message })) return;
    const delayMs = this.#options.linkMs(from, to, this.#nowMs, message.type);
    this.#events.add(this.#nowMs + delayMs, { type: 'message', from, to, message });
  }

  everyone(): readonly number[] {
    return this.#everyone;
  }

  options(self: number | undefined): ConsensusOptions {
    return {
      epoch: Epoch(0),
      validators: fakeValidators(this.validators),
      self,
      deltaFloorMs: this.#options.deltaFloorMs ?? 200,
      idleBlockIntervalMs: 30_000,
      maxUnfinalizedBlocks: 16,
      resendIntervalMs: 1_000,
      paceMs: this.#options.paceMs ?? 50,
    };
  }

  closes(): boolean {
    return false;
  }

  signed(member: SimulatedMember, vote: Vote): void {
    this.#invariants.signed(member.index, vote);
  }

  finalized(member: SimulatedMember, block: StoredBlock): void {
    this.#invariants.finalized(member.index, block);
  }

  alarmed(_member: SimulatedMember, effect: Extract<Effect, { type: 'alarm' }>): void {
    this.alarms.push(effect.kind);
  }

  #at(atMs: number, action: () => void): void {
    this.#events.add(atMs, { type: 'world', action });
  }

  #submitEvery(everyMs: number): void {
    this.#at(this.#nowMs + everyMs, () => {
      this.submit();
      this.#submitEvery(everyMs);
    });
  }

  #happen(event: Event): void {
    if (event.type === 'world') {
      event.action();
      for (const member of this.members) this.#note(member);
      return;
    }
    if (event.type === 'action') {
      const { member } = event;
      if (!member.alive || member.incarnation !== event.incarnation) return;
      event.action();
      this.#note(member);
      return;
    }
    const member = this.members[event.to]!;
    if (!member.alive) return;
    member.receive(event.from, event.message);
    this.#note(member);
  }

  /** Writes down what a step changed. */
  #note({ index, alive, state }: SimulatedMember): void {
    if (!alive) return;
    const views = this.#seen[index]!;
    const last = views.at(-1);
    if (last === undefined || last.view < state.view) {
      if (last !== undefined) {
        last.leftMs = this.#nowMs;
        last.nullified = state.rounds.get(last.view as View)?.nullification !== undefined;
      }
      const { view, deltaMs } = state;
      const leader = leaderOf(state, view);
      views.push({
        view,
        leader,
        enteredMs: this.#nowMs,
        leftMs: undefined,
        nullified: false,
        finalMs: undefined,
        deltaMs,
      });
    }
    for (let at = views.length - 1; at >= 0; at--) {
      const seen = views[at]!;
      if (seen.view > state.finalized.view) continue;
      if (seen.finalMs !== undefined) break;
      seen.finalMs = this.#nowMs;
    }
  }
}
