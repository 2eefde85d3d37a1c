import { quantity } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';

export const eth_syncing = defineMethod({
  name: 'eth_syncing',
  summary:
    'False at the head of the chain; otherwise where the member began, where it is, and the highest height it has heard of.',
  parameters: [],
  result: 'false, or `startingBlock`, `currentBlock`, `highestBlock` (quantities)',
  example: [],
  handler: ({ node, blocks }) => {
    const progress = node.syncing();
    if (progress === undefined) return false;
    return {
      startingBlock: quantity(progress.startingHeight),
      currentBlock: quantity(blocks.headHeight()),
      highestBlock: quantity(progress.highestHeight),
    };
  },
});
