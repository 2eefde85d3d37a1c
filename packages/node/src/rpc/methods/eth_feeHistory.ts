import { Height } from '@hanse/protocol';
import type { Block } from '../blockReader.ts';
import { RPCError } from '../codes.ts';
import { effectiveGasPrice } from '../formatTransaction.ts';
import { quantity } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';
import { ArgumentError, optional, readArray, readBlockNumberOrTag, readIndex, required } from '../parameters.ts';

/** go-ethereum's bound. */
const MAX_PERCENTILES = 100;

export const eth_feeHistory = defineMethod({
  name: 'eth_feeHistory',
  summary: "Base fees, how full blocks were, and tips paid. The base fee is constant: the network's minimum gas price.",
  parameters: [
    required(
      'blockCount',
      'quantity',
      'How many blocks, at most 1,024; fewer are given where the chain begins.',
      readBlockCount,
    ),
    required('newestBlock', 'block number or tag', 'The last block of the range.', readBlockNumberOrTag),
    optional(
      'rewardPercentiles',
      'array of numbers',
      'Rising percentiles between 0 and 100, by gas used.',
      readPercentiles,
      [],
    ),
  ],
  result:
    '`oldestBlock`, `baseFeePerGas` (one more than blocks), `gasUsedRatio`, `baseFeePerBlobGas`, `blobGasUsedRatio`, and `reward` if percentiles were given',
  example: ['0x2', 'latest', [50]],
  handler: async ({ blocks, limits, turns, throwIfAborted }, blockCount, newestBlock, percentiles) => {
    const newest = blocks.resolve(newestBlock);
    if (newest === undefined) throw new RPCError('server-error', 'request beyond head block');
    const count = Math.min(blockCount, limits.maxFeeHistoryBlocks, newest + 1);
    const oldest = newest + 1 - count;
    const baseFees: bigint[] = [];
    const gasUsedRatio: number[] = [];
    const reward: string[][] = [];
    for (let height = oldest; height <= newest; height++) {
      const turn = turns.pause();
      if (turn !== undefined) await turn;
      throwIfAborted();
      const { header } = blocks.head(Height(height))!;
      baseFees.push(header.baseFeePerGas);
      gasUsedRatio.push(header.gasLimit === 0n ? 0 : Number(header.gasUsed) / Number(header.gasLimit));
      if (percentiles.length === 0) continue;
      const block = header.gasUsed === 0n ? undefined : await blocks.block(Height(height));
      reward.push(rewards(block, percentiles).map(quantity));
    }
    // The base fee never changes, so that of the next block is the newest block's.
    baseFees.push(blocks.head(newest)!.header.baseFeePerGas);
    return {
      oldestBlock: quantity(oldest),
      baseFeePerGas: baseFees.map(quantity),
      gasUsedRatio,
      baseFeePerBlobGas: baseFees.map(() => '0x0'),
      blobGasUsedRatio: gasUsedRatio.map(() => 0),
      ...(percentiles.length > 0 ? { reward } : {}),
    };
  },
});

/** Some clients send a plain number. */
function readBlockCount(value: unknown): number {
  const count = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : readIndex(value);
  if (count === 0) throw new ArgumentError('block count must be greater than 0');
  return count;
}

function readPercentiles(value: unknown): readonly number[] {
  const percentiles = readArray(value);
  if (percentiles.length > MAX_PERCENTILES) throw new ArgumentError(`over the query limit ${MAX_PERCENTILES}`);
  let previous = 0;
  return percentiles.map((percentile) => {
    if (typeof percentile !== 'number' || percentile < previous || percentile > 100) {
      throw new ArgumentError('invalid reward percentile: want rising numbers between 0 and 100');
    }
    previous = percentile;
    return percentile;
  });
}

/** The tips at the percentiles of the block's gas, transactions sorted by tip; zeros for an empty block. */
function rewards(block: Block | undefined, percentiles: readonly number[]): readonly bigint[] {
  if (block === undefined) return percentiles.map(() => 0n);
  const { baseFeePerGas, gasUsed } = block.header;
  const paid = block.transactions
    .map((transaction, index) => ({
      tip: effectiveGasPrice(transaction, baseFeePerGas) - baseFeePerGas,
      gasUsed: block.receipts[index]!.gasUsed,
    }))
    .sort((a, b) => (a.tip < b.tip ? -1 : a.tip > b.tip ? 1 : 0));
  let at = 0;
  let sum = paid[0]?.gasUsed ?? 0n;
  return percentiles.map((percentile) => {
    const threshold = BigInt(Math.floor((Number(gasUsed) * percentile) / 100));
    while (sum < threshold && at < paid.length - 1) {
      at++;
      sum += paid[at]!.gasUsed;
    }
    return paid[at]?.tip ?? 0n;
  });
}
