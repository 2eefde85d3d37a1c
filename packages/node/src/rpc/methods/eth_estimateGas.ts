import { callParameter, overrides } from '../callParameter.ts';
import { rpcError } from '../codes.ts';
import { quantity } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';
import { stateBlock } from '../parameters.ts';
import { callError, runCall } from '../runCall.ts';

export const eth_estimateGas = defineMethod({
  name: 'eth_estimateGas',
  summary: 'An amount of gas that suffices for a transaction on the newest state.',
  parameters: [callParameter, stateBlock, overrides('stateOverrides'), overrides('blockOverrides')],
  result: 'quantity (gas)',
  example: ({ account, contract }) => [{ from: account, to: contract, input: '0x18160ddd' }],
  handler: async (context, request, reference) => {
    const outcome = await runCall(context, reference, request, (calls, options) => calls.estimateGas(request, options));
    if (outcome.status === 'success') return quantity(outcome.gas);
    if (outcome.status === 'allowance') {
      throw rpcError('gas-allowance', `gas required exceeds allowance (${outcome.allowance})`);
    }
    throw callError(outcome, context.limits.callTimeoutMs);
  },
});
