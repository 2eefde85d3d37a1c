import { type Fault, type FaultContext, faultDurationMs } from './fault.ts';

/** Wall clocks are set forward and back, and clocks run fast or slow. */
export class Clocks implements Fault {
  readonly name = 'clocks';
  readonly #context: FaultContext;

  constructor(context: FaultContext) {
    this.#context = context;
  }

  strike(): void {
    const { cluster, random, note, later } = this.#context;
    const machine = random.pick(cluster.machines);
    if (random.chance(60)) {
      const far = random.chance(20) ? 20_000 : 2_000;
      const aheadMs = random.between(-far, far);
      machine.clock.setWall(aheadMs);
      note(`sets the clock of ${machine.name} to ${aheadMs} ms ahead`);
      later(faultDurationMs(random), () => {
        machine.clock.setWall(random.between(-50, 50));
        note(`sets the clock of ${machine.name} right`);
      });
      return;
    }
    const rate = 1 + random.between(-20, 20) / 1_000;
    machine.clock.setRate(rate);
    note(`lets the clock of ${machine.name} run at ${rate}`);
    later(faultDurationMs(random), () => machine.clock.setRate(1));
  }
}
