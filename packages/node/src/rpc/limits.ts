/**
 * Bounds on what clients can make a member do. Every one can be set in the member's configuration; the defaults suit a member
 * that shares two cores with three others. Sizes are bytes.
 */
export interface RPCLimits {
  /** Largest HTTP body; a larger one is answered with 413 without being read into memory. */
  readonly maxBodyBytes: number;
  /** Bodies and WebSocket messages that are received or in work, all clients together; above it a request is refused with -32005. */
  readonly maxBodyBytesTotal: number;
  /** Calls of one batch. */
  readonly maxBatchCalls: number;
  /** Nesting of a request's JSON; a call's parameters need six levels (an access list inside a batch). */
  readonly maxJsonDepth: number;
  /** Values (roughly: commas and brackets) of a request's JSON, because parsing blocks the thread. */
  readonly maxJsonValues: number;
  /** Answers of one request, serialized. */
  readonly maxResponseBytes: number;
  /** Answers that clients have not read, all together; above it HTTP answers 503, and the WebSocket with the most of them is dropped. */
  readonly maxResponseBytesTotal: number;
  /** How long a batch that sends transactions and asks for the height waits until they are final. */
  readonly batchFinalityMs: number;
  /** How long the calls of one request may take together. */
  readonly requestTimeoutMs: number;
  /** Requests in work over HTTP, all clients together; above it a request is answered with 503. */
  readonly maxRequests: number;
  /** TCP connections, HTTP and WebSocket together. */
  readonly maxConnections: number;
  /** How long a client may take to send the headers, and then the whole request. */
  readonly headersTimeoutMs: number;
  readonly receiveTimeoutMs: number;
  /** How long an idle HTTP connection is kept. */
  readonly keepAliveTimeoutMs: number;
  /** A connection on which nothing moves for so long is closed (slow readers). */
  readonly socketTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly maxWebSocketConnections: number;
  readonly maxWebSocketMessageBytes: number;
  /** Messages of one WebSocket in work; above it the connection is not read. */
  readonly maxWebSocketRequests: number;
  /** A WebSocket client that lets more than this wait unread is dropped. */
  readonly maxWebSocketBufferedBytes: number;
  /** How often a WebSocket is pinged; one that did not answer by the next ping is dropped. */
  readonly webSocketPingIntervalMs: number;
  readonly maxSubscriptionsPerConnection: number;
  readonly maxSubscriptions: number;
  readonly maxFilters: number;
  readonly maxFiltersPerConnection: number;
  /** A filter that nobody asked for so long is removed. */
  readonly filterIdleMs: number;
  /** Pending transactions that a filter remembers between two polls; older ones are forgotten. */
  readonly maxFilterBacklog: number;
  /** Blocks that one log query may span. */
  readonly maxLogBlocks: number;
  readonly maxLogResults: number;
  /** Addresses of a log query, and alternatives for one topic. */
  readonly maxLogCriteria: number;
  readonly maxFeeHistoryBlocks: number;
  /** Gas of `eth_call` and of each attempt of `eth_estimateGas`. */
  readonly callGasCap: bigint;
  /** From its admission on, waiting included. */
  readonly callTimeoutMs: number;
  /** A call that is not done by then makes room for others and begins anew later. */
  readonly callSliceMs: number;
  /** Threads for calls. The last one is for those that need longer than a slice, so two are the least that keeps one free. */
  readonly callThreads: number;
  /** Calls that wait, in all and of one client address, and what they hold; above it -32005. */
  readonly maxQueuedCalls: number;
  readonly maxQueuedCallsPerClient: number;
  readonly maxQueuedCallBytes: number;
  /** Headers that a finality proof may span (the light client's bound). */
  readonly maxFinalityHeaders: number;
  /** How long the RPC may keep the thread before others (consensus, network) get their turn. */
  readonly sliceMs: number;
  /** Decoded blocks that are kept, by the number of their transactions in all. */
  readonly blockCacheTransactions: number;
}

const MiB = 1024 * 1024;

export const defaultRPCLimits: RPCLimits = {
  maxBodyBytes: 5 * MiB,
  maxBodyBytesTotal: 64 * MiB,
  maxBatchCalls: 1_000,
  maxJsonDepth: 32,
  maxJsonValues: 100_000,
  maxResponseBytes: 25_000_000,
  maxResponseBytesTotal: 128 * MiB,
  batchFinalityMs: 500,
  requestTimeoutMs: 30_000,
  maxRequests: 512,
  maxConnections: 2_048,
  headersTimeoutMs: 10_000,
  receiveTimeoutMs: 30_000,
  keepAliveTimeoutMs: 30_000,
  socketTimeoutMs: 60_000,
  maxHeaderBytes: 16_384,
  maxWebSocketConnections: 512,
  maxWebSocketMessageBytes: MiB,
  maxWebSocketRequests: 16,
  maxWebSocketBufferedBytes: 32 * MiB,
  webSocketPingIntervalMs: 30_000,
  maxSubscriptionsPerConnection: 64,
  maxSubscriptions: 2_048,
  maxFilters: 1_024,
  maxFiltersPerConnection: 64,
  filterIdleMs: 5 * 60_000,
  maxFilterBacklog: 10_000,
  maxLogBlocks: 10_000,
  maxLogResults: 10_000,
  maxLogCriteria: 1_000,
  maxFeeHistoryBlocks: 1_024,
  callGasCap: 50_000_000n,
  callTimeoutMs: 5_000,
  callSliceMs: 100,
  callThreads: 2,
  maxQueuedCalls: 256,
  maxQueuedCallsPerClient: 64,
  maxQueuedCallBytes: 32 * MiB,
  maxFinalityHeaders: 1_024,
  sliceMs: 4,
  blockCacheTransactions: 8_000,
};

/**
 * Reads limits from a member's configuration, a JSON object of some of the names above; throws an Error that says what is wrong.
 * The result is complete: what is left out keeps its default.
 */
export function readRPCLimits(json: unknown): RPCLimits {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error('rpc.limits must be an object');
  const limits: Record<string, number | bigint> = { ...defaultRPCLimits };
  for (const [name, value] of Object.entries(json)) {
    const known = Object.hasOwn(defaultRPCLimits, name) ? limits[name] : undefined;
    if (known === undefined) throw new Error(`rpc.limits.${name} is not a limit`);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
      throw new Error(`rpc.limits.${name} must be a whole number of at least 1`);
    }
    limits[name] = typeof known === 'bigint' ? BigInt(value) : value;
  }
  // Every name was checked against the defaults, and every type follows theirs.
  return limits as unknown as RPCLimits;
}
