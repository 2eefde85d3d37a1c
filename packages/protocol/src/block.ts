import type { Address, Hash, Height, Hex } from './types.ts';

/** An Ethereum execution header with the fields of Prague. Numbers are safe integers, amounts are bigint wei. */
export interface Header {
  readonly parentHash: Hash;
  readonly ommersHash: Hash;
  /** The account of the member that proposed the block. */
  readonly beneficiary: Address;
  readonly stateRoot: Hash;
  readonly transactionsRoot: Hash;
  readonly receiptsRoot: Hash;
  /** 256 bytes. */
  readonly logsBloom: Hex;
  readonly difficulty: bigint;
  readonly number: Height;
  readonly gasLimit: bigint;
  readonly gasUsed: bigint;
  /** Seconds since 1970; never decreases from block to block. */
  readonly timestamp: number;
  /** 32 bytes binding the proposal: H(RLP([tag, digest, epoch, nextSetHash])); in the genesis, the hash of the genesis document. */
  readonly extraData: Hex;
  /** `prevRandao`: the hash of the parent block. Predictable; no source of randomness. */
  readonly mixHash: Hash;
  /** 8 bytes, zero. */
  readonly nonce: Hex;
  readonly baseFeePerGas: bigint;
  readonly withdrawalsRoot: Hash;
  readonly blobGasUsed: bigint;
  readonly excessBlobGas: bigint;
  readonly parentBeaconBlockRoot: Hash;
  readonly requestsHash: Hash;
}

export interface Log {
  readonly address: Address;
  /** 0 to 4 topics of 32 bytes. */
  readonly topics: readonly Hash[];
  readonly data: Uint8Array;
}

/** What consensus keeps of a transaction's execution (EIP-658, EIP-2718). */
export interface Receipt {
  readonly type: number;
  readonly success: boolean;
  readonly cumulativeGasUsed: bigint;
  readonly logs: readonly Log[];
}

/** A receipt with what clients ask for beside it, as storage keeps it. */
export interface StoredReceipt extends Receipt {
  readonly gasUsed: bigint;
  readonly effectiveGasPrice: bigint;
  readonly contractAddress?: Address;
  /** What a failed call returned (revert data), at most 1 KiB; empty on success. */
  readonly revertData: Uint8Array;
}
