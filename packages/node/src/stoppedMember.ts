import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ModuleReaders } from '@hanse/modules';
import {
  bytesToHex,
  type Hex,
  type RecoveryPlan,
  recoveryBytes,
  recoveryHash,
  type Suite,
  type Validator,
} from '@hanse/protocol';
import type { FinalizedHead } from './chain/ledger.ts';
import type { LedgerService } from './chain/ledgerService.ts';
import { ConfigError } from './config/configError.ts';
import { createSuite } from './config/createSuite.ts';
import { keyUsage, readMemberKeyRing, type StoredKey } from './config/memberKeys.ts';
import type { NodeConfig } from './config/nodeConfig.ts';
import { readGenesis } from './config/readGenesis.ts';
import { readPromises, readRecoveries, recoveryFolder } from './config/recoveryFiles.ts';
import { createKeySigner, defaultEngineOptions, openRecoveryLog, type RecoveryLog } from './engine/index.ts';
import { createConsoleLogger } from './runtime/consoleLogger.ts';
import { acquireFolderLock } from './runtime/folderLock.ts';
import { loadNodePrimitives } from './runtime/nodePrimitives.ts';
import { createRealClock } from './runtime/realClock.ts';
import { createRealDisk } from './runtime/realDisk.ts';
import { createService as createLedger } from './services/ledgerEntry.ts';
import { LedgerReader } from './storage/ledgerReader.ts';
import { LMDBKeyValueStore } from './storage/lmdbKeyValueStore.ts';

/** A member on this machine whose node does not run, and cannot be started before `close`. */
export interface StoppedMember {
  readonly config: NodeConfig;
  readonly suite: Suite;
  readonly genesisHash: Hex;
  readonly head: FinalizedHead;
  /** Those that are active after the head: without those that a recovery from it removes. */
  readonly members: readonly Validator[];
  /** The log of the vote key that the chain has for this member; a ConfigError if that key is not at hand. */
  openLog(): Promise<RecoveryLog>;
  /** This member's signature under a plan; a ConfigError if its vote key is not at hand. */
  sign(plan: RecoveryPlan): Hex;
  hashOf(plan: RecoveryPlan): Hex;
  /** Whether the chain here went on from the plan's block by it. */
  wentOnBy(plan: RecoveryPlan): boolean;
  close(): Promise<void>;
}

/**
 * Takes a member's data for this process, as its node would, and reads where it stands. A ConfigError or FolderLockedError says why that is not
 * possible: above all when the node runs.
 */
export async function openStoppedMember(config: NodeConfig): Promise<StoppedMember> {
  if (!existsSync(config.genesis))
    throw new ConfigError(`There is no genesis ${config.genesis}: the member has no network.`);
  const genesis = readGenesis(config.genesis);
  const primitives = await loadNodePrimitives();
  const suite = createSuite(genesis.suite, primitives);
  const clock = createRealClock();
  const logger = createConsoleLogger({
    level: 'error',
    sink: process.stderr,
    format: 'auto',
    nowMs: () => clock.nowMs(),
  });
  const lock = acquireFolderLock(config.data);
  try {
    const ledgerFolder = join(config.data, 'ledger');
    const recoveries = readRecoveries(recoveryFolder(config.data));
    const options = { genesis, ledgerFolder, recoveries, promises: readPromises(config.keys) };
    const ledger = (await createLedger(options, { primitives, logger })) as LedgerService;
    const head = await ledger.finalizedHead();
    await ledger.close();
    const store = new LMDBKeyValueStore(ledgerFolder);
    const reader = new LedgerReader(store, { suite });
    const genesisHash = reader.genesisHash()!;
    const left = recoveries.filter(({ height }) => height === head.height).flatMap(({ removed }) => removed);
    const readers = new ModuleReaders(suite);
    const members = readers
      .readMembers(reader.state())
      .filter(({ active, name }) => active && !left.includes(name))
      .map(({ name, address, voteKey }) => ({ name, address, voteKey }));
    const key = (): StoredKey => reigningKey(config, suite, members);
    return {
      config,
      suite,
      genesisHash,
      head,
      members,
      openLog: async () => {
        const { file, key: bytes } = key();
        const signer = createKeySigner(suite, bytes, keyUsage(file));
        const { idleBlockIntervalMs, maxBlockTransactions, maxBlockBytes } = genesis.parameters;
        const limits = { idleBlockIntervalMs, maxBlockTransactions, maxBlockBytes };
        const engine = { ...defaultEngineOptions, suite, genesisHash, ...limits };
        return openRecoveryLog(engine, signer, head, {
          disk: createRealDisk(config.data),
          clock,
          logger,
        });
      },
      sign: (plan) => bytesToHex(suite.sign(key().key, recoveryBytes(plan))),
      hashOf: (plan) => recoveryHash(suite, plan),
      wentOnBy: ({ height, blockHash, epoch }) =>
        reader.header(height)?.hash === blockHash && readers.readEpochStart(reader.state(), epoch) === height,
      close: async () => {
        await store.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function reigningKey(config: NodeConfig, suite: Suite, members: readonly Validator[]): StoredKey {
  const { name, keys } = config;
  const member = members.find((candidate) => candidate.name === name);
  if (member === undefined)
    throw new ConfigError(`${name} is no active member of the network, and has nothing to sign.`);
  const stored = readMemberKeyRing(keys).votes.find(({ key }) => suite.publicKey(key) === member.voteKey);
  if (stored !== undefined) return stored;
  throw new ConfigError(`The vote key that the chain has for ${name} is not in ${keys}. Sign where it is.`);
}
