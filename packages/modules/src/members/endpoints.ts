import { MAX_ENDPOINTS, parseEndpoint } from '@hanse/protocol';
import type { RevertSignal } from '../runtime/signals.ts';
import { clearStorage } from '../storage/accessors.ts';
import { type Context, callingMember } from './membersContext.ts';

/** Why these cannot be where a member is reached. */
export function endpointsRefusal(context: Context, endpoints: readonly string[]): RevertSignal | undefined {
  if (endpoints.length === 0 || endpoints.length > MAX_ENDPOINTS) {
    return context.error('TooMany', { count: BigInt(endpoints.length), limit: BigInt(MAX_ENDPOINTS) });
  }
  context.chargeItems(endpoints.length);
  const invalid = endpoints.findIndex((endpoint) => parseEndpoint(endpoint) === undefined);
  return invalid === -1 ? undefined : context.error('InvalidEndpoint', { index: BigInt(invalid) });
}

export function setEndpoints(context: Context, endpoints: readonly string[]): void {
  const member = callingMember(context);
  const refusal = endpointsRefusal(context, endpoints);
  if (refusal !== undefined) throw refusal;
  const stored = context.storage.members.at(member).endpoints;
  clearStorage(stored);
  for (const endpoint of endpoints) stored.push().set(endpoint);
  context.emit('EndpointsChanged', { member, endpoints });
}
