import { type Fault, type FaultContext, faultDurationMs } from './fault.ts';

/** A machine loses its log of votes, as when its disk is replaced: no more such members than may be faulty in all. */
export class LostLogs implements Fault {
  readonly name = 'lost-logs';
  readonly #context: FaultContext;

  constructor(context: FaultContext) {
    this.#context = context;
  }

  strike(): void {
    const { cluster, random, note, later } = this.#context;
    const voters = cluster.honest.filter(({ member }) => member < cluster.setup.validators);
    const machine = random.pick(voters);
    // A log can only be missed where storage shows that the member ran before (packages/consensus/spec.md, "Amnesia").
    if ((machine.process?.reader?.headHeight() ?? 0) === 0) return;
    if (!machine.lostLog) {
      if (this.#context.spareFaults <= 0) return;
      this.#context.spareFaults -= 1;
      machine.lostLog = true;
    }
    cluster.end(machine, 'power');
    machine.disk.deleteFolder('log');
    note(`${machine.name} loses its log`);
    later(faultDurationMs(random), () => {
      if (machine.process !== undefined) return;
      note(`starts ${machine.name} without its log`);
      cluster.start(machine);
    });
  }
}
