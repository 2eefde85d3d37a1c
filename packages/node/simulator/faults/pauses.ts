import { type Fault, type FaultContext, faultDurationMs, runningMachines } from './fault.ts';

/** Processes stand still for a while, as under a garbage collection, a debugger or a machine that is moved; ledger threads become slow. */
export class Pauses implements Fault {
  readonly name = 'pauses';
  readonly #context: FaultContext;

  constructor(context: FaultContext) {
    this.#context = context;
  }

  strike(): void {
    const { cluster, random, note, later } = this.#context;
    const running = runningMachines(cluster);
    if (running.length === 0) return;
    const machine = random.pick(running);
    if (random.chance(50)) {
      const life = machine.process!.life;
      life.freeze();
      note(`freezes ${machine.name}`);
      later(faultDurationMs(random), () => {
        note(`thaws ${machine.name}`);
        life.thaw();
      });
      return;
    }
    machine.condition.mostLedgerMs = random.between(20, 800);
    note(`slows the ledger of ${machine.name} to ${machine.condition.mostLedgerMs} ms`);
    later(faultDurationMs(random), () => {
      machine.condition.mostLedgerMs = 2;
      note(`the ledger of ${machine.name} is quick again`);
    });
  }
}
