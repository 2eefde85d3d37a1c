import { encodeHeader } from '@hanse/protocol';
import type { Block, BlockHead } from './blockReader.ts';
import { formatTransaction } from './formatTransaction.ts';
import { quantity } from './hexEncoding.ts';
import type { TurnScheduler } from './turnScheduler.ts';

/** A header as clients see it, and as `newHeads` sends it. */
export function formatHeader({ header, hash, height }: BlockHead): Record<string, unknown> {
  return {
    baseFeePerGas: quantity(header.baseFeePerGas),
    blobGasUsed: quantity(header.blobGasUsed),
    difficulty: quantity(header.difficulty),
    excessBlobGas: quantity(header.excessBlobGas),
    extraData: header.extraData,
    gasLimit: quantity(header.gasLimit),
    gasUsed: quantity(header.gasUsed),
    hash,
    logsBloom: header.logsBloom,
    miner: header.beneficiary,
    mixHash: header.mixHash,
    nonce: header.nonce,
    number: quantity(height),
    parentBeaconBlockRoot: header.parentBeaconBlockRoot,
    parentHash: header.parentHash,
    receiptsRoot: header.receiptsRoot,
    requestsHash: header.requestsHash,
    sha3Uncles: header.ommersHash,
    stateRoot: header.stateRoot,
    timestamp: quantity(header.timestamp),
    transactionsRoot: header.transactionsRoot,
    withdrawalsRoot: header.withdrawalsRoot,
  };
}

/** A block as clients see it, with its transactions or only their hashes. */
export async function formatBlock(block: Block, full: boolean, turns: TurnScheduler): Promise<Record<string, unknown>> {
  const transactions: unknown[] = [];
  for (const [index, transaction] of block.transactions.entries()) {
    transactions.push(full ? formatTransaction(transaction, { block, index }) : transaction.hash);
    const turn = turns.pause();
    if (turn !== undefined) await turn;
  }
  return {
    ...formatHeader(block),
    size: quantity(blockSize(block)),
    transactions,
    uncles: [],
    withdrawals: [],
  };
}

/** Bytes of the block's RLP: [header, transactions, ommers, withdrawals], typed envelopes wrapped as strings (EIP-2718). */
function blockSize(block: Block): number {
  let transactionBytes = 0;
  for (const { raw, type } of block.transactions) {
    transactionBytes += type === 0 ? raw.length : withPrefix(raw.length);
  }
  const emptyLists = 2;
  return withPrefix(encodeHeader(block.header).length + withPrefix(transactionBytes) + emptyLists);
}

/** Length of an RLP item with `payload` bytes; a transaction is never so short that it stands for itself. */
function withPrefix(payload: number): number {
  if (payload < 56) return 1 + payload;
  return 1 + Math.ceil(payload.toString(16).length / 2) + payload;
}
