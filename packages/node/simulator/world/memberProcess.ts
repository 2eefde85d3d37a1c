import type { LedgerService } from '../../src/chain/ledgerService.ts';
import { SenderService } from '../../src/chain/senderService.ts';
import { Member } from '../../src/composition/member.ts';
import { createKeySigner, type KeyUsage } from '../../src/engine/index.ts';
import type { Logger, LogLevel } from '../../src/runtime/logger.ts';
import { LedgerReader } from '../../src/storage/ledgerReader.ts';
import type { Cluster } from './cluster.ts';
import type { Life } from './life.ts';
import type { Machine } from './machine.ts';
import { openLedger } from './openLedger.ts';
import { processDisk, processStore } from './processDisk.ts';
import type { Interceptor, Place } from './simulatedNetwork.ts';
import { onSimulatedThread } from './simulatedWorker.ts';
import { SimulationRandom } from './simulationRandom.ts';

export type ProcessState = 'opening' | 'running' | 'stopping' | 'failed';

/** A block as a member tells of it. */
export interface ToldBlock {
  readonly height: number;
}

/**
 * One run of a member's program on its machine: the real composition (`Member`), with its log on the machine's disk, its ledger on a thread
 * of its own over the machine's database, and its network.
 */
export class MemberProcess {
  readonly machine: Machine;
  readonly life: Life;
  readonly place: Place;
  /** Set as soon as storage is open. */
  ledger: LedgerService | undefined;
  reader: LedgerReader | undefined;
  /** Set when the log was read; everything of the program hangs on it. */
  member: Member | undefined;
  state: ProcessState = 'opening';
  readonly #cluster: Cluster;

  constructor(machine: Machine, cluster: Cluster, interceptor: Interceptor | undefined) {
    this.machine = machine;
    this.#cluster = cluster;
    this.life = cluster.lifeOn(machine);
    this.place = { member: machine.member, twin: machine.twin, life: this.life, interceptor };
  }

  /** Begins to start; what comes of it shows in `state`. */
  start(): void {
    const failed = (error: unknown): void => {
      if (!this.life.alive) return;
      this.state = 'failed';
      this.#cluster.tell((observer) => observer.startFailed?.(this.machine, error));
    };
    this.life.run(undefined, () => {
      this.#open().then((member) => {
        this.life.run(undefined, () => {
          this.member = member;
          member.start().then(() => {
            if (!this.life.alive) return;
            this.state = 'running';
            this.#cluster.tell((observer) => observer.started?.(this.machine));
          }, failed);
        });
      }, failed);
    });
  }

  async #open(): Promise<Member> {
    const { machine, life, place } = this;
    const { setup, clock: worldClock, network, random } = this.#cluster;
    const { suite, genesis, genesisHash, keys } = setup;
    const clock = machine.clock.of(life);
    const { condition, member: index } = machine;
    const store = processStore(machine.database.open(), life, () => condition.storeFull);
    this.ledger = openLedger(setup, { store, clock }, machine);
    this.reader = new LedgerReader(machine.database.open(), { suite, keys });
    const threads = { clock: worldClock, random: random.workers, life };
    const options = { longestMs: () => condition.mostLedgerMs, cloning: this.#cluster.options.cloning };
    const ledgerCalls = ['finalizedHead', 'build', 'check', 'execute', 'finalize', 'importBlocks'] as const;
    return Member.open(
      {
        name: setup.names[index]!,
        genesis,
        suite,
        genesisHash,
        transportKey: network.keyOf(index),
        signers: () => machine.voteKeys.map((key) => createKeySigner(suite, key, usageOf(machine, key))),
        listen: `${setup.names[index]!}:1`,
        known: {},
        introduced: machine.introduced,
        supported: machine.supported,
        logSegmentBytes: this.#cluster.options.logSegmentBytes,
      },
      {
        clock,
        random: new SimulationRandom(
          this.#cluster.options.seed,
          `member ${index} ${machine.twin} ${machine.incarnations}`,
        ),
        disk: processDisk(machine.disk, life),
        network: network.of(place),
        logger: new ProcessLogger((level, message, fields) => {
          if (life.alive) this.#cluster.tell((observer) => observer.logged?.(machine, level, message, fields));
        }),
        // The product types the ledger by its class; over a thread it is a proxy there too.
        ledger: onSimulatedThread(this.ledger, ledgerCalls, options, threads) as LedgerService,
        senders: onSimulatedThread(new SenderService(suite), ['recover', 'verifyCertificates'], options, threads),
        reader: this.reader,
        identify: (key) => network.useKey(index, key),
      },
      {
        finalized: (blocks) => {
          if (life.alive) this.#cluster.tell((observer) => observer.finalized?.(machine, blocks, this.reader!));
        },
        alarm: (kind, detail) => {
          if (life.alive) this.#cluster.tell((observer) => observer.alarm?.(machine, kind, detail));
        },
        outdated: ({ message }) => {
          if (life.alive) this.#cluster.tell((observer) => observer.outdated?.(machine, message));
        },
      },
    );
  }
}

/** A mark beside a key, as the product sets it; it outlives the folder of data. */
function usageOf({ usedKeys }: Machine, key: Uint8Array): KeyUsage {
  return {
    wasUsed: async () => usedKeys.has(key),
    markUsed: async () => void usedKeys.add(key),
  };
}

type WriteLine = (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>) => void;

class ProcessLogger implements Logger {
  readonly #write: WriteLine;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(write: WriteLine, fields: Readonly<Record<string, unknown>> = {}) {
    this.#write = write;
    this.#fields = fields;
  }

  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#write(level, message, { ...this.#fields, ...fields });
  }

  child(fields: Readonly<Record<string, unknown>>): Logger {
    return new ProcessLogger(this.#write, { ...this.#fields, ...fields });
  }
}
