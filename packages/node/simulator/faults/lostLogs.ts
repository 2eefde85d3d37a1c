import type { Machine } from '../world/machine.ts';
import { type Fault, type FaultContext, faultDurationMs } from './fault.ts';

/** A machine loses its log of votes, as when its disk is replaced: no more such members than may be faulty in all. */
export class LostLogs implements Fault {
  readonly name = 'lost-logs';
  readonly #context: FaultContext;

  constructor(context: FaultContext) {
    this.#context = context;
  }

  strike(): void {
    const { cluster, random, losers } = this.#context;
    const candidates = cluster.honest.filter(
      (machine) => machine.member < cluster.setup.validators && losers.mayLose(machine),
    );
    if (candidates.length === 0) return;
    const machine = random.pick(candidates);
    losers.add(machine);
    // Just after it told a few of a vote, and back while that view lasts: or away for long, at any moment.
    const life = random.chance(50) ? machine.process?.life : undefined;
    if (life === undefined) {
      this.#lose(machine, faultDurationMs(random));
      return;
    }
    const count = random.between(1, 12);
    const backMs = random.milliseconds(0, 150);
    life.crashPoint = { boundary: 'send', moment: 'after', count, crash: () => this.#lose(machine, backMs) };
  }

  #lose(machine: Machine, backMs: number): void {
    const { cluster, note, later } = this.#context;
    machine.lostLog = true;
    cluster.end(machine, 'power');
    machine.disk.deleteFolder('log');
    note(`${machine.name} loses its log`);
    later(backMs, () => {
      if (machine.process !== undefined) return;
      note(`starts ${machine.name} without its log`);
      cluster.start(machine);
    });
  }
}
