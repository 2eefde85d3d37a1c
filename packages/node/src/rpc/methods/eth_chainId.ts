import { quantity } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';

export const eth_chainId = defineMethod({
  name: 'eth_chainId',
  summary: 'The chain id that transactions are signed for (EIP-155).',
  parameters: [],
  result: 'quantity',
  example: [],
  handler: ({ network }) => quantity(network.chainId),
});
