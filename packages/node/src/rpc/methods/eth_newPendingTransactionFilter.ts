import { defineMethod } from '../method.ts';

export const eth_newPendingTransactionFilter = defineMethod({
  name: 'eth_newPendingTransactionFilter',
  summary: "Begins to collect hashes of transactions that this member's pool takes, for `eth_getFilterChanges`.",
  parameters: [],
  result: 'identifier of the filter',
  example: [],
  handler: ({ filters, subscriber }) => filters.addPendingFilter(subscriber),
});
