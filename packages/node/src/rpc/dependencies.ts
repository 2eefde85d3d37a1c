import type {
  AccessListItem,
  Address,
  Certificate,
  Epoch,
  FinalizeStatement,
  Hash,
  Header,
  Height,
  Hex,
  Proposal,
  SignedTransaction,
  StateReader,
  StoredReceipt,
  ValidatorSet,
} from '@hanse/protocol';

/** The finalized chain, as storage reads it; everything in it is final. */
export interface LedgerReader {
  /** Makes the newest commit of the writing thread visible. */
  refresh(): void;
  headHeight(): Height;
  header(height: Height): { readonly header: Header; readonly hash: Hash } | undefined;
  heightOf(blockHash: Hash): Height | undefined;
  transactions(height: Height): readonly SignedTransaction[] | undefined;
  receipts(height: Height): readonly StoredReceipt[] | undefined;
  findTransaction(hash: Hash): { readonly height: Height; readonly index: number } | undefined;
  /** Undefined for the genesis. */
  proposal(height: Height): { readonly proposal: Proposal; readonly digest: Hash } | undefined;
  /** Only if this very block was certified. */
  certificate(height: Height): Certificate<FinalizeStatement> | undefined;
  /** The newest finalized state. */
  state(): StateReader;
}

/** The way into the pool. */
export interface TransactionSubmitter {
  /** Decodes, verifies and offers an encoding to the pool. `code` is a row's name in codes.ts; an unknown one becomes -32000. */
  submit(
    raw: Uint8Array,
  ): Promise<
    { readonly ok: true; readonly hash: Hash } | { readonly ok: false; readonly code: string; readonly message: string }
  >;
  /** A waiting transaction. */
  get(hash: Hash): SignedTransaction | undefined;
  /** The next free nonce of an account that has waiting transactions; undefined if it has none. */
  nextNonce(address: Address): bigint | undefined;
  /** Calls with transactions that the pool took. */
  onPending(handler: (transactions: readonly SignedTransaction[]) => void): void;
}

/** A message that is tried out on the newest finalized state, not sent. */
export interface CallRequest {
  readonly from: Address;
  /** Undefined creates a contract. */
  readonly to: Address | undefined;
  /** Undefined asks for as much as `gasCap`. */
  readonly gas: bigint | undefined;
  /** The price that GASPRICE shows and the balance is checked against; 0 when the client names none. */
  readonly gasPrice: bigint;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly accessList: readonly AccessListItem[];
}

export interface CallOptions {
  readonly gasCap: bigint;
  /** The service gives up after so many milliseconds and answers `timeout`. */
  readonly timeoutMs: number;
}

export type CallFailure =
  | { readonly status: 'revert'; readonly output: Uint8Array }
  /** Failed while running, for example `out of gas`, or could not begin, for example `intrinsic gas too low`. */
  | { readonly status: 'failure'; readonly error: string }
  | { readonly status: 'timeout' };

export type CallOutcome = { readonly status: 'success'; readonly output: Uint8Array } | CallFailure;

export type EstimateOutcome =
  | { readonly status: 'success'; readonly gas: bigint }
  /** Even `allowance` gas was not enough. */
  | { readonly status: 'allowance'; readonly allowance: bigint }
  | CallFailure;

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

/** How this member is. */
export interface NodeStatus {
  /** The member's name. */
  readonly name: string;
  readonly version: string;
  /** Which cryptographic implementation answers, for example `native`. */
  readonly cryptography: Readonly<Record<string, string>>;
  epoch(): number;
  view(): number;
  peers(): readonly PeerInformation[];
  /** Undefined when the member is at the head of the chain. */
  syncing(): { readonly startingHeight: number; readonly highestHeight: number } | undefined;
  pendingTransactions(): number;
  health(): HealthReport;
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
