import type { Cluster } from '../world/cluster.ts';
import type { Machine } from '../world/machine.ts';
import type { SimulationRandom } from '../world/simulationRandom.ts';

/** What a fault works on. */
export interface FaultContext {
  readonly cluster: Cluster;
  readonly random: SimulationRandom;
  /** Says in the log and the audit what was done. */
  readonly note: (what: string) => void;
  /** Undoes a fault after a while, unless everything was mended before. */
  readonly later: (delayMs: number, work: () => void) => void;
  readonly losers: Losers;
}

/** Who may lose what the protocol says a member keeps, again and again: with the Byzantine ones no more than f. */
export class Losers {
  readonly #members = new Set<Machine>();
  #spare: number;

  constructor(spareFaults: number) {
    this.#spare = spareFaults;
  }

  /** Whether a member is one of them, or may become one. */
  mayLose(machine: Machine): boolean {
    return this.#spare > 0 || this.#members.has(machine);
  }

  add(machine: Machine): void {
    if (this.#members.has(machine)) return;
    if (this.#spare <= 0) throw new Error(`${machine.name} loses what nobody more may lose`);
    this.#spare -= 1;
    this.#members.add(machine);
  }
}

/** A kind of fault. Each run has some kinds, each as often as the seed says. */
export interface Fault {
  readonly name: string;
  strike(): void;
}

/** A length of time as faults last: mostly some hundred milliseconds, now and then seconds. */
export function faultDurationMs(random: SimulationRandom): number {
  return random.chance(75) ? random.milliseconds(20, 800) : random.milliseconds(800, 5_000);
}

/** Some members, at least one: mostly few, sometimes all. */
export function someMembers(cluster: Cluster, random: SimulationRandom): readonly number[] {
  const all = cluster.setup.names.map((_, member) => member);
  return random.sample(all, random.chance(70) ? 1 : random.between(1, all.length));
}

/** The machines on which a program runs, or is about to. */
export function runningMachines(cluster: Cluster): readonly Machine[] {
  return cluster.machines.filter(({ process }) => process !== undefined && process.state !== 'failed');
}
