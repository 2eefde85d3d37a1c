import { defineMethod } from '../method.ts';

export const eth_newBlockFilter = defineMethod({
  name: 'eth_newBlockFilter',
  summary: 'Begins to collect hashes of new blocks, for `eth_getFilterChanges`.',
  parameters: [],
  result: 'identifier of the filter',
  example: [],
  handler: ({ filters, subscriber }) => filters.addBlockFilter(subscriber),
});
