import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ModuleReaders } from '@hanse/modules';
import {
  bytesToHex,
  type Genesis,
  type Hash,
  type Hex,
  ProtocolError,
  parseGenesis,
  type Suite,
} from '@hanse/protocol';
import type { LedgerService } from './chain/ledgerService.ts';
import type { SenderService } from './chain/senderService.ts';
import { Member, type MemberRuntime } from './composition/member.ts';
import { memberMetrics } from './composition/memberMetrics.ts';
import { MemberStatus } from './composition/memberStatus.ts';
import { ConfigError } from './config/configError.ts';
import { createSuite } from './config/createSuite.ts';
import { publicMemberKeys, readMemberKeys } from './config/memberKeys.ts';
import { type NodeConfig, readJsonFile } from './config/nodeConfig.ts';
import { createKeySigner } from './engine/index.ts';
import type { CallService } from './execution/callService.ts';
import { defaultRPCLimits } from './rpc/limits.ts';
import { RPCServer } from './rpc/rpcServer.ts';
import type { ServiceHandle } from './runtime/compute.ts';
import { createConsoleLogger } from './runtime/consoleLogger.ts';
import { acquireFolderLock, type FolderLock } from './runtime/folderLock.ts';
import type { Logger } from './runtime/logger.ts';
import { createMetrics } from './runtime/metrics.ts';
import { loadNodePrimitives } from './runtime/nodePrimitives.ts';
import { createRealClock } from './runtime/realClock.ts';
import { createRealDisk } from './runtime/realDisk.ts';
import { createRealRandom } from './runtime/realRandom.ts';
import { TlsNetwork } from './runtime/tlsNetwork.ts';
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
  /** Resolves with the reason when the member can no longer take part (a thread died, a result diverged). */
  readonly failed: Promise<Error>;
  /** Stops cleanly: no vote, block or transaction that was acknowledged is lost. Twice waits for the first. */
  close(): Promise<void>;
}

/** How a member shows itself. */
export interface NodeOutput {
  /** `auto`: readable lines on a terminal, one JSON object a line elsewhere. */
  readonly logFormat?: 'auto' | 'json';
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
export async function startNode(config: NodeConfig, output: NodeOutput = {}): Promise<RunningNode> {
  const cleanup = new Cleanup();
  try {
    return await assemble(config, output, cleanup);
  } catch (error) {
    // Why it did not start says more than what then went wrong in stopping it.
    await cleanup.run().catch(() => undefined);
    throw mendable(error);
  }
}

/** Errors that say what a person must do; those of a worker thread arrive without their class. */
const MENDABLE = ['StorageError', 'WriteAheadLogError', 'FolderLockedError', 'ProtocolError'];

function mendable(error: unknown): unknown {
  if (error instanceof Error && MENDABLE.includes(error.name)) return new ConfigError(error.message, { cause: error });
  return error;
}

async function assemble(config: NodeConfig, output: NodeOutput, cleanup: Cleanup): Promise<RunningNode> {
  const genesis = readGenesis(config.genesis);
  const primitives = await loadNodePrimitives();
  const suite = createSuite(genesis.suite, primitives);
  const keys = readMemberKeys(config.keys);
  const logger = createConsoleLogger({
    level: config.log,
    sink: process.stdout,
    format: output.logFormat ?? 'auto',
    nowMs: () => createRealClock().nowMs(),
  });
  const lock = lockData(config.data);
  cleanup.add(async () => lock.release());
  const failure = new Failure();
  const limits = config.rpc.limits ?? defaultRPCLimits;
  const services = await startServices(
    { genesis, ledgerFolder: join(config.data, 'ledger') },
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
  const publicKeys = publicMemberKeys(keys, suite);
  assertMember(config, publicKeys, reader, suite);
  const clock = createRealClock();
  const random = createRealRandom();
  const runtime: MemberRuntime = {
    clock,
    random,
    logger,
    disk: createRealDisk(config.data),
    network: new TlsNetwork(
      { privateKey: bytesToHex(keys.transport) },
      { clock, logger: logger.child({ part: 'tls' }) },
    ),
    ledger: services.ledger.service,
    senders: services.senders.service,
    reader,
  };
  const finalizedHandlers: ((blocks: readonly { readonly height: number }[]) => void)[] = [];
  const member = await Member.open(
    {
      name: config.name,
      genesis,
      suite,
      genesisHash,
      transportKey: publicKeys.transportKey,
      signer: createKeySigner(suite, keys.vote),
      listen: config.peer.listen,
      known: config.peer.known ?? {},
    },
    runtime,
    {
      finalized: (blocks) => {
        for (const handler of finalizedHandlers) handler(blocks);
      },
      alarm: () => undefined,
    },
  );
  cleanup.add(() => member.close());
  const metrics = createMetrics({ processMetrics: true });
  memberMetrics(metrics, member, reader);
  const status = new MemberStatus({ name: config.name, version, genesis, genesisHash, suite, reader, member });
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

function readGenesis(file: string): Genesis {
  try {
    return parseGenesis(readJsonFile(file, 'The genesis'));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ConfigError(
      `The genesis ${file} is damaged: ${error.message}. Restore it from a copy, or get it from another member.`,
    );
  }
}

function lockData(folder: string): FolderLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return acquireFolderLock(folder);
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

/** The keys in the folder must be those that the chain has for this member, or nobody would listen to it. */
function assertMember(
  config: NodeConfig,
  keys: { readonly voteKey: Hex; readonly transportKey: Hex },
  reader: LedgerReader,
  suite: Suite,
): void {
  const members = new ModuleReaders(suite).readMembers(reader.state());
  const self = members.find(({ name, active }) => active && name === config.name);
  if (self === undefined) {
    const names = members.filter(({ active }) => active).map(({ name }) => name);
    throw new ConfigError(
      `The network has no member "${config.name}". Its members are: ${names.join(', ')}. Correct "name" in the configuration.`,
    );
  }
  if (self.voteKey !== keys.voteKey || self.transportKey !== keys.transportKey) {
    throw new ConfigError(
      `The keys in ${config.keys} are not those that the chain has for ${config.name}. Name the right folder in "keys".`,
    );
  }
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
