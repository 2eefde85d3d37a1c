import { defineMethod } from '../method.ts';
import { readIdentifier, required } from '../parameters.ts';

export const eth_getFilterLogs = defineMethod({
  name: 'eth_getFilterLogs',
  summary: 'Every log that a log filter matches, new or not.',
  parameters: [required('filter', 'identifier', 'What `eth_newFilter` or its like gave.', readIdentifier)],
  result: 'array of logs',
  example: ({ identifier }) => [identifier],
  handler: ({ filters, throwIfAborted }, id) => filters.logs(id, throwIfAborted),
});
