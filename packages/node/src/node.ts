import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ModuleReaders } from '@hanse/modules';
import { bytesToHex, type Hash, type Hex, type Suite } from '@hanse/protocol';
import type { LedgerService } from './chain/ledgerService.ts';
import type { SenderService } from './chain/senderService.ts';
import { Member, type MemberRuntime } from './composition/member.ts';
import { memberMetrics } from './composition/memberMetrics.ts';
import { MemberStatus } from './composition/memberStatus.ts';
import { chooseOwnKeys } from './composition/ownKeys.ts';
import { ConfigError } from './config/configError.ts';
import { createSuite } from './config/createSuite.ts';
import { keyUsage, type MemberKeyRing, readMemberKeyRing, type StoredKey } from './config/memberKeys.ts';
import type { NodeConfig } from './config/nodeConfig.ts';
import { readGenesis } from './config/readGenesis.ts';
import { readPromises, readRecoveries, recoveryFolder } from './config/recoveryFiles.ts';
import { createKeySigner, EPOCH_FAILED, type Signer } from './engine/index.ts';
import type { CallService } from './execution/callService.ts';
import { type SupportedRules, supportedRules } from './execution/ruleVersions.ts';
import { defaultRPCLimits } from './rpc/limits.ts';
import { RPCServer } from './rpc/rpcServer.ts';
import type { ServiceHandle } from './runtime/compute.ts';
import { createConsoleLogger } from './runtime/consoleLogger.ts';
import { DISK_FAILED } from './runtime/diskFailure.ts';
import { acquireFolderLock, type FolderLock, FolderLockedError } from './runtime/folderLock.ts';
import type { Logger } from './runtime/logger.ts';
import { createMetrics } from './runtime/metrics.ts';
import { loadNodePrimitives } from './runtime/nodePrimitives.ts';
import { createRealClock } from './runtime/realClock.ts';
import { createRealDisk } from './runtime/realDisk.ts';
import { createRealRandom } from './runtime/realRandom.ts';
import { TlsNetwork } from './runtime/tlsNetwork.ts';
import { transportPublicKey } from './runtime/transportKey.ts';
import { WorkerCompute } from './runtime/workerCompute.ts';
import type { MemberServiceOptions } from './services/serviceOptions.ts';
import { serviceRegistry } from './services/serviceRegistry.ts';
import { LedgerReader } from './storage/ledgerReader.ts';
import { LMDBKeyValueStore } from './storage/lmdbKeyValueStore.ts';
import { version } from './version.ts';

/** A member that runs in this process. */
export interface RunningNode {
  readonly name: string;
  readonly genesisHash: Hash;
  readonly rpcUrl: string;
  readonly wsUrl: string;
  /** Resolves with the reason when the member can no longer take part and a new start may mend it (a thread died, the disk refused). */
  readonly failed: Promise<Error>;
  /** Stops cleanly: no vote, block or transaction that was acknowledged is lost. Twice waits for the first. */
  close(): Promise<void>;
}

/** What is not of the member's configuration. */
export interface NodeOptions {
  /** `auto`: readable lines on a terminal, one JSON object a line elsewhere. */
  readonly logFormat?: 'auto' | 'json';
  /** Rules that this node takes itself to lack, for drills of an upgrade: it stops where a program without them would. */
  readonly pretendedRules?: SupportedRules;
}

/** The threads beside the main one. */
interface Services {
  readonly ledger: ServiceHandle<LedgerService>;
  readonly calls: readonly ServiceHandle<CallService>[];
  readonly senders: ServiceHandle<SenderService>;
}

/**
 * Runs a member on this machine: real clock, disk, TLS and worker threads, the member itself, and JSON-RPC in front. Rejects
 * with one clear reason, having stopped what it started, if something is not as it must be.
 */
export async function startNode(config: NodeConfig, options: NodeOptions = {}): Promise<RunningNode> {
  const cleanup = new Cleanup();
  try {
    return await assemble(config, options, cleanup);
  } catch (error) {
    // Why it did not start says more than what then went wrong in stopping it.
    await cleanup.run().catch(() => undefined);
    throw mendable(error, config);
  }
}

/** Errors that say what a person must do; those of a worker thread arrive without their class. */
const MENDABLE = ['StorageError', 'WriteAheadLogError', 'FolderLockedError', 'ProtocolError', 'UnsupportedRuleError'];

/** What the operating system says when space, rights or a sound disk is missing. */
const REFUSALS = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO', 'EACCES', 'EPERM'];

function mendable(error: unknown, { name, keys, data }: NodeConfig): unknown {
  if (!(error instanceof Error)) return error;
  if (MENDABLE.includes(error.name)) return new ConfigError(error.message, { cause: error });
  if (!('code' in error) || !REFUSALS.includes(String(error.code))) return error;
  const what = `${name} could not start: ${error.message}. Nothing is lost. Look at space and rights in ${keys} and ${data}.`;
  return new ConfigError(what, { cause: error });
}

async function assemble(config: NodeConfig, options: NodeOptions, cleanup: Cleanup): Promise<RunningNode> {
  const genesis = readGenesis(config.genesis);
  const primitives = await loadNodePrimitives();
  const suite = createSuite(genesis.suite, primitives);
  readMemberKeyRing(config.keys);
  const logger = createConsoleLogger({
    level: config.log,
    sink: process.stdout,
    format: options.logFormat ?? 'auto',
    nowMs: () => createRealClock().nowMs(),
  });
  const lock = lockData(config.data);
  cleanup.add(async () => lock.release());
  const failure = new Failure();
  const limits = config.rpc.limits ?? defaultRPCLimits;
  const { pretendedRules } = options;
  const supported = pretendedRules === undefined ? {} : { supported: { ...supportedRules, ...pretendedRules } };
  if (pretendedRules !== undefined) logger.log('warn', 'a drill: this program pretends to lack rules', pretendedRules);
  const services = await startServices(
    {
      genesis,
      ledgerFolder: join(config.data, 'ledger'),
      recoveries: readRecoveries(recoveryFolder(config.data)),
      promises: readPromises(config.keys),
      ...supported,
    },
    limits.callThreads,
    logger,
    failure,
    cleanup,
  );
  const store = new LMDBKeyValueStore(join(config.data, 'ledger'));
  cleanup.add(() => store.close());
  const reader = new LedgerReader(store, { suite });
  const genesisHash = reader.genesisHash();
  if (genesisHash === undefined) throw new Error('The ledger has no genesis although its service started.');
  const transport = chooseTransportKey(config, reader, suite, logger);
  const clock = createRealClock();
  const random = createRealRandom();
  const network = new TlsNetwork(
    {
      privateKey: bytesToHex(transport.key),
      furtherKeys: () => readKeyRing(config.keys, logger).transports.map(({ key }) => bytesToHex(key)),
    },
    { clock, logger: logger.child({ part: 'tls' }) },
  );
  const runtime: MemberRuntime = {
    clock,
    random,
    logger,
    disk: createRealDisk(config.data),
    network,
    ledger: services.ledger.service,
    senders: services.senders.service,
    reader,
    identify: (transportKey) => {
      const named = readKeyRing(config.keys, logger).transports.find(
        (stored) => publicTransportKey(stored) === transportKey,
      );
      if (named !== undefined) network.useKey(bytesToHex(named.key));
      return named !== undefined;
    },
  };
  const finalizedHandlers: ((blocks: readonly { readonly height: number }[]) => void)[] = [];
  const member = await Member.open(
    {
      name: config.name,
      genesis,
      suite,
      genesisHash,
      transportKey: network.publicKey,
      signers: () => readSigners(config.keys, suite, logger),
      listen: config.peer.listen,
      known: config.peer.known ?? {},
      ...(config.peer.introduced === undefined ? {} : { introduced: config.peer.introduced }),
      ...supported,
    },
    runtime,
    {
      finalized: (blocks) => {
        for (const handler of finalizedHandlers) handler(blocks);
      },
      alarm: (kind, detail) => {
        if (kind === DISK_FAILED) failure.report(diskFailure(detail, config.data));
        if (kind === EPOCH_FAILED) failure.report(new Error(detail));
      },
      outdated: (error) => failure.report(error),
    },
  );
  cleanup.add(() => member.close());
  const metrics = createMetrics({ processMetrics: true });
  memberMetrics(metrics, member, reader);
  const status = new MemberStatus({
    name: config.name,
    version,
    genesis,
    genesisHash,
    suite,
    reader,
    member,
    voteKeys: () => readMemberKeyRing(config.keys, () => undefined).votes.map(({ key }) => suite.publicKey(key)),
  });
  const rpc = new RPCServer(
    {
      host: config.rpc.host,
      port: config.rpc.port,
      corsOrigins: corsOrigins(config),
      limits,
      ...(config.rpc.allowedHosts === undefined ? {} : { allowedHosts: config.rpc.allowedHosts }),
    },
    {
      ledger: reader,
      calls: services.calls.map(({ service }) => service),
      pool: status.submitter,
      events: { onFinalized: (handler) => finalizedHandlers.push(handler as (typeof finalizedHandlers)[number]) },
      network: status.network,
      node: status.node,
      suite,
      clock,
      random,
      logger: logger.child({ part: 'rpc' }),
      metrics,
    },
  );
  await member.start().catch((error: unknown) => {
    throw portError(error, config.peer.listen, 'members');
  });
  const bound = await rpc.listen().catch((error: unknown) => {
    throw portError(error, `${config.rpc.host}:${config.rpc.port}`, 'JSON-RPC');
  });
  cleanup.add(() => rpc.close());
  logger.log('info', 'member runs', {
    name: config.name,
    rpc: bound.url,
    members: member.peers.endpoint,
    height: reader.headHeight(),
    version,
  });
  return {
    name: config.name,
    genesisHash,
    rpcUrl: bound.url,
    wsUrl: bound.webSocketURL,
    failed: failure.reason,
    close: () => cleanup.run(),
  };
}

/** What was started, stopped in reverse order, once. */
class Cleanup {
  readonly #tasks: (() => Promise<void>)[] = [];
  #running: Promise<void> | undefined;

  add(task: () => Promise<void>): void {
    this.#tasks.push(task);
  }

  run(): Promise<void> {
    this.#running ??= this.#runAll();
    return this.#running;
  }

  async #runAll(): Promise<void> {
    const failures: unknown[] = [];
    // One that fails must not keep the others from being stopped.
    for (const task of this.#tasks.reverse()) await task().catch((error: unknown) => failures.push(error));
    if (failures.length > 0)
      throw new AggregateError(failures, `The member did not stop cleanly: ${String(failures[0])}`);
  }
}

function diskFailure(detail: string, folder: string): Error {
  return new Error(
    `${detail}. Nothing final is lost. Give ${folder} space, or a sound disk, and start the member again; under a supervisor it comes back by itself.`,
  );
}

/** The first reason for which this member can no longer take part. */
class Failure {
  readonly reason: Promise<Error>;
  #report: (error: Error) => void = () => undefined;

  constructor() {
    this.reason = new Promise((resolve) => {
      this.#report = resolve;
    });
  }

  report(error: Error): void {
    this.#report(error);
  }
}

function lockData(folder: string): FolderLock {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return acquireFolderLock(folder);
  } catch (error) {
    if (error instanceof FolderLockedError) throw error;
    throw new ConfigError(`The data folder ${folder} cannot be written: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

async function startServices(
  options: MemberServiceOptions,
  callThreads: number,
  logger: Logger,
  failure: Failure,
  cleanup: Cleanup,
): Promise<Services> {
  const compute = new WorkerCompute({ services: serviceRegistry }, { logger });
  const spawn = async <S extends object>(name: string): Promise<ServiceHandle<S>> => {
    const handle = await compute.spawn<S>(name, options);
    handle.onFailure((error) => {
      failure.report(new Error(`The thread "${name}" died: ${error.message}`));
    });
    cleanup.add(() => handle.close());
    return handle;
  };
  // The ledger writes the genesis into an empty folder; only then can the others read it.
  const ledger = await spawn<LedgerService>('ledger');
  const [senders, ...calls] = await Promise.all([
    spawn<SenderService>('senders'),
    ...Array.from({ length: callThreads }, () => spawn<CallService>('calls')),
  ]);
  return { ledger, calls, senders };
}

const publicTransportKey = ({ key }: StoredKey): Hex => transportPublicKey(bytesToHex(key));

/** The keys in the folder now: one that is put there while the member runs is found when it is needed. */
function readKeyRing(folder: string, logger: Logger): MemberKeyRing {
  return readMemberKeyRing(folder, (error) => {
    logger.log('error', 'a key file is passed over', { reason: error.message });
  });
}

function readSigners(folder: string, suite: Suite, logger: Logger): readonly Signer[] {
  return readKeyRing(folder, logger).votes.map(({ file, key }) => createKeySigner(suite, key, keyUsage(file)));
}

/** The transport key to begin with (see `chooseOwnKeys`). Keys that can never be this member's are refused: nobody would listen to this node. */
function chooseTransportKey(config: NodeConfig, reader: LedgerReader, suite: Suite, logger: Logger): StoredKey {
  const { votes, transports } = readMemberKeyRing(config.keys);
  const readers = new ModuleReaders(suite);
  const members = readers.readMembers(reader.state());
  const self = members.find(({ name }) => name === config.name);
  const held = {
    votes: votes.map(({ key }) => suite.publicKey(key)),
    transports: transports.map(publicTransportKey),
  };
  const chosen = chooseOwnKeys(held, self, readers, reader.state());
  if (self === undefined) {
    const names = members.filter(({ active }) => active).map(({ name }) => name);
    const known = `up to block ${reader.headHeight()} the chain has no member "${config.name}"; its members are: ${names.join(', ')}`;
    logger.log('warn', `${known}. This node follows once they have admitted it. If the name is wrong, correct "name".`);
  } else if (!self.active) {
    logger.log('warn', `${config.name} was removed from the network: the members do not talk to it any more`);
  } else if (chosen.ok && chosen.replaced) {
    const known = `up to block ${reader.headHeight()} the chain has other keys for ${config.name} than those in ${config.keys}`;
    logger.log('warn', `${known}. This node follows without a vote until the chain has them.`);
  }
  const stored = transports[chosen.ok ? held.transports.indexOf(chosen.transport) : -1];
  if (stored === undefined) {
    throw new ConfigError(
      `The keys in ${config.keys} are not those that the chain has for ${config.name}. Name the right folder in "keys".`,
    );
  }
  return stored;
}

/** Browsers on this machine may read a member that listens to this machine alone; for others the operator decides. */
function corsOrigins(config: NodeConfig): readonly string[] {
  if (config.rpc.corsOrigin !== undefined) return [config.rpc.corsOrigin];
  return ['127.0.0.1', '::1', 'localhost'].includes(config.rpc.host) ? ['*'] : [];
}

function portError(error: unknown, endpoint: string, use: string): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new ConfigError(`${endpoint} for ${use} is taken by another program. Stop it, or change the port.`);
  if (code === 'EACCES')
    return new ConfigError(`${endpoint} for ${use} may not be opened by this user. Choose a port above 1023.`);
  return new ConfigError(`${endpoint} for ${use} cannot be opened: ${message}`);
}
