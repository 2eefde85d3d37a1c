import type { CallRequest, EstimateOutcome } from './callService.ts';
import type { MessageResult } from './transactionExecutor.ts';

export interface EstimateContext {
  readonly gasCap: bigint;
  readonly blockGasLimit: bigint;
  readonly maxTransactionGas: bigint;
  /** Of the sender, in wei. */
  readonly balance: bigint;
  /** No data, and no code at the recipient. */
  readonly isPlainTransfer: boolean;
  /** The intrinsic gas, or the floor if that is more. */
  readonly minimum: bigint;
  /** Why a message with so much gas could not begin. */
  refuse(gas: bigint): string | undefined;
  /** Runs the message on a fresh state with so much gas; only amounts that `refuse` has nothing against. */
  attempt(gas: bigint): Promise<MessageResult>;
}

const plainTransferGas = 21_000n;
/** What a call with value hands to the callee beyond what it pays (Yellow Paper, G_callstipend). */
const callStipend = 2_300n;
/** The search ends when the answer is known to 15 in a thousand, as in geth (eth/gasestimator, `estimateGasErrorRatio`). */
const toleranceNumerator = 15n;
const toleranceDenominator = 1_000n;

/**
 * Finds a gas limit that lets a message succeed, as geth does: it runs once with all the gas there may be, tries an
 * optimistic guess from what that used, and then searches between what failed and what sufficed.
 */
export async function estimateGas(request: CallRequest, context: EstimateContext): Promise<EstimateOutcome> {
  let high = highestGas(request, context);
  if (context.isPlainTransfer && high >= plainTransferGas && context.minimum === plainTransferGas) {
    // What nearly every wallet asks: no search is needed.
    if (context.refuse(plainTransferGas) === undefined) {
      const result = await context.attempt(plainTransferGas);
      if (result.status === 'success') return { status: 'success', gas: plainTransferGas };
    }
  }
  const refused = context.refuse(high);
  if (refused !== undefined) {
    if (high < context.minimum) return { status: 'allowance', allowance: high };
    return { status: 'failure', error: refused };
  }
  const first = await context.attempt(high);
  if (first.status !== 'success') return failureOf(first, high);

  const succeeds = async (gas: bigint): Promise<boolean> =>
    gas >= context.minimum && (await context.attempt(gas)).status === 'success';
  // No less than what was used can suffice: refunds come only after the fact.
  let low = first.gasUsed - 1n;
  const optimistic = ((first.gasUsed + first.refund + callStipend) * 64n) / 63n;
  if (optimistic < high) {
    if (await succeeds(optimistic)) high = optimistic;
    else low = optimistic;
  }
  while (low + 1n < high && (high - low) * toleranceDenominator >= high * toleranceNumerator) {
    let middle = (high + low) / 2n;
    // Most messages need little more than what they used, so the search leans to the low side.
    if (middle > low * 2n) middle = low * 2n;
    if (await succeeds(middle)) high = middle;
    else low = middle;
  }
  return { status: 'success', gas: high };
}

/** All the gas that the message may have: its own limit, the block's, a transaction's, the cap, and what the sender can buy. */
function highestGas(request: CallRequest, context: EstimateContext): bigint {
  let high = request.gas !== undefined && request.gas >= plainTransferGas ? request.gas : context.blockGasLimit;
  const limits = [context.blockGasLimit, context.maxTransactionGas, context.gasCap];
  if (request.gasPrice > 0n && context.balance >= request.value) {
    limits.push((context.balance - request.value) / request.gasPrice);
  }
  for (const limit of limits) if (limit < high) high = limit;
  return high;
}

function failureOf(result: MessageResult, allowance: bigint): EstimateOutcome {
  if (result.status === 'revert') return { status: 'revert', output: result.output };
  if (result.error === 'out of gas') return { status: 'allowance', allowance };
  return { status: 'failure', error: result.error ?? 'execution failed' };
}
