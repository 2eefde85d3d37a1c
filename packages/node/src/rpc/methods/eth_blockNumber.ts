import { quantity } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';

export const eth_blockNumber = defineMethod({
  name: 'eth_blockNumber',
  summary: 'The height of the newest block. Every block that clients see is final.',
  parameters: [],
  result: 'quantity',
  example: [],
  handler: ({ blocks }) => quantity(blocks.headHeight()),
});
