import { quantity } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';
import { readAddress, required, stateBlock } from '../parameters.ts';

export const eth_getBalance = defineMethod({
  name: 'eth_getBalance',
  summary: "The balance of an account in the chain's native coin. Currencies are contracts: ask them with `eth_call`.",
  parameters: [required('address', 'address', 'The account.', readAddress), stateBlock],
  result: 'quantity (wei)',
  example: ({ account }) => [account, 'latest'],
  handler: ({ blocks }, address, reference) => quantity(blocks.state(reference).account(address)?.balance ?? 0n),
});
