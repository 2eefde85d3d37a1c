import { quantity } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';

export const net_peerCount = defineMethod({
  name: 'net_peerCount',
  summary: 'How many other members this one is connected to now.',
  parameters: [],
  result: 'quantity',
  example: [],
  handler: ({ node }) => quantity(node.peers().filter(({ connected }) => connected).length),
});
