import { RPCError, rpcError } from './codes.ts';
import type { CallFailure, CallOptions, CallRequest, CallService } from './dependencies.ts';
import { revertError } from './formatRevert.ts';
import type { MethodContext } from './method.ts';
import type { BlockReference } from './parameters.ts';

/** About what a key of an access list holds in memory. */
const KEY_BYTES = 100;

/**
 * Runs something on a call service: on the newest state only, within the gas cap and the time left, when its turn comes.
 * Throws `limit-exceeded` if too many wait.
 */
export async function runCall<T extends { readonly status: string }>(
  { blocks, calls, client, limits, remainingMs, throwIfAborted }: MethodContext,
  reference: BlockReference,
  { data, accessList }: CallRequest,
  run: (service: CallService, options: CallOptions) => Promise<T>,
): Promise<T | CallFailure> {
  // Refuses blocks that do not exist and states that are not kept.
  blocks.state(reference);
  return calls.run({
    client,
    bytes: accessList.reduce((sum, { storageKeys }) => sum + KEY_BYTES * (1 + storageKeys.length), data.length),
    remainingMs,
    throwIfAborted,
    work: (service, timeoutMs) => run(service, { gasCap: limits.callGasCap, timeoutMs }),
  });
}

/** The error for a call that did not succeed, in go-ethereum's words. */
export function callError(failure: CallFailure, timeoutMs: number): RPCError {
  switch (failure.status) {
    case 'revert':
      return revertError(failure.output);
    case 'failure':
      return new RPCError('execution-failed', failure.error);
    case 'timeout':
      return rpcError('execution-timeout', `execution aborted (timeout = ${timeoutMs / 1000}s)`);
  }
}
