import type { SendQueueLimits } from './sendQueue.ts';

/** Bounds of what one peer may cost and of how patient this member is with it. Times in milliseconds. */
export interface PeerLimits {
  readonly sendQueue: SendQueueLimits;
  /**
   * What a peer may send unasked: steadily, and at once after a quiet time. Answers to requests do not count. These outlive connections, so
   * that a new one brings no new budget.
   */
  readonly bytesPerSecond: number;
  readonly bytesBurst: number;
  readonly messagesPerSecond: number;
  readonly messagesBurst: number;
  readonly requestsPerSecond: number;
  readonly requestsBurst: number;
  readonly pingsPerSecond: number;
  readonly pingsBurst: number;
  /** Connections that a member may begin; a handshake costs this side some 2 ms, what follows it as much again. */
  readonly connectsPerSecond: number;
  readonly connectsBurst: number;
  /** Frames of one peer handled in one turn of the event loop before others have theirs, and bytes; at least one frame is. */
  readonly framesPerTurn: number;
  readonly bytesPerTurn: number;
  /** Frames of one peer that may wait for their turn before its connection is read no further. */
  readonly maxWaitingFrames: number;
  readonly maxWaitingBytes: number;
  /** Requests of one peer that are worked on at once; further ones are refused as busy. */
  readonly maxInboundRequests: number;
  /** Requests to one peer that wait for an answer. */
  readonly maxPendingRequests: number;
  readonly helloTimeoutMs: number;
  readonly pingIntervalMs: number;
  /** A peer that was not heard for so long is taken for lost. */
  readonly silenceMs: number;
  /** A peer that sends but answered no ping for so long does not read, and what waits for it would wait for ever. */
  readonly unansweredMs: number;
  /** How soon a duplicate connection's rival must show a sign of life. */
  readonly probeMs: number;
  readonly dialBackoffMs: number;
  readonly maxDialBackoffMs: number;
  /** A connection that lasted so long was a good one: when it ends, dialling begins without a pause. */
  readonly steadyMs: number;
  /** How long the member with the larger key waits for the other one to dial first. */
  readonly dialCourtesyMs: number;
  readonly penaltyMs: number;
  readonly maxPenaltyMs: number;
  /** After so long without an offence old ones are forgotten. */
  readonly penaltyMemoryMs: number;
}

/**
 * An honest member of 31 under full load sends some 100 votes, 40 certificates, 350 batches of transactions and 20 lists of hashes a second
 * and asks at most 200 times; in bytes, whatever of 2 MiB blocks it leads, 10 MiB a second at the very most. The bursts have room for
 * the 15 s that a member can be busy with something else before its peers take it for lost.
 */
export const DEFAULT_PEER_LIMITS: PeerLimits = {
  sendQueue: {
    maxFrames: 8_192,
    // Room for three proposals with all their transactions; the other classes are full again when they are needed.
    maxBytes: { consensus: 8 * 1024 * 1024, transactions: 4 * 1024 * 1024, sync: 4 * 1024 * 1024 },
  },
  bytesPerSecond: 16 * 1024 * 1024,
  bytesBurst: 64 * 1024 * 1024,
  messagesPerSecond: 4_000,
  messagesBurst: 40_000,
  requestsPerSecond: 500,
  requestsBurst: 4_000,
  pingsPerSecond: 5,
  pingsBurst: 64,
  connectsPerSecond: 0.5,
  connectsBurst: 16,
  framesPerTurn: 64,
  // What takes longest for its size are lists of hashes: these are 8,192 of them, a few milliseconds.
  bytesPerTurn: 256 * 1024,
  maxWaitingFrames: 1_024,
  maxWaitingBytes: 16 * 1024 * 1024,
  maxInboundRequests: 16,
  maxPendingRequests: 1_024,
  helloTimeoutMs: 5_000,
  pingIntervalMs: 5_000,
  silenceMs: 15_000,
  unansweredMs: 30_000,
  probeMs: 2_000,
  dialBackoffMs: 100,
  maxDialBackoffMs: 5_000,
  steadyMs: 10_000,
  dialCourtesyMs: 300,
  penaltyMs: 1_000,
  maxPenaltyMs: 300_000,
  penaltyMemoryMs: 600_000,
};
