import { RPCError, rpcError } from '../codes.ts';
import { readLogFilter } from '../logFilterParameter.ts';
import { defineMethod } from '../method.ts';
import { ArgumentError, optional, readBoolean, readString, required } from '../parameters.ts';
import type { SubscriptionRequest } from '../subscriptionHub.ts';

export const eth_subscribe = defineMethod({
  name: 'eth_subscribe',
  summary:
    'Over WebSocket: sends `eth_subscription` notifications until `eth_unsubscribe` or the end of the connection. `newHeads`: the header of every new block, in order, none left out; `logs`: matching logs; `newPendingTransactions`: what the pool of this member takes. A client that reads too slowly is disconnected.',
  parameters: [
    required('kind', 'string', '`newHeads`, `logs` or `newPendingTransactions`.', readString),
    optional(
      'options',
      'object or boolean',
      'For `logs`: `address` and `topics` as in `eth_getLogs`. For `newPendingTransactions`: true to get whole transactions.',
      (value) => value,
      undefined,
    ),
  ],
  result: 'identifier of the subscription',
  example: ['newHeads'],
  handler: ({ subscriptions, subscriber, afterResponse }, kind, options) => {
    if (subscriber === undefined) throw rpcError('notifications-unsupported');
    const { id, activate } = subscriptions.subscribe(subscriber, readOptions(kind, options));
    afterResponse(activate);
    return id;
  },
});

/** What the options may be depends on the kind, so they are read here and not by their parameter. */
function readOptions(kind: string, options: unknown): SubscriptionRequest {
  try {
    return readRequest(kind, options);
  } catch (error) {
    if (error instanceof ArgumentError) throw new RPCError('invalid-params', `invalid argument 1: ${error.message}`);
    throw error;
  }
}

function readRequest(kind: string, options: unknown): SubscriptionRequest {
  switch (kind) {
    case 'newHeads':
      return { kind };
    case 'logs':
      return { kind, criteria: readLogFilter(options ?? {}) };
    case 'newPendingTransactions':
      return { kind, full: options === undefined ? false : readBoolean(options) };
    default:
      throw new RPCError('subscription-kind-unknown', `no "${kind.slice(0, 64)}" subscription in eth namespace`);
  }
}
