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
  /** Members that may still lose what the protocol says they keep, so that no more than f are faulty in all. */
  spareFaults: number;
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
