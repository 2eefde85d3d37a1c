import type {
  Address,
  Certificate,
  Epoch,
  FinalizeStatement,
  Hash,
  Header,
  Height,
  Proposal,
  ValidatorSet,
  View,
} from '@hanse/protocol';

/** The newest finalized block, as the engine needs it. */
export interface FinalizedHead {
  readonly height: Height;
  /** The digest of its proposal (`genesisDigest` for the genesis). */
  readonly digest: Hash;
  readonly blockHash: Hash;
  readonly timeMs: number;
  /** The epoch and view in which it was proposed; the genesis: epoch 0, view 0. */
  readonly epoch: Epoch;
  readonly view: View;
  /** The newest certificate that covers it, absent for the genesis. */
  readonly certificate: Certificate<FinalizeStatement> | undefined;
  /** The set that decides the next block. */
  readonly validators: ValidatorSet;
  /** What this member confirmed and is not there yet: until then it signs nothing. */
  readonly recoveryPending: PendingRecovery | undefined;
  /** The hash of the recovery by which the epoch of `validators` began; undefined if the state itself began it. */
  readonly begunBy: Hash | undefined;
}

/** A recovery that this member signed, or that its operator put beside the ledger, and by which the chain here has not gone on. */
export interface PendingRecovery {
  readonly height: Height;
  /** Whether the complete document is at hand, so that only blocks are missing. */
  readonly complete: boolean;
}

/** What executing a proposal gave. */
export interface ExecutionResult {
  readonly digest: Hash;
  readonly height: Height;
  readonly blockHash: Hash;
  readonly header: Header;
  readonly nextSetHash: Hash;
  /** Whether the block closes its epoch (always false until sets can change). */
  readonly closesEpoch: boolean;
  readonly executionMs: number;
}

export type CheckVerdict =
  | { readonly verdict: 'valid' }
  /** Never valid, whatever else arrives: the leader proposed against the rules. */
  | { readonly verdict: 'invalid'; readonly reason: string }
  /** The parent has not been executed here (yet); ask again after it was. */
  | { readonly verdict: 'parent-not-executed' };

/** A transaction on its way to the ledger: its encoding and the sender that its signature proved. */
export interface TransactionBody {
  readonly hash: Hash;
  readonly raw: Uint8Array;
  readonly sender: `0x${string}`;
}

export interface BuildRequest {
  readonly epoch: Epoch;
  readonly view: View;
  readonly leader: number;
  readonly parentDigest: Hash;
  /** Not before this time; the proposal's time is max(this, parent's + 1). */
  readonly nowMs: number;
  /** In the order in which they should run; unsuitable ones are left out and reported. */
  readonly candidates: readonly TransactionBody[];
}

export interface BuildResult {
  readonly proposal: Proposal;
  readonly digest: Hash;
  readonly transactions: readonly TransactionBody[];
  /** Candidates that can never be included on this branch (nonce used, no permission, cannot pay). */
  readonly rejected: readonly { readonly hash: Hash; readonly reason: string }[];
}

export interface FinalizedBlock {
  readonly height: Height;
  readonly digest: Hash;
  readonly blockHash: Hash;
  readonly timeMs: number;
  readonly transactionHashes: readonly Hash[];
  /** Who sent them, in the same order: their nonces moved. */
  readonly senders: readonly Address[];
  /** The next block is of the next epoch. */
  readonly closesEpoch: boolean;
}

/** A finalized block as one member hands it to another. */
export interface SyncBlock {
  readonly proposal: Proposal;
  /** EIP-2718 encodings in order. */
  readonly transactions: readonly Uint8Array[];
  /** Present on the last block of a batch, and wherever the sender has one. */
  readonly certificate?: Certificate<FinalizeStatement>;
}

/** A finalized block on its way into the ledger. */
export interface ImportBlock extends SyncBlock {
  /** Who signed the transactions, in order, if that was found out already; undefined where a signature gives no account. */
  readonly senders?: readonly (Address | undefined)[];
  /** The hash of the validator set by which every signature of the certificate was verified already. */
  readonly verifiedBy?: Hash;
}

/**
 * The executed chain: finalized blocks in storage, and a tree of executed, unfinalized blocks as overlays above.
 * Runs off the consensus thread; calls are processed one after another, in order. It trusts that its caller
 * verified the signatures that the caller says it did, and the leader's authority; everything about a proposal's content it checks itself.
 */
export interface Ledger {
  finalizedHead(): Promise<FinalizedHead>;
  /** Makes a proposal on an executed parent; rejects if the parent is not executed. The result is ready to execute without check. */
  build(request: BuildRequest): Promise<BuildResult>;
  /**
   * Every static rule (packages/consensus/spec.md, "Static checks and limits") against the executed parent; remembers the
   * proposal if valid.
   */
  check(proposal: Proposal, transactions: readonly TransactionBody[]): Promise<CheckVerdict>;
  /** Executes a proposal that was built or found valid. Twice gives the same result without work. */
  execute(digest: Hash): Promise<ExecutionResult>;
  /**
   * Makes `digest` and its unfinalized ancestors final in height order, in one atomic storage transaction, durable when it
   * resolves, and drops every branch that they exclude. `certificate` is kept for the block it names, which may be
   * `digest` only. Resolves to the blocks in height order.
   */
  finalize(digest: Hash, certificate: Certificate<FinalizeStatement>): Promise<readonly FinalizedBlock[]>;
  /**
   * Imports finalized blocks that follow the head: links, certificates, static rules, execution, equality with the certified block
   * hash. Rejects if blocks that a quorum certified contradict what this member holds: then it must not go on.
   */
  importBlocks(blocks: readonly ImportBlock[]): Promise<ImportResult>;
}

export type ImportResult =
  | { readonly imported: readonly FinalizedBlock[] }
  /**
   * The block that is wrong, and why: whoever handed over this very block is to blame, whatever came with it. Those before
   * it (up to a certificate) stay imported.
   */
  | {
      readonly imported: readonly FinalizedBlock[];
      readonly rejected: { readonly height: Height; readonly reason: string };
    };
