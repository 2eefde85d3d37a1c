import type { SendQueueLimits } from './sendQueue.ts';

/** Bounds of what one peer may cost and of how patient this member is with it. Times in milliseconds. */
export interface PeerLimits {
  readonly sendQueue: SendQueueLimits;
  /** What a peer may send unasked: steadily, and at once after a quiet time. Answers to requests do not count. */
  readonly bytesPerSecond: number;
  readonly bytesBurst: number;
  readonly messagesPerSecond: number;
  readonly messagesBurst: number;
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
  /** How soon a duplicate connection's rival must show a sign of life. */
  readonly probeMs: number;
  readonly dialBackoffMs: number;
  readonly maxDialBackoffMs: number;
  /** How long the member with the larger key waits for the other one to dial first. */
  readonly dialCourtesyMs: number;
  readonly penaltyMs: number;
  readonly maxPenaltyMs: number;
  /** After so long without an offence old ones are forgotten. */
  readonly penaltyMemoryMs: number;
}

export const DEFAULT_PEER_LIMITS: PeerLimits = {
  sendQueue: { maxBytes: 16 * 1024 * 1024, maxFrames: 8_192 },
  bytesPerSecond: 32 * 1024 * 1024,
  bytesBurst: 64 * 1024 * 1024,
  messagesPerSecond: 10_000,
  messagesBurst: 40_000,
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
  probeMs: 2_000,
  dialBackoffMs: 100,
  maxDialBackoffMs: 5_000,
  dialCourtesyMs: 300,
  penaltyMs: 1_000,
  maxPenaltyMs: 300_000,
  penaltyMemoryMs: 600_000,
};
