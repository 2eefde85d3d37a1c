import { logFilterParameter } from '../logFilterParameter.ts';
import { queryLogs } from '../logQuery.ts';
import { defineMethod } from '../method.ts';

export const eth_getLogs = defineMethod({
  name: 'eth_getLogs',
  summary: 'The logs that match a filter, in the order of the chain.',
  parameters: [logFilterParameter],
  result: 'array of logs',
  example: ({ contract }) => [{ fromBlock: '0x1', toBlock: 'latest', address: contract }],
  handler: (context, filter) => queryLogs(filter, context, context.throwIfAborted),
});
