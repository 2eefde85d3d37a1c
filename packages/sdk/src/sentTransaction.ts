import type { Hash, Hex } from '@hanse/protocol';
import { type PublicClient, type TransactionReceipt, TransactionReceiptNotFoundError } from 'viem';
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

/** What a failed transaction gave as it reverted: beside Ethereum's fields, members put it into the receipt. Undefined if it gave nothing. */
export const revertDataOfReceipt = (receipt: TransactionReceipt): Hex | undefined =>
  (receipt as TransactionReceipt & { readonly revertReason?: Hex }).revertReason;

/** Why an executed transaction failed, in one line; undefined if its receipt does not say (out of gas, for example). */
export function revertReasonOf(receipt: TransactionReceipt): string | undefined {
  const data = revertDataOfReceipt(receipt);
  return data === undefined ? undefined : describeRevert(data);
}

/** A transaction was not final in the time that its sender was willing to wait. It may still become so. */
export class NotFinalInTimeError extends Error {
  override readonly name = 'NotFinalInTimeError';

  constructor(hash: Hash, timeoutMs: number) {
    super(
      `Transaction ${hash} is not final after ${timeoutMs / 1000} s. It may still become so: ask for its receipt later.`,
    );
  }
}

export interface FinalOptions {
  /** Default 60,000. */
  readonly timeoutMs?: number;
}

/** A transaction on its way. */
export interface SentTransaction {
  readonly hash: Hash;
  /**
   * Resolves when its block is final, which is when a member shows it. Rejects with a TransactionFailedError if it reverted, with a
   * NotFinalInTimeError after `timeoutMs`, and with viem's error when the member answers no more.
   */
  final(options?: FinalOptions): Promise<TransactionReceipt>;
}

export function sentTransaction(client: PublicClient, hash: Hash): SentTransaction {
  return { hash, final: (options) => waitUntilFinal(client, hash, options) };
}

/**
 * viem's own waiting counts blocks for confirmations, overlooks a member that answers no more, and goes on for three minutes.
 * Here a receipt is the end, and so is a question that fails.
 */
async function waitUntilFinal(
  client: PublicClient,
  hash: Hash,
  { timeoutMs = 60_000 }: FinalOptions = {},
): Promise<TransactionReceipt> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    try {
      const receipt = await client.getTransactionReceipt({ hash });
      if (receipt.status !== 'success') throw new TransactionFailedError(receipt);
      return receipt;
    } catch (error) {
      if (!(error instanceof TransactionReceiptNotFoundError)) throw error;
    }
    if (Date.now() > deadlineMs) throw new NotFinalInTimeError(hash, timeoutMs);
    await new Promise((resolve) => {
      setTimeout(resolve, client.pollingInterval);
    });
  }
}
