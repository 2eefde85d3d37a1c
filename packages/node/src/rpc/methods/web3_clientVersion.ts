import { defineMethod } from '../method.ts';

export const web3_clientVersion = defineMethod({
  name: 'web3_clientVersion',
  summary: 'The name and version of this program.',
  parameters: [],
  result: 'string',
  example: [],
  handler: ({ node }) => `Hanse/v${node.version}/${process.platform}-${process.arch}/node${process.versions.node}`,
});
