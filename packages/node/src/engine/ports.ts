import type { Address, Epoch, Hash, Height, ValidatorIndex, View, Vote } from '@hanse/protocol';
import type { TransactionBody } from '../chain/ledger.ts';

/**
 * How the engine sees the network. Member addressing is by validator index of the current epoch. Messages are
 * opaque here; `kind` is one of the engine's own message kinds. Sending never blocks; a full queue to a peer drops the oldest
 * message of the same kind, because consensus resends what matters. What arrives is handed to `Engine.receive` and
 * `Engine.serve`, a new connection to `Engine.peerConnected`, the end of the last one to `Engine.peerDisconnected`.
 */
export interface EngineTransport {
  send(to: ValidatorIndex, kind: number, payload: Uint8Array): void;
  broadcast(kind: number, payload: Uint8Array): void;
  /** Asks one validator; rejects on time-out, disconnection or refusal. */
  request(to: ValidatorIndex, kind: number, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  connected(): readonly ValidatorIndex[];
  /** The peer sent what no honest member sends (malformed, forged): the connection should be dropped and the reason kept. */
  misbehaved(peer: ValidatorIndex, reason: string): void;
}

/** Where a proposal's transactions come from and go to; implemented by the pool. */
export interface EngineBodies {
  /** Those of `hashes` that are at hand, verified. */
  get(hashes: readonly Hash[]): ReadonlyMap<Hash, TransactionBody>;
  /** Verifies encodings that came with or for a proposal, remembers the good ones, and says which hashes they are. */
  accept(raws: readonly Uint8Array[]): Promise<readonly TransactionBody[]>;
  /** Pending transactions in an order fit to be proposed, bounded by count and bytes. Skips those in `exclude`d hashes. */
  candidates(limits: {
    readonly maxCount: number;
    readonly maxBytes: number;
    readonly exclude: ReadonlySet<Hash>;
  }): readonly TransactionBody[];
  /** Whether any admissible transaction waits that is not in `exclude`. */
  hasPending(exclude: ReadonlySet<Hash>): boolean;
  /** Called when `hasPending` may have become true. */
  onPending(handler: () => void): void;
  /** Which transactions a peer is known to have already (by gossip), so that proposals need not carry them. */
  knownTo(peer: ValidatorIndex, hash: Hash): boolean;
  /** Candidates that a build on the finalized block itself showed to be impossible: they should leave the pool. */
  rejected(rejections: readonly { readonly hash: Hash; readonly reason: string }[]): void;
}

/** What the engine tells the rest of the node. */
export interface EngineEvents {
  finalized(
    blocks: readonly {
      readonly height: Height;
      readonly digest: Hash;
      readonly transactionHashes: readonly Hash[];
      readonly senders: readonly Address[];
    }[],
  ): void;
  /**
   * This member is behind: a certificate shows a finalized block at `height` it cannot reach; somebody must sync, and then
   * call `Engine.synced`. Repeated while it lasts.
   */
  behind(height: Height, evidenceFrom: ValidatorIndex): void;
  /** Something a person should know: divergence, equivocation seen, result without quorum. */
  alarm(kind: string, detail: string): void;
  /** What an alarm of this kind told of is over. */
  alarmOver(kind: string): void;
  /** Two votes of one validator that no honest one signs both. */
  evidence(first: Vote, second: Vote): void;
  /**
   * Storage is about to take the block that closes this engine's epoch, and waits for this. A rejection leaves the block out of
   * storage, as a broken disk does.
   */
  epochCloses(): Promise<void>;
  /** Storage holds the block that closes this engine's epoch: it signs nothing any more, and the next epoch needs an engine of its own. */
  epochClosed(epoch: Epoch): void;
  /** `leader` is whom waiting transactions should be sent to again (packages/consensus/spec.md, "Idle"). */
  enteredView(epoch: Epoch, view: View, leader: ValidatorIndex): void;
}
