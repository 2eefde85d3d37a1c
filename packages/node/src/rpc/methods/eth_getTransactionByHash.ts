import { formatTransaction } from '../formatTransaction.ts';
import { defineMethod } from '../method.ts';
import { readHash, required } from '../parameters.ts';

export const eth_getTransactionByHash = defineMethod({
  name: 'eth_getTransactionByHash',
  summary: 'A transaction by its hash: of a block, or one that still waits (then its block fields are null).',
  parameters: [required('hash', 'hash', "The transaction's hash.", readHash)],
  result: 'transaction, or null',
  example: ({ transactionHash }) => [transactionHash],
  handler: async ({ blocks, pool }, hash) => {
    const place = await blocks.find(hash);
    if (place !== undefined) return formatTransaction(place.block.transactions[place.index]!, place);
    const waiting = pool.get(hash);
    return waiting === undefined ? null : formatTransaction(waiting);
  },
});
