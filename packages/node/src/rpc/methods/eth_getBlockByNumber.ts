import { formatBlock } from '../formatBlock.ts';
import { defineMethod } from '../method.ts';
import { readBlockNumberOrTag, readBoolean, required } from '../parameters.ts';

export const eth_getBlockByNumber = defineMethod({
  name: 'eth_getBlockByNumber',
  summary: 'A block by its number. `latest`, `safe`, `finalized` and `pending` all mean the newest block.',
  parameters: [
    required('block', 'block number or tag', 'Which block.', readBlockNumberOrTag),
    required('full', 'boolean', 'Whether to give whole transactions instead of their hashes.', readBoolean),
  ],
  result: 'block, or null',
  example: ['0x2', true],
  handler: async ({ blocks, turns }, reference, full) => {
    const height = blocks.resolve(reference);
    const block = height === undefined ? undefined : await blocks.block(height);
    return block === undefined ? null : formatBlock(block, full, turns);
  },
});
