import { callParameter, overrides } from '../callParameter.ts';
import { data } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';
import { stateBlock } from '../parameters.ts';
import { callError, runCall } from '../runCall.ts';

export const eth_call = defineMethod({
  name: 'eth_call',
  summary:
    'Runs a message on the newest state without sending it. A revert is error 3 with the revert data; gas and time are bounded.',
  parameters: [callParameter, stateBlock, overrides('stateOverrides'), overrides('blockOverrides')],
  result: 'data that the call returned',
  example: ({ account, contract }) => [{ from: account, to: contract, input: '0x18160ddd' }, 'latest'],
  handler: async (context, request, reference) => {
    const outcome = await runCall(context, reference, request, (calls, options) => calls.call(request, options));
    if (outcome.status !== 'success') throw callError(outcome, context.limits.callTimeoutMs);
    return data(outcome.output);
  },
});
