import { defineMethod } from '../method.ts';

export const hanse_members = defineMethod({
  name: 'hanse_members',
  summary: 'The members of the network as the chain has them now.',
  parameters: [],
  result: 'array of `number`, `name`, `role`, `validator`, `address`, `voteKey`, `transportKey`, `endpoints`',
  example: [],
  handler: ({ network }) =>
    network.members().map(({ id, name, role, validator, address, voteKey, transportKey, endpoints }) => ({
      number: id,
      name,
      role,
      validator,
      address,
      voteKey,
      transportKey,
      endpoints,
    })),
});
