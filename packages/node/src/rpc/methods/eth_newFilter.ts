import { logFilterParameter } from '../logFilterParameter.ts';
import { defineMethod } from '../method.ts';

export const eth_newFilter = defineMethod({
  name: 'eth_newFilter',
  summary:
    'Begins to collect new logs that match, for `eth_getFilterChanges`. A filter that nobody asks for five minutes is removed.',
  parameters: [logFilterParameter],
  result: 'identifier of the filter',
  example: ({ contract }) => [{ address: contract }],
  handler: ({ filters, subscriber }, filter) => filters.addLogFilter(filter, subscriber),
});
