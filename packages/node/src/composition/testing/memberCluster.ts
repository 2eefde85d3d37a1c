import { ModuleHost, ModuleReaders } from '@hanse/modules';
import {
  createInternationalSuite,
  type Genesis,
  type Hash,
  type Hex,
  parseGenesis,
  type Recovery,
  type Suite,
} from '@hanse/protocol';
import type { FinalizedBlock, Ledger } from '../../chain/ledger.ts';
import { LedgerService } from '../../chain/ledgerService.ts';
import { SenderService } from '../../chain/senderService.ts';
import { createKeySigner } from '../../engine/index.ts';
import { BlockExecutor } from '../../execution/blockExecutor.ts';
import { executionRules } from '../../execution/executionRules.ts';
import { buildGenesisBlock } from '../../execution/genesisBlock.ts';
import { type SupportedRules, supportedRules } from '../../execution/ruleVersions.ts';
import { testAccount } from '../../execution/testing/executionFixture.ts';
import type { Clock } from '../../runtime/clock.ts';
import { createConsoleLogger } from '../../runtime/consoleLogger.ts';
import { ManualClock } from '../../runtime/manualClock.ts';
import { MemoryHub } from '../../runtime/memoryNetwork.ts';
import type { Connection, Network } from '../../runtime/network.ts';
import { loadNodePrimitives } from '../../runtime/nodePrimitives.ts';
import { SeededRandom } from '../../runtime/seededRandom.ts';
import { SimulatedDisk } from '../../runtime/testing/simulatedDisk.ts';
import type { KeyValueStore } from '../../storage/keyValueStore.ts';
import { LedgerReader } from '../../storage/ledgerReader.ts';
import { LedgerStore } from '../../storage/ledgerStore.ts';
import { MemoryDatabase } from '../../storage/memoryKeyValueStore.ts';
import { StateKeys } from '../../storage/stateKeys.ts';
import { Member } from '../member.ts';
import type { Introduction } from '../reachableMembers.ts';

export const START_MS = 1_700_000_000_000;
export const NAMES = ['authority', 'bank', 'farm', 'market', 'fifth', 'sixth', 'seventh', 'eighth'];

/** What of a member survives a power cut, and what runs on it now. */
export interface ClusterMember {
  readonly index: number;
  readonly disk: SimulatedDisk;
  database: MemoryDatabase;
  running: RunningMember | undefined;
  readonly alarms: string[];
  /** The blocks that the member told of, by height. */
  readonly told: Map<number, Hash>;
  /** Its folder of keys: a further one is added before the vote key is replaced. */
  readonly voteKeys: Uint8Array[];
  transportKey: Hex;
  /** What lies in its folder of keys; absent: only the one that it proves. */
  heldTransportKeys?: readonly Hex[];
  /** Recovery documents that its operator confirmed. */
  readonly recoveries: Recovery[];
  supported: SupportedRules;
  /** Why it stopped before a height whose rules it lacks. */
  outdated: string | undefined;
  /** Members whom its operator was told of before it starts. */
  introduced: readonly Introduction[];
  incarnations: number;
}

interface RunningMember {
  readonly member: Member;
  readonly ledger: LedgerService;
  readonly reader: LedgerReader;
  readonly life: Life;
}

/** One life of a member's process: when it ends, nothing that it began goes on. */
class Life {
  alive = true;
  readonly #connections = new Set<Connection>();
  readonly #listeners = new Set<{ close(): Promise<void> }>();

  clock(clock: Clock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      schedule: (delayMs, callback) =>
        clock.schedule(delayMs, () => {
          if (this.alive) callback();
        }),
    };
  }

  network(network: Network): Network {
    return {
      listen: async (endpoint, acceptor) => {
        const listener = await network.listen(endpoint, {
          refusal: (key) => (this.alive ? acceptor.refusal(key) : 'gone'),
          accepted: (connection) => {
            this.#connections.add(connection);
            acceptor.accepted(this.#while(connection));
          },
        });
        this.#listeners.add(listener);
        return listener;
      },
      ownKeys: () => network.ownKeys(),
      dial: async (endpoint, key, ownKey) => {
        const connection = await network.dial(endpoint, key, ownKey);
        if (!this.alive) {
          connection.close('gone');
          throw new Error('gone');
        }
        this.#connections.add(connection);
        return this.#while(connection);
      },
    };
  }

  store(store: KeyValueStore): KeyValueStore {
    return {
      get: (table, key) => store.get(table, key),
      range: (table, options) => store.range(table, options),
      refresh: () => store.refresh(),
      close: () => store.close(),
      transaction: (write) => {
        if (!this.alive) throw new Error('the process was killed');
        store.transaction(write);
      },
    };
  }

  end(): void {
    this.alive = false;
    for (const listener of this.#listeners) void listener.close();
    for (const connection of this.#connections) connection.close('the process was killed');
  }

  #while(connection: Connection): Connection {
    return {
      peerKey: connection.peerKey,
      remoteEndpoint: connection.remoteEndpoint,
      send: (frame) => (this.alive ? connection.send(frame) : false),
      get bufferedBytes() {
        return connection.bufferedBytes;
      },
      onFrame: (handler) => {
        connection.onFrame((frame) => {
          if (this.alive) handler(frame);
        });
      },
      onDrain: (handler) => connection.onDrain(handler),
      onClose: (handler) => {
        connection.onClose((reason) => {
          if (this.alive) handler(reason);
        });
      },
      pause: () => connection.pause(),
      resume: () => connection.resume(),
      close: (reason) => connection.close(reason),
    };
  }
}

export interface MemberClusterOptions {
  /** How many members the genesis has. */
  readonly size?: number;
  /** How many of them validate; all if absent. */
  readonly validators?: number;
  /** The rules that each member's program has, until it is upgraded; all if absent. */
  readonly supported?: (index: number) => SupportedRules;
  /** Members that the genesis does not know, and that may be admitted later. */
  readonly applicants?: number;
  readonly seed?: number;
  readonly parameters?: Record<string, unknown>;
  /** The longest time that a call to the ledger's thread takes, and its answer back; random below that. */
  readonly ledgerDelayMs?: number;
}

/**
 * Whole members (pool, gossip, sync, engine, and the real ledger with execution) in one process, on one clock that the test
 * moves, over a network, disks and databases in memory.
 */
export class MemberCluster {
  readonly clock = new ManualClock(START_MS);
  readonly hub: MemoryHub;
  readonly suite: Suite;
  readonly genesis: Genesis;
  readonly members: readonly ClusterMember[];
  readonly #random: SeededRandom;
  readonly #options: MemberClusterOptions;
  readonly #modules: ModuleHost;
  readonly #genesisBlock: ReturnType<typeof buildGenesisBlock>;
  readonly log: string[] = [];

  static async create(options: MemberClusterOptions = {}): Promise<MemberCluster> {
    return new MemberCluster(createInternationalSuite(await loadNodePrimitives()), options);
  }

  private constructor(suite: Suite, options: MemberClusterOptions) {
    const { size = 4, validators = size, applicants = 0, seed = 1, parameters = {} } = options;
    this.suite = suite;
    this.#options = options;
    this.#random = new SeededRandom(`cluster ${seed}`);
    this.#modules = new ModuleHost(suite);
    this.hub = new MemoryHub({ clock: this.clock, latencyMs: 3 });
    this.genesis = parseGenesis({
      format: 1,
      name: 'cluster',
      chainId: 1234,
      suite: 'international',
      timeMs: START_MS,
      members: NAMES.slice(0, size).map((name, index) => ({
        name,
        role: index < 2 ? name : 'company',
        validator: index < validators,
        address: testAccount(index + 1).address,
        voteKey: suite.publicKey(testAccount(index + 1).privateKey),
        transportKey: transportKey(index),
        endpoints: [`${name}:1`],
      })),
      currencies: [{ symbol: 'DCNY', name: 'Digital yuan', decimals: 2, authority: 'authority' }],
      parameters: { accounts: 'open', ...parameters },
    });
    this.#genesisBlock = buildGenesisBlock(this.genesis, suite, {
      modules: this.#modules,
      keys: new StateKeys(suite),
    });
    this.members = Array.from({ length: size + applicants }, (_, index) => ({
      index,
      disk: new SimulatedDisk(),
      database: new MemoryDatabase(),
      running: undefined,
      alarms: [],
      told: new Map(),
      voteKeys: [testAccount(index + 1).privateKey],
      transportKey: transportKey(index),
      recoveries: [],
      supported: options.supported?.(index) ?? supportedRules,
      outdated: undefined,
      introduced: [],
      incarnations: 0,
    }));
  }

  get genesisHash(): Hash {
    return this.#genesisBlock.hash;
  }

  /** A number from 0 below `bound`. */
  random(bound: number): number {
    const bytes = this.#random.bytes(4);
    return ((bytes[0]! << 16) | (bytes[1]! << 8) | bytes[2]!) % bound;
  }

  running(index: number): RunningMember {
    const { running } = this.members[index]!;
    if (running === undefined) throw new Error(`member ${index} does not run`);
    return running;
  }

  async startAll(): Promise<void> {
    for (const { index } of this.members) await this.start(index);
  }

  async start(index: number): Promise<void> {
    const held = this.members[index]!;
    const name = NAMES[index]!;
    const life = new Life();
    const { suite, genesis } = this;
    held.incarnations += 1;
    held.disk.beforeFlush = () => new Promise((resolve) => void this.clock.schedule(1 + this.random(4), resolve));
    const clock = life.clock(this.clock);
    const ledger = this.openLedger(life.store(held.database.open()), clock, held);
    const reader = new LedgerReader(held.database.open(), { suite });
    const opening = Member.open(
      {
        name,
        genesis,
        suite,
        genesisHash: this.genesisHash,
        transportKey: held.transportKey,
        signers: () => held.voteKeys.map((key) => createKeySigner(suite, key)),
        listen: `${name}:1`,
        known: {},
        supported: held.supported,
        introduced: held.introduced,
      },
      {
        clock,
        random: new SeededRandom(`member ${index} ${held.incarnations}`),
        disk: held.disk,
        network: life.network(this.hub.network(() => [held.transportKey, ...(held.heldTransportKeys ?? [])])),
        logger: createConsoleLogger({
          level: 'warn',
          format: 'json',
          sink: { write: (text: string) => this.log.push(`${name}: ${text}`) },
          nowMs: () => this.clock.nowMs(),
        }),
        ledger: this.#delayed(ledger, clock) as LedgerService,
        senders: new SenderService(suite),
        reader,
        identify: (key) => {
          held.transportKey = key;
          return true;
        },
      },
      {
        finalized: (blocks) => {
          if (!life.alive) return;
          for (const { height } of blocks) {
            const hash = reader.header(height as FinalizedBlock['height'])?.hash;
            if (hash === undefined) throw new Error(`${name} told of block ${height}, which it cannot show`);
            held.told.set(height, hash);
          }
        },
        outdated: ({ message }) => {
          held.outdated = message;
        },
        alarm: (kind, detail) => {
          if (life.alive) held.alarms.push(`${kind}: ${detail}`);
        },
      },
    );
    let failure: unknown;
    let member: Member | undefined;
    opening.then(
      (opened) => {
        member = opened;
      },
      (error: unknown) => {
        failure = error;
      },
    );
    await this.run(2_000, () => member !== undefined || failure !== undefined);
    if (member === undefined) throw failure ?? new Error(`${name} did not open`);
    held.running = { member, ledger, reader, life };
    await member.start();
  }

  /** Gives a member the newest program, from its next start on. */
  upgrade(index: number): void {
    const held = this.members[index]!;
    held.supported = supportedRules;
    held.outdated = undefined;
  }

  /** The real ledger over a store, which gets the genesis if it is empty. */
  openLedger(
    store: KeyValueStore,
    clock: Clock,
    held: Partial<Pick<ClusterMember, 'supported' | 'recoveries'>> = {},
  ): LedgerService {
    const { suite, genesis, genesisHash } = this;
    const { supported = supportedRules, recoveries = [] } = held;
    const keys = new StateKeys(suite);
    const ledger = new LedgerStore(store, { suite, keys });
    ledger.initialize(this.#genesisBlock);
    const rules = executionRules(genesis, suite);
    const executor = new BlockExecutor({ suite, rules, genesisHash }, { modules: this.#modules, keys });
    return new LedgerService(
      { suite, genesisHash, rules, supported, recoveries },
      { store: ledger, executor, clock, readers: new ModuleReaders(suite) },
    );
  }

  /** kill -9 and a power cut in one: what was not flushed is gone. `keepBytes`: how much of it a torn write left after all. */
  kill(index: number, keepBytes = 0): void {
    const held = this.members[index]!;
    held.running?.life.end();
    held.running = undefined;
    held.disk.crash(keepBytes);
  }

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
    return this.members.map(({ running }) => running?.reader.headHeight() ?? -1);
  }

  /** What two members told of the same height, where it differs. */
  forks(): readonly string[] {
    const found: string[] = [];
    const seen = new Map<number, Hash>();
    for (const { index, told } of this.members) {
      for (const [height, hash] of told) {
        const other = seen.get(height);
        if (other === undefined) seen.set(height, hash);
        else if (other !== hash) found.push(`height ${height}: ${other}, at ${NAMES[index]} ${hash}`);
      }
    }
    return found;
  }

  async close(): Promise<void> {
    for (const { index } of this.members) this.kill(index);
  }

  /** The ledger as over a thread: calls and answers keep their order and take their time. */
  #delayed(ledger: Ledger, clock: Clock): Ledger {
    const { ledgerDelayMs = 0 } = this.#options;
    if (ledgerDelayMs === 0) return ledger;
    let callAtMs = 0;
    let answerAtMs = 0;
    const pass = (previousMs: number): number =>
      Math.max(previousMs, clock.monotonicMs() + this.random(ledgerDelayMs + 1));
    const call = <T>(work: () => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        callAtMs = pass(callAtMs);
        clock.schedule(callAtMs - clock.monotonicMs(), () => {
          const answer = (deliver: () => void): void => {
            answerAtMs = pass(answerAtMs);
            clock.schedule(answerAtMs - clock.monotonicMs(), deliver);
          };
          work().then(
            (value) => answer(() => resolve(value)),
            (error: unknown) => answer(() => reject(error as Error)),
          );
        });
      });
    return {
      finalizedHead: () => call(() => ledger.finalizedHead()),
      build: (request) => call(() => ledger.build(request)),
      check: (proposal, transactions) => call(() => ledger.check(proposal, transactions)),
      execute: (digest) => call(() => ledger.execute(digest)),
      finalize: (digest, certificate) => call(() => ledger.finalize(digest, certificate)),
      importBlocks: (blocks) => call(() => ledger.importBlocks(blocks)),
    };
  }
}

export const transportKey = (index: number): Hex => `0x${(index + 1).toString(16).padStart(64, '0')}`;

/** Lets every promise that can resolve without the clock do so. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
