import { formatBlock } from '../formatBlock.ts';
import { defineMethod } from '../method.ts';
import { readBoolean, readHash, required } from '../parameters.ts';

export const eth_getBlockByHash = defineMethod({
  name: 'eth_getBlockByHash',
  summary: 'A block by its hash.',
  parameters: [
    required('hash', 'hash', "The block's hash.", readHash),
    required('full', 'boolean', 'Whether to give whole transactions instead of their hashes.', readBoolean),
  ],
  result: 'block, or null',
  example: ({ blockHash }) => [blockHash, false],
  handler: async ({ blocks, turns }, hash, full) => {
    const height = blocks.resolve({ kind: 'hash', hash });
    const block = height === undefined ? undefined : await blocks.block(height);
    return block === undefined ? null : formatBlock(block, full, turns);
  },
});
