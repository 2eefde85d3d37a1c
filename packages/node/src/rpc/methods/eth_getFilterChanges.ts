import { defineMethod } from '../method.ts';
import { readIdentifier, required } from '../parameters.ts';

export const eth_getFilterChanges = defineMethod({
  name: 'eth_getFilterChanges',
  summary: 'What is new since the filter was made or last asked. What does not fit one answer comes with the next.',
  parameters: [required('filter', 'identifier', 'What `eth_newFilter` or its like gave.', readIdentifier)],
  result: 'array of logs, or of hashes',
  example: ({ identifier }) => [identifier],
  handler: ({ filters, throwIfAborted }, id) => filters.changes(id, throwIfAborted),
});
