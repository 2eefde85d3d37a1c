import { defineMethod } from '../method.ts';

export const net_version = defineMethod({
  name: 'net_version',
  summary: 'The chain id as a decimal string.',
  parameters: [],
  result: 'string',
  example: [],
  handler: ({ network }) => network.chainId.toString(),
});
