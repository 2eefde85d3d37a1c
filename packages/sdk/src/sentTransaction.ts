import type { Hash } from '@hanse/protocol';
import { BaseError, type PublicClient, type TransactionReceipt } from 'viem';

/** A transaction of this client that was executed and failed. Its block is final, so it will not succeed later. */
export class TransactionFailedError extends Error {
  override readonly name = 'TransactionFailedError';
  readonly receipt: TransactionReceipt;

  constructor(receipt: TransactionReceipt) {
    super(`Transaction ${receipt.transactionHash} failed in block ${receipt.blockNumber}.`);
    this.receipt = receipt;
  }
}

/** A transaction on its way. */
export interface SentTransaction {
  readonly hash: Hash;
  /** Resolves when its block is final (which is when a member shows it); rejects with a TransactionFailedError if it reverted. */
  final(): Promise<TransactionReceipt>;
}

export function sentTransaction(client: PublicClient, hash: Hash): SentTransaction {
  return {
    hash,
    final: async () => {
      const receipt = await client.waitForTransactionReceipt({ hash });
      if (receipt.status !== 'success') throw new TransactionFailedError(receipt);
      return receipt;
    },
  };
}

/** What went wrong, in one line: viem's short message, or the error's own. */
export function describeError(error: unknown): string {
  if (error instanceof BaseError) {
    const details = error.walk((cause) => cause instanceof Error && 'shortMessage' in cause) as BaseError | null;
    return (details ?? error).shortMessage || error.message;
  }
  return error instanceof Error ? error.message : String(error);
}
