import { rpcError } from '../codes.ts';
import { defineMethod } from '../method.ts';
import { readIdentifier, required } from '../parameters.ts';

export const eth_unsubscribe = defineMethod({
  name: 'eth_unsubscribe',
  summary: 'Ends a subscription of this WebSocket connection.',
  parameters: [required('subscription', 'identifier', 'What `eth_subscribe` gave.', readIdentifier)],
  result: 'true',
  example: ({ identifier }) => [identifier],
  handler: ({ subscriptions, subscriber }, id) => {
    if (subscriber === undefined) throw rpcError('notifications-unsupported');
    if (!subscriptions.unsubscribe(subscriber, id)) throw rpcError('subscription-not-found');
    return true;
  },
});
