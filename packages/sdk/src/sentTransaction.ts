import type { Hash, Hex } from '@hanse/protocol';
import type { PublicClient, TransactionReceipt } from 'viem';
import { describeRevert } from './moduleAbi.ts';

/** A transaction of this client that was executed and failed. Its block is final, so it will not succeed later. */
export class TransactionFailedError extends Error {
  override readonly name = 'TransactionFailedError';
  readonly receipt: TransactionReceipt;

  constructor(receipt: TransactionReceipt) {
    const reason = revertReasonOf(receipt);
    super(
      `Transaction ${receipt.transactionHash} failed in block ${receipt.blockNumber}${reason === undefined ? '.' : `: ${reason}`}`,
    );
    this.receipt = receipt;
  }
}

/** Why an executed transaction failed, in one line; undefined if its receipt does not say (out of gas, for example). */
export function revertReasonOf(receipt: TransactionReceipt): string | undefined {
  // Beside Ethereum's fields, members give the revert data of a failed transaction.
  const { revertReason } = receipt as TransactionReceipt & { readonly revertReason?: Hex };
  return revertReason === undefined ? undefined : describeRevert(revertReason);
}

/** A transaction on its way. */
export interface SentTransaction {
  readonly hash: Hash;
  /** Resolves when its block is final (which is when a member shows it); rejects with a TransactionFailedError if it reverted, and with viem's WaitForTransactionReceiptTimeoutError after `timeoutMs` (default 180,000). */
  final(options?: { readonly timeoutMs?: number }): Promise<TransactionReceipt>;
}

export function sentTransaction(client: PublicClient, hash: Hash): SentTransaction {
  return {
    hash,
    final: async ({ timeoutMs } = {}) => {
      const timeout = timeoutMs === undefined ? {} : { timeout: timeoutMs };
      const receipt = await client.waitForTransactionReceipt({ hash, ...timeout });
      if (receipt.status !== 'success') throw new TransactionFailedError(receipt);
      return receipt;
    },
  };
}
