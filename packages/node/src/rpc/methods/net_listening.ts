import { defineMethod } from '../method.ts';

export const net_listening = defineMethod({
  name: 'net_listening',
  summary: 'Whether the member accepts connections from others: always true.',
  parameters: [],
  result: 'boolean',
  example: [],
  handler: () => true,
});
