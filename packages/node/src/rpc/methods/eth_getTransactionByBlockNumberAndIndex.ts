import { formatTransaction } from '../formatTransaction.ts';
import { defineMethod } from '../method.ts';
import { readBlockNumberOrTag, readIndex, required } from '../parameters.ts';

export const eth_getTransactionByBlockNumberAndIndex = defineMethod({
  name: 'eth_getTransactionByBlockNumberAndIndex',
  summary: 'A transaction by its place in a block.',
  parameters: [
    required('block', 'block number or tag', 'Which block.', readBlockNumberOrTag),
    required('index', 'quantity', "The transaction's place in the block.", readIndex),
  ],
  result: 'transaction, or null',
  example: ['0x2', '0x0'],
  handler: async ({ blocks }, reference, index) => {
    const height = blocks.resolve(reference);
    const block = height === undefined ? undefined : await blocks.block(height);
    const transaction = block?.transactions[index];
    return block === undefined || transaction === undefined ? null : formatTransaction(transaction, { block, index });
  },
});
