import { defineMethod } from '../method.ts';

export const hanse_health = defineMethod({
  name: 'hanse_health',
  summary: 'Whether this member can serve, and what was looked at. The same as `GET /health`.',
  parameters: [],
  result: '`healthy` (boolean), `checks` (for each: `healthy`, `detail`)',
  example: [],
  handler: ({ node }) => node.health(),
});
