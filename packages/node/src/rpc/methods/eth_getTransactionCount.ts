import { quantity } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';
import { readAddress, required, stateBlock } from '../parameters.ts';

export const eth_getTransactionCount = defineMethod({
  name: 'eth_getTransactionCount',
  summary:
    'The nonce of an account: how many transactions of it are in the chain, or with `pending` the next free nonce behind those that wait in the pool.',
  parameters: [required('address', 'address', 'The account.', readAddress), stateBlock],
  result: 'quantity',
  example: ({ account }) => [account, 'pending'],
  handler: ({ blocks, pool }, address, reference) => {
    const nonce = blocks.state(reference).account(address)?.nonce ?? 0n;
    if (reference.kind !== 'tag' || reference.tag !== 'pending') return quantity(nonce);
    const next = pool.nextNonce(address) ?? nonce;
    return quantity(next > nonce ? next : nonce);
  },
});
