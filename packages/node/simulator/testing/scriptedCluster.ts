import type { LedgerService } from '../../src/chain/ledgerService.ts';
import type { Member } from '../../src/composition/member.ts';
import type { SupportedRules } from '../../src/execution/ruleVersions.ts';
import { createConsoleLogger } from '../../src/runtime/consoleLogger.ts';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';
import { Agreement } from '../checkers/agreement.ts';
import { Cluster } from '../world/cluster.ts';
import type { Machine } from '../world/machine.ts';
import type { NetworkSetup } from '../world/networkSetup.ts';

export interface ScriptedClusterOptions {
  /** How many members validate: four if absent. */
  readonly validators?: number;
  /** Members that run a node and do not vote: none if absent. */
  readonly observers?: number;
  /** Members to be, whom the genesis does not know: none if absent. */
  readonly applicants?: number;
  readonly seed?: number;
  /** The rules that each member's program has, until it is upgraded; all if absent. */
  readonly supported?: (member: number) => SupportedRules;
  /** The longest way to the ledger's thread and back again, each. */
  readonly mostLedgerMs?: number;
  /** How large a segment of a log grows: so large that there is one, if absent. */
  readonly logSegmentBytes?: number;
}

/** A program that runs. */
export interface Running {
  readonly member: Member;
  readonly ledger: LedgerService;
  readonly reader: LedgerReader;
}

const START_MS = 10_000;

/**
 * The simulator's world in the words of a test that follows a script: members by their places, what they alarmed of, logged and disagreed in.
 * Suite, governance and idle blocks are those of a genesis that says nothing of them.
 */
export class ScriptedCluster {
  readonly world: Cluster;
  /** What each member alarmed of: `kind: detail`. */
  readonly alarms: readonly string[][];
  /** Why a member stopped before a height whose rules it lacks, by its place. */
  readonly outdated = new Map<number, string>();
  /** Warnings and errors. */
  readonly log: string[] = [];
  /** What members that told of final blocks disagreed in. */
  readonly forks: string[] = [];
  /** What came out of a program and nobody caught, or kept it from starting. */
  readonly #failures: unknown[] = [];

  static async create(options: ScriptedClusterOptions = {}): Promise<ScriptedCluster> {
    const { validators = 4, observers = 0, applicants = 0, seed = 1, supported, logSegmentBytes = 1 << 20 } = options;
    const world = await Cluster.create({
      seed,
      suite: 'real',
      validators,
      observers,
      applicants,
      parameters: { idleBlockIntervalMs: 30_000 },
      policies: {},
      cloning: false,
      logSegmentBytes,
      ...(supported === undefined ? {} : { supported }),
    });
    const { mostLedgerMs } = options;
    if (mostLedgerMs !== undefined) for (const { condition } of world.machines) condition.mostLedgerMs = mostLedgerMs;
    return new ScriptedCluster(world);
  }

  /** All run. */
  static async start(options?: ScriptedClusterOptions): Promise<ScriptedCluster> {
    const cluster = await ScriptedCluster.create(options);
    await cluster.startAll();
    return cluster;
  }

  private constructor(world: Cluster) {
    this.world = world;
    this.alarms = world.machines.map(() => []);
    world.observe(new Agreement({ cluster: world, report: (violation) => this.forks.push(violation) }));
    const sink = { write: (text: string) => this.log.push(text) };
    const logger = createConsoleLogger({ level: 'warn', format: 'json', sink, nowMs: () => world.clock.nowMs() });
    world.observe({
      alarm: ({ member }, kind, detail) => this.alarms[member]!.push(`${kind}: ${detail}`),
      outdated: ({ member }, reason) => this.outdated.set(member, reason),
      logged: ({ name }, level, message, fields) => logger.log(level, message, { member: name, ...fields }),
      startFailed: (_, error) => this.#failures.push(error),
      threw: (_, error) => this.#failures.push(error),
    });
  }

  get setup(): NetworkSetup {
    return this.world.setup;
  }

  machine(member: number): Machine {
    return this.world.machine(member);
  }

  running(member: number): Running {
    const { process } = this.machine(member);
    const { member: program, ledger, reader, state } = process ?? {};
    if (state !== 'running' || program === undefined || ledger === undefined || reader === undefined)
      throw new Error(`member ${member} does not run`);
    return { member: program, ledger, reader };
  }

  async startAll(): Promise<void> {
    await this.world.startAll();
    this.#fail();
    for (const { member } of this.world.machines) this.running(member);
  }

  /** Starts a member and waits until it runs; throws what keeps it from that. */
  async start(member: number): Promise<void> {
    const machine = this.machine(member);
    this.world.start(machine);
    await this.run(START_MS, () => machine.process?.state === 'running');
    this.running(member);
  }

  /** A member's process is killed; the kernel keeps what it wrote, and closes its connections. */
  kill(member: number): void {
    this.world.end(this.machine(member), 'kill');
  }

  /** A member's machine loses power, and with it all that was not flushed. The others are not told. */
  cutPower(member: number): void {
    this.world.end(this.machine(member), 'power');
  }

  /** Lets time pass until `until` is true, and tells whether it was; throws what nobody in a program caught. */
  async run(durationMs: number, until: () => boolean = () => false): Promise<boolean> {
    const met = await this.world.run(durationMs, () => this.#failures.length > 0 || until());
    this.#fail();
    return met;
  }

  /** How many blocks each member has; -1 if it does not run. */
  heights(): readonly number[] {
    return this.world.machines.map(({ process }) => process?.reader?.headHeight() ?? -1);
  }

  close(): void {
    this.world.close();
  }

  #fail(): void {
    for (const failure of this.#failures.splice(0)) throw failure;
  }
}
