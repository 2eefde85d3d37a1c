import { quantity } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';
import { readHash, required } from '../parameters.ts';

export const eth_getBlockTransactionCountByHash = defineMethod({
  name: 'eth_getBlockTransactionCountByHash',
  summary: 'How many transactions a block has.',
  parameters: [required('hash', 'hash', "The block's hash.", readHash)],
  result: 'quantity, or null',
  example: ({ blockHash }) => [blockHash],
  handler: async ({ blocks }, hash) => {
    const height = blocks.resolve({ kind: 'hash', hash });
    const block = height === undefined ? undefined : await blocks.block(height);
    return block === undefined ? null : quantity(block.transactions.length);
  },
});
