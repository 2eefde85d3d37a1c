import { formatTransaction } from '../formatTransaction.ts';
import { defineMethod } from '../method.ts';
import { readHash, readIndex, required } from '../parameters.ts';

export const eth_getTransactionByBlockHashAndIndex = defineMethod({
  name: 'eth_getTransactionByBlockHashAndIndex',
  summary: 'A transaction by its place in a block.',
  parameters: [
    required('hash', 'hash', "The block's hash.", readHash),
    required('index', 'quantity', "The transaction's place in the block.", readIndex),
  ],
  result: 'transaction, or null',
  example: ({ blockHash }) => [blockHash, '0x0'],
  handler: async ({ blocks }, hash, index) => {
    const height = blocks.resolve({ kind: 'hash', hash });
    const block = height === undefined ? undefined : await blocks.block(height);
    const transaction = block?.transactions[index];
    return block === undefined || transaction === undefined ? null : formatTransaction(transaction, { block, index });
  },
});
