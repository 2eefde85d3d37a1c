import { type Fault, type FaultContext, faultDurationMs } from './fault.ts';

/** Disks become slow, fill up, or fail to flush; each for a while, and the member must be back when it is over. */
export class Disks implements Fault {
  readonly name = 'disks';
  readonly #context: FaultContext;

  constructor(context: FaultContext) {
    this.#context = context;
  }

  strike(): void {
    const { cluster, random, note, later } = this.#context;
    const machine = random.pick(cluster.machines);
    const { condition, disk } = machine;
    switch (random.below(4)) {
      case 0:
      case 1: {
        condition.mostFlushMs = random.between(20, 1_500);
        note(`slows the disk of ${machine.name} to ${condition.mostFlushMs} ms a flush`);
        later(faultDurationMs(random), () => {
          condition.mostFlushMs = 2;
          note(`the disk of ${machine.name} is quick again`);
        });
        return;
      }
      case 2: {
        disk.freeBytes = random.below(3_000);
        condition.storeFull = random.chance(50);
        machine.diskFailed = true;
        note(`fills the disk of ${machine.name} but for ${disk.freeBytes} bytes`);
        later(faultDurationMs(random), () => {
          disk.freeBytes = Number.POSITIVE_INFINITY;
          condition.storeFull = false;
          note(`${machine.name} has space again`);
        });
        return;
      }
      default: {
        condition.flushFails = true;
        machine.diskFailed = true;
        note(`lets flushes of ${machine.name} fail`);
        later(faultDurationMs(random), () => {
          condition.flushFails = false;
          note(`flushes of ${machine.name} succeed again`);
        });
      }
    }
  }
}
