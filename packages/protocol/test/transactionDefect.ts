import { floorGas, intrinsicGas, MAX_INITCODE_BYTES } from '../src/intrinsicGas.ts';
import type { UnsignedTransaction } from '../src/transaction.ts';

/** Why no state could ever make a transaction valid. */
export type TransactionDefect =
  | 'intrinsic-gas-too-low'
  | 'floor-gas-too-low'
  | 'initcode-too-large'
  | 'priority-fee-above-max-fee'
  | 'nonce-too-high'
  | 'cost-too-large';

const MAX_UINT256 = (1n << 256n) - 1n;

/** The rules of Prague that need neither state nor block; undefined if the transaction keeps them. */
export function transactionDefect(transaction: UnsignedTransaction): TransactionDefect | undefined {
  if (transaction.to === undefined && transaction.data.length > MAX_INITCODE_BYTES) return 'initcode-too-large';
  if (transaction.gasLimit < intrinsicGas(transaction)) return 'intrinsic-gas-too-low';
  if (transaction.gasLimit < floorGas(transaction)) return 'floor-gas-too-low';
  if (transaction.maxPriorityFeePerGas > transaction.maxFeePerGas) return 'priority-fee-above-max-fee';
  // EIP-2681: the account's nonce after the transaction must still fit 64 bits.
  if (transaction.nonce >= (1n << 64n) - 1n) return 'nonce-too-high';
  if (transaction.gasLimit * transaction.maxFeePerGas > MAX_UINT256) return 'cost-too-large';
  return undefined;
}
