import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Suite } from '@hanse/protocol';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Random } from '../runtime/random.ts';
import { BlockReader } from './blockReader.ts';
import { ByteBudget } from './byteBudget.ts';
import { CallScheduler } from './callScheduler.ts';
import type {
  CallService,
  ChainEvents,
  LedgerReader,
  NetworkInformation,
  NodeStatus,
  TransactionSubmitter,
} from './dependencies.ts';
import { Dispatcher } from './dispatcher.ts';
import { FilterRegistry } from './filterRegistry.ts';
import { FinalityWaiter } from './finalityWaiter.ts';
import { FreshHeights } from './freshHeights.ts';
import { HTTPEndpoint } from './httpEndpoint.ts';
import { defaultRPCLimits, type RPCLimits } from './limits.ts';
import type { MethodServices } from './method.ts';
import { methodTable } from './methodTable.ts';
import { SubscriptionHub } from './subscriptionHub.ts';
import { TurnScheduler } from './turnScheduler.ts';
import { WebSocketEndpoint } from './webSocketEndpoint.ts';

export interface RPCServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Origins of browsers' pages that may call; default `['*']`. */
  readonly corsOrigins?: readonly string[];
  /** Host names that are answered; default: all. */
  readonly allowedHosts?: readonly string[];
  readonly limits?: Partial<RPCLimits>;
}

export interface RPCServerModules {
  readonly ledger: LedgerReader;
  readonly pool: TransactionSubmitter;
  /** At least one; with two or more, calls that need long leave the others free. */
  readonly calls: readonly CallService[];
  readonly events: ChainEvents;
  readonly network: NetworkInformation;
  readonly node: NodeStatus;
  readonly suite: Suite;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** How long requests in work may still take when the server closes. */
const CLOSING_MS = 1_000;

/** Ethereum JSON-RPC over HTTP and WebSocket at one port, metrics and health beside it. Owns no chain data and decides nothing. */
export class RPCServer {
  readonly #options: RPCServerOptions;
  readonly #limits: RPCLimits;
  readonly #server: Server;
  readonly #http: HTTPEndpoint;
  readonly #webSockets: WebSocketEndpoint;
  readonly #clock: Clock;
  readonly #sockets = new Set<{ destroy(): unknown }>();

  constructor(options: RPCServerOptions, modules: RPCServerModules) {
    this.#options = options;
    this.#clock = modules.clock;
    this.#limits = { ...defaultRPCLimits, ...options.limits };
    const limits = this.#limits;
    const access = { corsOrigins: options.corsOrigins ?? ['*'], allowedHosts: options.allowedHosts };
    const services = createServices(modules, limits);
    const dispatcher = new Dispatcher({ ...modules, methods: methodTable, services });
    const health = () => modules.node.health();
    const bodies = new ByteBudget(limits.maxBodyBytesTotal);
    this.#http = new HTTPEndpoint({ dispatcher, metrics: modules.metrics, health, access, limits, bodies });
    this.#webSockets = new WebSocketEndpoint({ ...services, ...modules, dispatcher, access, limits, bodies });
    this.#server = this.#createServer();
    modules.metrics.gauge({
      name: 'hanse_rpc_connections',
      help: 'Open TCP connections, HTTP and WebSocket together.',
      read: () => this.#sockets.size,
    });
  }

  /** Begins to answer; rejects with the system's error (`EADDRINUSE`) if the port cannot be had. */
  async listen(): Promise<{
    readonly host: string;
    readonly port: number;
    readonly url: string;
    readonly webSocketURL: string;
  }> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const bound = this.#server.address() as AddressInfo;
    const authority = `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
    return { host: bound.address, port: bound.port, url: `http://${authority}`, webSocketURL: `ws://${authority}` };
  }

  /** Takes no more requests, gives those in work a moment to end, then cuts what is left. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#webSockets.close();
    this.#server.closeIdleConnections();
    const cut = this.#clock.schedule(CLOSING_MS, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await closed;
    cut.cancel();
  }

  #createServer(): Server {
    const limits = this.#limits;
    const server = createServer({
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.receiveTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(5_000, limits.headersTimeoutMs),
    });
    server.maxConnections = limits.maxConnections;
    server.timeout = limits.socketTimeoutMs;
    server.on('request', (request, response) => void this.#http.handle(request, response));
    server.on('checkContinue', (request, response) => void this.#http.handle(request, response, true));
    server.on('upgrade', (request, socket, head) => this.#webSockets.upgrade(request, socket, head));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    return server;
  }
}

function createServices(modules: RPCServerModules, limits: RPCLimits): MethodServices {
  const { ledger, pool, network, node, suite, random, logger, clock, metrics } = modules;
  const turns = new TurnScheduler(clock, limits.sliceMs);
  const blocks = new BlockReader(ledger, turns, limits.blockCacheTransactions);
  const calls = new CallScheduler(
    {
      sliceMs: limits.callSliceMs,
      timeoutMs: limits.callTimeoutMs,
      maxQueued: limits.maxQueuedCalls,
      maxQueuedPerClient: limits.maxQueuedCallsPerClient,
      maxQueuedBytes: limits.maxQueuedCallBytes,
    },
    { services: modules.calls, clock },
  );
  const shared = { ...modules, blocks, turns, limits };
  const filters = new FilterRegistry(shared);
  const finality = new FinalityWaiter(blocks, modules);
  const freshHeights = new FreshHeights({ finality, pool, suite, clock, limits });
  const subscriptions = new SubscriptionHub(shared);
  pool.onPending((transactions) => filters.onPending(transactions.map(({ hash }) => hash)));
  const gauges: readonly [string, string, () => number][] = [
    ['hanse_rpc_filters', 'Filters that clients poll.', () => filters.size],
    ['hanse_rpc_subscriptions', 'Subscriptions over WebSocket.', () => subscriptions.size],
    ['hanse_rpc_calls_running', 'eth_call and eth_estimateGas in work.', () => calls.running],
    ['hanse_rpc_calls_queued', 'eth_call and eth_estimateGas waiting.', () => calls.queued],
  ];
  for (const [name, help, read] of gauges) metrics.gauge({ name, help, read });
  return {
    blocks,
    network,
    node,
    pool,
    calls,
    filters,
    freshHeights,
    subscriptions,
    suite,
    random,
    limits,
    turns,
    logger,
  };
}
