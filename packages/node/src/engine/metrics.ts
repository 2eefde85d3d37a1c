/** What the engine counts; plain numbers that only grow, for whoever reports them. Durations are milliseconds. */
export interface EngineMetrics {
  viewsEntered: number;
  /** Nullify votes of this member: views that it gave up. */
  timeouts: number;
  notarizeVotes: number;
  finalizeVotes: number;
  votesReceived: number;
  certificatesReceived: number;
  proposalsReceived: number;
  proposalsSent: number;
  /** Messages that were refused as malformed or forged, and those beyond a peer's budget or of another epoch. */
  messagesBad: number;
  messagesIgnored: number;
  bodyRequests: number;
  flushes: number;
  flushMs: number;
  flushMaxMs: number;
  blocksFinalized: number;
  transactionsFinalized: number;
  /** From a proposal's arrival (or its making) to its block being durable in storage. */
  blockLatencyMs: number;
  blockLatencyMaxMs: number;
  executions: number;
  executionMs: number;
}

export function createEngineMetrics(): EngineMetrics {
  return {
    viewsEntered: 0,
    timeouts: 0,
    notarizeVotes: 0,
    finalizeVotes: 0,
    votesReceived: 0,
    certificatesReceived: 0,
    proposalsReceived: 0,
    proposalsSent: 0,
    messagesBad: 0,
    messagesIgnored: 0,
    bodyRequests: 0,
    flushes: 0,
    flushMs: 0,
    flushMaxMs: 0,
    blocksFinalized: 0,
    transactionsFinalized: 0,
    blockLatencyMs: 0,
    blockLatencyMaxMs: 0,
    executions: 0,
    executionMs: 0,
  };
}
