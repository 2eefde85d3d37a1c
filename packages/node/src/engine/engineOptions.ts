import type { Epoch, Hash, Height, Suite, ValidatorIndex, View } from '@hanse/protocol';
import type { Ledger, PendingRecovery } from '../chain/ledger.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Disk } from '../runtime/disk.ts';
import type { Logger } from '../runtime/logger.ts';
import type { EngineBodies, EngineEvents, EngineTransport } from './ports.ts';

export interface EngineOptions {
  readonly suite: Suite;
  readonly genesisHash: Hash;
  /** Of the network's parameters. */
  readonly idleBlockIntervalMs: number;
  readonly maxBlockTransactions: number;
  readonly maxBlockBytes: number;
  /** The log's folder on the disk. */
  readonly logFolder: string;
  readonly logSegmentBytes: number;
  readonly deltaFloorMs: number;
  readonly paceMs: number;
  readonly maxUnfinalizedBlocks: number;
  readonly resendIntervalMs: number;
  /** Own status goes to everybody this often (packages/consensus/spec.md, "Idle"). */
  readonly statusIntervalMs: number;
  /** While fewer than the needed members have reported, those that have not are asked this often. */
  readonly askStatusIntervalMs: number;
  readonly requestTimeoutMs: number;
}

export const defaultEngineOptions = {
  logFolder: 'log',
  logSegmentBytes: 16 * 1024 * 1024,
  deltaFloorMs: 200,
  paceMs: 50,
  maxUnfinalizedBlocks: 16,
  resendIntervalMs: 1_000,
  statusIntervalMs: 5_000,
  askStatusIntervalMs: 500,
  requestTimeoutMs: 2_000,
} as const;

export interface EngineModules {
  readonly ledger: Ledger;
  readonly transport: EngineTransport;
  readonly bodies: EngineBodies;
  readonly events: EngineEvents;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * `waiting`: not enough members have reported since the start, or storage is older than the log of votes. `amnesia`: the log was lost (packages/consensus/spec.md,
 * "Amnesia"). `recovery`: this member confirmed a recovery by which the chain here has not gone on ("Loss of the quorum").
 */
export type VotingState = 'observer' | 'waiting' | 'amnesia' | 'recovery' | 'voting' | 'stopped';

export interface EngineState {
  readonly epoch: Epoch;
  readonly view: View;
  /** Who leads the view, and should have every transaction that waits. */
  readonly leader: ValidatorIndex;
  readonly finalizedHeight: Height;
  readonly voting: VotingState;
  /** This member's place in the set, if it is in it. */
  readonly self: ValidatorIndex | undefined;
  /** What it waits for while `voting` is `recovery`. */
  readonly recoveryPending: PendingRecovery | undefined;
  /** Blocks that this member signed as final and does not know to be final: elsewhere they may be. Ascending by height. */
  readonly signedAsFinal: readonly { readonly height: Height; readonly blockHash: Hash }[];
}
