import { defineMethod } from '../method.ts';

export const hanse_health = defineMethod({
  name: 'hanse_health',
  summary:
    'Whether this member can serve, and what was looked at. The same as `GET /health`. Up to 8 blocks behind for up to 5 s is well; alarms that blame other members are named, and do not make this one unwell.',
  parameters: [],
  result: '`healthy` (boolean), `checks` (for each: `healthy`, `detail`)',
  example: [],
  handler: ({ node }) => node.health(),
});
