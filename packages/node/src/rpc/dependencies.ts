import type { Address, Epoch, Hash, Height, Hex, SignedTransaction, StateReader, ValidatorSet } from '@hanse/protocol';
import type { Rejection } from '../chain/transactionRejection.ts';
import type { CallFailure, CallOptions, CallOutcome, CallRequest, EstimateOutcome } from '../execution/callService.ts';
import type { LedgerReader as StoredLedgerReader } from '../storage/ledgerReader.ts';

/** The finalized chain, as storage reads it; everything in it is final. */
export type LedgerReader = Pick<
  StoredLedgerReader,
  | 'refresh'
  | 'headHeight'
  | 'header'
  | 'heightOf'
  | 'iterateTransactions'
  | 'iterateReceipts'
  | 'findTransaction'
  | 'certificate'
> & {
  /** The newest finalized state. */
  state(): StateReader;
};

/** The way into the pool. */
export interface TransactionSubmitter {
  /** Decodes, verifies and offers an encoding to the pool. */
  submit(raw: Uint8Array): Promise<{ readonly ok: true; readonly hash: Hash } | ({ readonly ok: false } & Rejection)>;
  /** A waiting transaction. */
  get(hash: Hash): SignedTransaction | undefined;
  /** The next free nonce of an account that has waiting transactions; undefined if it has none. */
  nextNonce(address: Address): bigint | undefined;
  /** Calls with transactions that the pool took. */
  onPending(handler: (transactions: readonly SignedTransaction[]) => void): void;
}

export type { CallFailure, CallOptions, CallOutcome, CallRequest, EstimateOutcome };

/** Runs messages off the consensus thread; the RPC bounds how many it gives it at a time. */
export interface CallService {
  call(request: CallRequest, options: CallOptions): Promise<CallOutcome>;
  estimateGas(request: CallRequest, options: CallOptions): Promise<EstimateOutcome>;
}

export interface ChainEvents {
  /** Calls after blocks became final and readable. */
  onFinalized(handler: (blocks: readonly { readonly height: Height }[]) => void): void;
}

/** A member as the chain knows it now. */
export interface MemberInformation {
  /** From 1 on. */
  readonly id: number;
  readonly name: string;
  readonly role: string;
  readonly validator: boolean;
  readonly address: Address;
  readonly voteKey: Hex;
  readonly transportKey: Hex;
  readonly endpoints: readonly string[];
}

export interface PeerInformation {
  readonly name: string;
  readonly endpoint: string;
  readonly connected: boolean;
}

export interface HealthReport {
  readonly healthy: boolean;
  /** One entry for each thing that was looked at, for example `consensus`, `storage`, `peers`. */
  readonly checks: Readonly<Record<string, { readonly healthy: boolean; readonly detail: string }>>;
}

/** A signed statement of consensus, as anybody can check it. */
export interface SignedStatement {
  readonly kind: string;
  /** What the signature covers. */
  readonly statement: Hex;
  readonly signature: Hex;
}

/** Two votes of one validator that no honest one signs both. */
export interface DoubleVoteInformation {
  readonly epoch: number;
  readonly view: number;
  /** Its place in the set of that epoch, and its name. */
  readonly signer: number;
  readonly validator: string;
  readonly first: SignedStatement;
  readonly second: SignedStatement;
  /** Whether somebody has put a double vote of this validator in this view on the chain. */
  readonly recorded: boolean;
}

/** A version of a rule that counts from a height on. */
export interface RuleInformation {
  readonly feature: string;
  readonly version: number;
  readonly height: Height | number;
}

/** The public halves of the keys that this node holds. */
export interface KeyInformation {
  /** Signs its votes in the present epoch; undefined if it has no vote. */
  readonly voteKey: Hex | undefined;
  /** All vote keys in its folder. */
  readonly voteKeys: readonly Hex[];
  /** Proves it to other members now. */
  readonly transportKey: Hex;
}

/** How this member is. */
export interface NodeStatus {
  /** The member's name. */
  readonly name: string;
  readonly version: string;
  /** Which cryptographic implementation answers, for example `native`. */
  readonly cryptography: Readonly<Record<string, string>>;
  epoch(): number;
  view(): number;
  /** The names of the validators of the present epoch in their order. */
  validators(): readonly string[];
  /** Whether it votes, and if not, why. */
  voting(): 'observer' | 'waiting' | 'amnesia' | 'recovery' | 'voting' | 'stopped';
  /** The block of the recovery that it confirmed and by which the chain here has not gone on. */
  recoveryPending(): number | undefined;
  /** Whether the chain, as far as it is known here, has this member. */
  membership(): 'none' | 'active' | 'removed';
  keys(): KeyInformation;
  /** How many proposals may be voted for. */
  openProposals(): number;
  /** The first scheduled rule that this program lacks. */
  missingRule(): RuleInformation | undefined;
  peers(): readonly PeerInformation[];
  /** Undefined when the member is at the head of the chain. */
  syncing(): { readonly startingHeight: number; readonly highestHeight: number } | undefined;
  pendingTransactions(): number;
  health(): HealthReport;
  /** Blocks that it signed as final and does not know to be final. */
  signedAsFinal(): readonly { readonly height: number; readonly blockHash: Hash }[];
  /** Double votes that this member saw. */
  evidence(): readonly DoubleVoteInformation[];
}

/** What the network's genesis and the chain say about the network itself. */
export interface NetworkInformation {
  readonly name: string;
  readonly chainId: bigint;
  readonly suite: string;
  /** The hash of the genesis block. */
  readonly genesisHash: Hash;
  /** The gas price below which nobody includes a transaction; the base fee of every block. */
  readonly minGasPrice: bigint;
  members(): readonly MemberInformation[];
  /** The validators that reigned in an epoch. */
  validators(epoch: Epoch): ValidatorSet | undefined;
}
