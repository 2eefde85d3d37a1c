import type { Hex } from '@hanse/protocol';
import { BaseError, HttpRequestError, RpcRequestError, TimeoutError } from 'viem';
import { describeRevert } from './moduleAbi.ts';
import { NotFinalInTimeError, revertDataOfReceipt, TransactionFailedError } from './sentTransaction.ts';

/**
 * What kind of failure it is: the chain refused (a rejected or reverted transaction or call), a member did not answer, the
 * transaction is on its way still, or something else.
 */
export type FailureKind = 'refused' | 'unreachable' | 'waiting' | 'other';

/** The code of JSON-RPC for an execution that reverted (docs/reference/rpc.md). */
const REVERTED = 3;
/** -32000 stands for everything that the pool or the execution refuses; -32003 to -32001 for limits. */
const REFUSED = -32_000;
const NOT_READY = 'member not ready';

export function failureKind(error: unknown): FailureKind {
  if (error instanceof TransactionFailedError) return 'refused';
  if (error instanceof NotFinalInTimeError) return 'waiting';
  if (!(error instanceof BaseError)) return 'other';
  const answer = find(error, RpcRequestError);
  if (answer !== undefined) {
    if (answer.details.startsWith(NOT_READY)) return 'unreachable';
    return answer.code === REVERTED || answer.code === REFUSED ? 'refused' : 'other';
  }
  return find(error, HttpRequestError) === undefined && find(error, TimeoutError) === undefined
    ? 'other'
    : 'unreachable';
}

/** What went wrong, in one line: the member's own words where it answered, else viem's. */
export function describeError(error: unknown): string {
  if (!(error instanceof BaseError)) return error instanceof Error ? error.message : String(error);
  const answer = find(error, RpcRequestError);
  if (answer !== undefined) {
    const data = answer.data;
    return answer.code === REVERTED && typeof data === 'string'
      ? `reverted: ${describeRevert(data as Hex)}`
      : answer.details;
  }
  const request = find(error, HttpRequestError);
  if (request !== undefined)
    return `${request.url.replace(/\/$/, '')} does not answer${request.status ? ` (HTTP ${request.status})` : ''}`;
  return oneLine(error.shortMessage || error.message);
}

/** What the module or contract gave as it reverted a call or transaction; undefined if this is another failure, or nothing was given. */
export function revertDataOf(error: unknown): Hex | undefined {
  if (error instanceof TransactionFailedError) return revertDataOfReceipt(error.receipt);
  if (!(error instanceof BaseError)) return undefined;
  const answer = find(error, RpcRequestError);
  const data: unknown = answer?.code === REVERTED ? answer.data : undefined;
  return typeof data === 'string' ? (data as Hex) : undefined;
}

function find<E>(error: BaseError, kind: abstract new (...parameters: never[]) => E): E | undefined {
  const found = error.walk((cause) => cause instanceof kind);
  return found === null ? undefined : (found as E);
}

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ');
