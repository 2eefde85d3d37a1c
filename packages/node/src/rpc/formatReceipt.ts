import { logsBloom, type Suite } from '@hanse/protocol';
import type { Block } from './blockReader.ts';
import { formatLog } from './formatLog.ts';
import { data, quantity } from './hexEncoding.ts';

/** The receipt of a block's transaction as clients see it; throws if the index is outside the block (a bug). */
export function formatReceipt(block: Block, index: number, suite: Suite): Record<string, unknown> {
  const transaction = block.transactions[index];
  const receipt = block.receipts[index];
  const firstLogIndex = block.firstLogIndexes[index];
  if (transaction === undefined || receipt === undefined || firstLogIndex === undefined) {
    throw new RangeError(`block ${block.height} has no transaction ${index}`);
  }
  return {
    blockHash: block.hash,
    blockNumber: quantity(block.height),
    contractAddress: receipt.contractAddress ?? null,
    cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
    effectiveGasPrice: quantity(receipt.effectiveGasPrice),
    from: transaction.sender,
    gasUsed: quantity(receipt.gasUsed),
    logs: receipt.logs.map((log, position) => formatLog(log, block, index, firstLogIndex + position)),
    logsBloom: data(logsBloom(suite, receipt.logs)),
    status: receipt.success ? '0x1' : '0x0',
    to: transaction.to ?? null,
    transactionHash: transaction.hash,
    transactionIndex: quantity(index),
    type: quantity(receipt.type),
    // Not go-ethereum's but Besu's word for it: why the transaction failed, when the contract said so.
    ...(receipt.revertData.length > 0 ? { revertReason: data(receipt.revertData) } : {}),
  };
}
