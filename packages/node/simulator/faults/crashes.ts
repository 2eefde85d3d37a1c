import type { PowerCut } from '../../src/runtime/testing/simulatedDisk.ts';
import { BOUNDARIES, type Boundary } from '../world/life.ts';
import type { Machine } from '../world/machine.ts';
import type { SimulationRandom } from '../world/simulationRandom.ts';
import { type Fault, type FaultContext, runningMachines } from './fault.ts';

const SECTOR_BYTES = 512;
/** What was written and not confirmed yet is what an end at another moment does not put to the test. */
const DISK_BOUNDARIES: readonly Boundary[] = ['append', 'flush'];
const DISK_PERCENT = 35;

/**
 * Processes end: at once or at an effect still to come, killed, with their machine, or as asked; one, several or all; and start
 * again soon or later, or at once and again, in a storm.
 */
export class Crashes implements Fault {
  readonly name = 'crashes';
  readonly #context: FaultContext;

  constructor(context: FaultContext) {
    this.#context = context;
  }

  strike(): void {
    const { cluster, random } = this.#context;
    const running = runningMachines(cluster);
    if (running.length === 0) return;
    const storm = random.chance(15) ? random.between(3, 8) : 1;
    const victims = random.chance(75)
      ? [random.pick(running)]
      : random.sample(running, random.between(1, running.length));
    for (const victim of victims) this.#doom(victim, storm);
  }

  #doom(machine: Machine, times: number): void {
    const { cluster, random, note } = this.#context;
    const how = random.chance(15) ? 'stop' : random.chance(50) ? 'kill' : 'power';
    if (how === 'stop') {
      note(`asks ${machine.name} to stop`);
      cluster.stop(machine);
      // Whoever asked sees to it that it ends, also if it hangs.
      this.#again(machine, random.milliseconds(50, 3_000), times);
      return;
    }
    const crash = (): void => {
      note(`${how === 'kill' ? 'kills' : 'cuts the power of'} ${machine.name}`);
      cluster.end(machine, how, randomPowerCut(random));
      const soon = times > 1 || random.chance(40);
      this.#again(machine, soon ? random.milliseconds(0, 80) : random.milliseconds(80, 4_000), times);
    };
    const life = machine.process?.life;
    if (life === undefined) return;
    if (random.chance(30)) {
      crash();
      return;
    }
    const boundary = random.pick(random.chance(DISK_PERCENT) ? DISK_BOUNDARIES : BOUNDARIES);
    const moment = random.chance(50) ? 'before' : 'after';
    const count = random.chance(60) ? random.between(1, 6) : random.between(1, 60);
    life.crashPoint = { boundary, moment, count, crash };
  }

  #again(machine: Machine, delayMs: number, times: number): void {
    const { cluster, note, later } = this.#context;
    later(delayMs, () => {
      if (machine.process !== undefined) cluster.end(machine, 'kill');
      note(`starts ${machine.name}`);
      cluster.start(machine);
      if (times > 1) this.#doom(machine, times - 1);
    });
  }
}

/** What is left of bytes that were not flushed: nothing, a part, a part with rubbish behind it, or some sectors of them; and of names. */
export function randomPowerCut(random: SimulationRandom): PowerCut {
  const way = random.below(4);
  const tear: PowerCut['tear'] = (unflushed) => {
    const kept = random.below(unflushed.length + 1);
    switch (way) {
      case 0:
        return new Uint8Array(0);
      case 1:
        return unflushed.slice(0, kept);
      case 2: {
        const rubbish = random.bytes(random.below(unflushed.length - kept + 1));
        return new Uint8Array(Buffer.concat([unflushed.subarray(0, kept), rubbish]));
      }
      default: {
        // The length was written, and of the content whatever the disk got to.
        const left = unflushed.slice();
        for (let at = 0; at < left.length; at += SECTOR_BYTES)
          if (random.chance(50)) left.fill(0, at, at + SECTOR_BYTES);
        return left;
      }
    }
  };
  return { tear, namesKept: random.chance(50) };
}
