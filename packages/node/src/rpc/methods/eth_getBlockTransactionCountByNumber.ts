import { quantity } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';
import { readBlockNumberOrTag, required } from '../parameters.ts';

export const eth_getBlockTransactionCountByNumber = defineMethod({
  name: 'eth_getBlockTransactionCountByNumber',
  summary: 'How many transactions a block has.',
  parameters: [required('block', 'block number or tag', 'Which block.', readBlockNumberOrTag)],
  result: 'quantity, or null',
  example: ['latest'],
  handler: async ({ blocks }, reference) => {
    const height = blocks.resolve(reference);
    const block = height === undefined ? undefined : await blocks.block(height);
    return block === undefined ? null : quantity(block.transactions.length);
  },
});
