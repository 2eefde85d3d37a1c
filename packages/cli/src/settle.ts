import type { Address, Hash } from '@hanse/protocol';
import { failureKind, revertReasonOf, type SentTransaction, TransactionFailedError } from '@hanse/sdk';
import type { TransactionReceipt } from 'viem';
import { CLIError } from './cliError.ts';
import { checkFinality, describeFinality, type Finality, type GenesisOption } from './finality.ts';
import type { ConnectedNetwork } from './networkTarget.ts';
import { fieldLines } from './output.ts';

/** A transaction in its final block, as commands print it. */
export interface Settled {
  readonly transactionHash: Hash;
  readonly status: 'success' | 'reverted';
  readonly revertReason: string | null;
  readonly blockNumber: number;
  readonly blockHash: Hash;
  readonly gasUsed: bigint;
  /** Of a contract that the transaction created. */
  readonly contractAddress: Address | null;
  readonly finality: Finality;
}

/** How long to wait for a network that makes a block in a fraction of a second. */
const FINAL_TIMEOUT_MS = 60_000;

/** Waits until the transaction is final, whether it succeeded or reverted, and asks for the certificate of its block. */
export async function settle(
  network: ConnectedNetwork,
  sent: SentTransaction,
  options: GenesisOption = {},
): Promise<Settled> {
  const receipt = await finalReceipt(sent);
  const block = { number: receipt.blockNumber, hash: receipt.blockHash };
  return {
    transactionHash: sent.hash,
    status: receipt.status,
    revertReason: receipt.status === 'success' ? null : (revertReasonOf(receipt) ?? null),
    blockNumber: Number(receipt.blockNumber),
    blockHash: receipt.blockHash,
    gasUsed: receipt.gasUsed,
    contractAddress: (receipt.contractAddress?.toLowerCase() as Address | undefined) ?? null,
    finality: await checkFinality(network, block, options),
  };
}

async function finalReceipt(sent: SentTransaction): Promise<TransactionReceipt> {
  try {
    return await sent.final({ timeoutMs: FINAL_TIMEOUT_MS });
  } catch (error) {
    if (error instanceof TransactionFailedError) return error.receipt;
    if (failureKind(error) !== 'waiting') throw error;
    throw new CLIError(
      `Transaction ${sent.hash} is not final after ${FINAL_TIMEOUT_MS / 1000} s; it waits still. See "hanse status" for members that are missing, and later: hanse tx ${sent.hash}`,
    );
  }
}

/** Transaction, block and certificate for people. */
export function settledLines(settled: Settled): readonly string[] {
  const { status, revertReason } = settled;
  return fieldLines([
    ['transaction', settled.transactionHash],
    ['status', status === 'success' ? 'success' : `reverted: ${revertReason ?? 'out of gas, or no reason was given'}`],
    ['contract', settled.contractAddress ?? undefined],
    ['block', `${settled.blockNumber} (${settled.blockHash})`],
    ['final', describeFinality(settled.finality)],
  ]);
}
