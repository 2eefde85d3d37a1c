import { RPCError, rpcError } from './codes.ts';
import type { CallFailure, CallOptions } from './dependencies.ts';
import { revertError } from './formatRevert.ts';
import type { MethodContext } from './method.ts';
import type { BlockReference } from './parameters.ts';

/**
 * Runs something on the call service: on the newest state only, within the gas cap and the time left, when the queue has
 * a place for it. Throws `limit-exceeded` if it has none.
 */
export function runCall<T>(
  { blocks, callQueue, limits, remainingMs, throwIfAborted }: MethodContext,
  reference: BlockReference,
  run: (options: CallOptions) => Promise<T>,
): Promise<T> {
  // Refuses blocks that do not exist and states that are not kept.
  blocks.state(reference);
  return callQueue.run(async () => {
    throwIfAborted();
    return run({ gasCap: limits.callGasCap, timeoutMs: Math.min(limits.callTimeoutMs, remainingMs()) });
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
