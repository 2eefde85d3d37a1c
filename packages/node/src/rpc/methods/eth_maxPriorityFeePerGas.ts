import { defineMethod } from '../method.ts';

export const eth_maxPriorityFeePerGas = defineMethod({
  name: 'eth_maxPriorityFeePerGas',
  summary: 'The tip that suffices: 0, because the base fee is constant and everybody who pays it is included.',
  parameters: [],
  result: 'quantity (wei)',
  example: [],
  handler: () => '0x0',
});
