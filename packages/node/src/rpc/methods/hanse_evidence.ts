import { defineMethod } from '../method.ts';

export const hanse_evidence = defineMethod({
  name: 'hanse_evidence',
  summary:
    'Double votes that this member saw: two statements that one validator signed and no honest one signs both. Anybody may put them on the chain with `reportDoubleVote` of the module `members`; `hanse member evidence` does.',
  parameters: [],
  result:
    'array of `epoch`, `view`, `signer` (its place in the set of that epoch), `validator` (its name), `first` and `second` (each `kind`, `statement`: the signed bytes, `signature`), `recorded`: whether it stands on the chain already',
  example: [],
  handler: ({ node }) => node.evidence(),
});
