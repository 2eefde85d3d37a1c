import { quantity } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';

export const eth_gasPrice = defineMethod({
  name: 'eth_gasPrice',
  summary: "The lowest gas price that is included: the network's minimum, a genesis parameter.",
  parameters: [],
  result: 'quantity (wei)',
  example: [],
  handler: ({ network }) => quantity(network.minGasPrice),
});
