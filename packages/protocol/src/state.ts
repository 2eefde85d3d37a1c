import type { Log } from './block.ts';
import type { Address, Hash } from './types.ts';

/** An account as the state trie has it (RLP of [nonce, balance, storageRoot, codeHash]). */
export interface Account {
  readonly nonce: bigint;
  readonly balance: bigint;
  readonly storageRoot: Hash;
  readonly codeHash: Hash;
}

/** A readable state: that of a finalized block, or of an executed one that is not final yet. */
export interface StateReader {
  account(address: Address): Account | undefined;
  /** The 256-bit word in a slot, 0n if never written. */
  storage(address: Address, slot: bigint): bigint;
  /** The code with this hash; empty for the hash of no code. Throws if the database lost it. */
  code(codeHash: Hash): Uint8Array;
}

/**
 * The state that a transaction changes: journaled, synchronous, over a `StateReader`. Contracts and modules see
 * nothing else. An address is lower-case hexadecimal, slots and words are bigint below 2^256.
 */
export interface WorldState {
  /** Whether the account exists in the sense of EIP-161 (some nonce, balance or code). */
  exists(address: Address): boolean;
  getNonce(address: Address): bigint;
  setNonce(address: Address, nonce: bigint): void;
  getBalance(address: Address): bigint;
  setBalance(address: Address, balance: bigint): void;
  getCode(address: Address): Uint8Array;
  getCodeHash(address: Address): Hash;
  setCode(address: Address, code: Uint8Array): void;
  getStorage(address: Address, slot: bigint): bigint;
  /** The word as it was when the transaction began (EIP-2200). */
  getOriginalStorage(address: Address, slot: bigint): bigint;
  setStorage(address: Address, slot: bigint, value: bigint): void;
  getTransientStorage(address: Address, slot: bigint): bigint;
  setTransientStorage(address: Address, slot: bigint, value: bigint): void;
  addLog(log: Log): void;
  /** Marks the current point; `revertTo` undoes everything since, logs included. Marks nest. */
  snapshot(): number;
  revertTo(snapshot: number): void;
}
