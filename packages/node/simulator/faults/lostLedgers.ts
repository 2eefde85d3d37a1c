import type { MemoryDatabase } from '../../src/storage/memoryKeyValueStore.ts';
import { BOUNDARIES } from '../world/life.ts';
import type { Machine } from '../world/machine.ts';
import { type Fault, type FaultContext, faultDurationMs } from './fault.ts';

/** Copies of a ledger that are kept. */
const MAX_COPIES = 3;

/**
 * A machine loses its ledger, or somebody puts an older copy of it back, while the log of votes stays. No more such members than may be
 * faulty in all: whatever is final is in the storage or the log of a member that signed it and loses neither, for q - f of those sign it
 * (packages/consensus/spec.md, "Bodies"). What a loser signs is bound by its log (S2).
 */
export class LostLedgers implements Fault {
  readonly name = 'lost-ledgers';
  readonly #context: FaultContext;
  readonly #copies = new Map<Machine, MemoryDatabase[]>();

  constructor(context: FaultContext) {
    this.#context = context;
  }

  strike(): void {
    const { cluster, random, losers, note } = this.#context;
    const candidates = cluster.honest.filter((machine) => losers.mayLose(machine));
    if (candidates.length === 0) return;
    const machine = random.pick(candidates);
    const copies = this.#copies.get(machine) ?? [];
    this.#copies.set(machine, copies);
    if (copies.length < MAX_COPIES && random.chance(50)) {
      copies.push(machine.copyLedger());
      note(`copies the ledger of ${machine.name}`);
      return;
    }
    losers.add(machine);
    // At once, or at a moment when it just told or stored something; for long, or back while the view lasts.
    const life = random.chance(50) ? machine.process?.life : undefined;
    if (life === undefined) {
      this.#lose(machine, random.chance(50) ? faultDurationMs(random) : random.milliseconds(0, 150));
      return;
    }
    const moment = random.chance(50) ? 'before' : 'after';
    const count = random.between(1, 12);
    const backMs = random.milliseconds(0, 150);
    life.crashPoint = { boundary: random.pick(BOUNDARIES), moment, count, crash: () => this.#lose(machine, backMs) };
  }

  #lose(machine: Machine, backMs: number): void {
    const { cluster, random, note, later } = this.#context;
    const copies = this.#copies.get(machine) ?? [];
    const copy = copies.length > 0 && random.chance(75) ? random.pick(copies) : undefined;
    cluster.end(machine, random.chance(50) ? 'power' : 'kill');
    machine.loseLedger(copy);
    note(`${machine.name} ${copy === undefined ? 'loses its ledger' : 'gets an old copy of its ledger back'}`);
    later(backMs, () => {
      if (machine.process !== undefined) return;
      note(`starts ${machine.name} with ${copy === undefined ? 'no ledger' : 'an old ledger'}`);
      cluster.start(machine);
    });
  }
}
