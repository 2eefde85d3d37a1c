import type { Recovery, RecoveryPlan } from '@hanse/protocol';
import type { Introduction } from '../../src/composition/reachableMembers.ts';
import type { EngineState } from '../../src/engine/index.ts';
import type { SupportedRules } from '../../src/execution/ruleVersions.ts';
import type { ManualClock } from '../../src/runtime/manualClock.ts';
import { SimulatedDisk } from '../../src/runtime/testing/simulatedDisk.ts';
import { MemoryDatabase } from '../../src/storage/memoryKeyValueStore.ts';
import { MachineClock } from './machineClock.ts';
import type { MemberProcess } from './memberProcess.ts';
import type { SimulationRandom } from './simulationRandom.ts';

/** How long things take on a machine, and what of it fails. */
export interface MachineCondition {
  /** A flush takes a time between these. */
  leastFlushMs: number;
  mostFlushMs: number;
  /** The longest way to the ledger's thread and back again, each. */
  mostLedgerMs: number;
  /** Every flush fails. */
  flushFails: boolean;
  /** The ledger's storage takes nothing more. */
  storeFull: boolean;
}

export const NORMAL_MACHINE: Readonly<MachineCondition> = {
  leastFlushMs: 0.2,
  mostFlushMs: 2,
  mostLedgerMs: 2,
  flushFails: false,
  storeFull: false,
};

/** A member's machine: what survives the end of its process, and the process that runs on it now. */
export class Machine {
  /** The member's place among all that have machines. */
  readonly member: number;
  /** A Byzantine member may run its program twice, with one key; the second machine is twin 1. */
  readonly twin: number;
  readonly name: string;
  readonly disk = new SimulatedDisk();
  database: MemoryDatabase;
  readonly clock: MachineClock;
  readonly condition: MachineCondition = { ...NORMAL_MACHINE };
  readonly random: SimulationRandom;
  /** Keeps the protocol: what the checkers hold it to. */
  readonly honest: boolean;
  process: MemberProcess | undefined;
  /** Where the consensus of the last process that ended stood. */
  lastStood: EngineState | undefined;
  /** Its folder of keys: a further one is put there before the vote key is replaced. */
  readonly voteKeys: Uint8Array[];
  /** Marks beside the vote keys that tell a key that was used from a new one. */
  readonly usedKeys = new Set<Uint8Array>();
  /** The rules that the program has which starts next: another version is an upgrade. */
  supported: SupportedRules;
  /** Recovery documents that its operator confirmed before the next start. */
  readonly recoveries: Recovery[] = [];
  /** Plans of recoveries that its operator signed, kept beside its keys. */
  readonly promises: RecoveryPlan[] = [];
  /** Members of whom its operator was told before the next start. */
  introduced: readonly Introduction[] = [];
  incarnations = 0;
  /** Its disk failed or was full in this life of the process or before it began: it may have stopped for that. */
  diskFailed = false;
  /** Its log was lost in an earlier life. */
  lostLog = false;
  /** How many times its ledger was lost, or an older one put in its place: what it had told of before may be missing. */
  ledgersLost = 0;
  readonly #genesis: MemoryDatabase;

  constructor(
    options: {
      readonly member: number;
      readonly twin: number;
      readonly name: string;
      readonly honest: boolean;
      readonly genesis: MemoryDatabase;
      readonly voteKey: Uint8Array;
      readonly supported: SupportedRules;
    },
    world: { readonly clock: ManualClock; readonly random: SimulationRandom },
  ) {
    this.member = options.member;
    this.twin = options.twin;
    this.name = options.twin === 0 ? options.name : `${options.name}'s twin`;
    this.honest = options.honest;
    this.voteKeys = [options.voteKey];
    this.supported = options.supported;
    this.#genesis = options.genesis;
    this.database = new MemoryDatabase(options.genesis);
    this.random = world.random;
    this.clock = new MachineClock(world.clock, this.random.milliseconds(0, 1_000_000));
    this.disk.beforeFlush = (path) =>
      new Promise((resolve, reject) => {
        const { leastFlushMs, mostFlushMs } = this.condition;
        world.clock.schedule(this.random.milliseconds(leastFlushMs, mostFlushMs), () => {
          if (this.condition.flushFails) reject(new Error(`${path}: input/output error`));
          else resolve();
        });
      });
  }

  /** The process is gone, whatever ended it; gives it. */
  lose(): MemberProcess | undefined {
    const { process } = this;
    this.lastStood = process?.member?.engine.state() ?? this.lastStood;
    this.process = undefined;
    return process;
  }

  /** Its ledger as it is now, to be put back later. */
  copyLedger(): MemoryDatabase {
    return new MemoryDatabase(this.database);
  }

  /** Its ledger is gone while no process runs: the next one begins at the genesis, or where a copy stands that was put back. */
  loseLedger(copy: MemoryDatabase = this.#genesis): void {
    if (this.process !== undefined) throw new Error(`${this.name} runs, and holds its ledger open`);
    this.database = new MemoryDatabase(copy);
    this.ledgersLost += 1;
  }
}
