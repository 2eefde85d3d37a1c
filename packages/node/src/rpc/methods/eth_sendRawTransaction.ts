import { rejectionError } from '../codes.ts';
import { defineMethod } from '../method.ts';
import { readBytes, required } from '../parameters.ts';

export const eth_sendRawTransaction = defineMethod({
  name: 'eth_sendRawTransaction',
  summary:
    'Gives a signed transaction to the network. It is in the chain when it has a receipt, usually within a fraction of a second.',
  parameters: [required('transaction', 'data', 'The signed envelope (EIP-2718) of type 0, 1 or 2.', readBytes)],
  result: 'hash of the transaction',
  example: ({ rawTransaction }) => [rawTransaction],
  handler: async ({ pool }, raw) => {
    const result = await pool.submit(raw);
    if (!result.ok) throw rejectionError(result.code, result.message);
    return result.hash;
  },
});
