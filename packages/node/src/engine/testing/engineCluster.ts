import {
  Epoch,
  type Hash,
  type Hex,
  type Suite,
  type ValidatorIndex,
  type ValidatorSet,
  type Vote,
} from '@hanse/protocol';
import type { TransactionBody } from '../../chain/ledger.ts';
import { createSilentLogger } from '../../runtime/consoleLogger.ts';
import { ManualClock } from '../../runtime/manualClock.ts';
import { SimulatedDisk } from '../../runtime/testing/simulatedDisk.ts';
import { defaultEngineOptions, Engine, type EngineModules, type EngineOptions } from '../engine.ts';
import { openEngineLog } from '../engineLog.ts';
import { createEngineMetrics } from '../metrics.ts';
import type { EngineBodies, EngineEvents, EngineTransport } from '../ports.ts';
import { createKeySigner, type Signer } from '../signer.ts';
import { MemberBudgets, ValidatorBudgets } from '../validatorBudgets.ts';
import { HashChainLedger } from './hashChainLedger.ts';

const START_MS = 1_700_000_000_000;
export const testGenesisHash: Hash = `0x${'47'.repeat(32)}`;

/** A message on its way, as a test may watch, change or drop it. */
export interface Delivery {
  readonly from: ValidatorIndex;
  readonly to: ValidatorIndex;
  readonly kind: number;
  readonly payload: Uint8Array;
  readonly request: boolean;
}

/** The transactions that one member holds; gossip copies them to the others. */
export class TestPool implements EngineBodies {
  readonly #suite: Suite;
  readonly transactions = new Map<Hash, TransactionBody>();
  readonly included = new Set<Hash>();
  readonly refused = new Set<Hash>();
  /** Whether peers are assumed to hold everything, as after gossip. */
  gossiped = false;
  #handler: () => void = () => undefined;

  constructor(suite: Suite) {
    this.#suite = suite;
  }

  add(raw: Uint8Array): Hash {
    const body = this.#bodyOf(raw);
    this.transactions.set(body.hash, body);
    this.#handler();
    return body.hash;
  }

  get(hashes: readonly Hash[]): ReadonlyMap<Hash, TransactionBody> {
    return new Map(
      hashes.flatMap((hash) => (this.transactions.has(hash) ? [[hash, this.transactions.get(hash)!]] : [])),
    );
  }

  async accept(raws: readonly Uint8Array[]): Promise<readonly TransactionBody[]> {
    return raws.map((raw) => this.#bodyOf(raw));
  }

  candidates(limits: { maxCount: number; maxBytes: number; exclude: ReadonlySet<Hash> }): readonly TransactionBody[] {
    const waiting = [...this.transactions.values()].filter(({ hash }) => this.#waits(hash, limits.exclude));
    return waiting.slice(0, limits.maxCount);
  }

  hasPending(exclude: ReadonlySet<Hash>): boolean {
    return [...this.transactions.keys()].some((hash) => this.#waits(hash, exclude));
  }

  onPending(handler: () => void): void {
    this.#handler = handler;
  }

  knownTo(): boolean {
    return this.gossiped;
  }

  rejected(rejections: readonly { readonly hash: Hash }[]): void {
    for (const { hash } of rejections) {
      this.refused.add(hash);
      this.transactions.delete(hash);
    }
  }

  #waits(hash: Hash, exclude: ReadonlySet<Hash>): boolean {
    return !this.included.has(hash) && !exclude.has(hash);
  }

  #bodyOf(raw: Uint8Array): TransactionBody {
    return { hash: this.#suite.hashHex(raw), raw, sender: '0x' };
  }
}

/** One member: what survives a crash (disk, ledger's storage, pool's knowledge of inclusion) and the engine that runs on it. */
export interface TestMember {
  readonly index: ValidatorIndex;
  readonly disk: SimulatedDisk;
  readonly ledger: HashChainLedger;
  /** Absent for an observer. */
  signer: Signer | undefined;
  pool: TestPool;
  engine: Engine | undefined;
  readonly alarms: string[];
  readonly blamed: string[];
  readonly behind: number[];
  readonly evidence: (readonly [Vote, Vote])[];
  readonly finalized: Map<number, Hash>;
}

/** An engine of one epoch with a log of its own; without a signer it follows and never votes. */
async function openEngine(
  options: EngineOptions,
  { signer, ...modules }: EngineModules & { readonly signer?: Signer },
): Promise<Engine> {
  const metrics = createEngineMetrics();
  const head = await modules.ledger.finalizedHead();
  const log = await openEngineLog(options, options.logFolder, signer, head, { ...modules, metrics });
  const recovered = await log.recover(head);
  const budgets = new ValidatorBudgets(new MemberBudgets(() => modules.clock.monotonicMs()), String);
  return new Engine(options, modules, { log, metrics, head, recovered, budgets, enteredAnew: false });
}

/** Members in one process on one manual clock, joined by a network that delays, and drops what a test says. */
export class EngineCluster {
  readonly clock = new ManualClock(START_MS);
  readonly members: TestMember[] = [];
  readonly validators: ValidatorSet;
  readonly options: EngineOptions;
  readonly suite: Suite;
  delayMs = 5;
  /** Members that are further away: what every message to and from them takes longer. */
  readonly furtherMs = new Map<ValidatorIndex, number>();
  /** How long a flush takes: what is sent too early is sent before it. */
  flushMs = 2;
  /** Returns undefined to lose a message, or what arrives instead. */
  interfere: (delivery: Delivery) => Uint8Array | undefined = ({ payload }) => payload;
  /** Sees each message at the moment in which it is sent. */
  onSend: (delivery: Delivery) => void = () => undefined;

  constructor(suite: Suite, size: number, options: Partial<EngineOptions> = {}) {
    this.suite = suite;
    const keys = Array.from({ length: size }, (_, index) => new Uint8Array(32).fill(index + 1));
    this.validators = {
      epoch: Epoch(0),
      validators: keys.map((key, index) => ({
        name: `member-${index}`,
        address: `0x${String(index).padStart(40, '0')}` as Hex,
        voteKey: suite.publicKey(key),
      })),
    };
    this.options = {
      suite,
      genesisHash: testGenesisHash,
      idleBlockIntervalMs: 30_000,
      maxBlockTransactions: 100,
      maxBlockBytes: 1 << 20,
      ...defaultEngineOptions,
      ...options,
    };
    for (const [index, key] of keys.entries()) {
      this.members.push({
        index,
        disk: new SimulatedDisk(),
        ledger: new HashChainLedger(suite, testGenesisHash, this.validators, START_MS),
        signer: createKeySigner(suite, key),
        pool: new TestPool(suite),
        engine: undefined,
        alarms: [],
        blamed: [],
        behind: [],
        evidence: [],
        finalized: new Map(),
      });
    }
  }

  member(index: number): TestMember {
    return this.members[index]!;
  }

  async startAll(): Promise<void> {
    for (const member of this.members) await this.start(member.index);
  }

  /** Opens and starts a member on what is left of it. */
  async start(index: number): Promise<Engine> {
    const member = this.member(index);
    member.disk.beforeFlush = () => new Promise((resolve) => void this.clock.schedule(this.flushMs, resolve));
    let opened: Engine | undefined;
    let failure: unknown;
    const opening = openEngine(this.options, {
      ledger: member.ledger,
      transport: this.#transport(member),
      bodies: member.pool,
      events: this.#events(member),
      disk: member.disk,
      clock: this.clock,
      logger: createSilentLogger(),
      ...(member.signer === undefined ? {} : { signer: member.signer }),
    }).then(
      (engine) => {
        opened = engine;
      },
      (error: unknown) => {
        failure = error;
      },
    );
    await this.run(1_000, () => opened !== undefined || failure !== undefined);
    await opening;
    if (failure !== undefined) throw failure;
    const engine = opened!;
    member.engine = engine;
    engine.start();
    return engine;
  }

  /** kill -9 and a power cut at once: memory and everything unflushed is gone. */
  kill(index: number, keepBytes = 0): void {
    const member = this.member(index);
    const { engine } = member;
    member.engine = undefined;
    member.disk.crash(keepBytes);
    member.ledger.restart();
    const { included } = member.pool;
    member.pool = new TestPool(this.suite);
    for (const hash of included) member.pool.included.add(hash);
    void engine?.close();
    for (const other of this.members) {
      if (other.index === index) continue;
      this.clock.schedule(this.#delayMs(index, other.index), () => {
        if (member.engine === undefined) other.engine?.peerDisconnected(index);
      });
    }
  }

  /** A transaction at one member, and at the others as if gossip had brought it. */
  submit(text: string, at: readonly number[] = [0]): Hash {
    const raw = new TextEncoder().encode(text);
    for (const index of at) this.member(index).pool.add(raw);
    return this.suite.hashHex(raw);
  }

  /** Lets `durationMs` pass, timer by timer, with everything that follows from each. */
  async run(durationMs: number, until: () => boolean = () => false): Promise<void> {
    const endMs = this.clock.monotonicMs() + durationMs;
    for (;;) {
      await settle();
      if (until()) return;
      const next = this.clock.nextAtMs;
      if (next === undefined || next > endMs) break;
      this.clock.advance(next - this.clock.monotonicMs());
    }
    this.clock.advance(endMs - this.clock.monotonicMs());
    await settle();
  }

  heights(): readonly number[] {
    return this.members.map(({ ledger }) => ledger.head.height);
  }

  #delayMs(from: ValidatorIndex, to: ValidatorIndex): number {
    return this.delayMs + (this.furtherMs.get(from) ?? 0) + (this.furtherMs.get(to) ?? 0);
  }

  #transport(member: TestMember): EngineTransport {
    const from = member.index;
    const engine = (): Engine | undefined => member.engine;
    const running = (to: ValidatorIndex): Engine | undefined => this.members[to]?.engine;
    const send = (to: ValidatorIndex, kind: number, payload: Uint8Array): void => {
      const delivery = { from, to, kind, payload, request: false };
      this.onSend(delivery);
      const arrives = this.interfere(delivery);
      if (arrives !== undefined)
        this.clock.schedule(this.#delayMs(from, to), () => running(to)?.receive(from, kind, arrives));
    };
    return {
      send,
      broadcast: (kind, payload) => {
        for (const { index } of this.members) if (index !== from) send(index, kind, payload);
      },
      request: (to, kind, payload, timeoutMs) =>
        new Promise((resolve, reject) => {
          const delivery = { from, to, kind, payload, request: true };
          this.onSend(delivery);
          const asker = engine();
          const timer = this.clock.schedule(timeoutMs, () => reject(new Error('timed out')));
          const arrives = this.interfere(delivery);
          if (arrives === undefined) return;
          this.clock.schedule(this.#delayMs(from, to), () => {
            const target = running(to);
            if (target === undefined) return;
            target.serve(from, kind, arrives).then(
              (answer) =>
                this.clock.schedule(this.#delayMs(from, to), () => {
                  timer.cancel();
                  if (engine() === asker || asker === undefined) resolve(answer);
                }),
              reject,
            );
          });
        }),
      connected: () =>
        this.members
          .filter(({ index, engine: peer }) => index !== from && peer !== undefined)
          .map(({ index }) => index),
      misbehaved: (peer, reason) => member.blamed.push(`${peer}: ${reason}`),
    };
  }

  #events(member: TestMember): EngineEvents {
    return {
      finalized: (blocks) => {
        for (const { height, digest, transactionHashes } of blocks) {
          member.finalized.set(height, digest);
          for (const hash of transactionHashes) member.pool.included.add(hash);
        }
      },
      behind: (height) => member.behind.push(height),
      alarm: (kind, detail) => member.alarms.push(`${kind}: ${detail}`),
      alarmOver: () => undefined,
      enteredView: () => undefined,
      evidence: (first, second) => member.evidence.push([first, second]),
      epochCloses: () => Promise.resolve(),
      epochClosed: () => undefined,
    };
  }
}

/** Lets every promise that can resolve without the clock do so. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
