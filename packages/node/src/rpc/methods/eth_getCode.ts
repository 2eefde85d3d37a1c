import { data } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';
import { readAddress, required, stateBlock } from '../parameters.ts';

export const eth_getCode = defineMethod({
  name: 'eth_getCode',
  summary: 'The code of a contract, or the marker of a native module; empty for other accounts.',
  parameters: [required('address', 'address', 'The account.', readAddress), stateBlock],
  result: 'data',
  example: ({ contract }) => [contract, 'latest'],
  handler: ({ blocks }, address, reference) => {
    const state = blocks.state(reference);
    const account = state.account(address);
    return account === undefined ? '0x' : data(state.code(account.codeHash));
  },
});
