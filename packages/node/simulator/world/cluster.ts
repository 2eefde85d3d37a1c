import { type SupportedRules, supportedRules } from '../../src/execution/ruleVersions.ts';
import type { LogLevel } from '../../src/runtime/logger.ts';
import { ManualClock } from '../../src/runtime/manualClock.ts';
import type { Network } from '../../src/runtime/network.ts';
import type { PowerCut } from '../../src/runtime/testing/simulatedDisk.ts';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';
import { Life } from './life.ts';
import { Machine } from './machine.ts';
import { MemberProcess, type ToldBlock } from './memberProcess.ts';
import { type NetworkOptions, type NetworkSetup, networkSetup, START_MS } from './networkSetup.ts';
import { type Interceptor, SimulatedNetwork } from './simulatedNetwork.ts';
import { SimulationRandom } from './simulationRandom.ts';

export interface ClusterOptions extends NetworkOptions {
  /** Decides everything. */
  readonly seed: number;
  /** Members that do not keep the protocol: how many programs each runs, and what stands between those and the network. */
  readonly byzantine?: ReadonlyMap<number, ByzantineMember>;
  /** How large a segment of a log grows. */
  readonly logSegmentBytes: number;
  /** Whether what passes to the ledger's thread and back is cloned. */
  readonly cloning: boolean;
  /** The rules that each member's program has at first; all if absent. */
  readonly supported?: (member: number) => SupportedRules;
}

export interface ByzantineMember {
  readonly programs: 1 | 2;
  createInterceptor(cluster: Cluster, twin: number): Interceptor;
}

/** How a process ends: by a signal that it cannot catch, with its machine, or as it was asked to. */
export type Ending = 'kill' | 'power' | 'stop';

/** Whoever looks at a run. Nothing that an observer does may change it. */
export interface Observer {
  /** An event of the world was handled; whatever followed from it at once too. */
  fired?(): void;
  sent?(from: Machine, to: number, frame: Uint8Array): void;
  delivered?(from: number, to: Machine, frame: Uint8Array): void;
  flushed?(machine: Machine, path: string): void;
  /** A member tells of final blocks, all of which `reader` shows. */
  finalized?(machine: Machine, blocks: readonly ToldBlock[], reader: LedgerReader): void;
  alarm?(machine: Machine, kind: string, detail: string): void;
  /** A member stopped voting and importing before a block whose rules its program lacks; `reason` says what to do. */
  outdated?(machine: Machine, reason: string): void;
  logged?(machine: Machine, level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void;
  starting?(machine: Machine): void;
  started?(machine: Machine): void;
  startFailed?(machine: Machine, error: unknown): void;
  ended?(machine: Machine, how: Ending): void;
  /** Something came out of a member's program that nobody caught: the real process would have died of it. */
  threw?(machine: Machine, error: unknown): void;
}

const CLEAN_CUT: PowerCut = { tear: () => new Uint8Array(0), namesKept: false };

/** Whole members on one clock, one network, and machines of their own. */
export class Cluster {
  readonly options: ClusterOptions;
  readonly setup: NetworkSetup;
  readonly clock = new ManualClock(START_MS);
  readonly network: SimulatedNetwork;
  readonly machines: readonly Machine[];
  readonly random: { readonly workers: SimulationRandom; readonly disks: SimulationRandom };
  readonly #observers: Observer[] = [];

  static async create(options: ClusterOptions): Promise<Cluster> {
    const { suite, validators, observers, applicants = 0, parameters = {}, policies } = options;
    const network = { suite, validators, observers, applicants, parameters };
    return new Cluster(options, await networkSetup({ ...network, ...(policies === undefined ? {} : { policies }) }));
  }

  private constructor(options: ClusterOptions, setup: NetworkSetup) {
    this.options = options;
    this.setup = setup;
    const { seed } = options;
    this.random = { workers: new SimulationRandom(seed, 'workers'), disks: new SimulationRandom(seed, 'disks') };
    this.network = new SimulatedNetwork({
      keys: setup.transportKeys,
      clock: this.clock,
      random: new SimulationRandom(seed, 'network'),
      events: {
        sent: (from, to, frame) => {
          for (const observer of this.#observers) observer.sent?.(this.machine(from.member, from.twin), to, frame);
        },
        delivered: (from, to, frame) => {
          for (const observer of this.#observers) observer.delivered?.(from, this.machine(to.member, to.twin), frame);
        },
      },
    });
    this.machines = setup.names.flatMap((name, member) => {
      const programs = options.byzantine?.get(member)?.programs ?? 1;
      const honest = options.byzantine?.has(member) !== true;
      return Array.from({ length: programs }, (_, twin) => {
        const world = { clock: this.clock, random: new SimulationRandom(seed, `machine ${member} ${twin}`) };
        const supported = options.supported?.(member) ?? supportedRules;
        const [genesis, voteKey] = [setup.database, setup.voteKeys[member]!];
        const machine = new Machine({ member, twin, name, honest, genesis, voteKey, supported }, world);
        machine.disk.onFlush = (path) => this.tell((observer) => observer.flushed?.(machine, path));
        return machine;
      });
    });
  }

  observe(observer: Observer): void {
    this.#observers.push(observer);
  }

  tell(notice: (observer: Observer) => void): void {
    for (const observer of this.#observers) notice(observer);
  }

  /** A member's machine; `twin` is 0 but for the second one of a Byzantine member. */
  machine(member: number, twin = 0): Machine {
    // Twins stand right behind one another, and few members have any.
    const guess = this.machines[member + twin];
    if (guess?.member === member && guess.twin === twin) return guess;
    const machine = this.machines.find((each) => each.member === member && each.twin === twin);
    if (machine === undefined) throw new RangeError(`there is no machine of member ${member}`);
    return machine;
  }

  get honest(): readonly Machine[] {
    return this.machines.filter(({ honest }) => honest);
  }

  /** A life for a program on a machine. */
  lifeOn(machine: Machine): Life {
    return new Life(
      (work) => void this.clock.schedule(0, work),
      (error) => this.tell((observer) => observer.threw?.(machine, error)),
    );
  }

  /** The network as somebody uses it who holds a member's keys, and runs a program of their own while the member's does not run. */
  networkOf(machine: Machine): Network {
    const { member, twin } = machine;
    return this.network.of({ member, twin, life: this.lifeOn(machine) });
  }

  /** Begins to start a program on a machine on which none runs. */
  start(machine: Machine): void {
    if (machine.process !== undefined) throw new Error(`${machine.name} runs already`);
    machine.incarnations += 1;
    this.tell((observer) => observer.starting?.(machine));
    this.network.machineStarted(machine.member, machine.twin);
    const interceptor = this.options.byzantine?.get(machine.member)?.createInterceptor(this, machine.twin);
    machine.process = new MemberProcess(machine, this, interceptor);
    machine.process.start();
  }

  /** Ends the program on a machine at once. `cut` says what a power cut leaves of what was not flushed: nothing, if absent. */
  end(machine: Machine, how: 'kill' | 'power', cut: PowerCut = CLEAN_CUT): void {
    const process = machine.lose();
    process?.life.end();
    if (how === 'power') machine.disk.powerCut(cut);
    else machine.disk.kill();
    if (process === undefined) return;
    this.network.processEnded(process.place, how);
    this.tell((observer) => observer.ended?.(machine, how));
  }

  /** Asks the program on a machine to stop, as an operator does; it is gone when its log is closed. */
  stop(machine: Machine): void {
    const { process } = machine;
    if (process?.member === undefined || process.state !== 'running') return;
    process.state = 'stopping';
    const gone = (): void => {
      if (machine.process !== process) return;
      machine.lose();
      process.life.end();
      machine.disk.kill();
      this.network.processEnded(process.place, 'kill');
      this.tell((observer) => observer.ended?.(machine, 'stop'));
    };
    process.life.run(undefined, () => void process.member?.close().then(gone, gone));
  }

  /** Starts everybody and waits until all run. */
  async startAll(): Promise<void> {
    for (const machine of this.machines) this.start(machine);
    await this.run(10_000, () => this.machines.every(({ process }) => process?.state === 'running'));
  }

  /** Lets time pass, event by event, until `until` is true after one of them; whether it was. */
  async run(durationMs: number, until: () => boolean = () => false): Promise<boolean> {
    const endMs = this.clock.monotonicMs() + durationMs;
    let met = false;
    await eachTurn(() => {
      met = until();
      if (met || !this.clock.fireNext(endMs)) return false;
      for (const observer of this.#observers) observer.fired?.();
      return true;
    });
    if (!met) this.clock.advance(endMs - this.clock.monotonicMs());
    return met;
  }

  /** Ends every program, so that nothing of this world goes on. */
  close(): void {
    for (const machine of this.machines) if (machine.process !== undefined) this.end(machine, 'kill');
  }
}

/**
 * Calls `turn` again and again while it is true, each time after every promise has settled that can. A tick that was asked for in a microtask
 * comes when the queue of microtasks is empty (Node.js runs all ticks, then all microtasks, then looks for ticks again), so
 * this is exact, and far quicker than a turn of the event loop.
 */
function eachTurn(turn: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const settled = Promise.resolve();
    const afterAll = (work: () => void): void => void settled.then(() => process.nextTick(work));
    const next = (): void => {
      try {
        if (turn()) afterAll(next);
        else resolve();
      } catch (error) {
        reject(error as Error);
      }
    };
    afterAll(next);
  });
}
