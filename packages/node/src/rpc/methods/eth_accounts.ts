import { defineMethod } from '../method.ts';

export const eth_accounts = defineMethod({
  name: 'eth_accounts',
  summary: "The accounts that the member signs for: none, because members keep no users' keys.",
  parameters: [],
  result: 'empty array',
  example: [],
  handler: () => [],
});
