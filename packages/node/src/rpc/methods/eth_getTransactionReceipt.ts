import { formatReceipt } from '../formatReceipt.ts';
import { defineMethod } from '../method.ts';
import { readHash, required } from '../parameters.ts';

export const eth_getTransactionReceipt = defineMethod({
  name: 'eth_getTransactionReceipt',
  summary:
    "The receipt of a transaction. There is one as soon as its block is final, and it never changes. A failed transaction's revert data is in `revertReason`.",
  parameters: [required('hash', 'hash', "The transaction's hash.", readHash)],
  result: 'receipt, or null',
  example: ({ transactionHash }) => [transactionHash],
  handler: async ({ blocks, suite }, hash) => {
    const place = await blocks.find(hash);
    return place === undefined ? null : formatReceipt(place.block, place.index, suite);
  },
});
