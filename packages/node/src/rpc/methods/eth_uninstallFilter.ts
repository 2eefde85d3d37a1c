import { defineMethod } from '../method.ts';
import { readIdentifier, required } from '../parameters.ts';

export const eth_uninstallFilter = defineMethod({
  name: 'eth_uninstallFilter',
  summary: 'Removes a filter.',
  parameters: [required('filter', 'identifier', 'What `eth_newFilter` or its like gave.', readIdentifier)],
  result: 'boolean: whether there was one',
  example: ({ identifier }) => [identifier],
  handler: ({ filters }, id) => filters.remove(id),
});
