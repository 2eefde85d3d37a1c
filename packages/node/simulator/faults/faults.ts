import type { Cluster, Observer } from '../world/cluster.ts';
import { type Machine, NORMAL_MACHINE } from '../world/machine.ts';
import { SimulationRandom } from '../world/simulationRandom.ts';
import { Clocks } from './clocks.ts';
import { Crashes } from './crashes.ts';
import { Disks } from './disks.ts';
import { type Fault, type FaultContext, Losers } from './fault.ts';
import { Links } from './links.ts';
import { LostLedgers } from './lostLedgers.ts';
import { LostLogs } from './lostLogs.ts';
import { Partitions } from './partitions.ts';
import { Pauses } from './pauses.ts';

const KINDS: readonly (new (context: FaultContext) => Fault)[] = [
  Partitions,
  Links,
  Crashes,
  Disks,
  Clocks,
  Pauses,
  LostLogs,
  LostLedgers,
];

export const FAULT_NAMES: readonly string[] = [
  'partitions',
  'links',
  'crashes',
  'disks',
  'clocks',
  'pauses',
  'lost-logs',
  'lost-ledgers',
];

/** What costs a member much, and the network with it, comes so many times more seldom. */
const SELDOM: ReadonlyMap<string, number> = new Map([
  ['lost-logs', 4],
  ['lost-ledgers', 2],
]);

export interface FaultOptions {
  readonly seed: number;
  /** Which kinds may be used; a seed uses some of them. */
  readonly kinds: readonly string[];
  /** How many honest members may lose what the protocol says they keep. */
  readonly spareFaults: number;
  readonly note: (what: string) => void;
}

/**
 * Leads the faults of a run. Which kinds there are and how often is part of the seed ("swarm testing": a run with few kinds
 * of faults finds what one with all of them never reaches). Also the operator, who starts again what stopped for a reason that is over.
 */
export class Faults implements Observer {
  readonly #cluster: Cluster;
  readonly #options: FaultOptions;
  readonly #random: SimulationRandom;
  readonly #faults: readonly { readonly fault: Fault; readonly everyMs: number }[];
  #over = false;
  #storm = true;

  constructor(cluster: Cluster, options: FaultOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#random = new SimulationRandom(options.seed, 'faults');
    const context: FaultContext = {
      cluster,
      random: this.#random,
      note: options.note,
      later: (delayMs, work) => {
        cluster.clock.schedule(delayMs, () => {
          if (!this.#over) work();
        });
      },
      losers: new Losers(options.spareFaults),
    };
    this.#faults = KINDS.map((Kind) => new Kind(context))
      .filter(({ name }) => options.kinds.includes(name) && this.#random.chance(60))
      .map((fault) => ({
        fault,
        everyMs: this.#random.pick([150, 400, 1_000, 3_000]) * (SELDOM.get(fault.name) ?? 1),
      }));
  }

  start(): void {
    for (const { fault, everyMs } of this.#faults) this.#strikeAfter(fault, everyMs);
    this.#weather();
    this.#look();
  }

  /** Mends everything and starts everybody; from now on only Byzantine members misbehave. */
  end(): void {
    this.#over = true;
    const { network, machines, setup } = this.#cluster;
    for (const [from] of setup.names.entries()) {
      for (const [to] of setup.names.entries()) {
        network.mend(network.link(from, to));
        network.setBlocked(from, to, false);
      }
    }
    for (const machine of machines) {
      Object.assign(machine.condition, NORMAL_MACHINE);
      machine.disk.freeBytes = Number.POSITIVE_INFINITY;
      machine.clock.setRate(1);
      machine.clock.setWall(this.#random.between(-50, 50));
      if (machine.process !== undefined) {
        machine.process.life.crashPoint = undefined;
        machine.process.life.thaw();
      }
      if (machine.process?.state === 'stopping') this.#cluster.end(machine, 'kill');
      if (machine.process === undefined) this.#cluster.start(machine);
    }
    this.#options.note('mends everything');
    this.#look();
  }

  startFailed(machine: Machine): void {
    // As a supervisor does; where the disk is still full it fails again.
    this.#cluster.clock.schedule(this.#random.milliseconds(100, 1_000), () => {
      if (machine.process?.state === 'failed') this.#restart(machine);
    });
  }

  started(machine: Machine): void {
    if (isSound(machine)) machine.diskFailed = false;
  }

  #strikeAfter(fault: Fault, everyMs: number): void {
    this.#cluster.clock.schedule(this.#random.milliseconds(0, 2 * everyMs), () => {
      if (this.#over) return;
      if (this.#storm) fault.strike();
      this.#strikeAfter(fault, everyMs);
    });
  }

  /** Faults come in storms with calm between, or a network that they stop would see nothing but its first blocks. */
  #weather(): void {
    this.#storm = !this.#storm || this.#random.chance(20);
    this.#cluster.clock.schedule(this.#random.milliseconds(300, this.#storm ? 4_000 : 3_000), () => this.#weather());
  }

  /** A member that stopped for its disk is started again by a person, once the disk is as it should be. */
  #look(): void {
    for (const machine of this.#cluster.machines) {
      const { process } = machine;
      if (process?.state !== 'running' || !machine.diskFailed || !isSound(machine)) continue;
      this.#restart(machine);
    }
    this.#cluster.clock.schedule(1_000, () => this.#look());
  }

  #restart(machine: Machine): void {
    this.#options.note(`restarts ${machine.name}`);
    this.#cluster.end(machine, 'kill');
    this.#cluster.start(machine);
  }
}

function isSound({ condition, disk }: Machine): boolean {
  return !condition.flushFails && !condition.storeFull && disk.freeBytes === Number.POSITIVE_INFINITY;
}
