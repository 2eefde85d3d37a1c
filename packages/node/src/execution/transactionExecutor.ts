import type { HookFailure } from '@hanse/modules';
import {
  type AccessListItem,
  type Address,
  type BlockEnvironment,
  type CallResult,
  createAddress,
  type FrameRunner,
  floorGas,
  type Host,
  intrinsicGas,
  type RecoveredSet,
  type SignedTransaction,
  type StoredReceipt,
  type Suite,
  type WorldState,
} from '@hanse/protocol';
import type { ContractResult, EVMAdapter } from './evmAdapter.ts';
import { ExecutionHost } from './executionHost.ts';
import type { Fork } from './executionRules.ts';
import { assertExecution, InternalExecutionError } from './internalExecutionError.ts';
import type { JournaledState } from './journaledState.ts';

/** What of a failed call's return data is kept with the receipt. */
export const maxStoredRevertBytes = 1_024;

/** The modules, as execution sees them. */
export interface ModuleRunner extends FrameRunner {
  /** Whether code is the marker of a module. */
  isModuleCode(code: Uint8Array): boolean;
  /** What the modules do before the first transaction of a block: schedules, expiries. It emits no logs, for no receipt could hold them. */
  beginBlock(host: Host): readonly HookFailure[];
  /** Writes the epoch of a recovery after the block of this height into the state. */
  applyRecovery(state: WorldState, recovered: RecoveredSet, height: number): void;
}

/** The parts that every transaction of a block shares. */
export interface TransactionContext {
  readonly suite: Suite;
  /** A network runs `prague`; the reference tests ask for `cancun`. */
  readonly fork: Fork;
  readonly state: JournaledState;
  readonly block: BlockEnvironment;
  readonly engine: EVMAdapter;
  readonly modules: ModuleRunner;
}

/** A transaction without signature and checks, as `eth_call` makes one too. */
export interface TransactionMessage {
  readonly from: Address;
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly gasLimit: bigint;
  /** What the sender pays per gas, base fee included. */
  readonly effectiveGasPrice: bigint;
  readonly accessList: readonly AccessListItem[];
}

export interface MessageResult {
  readonly status: CallResult['status'];
  readonly output: Uint8Array;
  readonly error?: string;
  /** After the refund and not below the floor (EIP-3529, EIP-7623). */
  readonly gasUsed: bigint;
  /** The refund that was granted; the gas that the execution needed at its peak is `gasUsed + refund`. */
  readonly refund: bigint;
  /** Where a creation put its contract, whether it succeeded or not. */
  readonly contractAddress?: Address;
}

/** EIP-3529: at most a fifth of the gas used comes back. */
const maxRefundQuotient = 5n;

/** What the sender pays per gas (EIP-1559). The transaction's caps must be at least the base fee. */
export function effectiveGasPrice(
  transaction: Pick<SignedTransaction, 'maxFeePerGas' | 'maxPriorityFeePerGas'>,
  baseFeePerGas: bigint,
): bigint {
  const withTip = baseFeePerGas + transaction.maxPriorityFeePerGas;
  return min(withTip, transaction.maxFeePerGas);
}

/**
 * Executes one transaction that passed the static checks, in a transaction of the journal of its own. Total: every
 * outcome of code is a receipt, and whatever else happens is an InternalExecutionError.
 */
export async function executeTransaction(
  context: TransactionContext,
  transaction: SignedTransaction,
  cumulativeGasBefore: bigint,
): Promise<StoredReceipt> {
  const { state } = context;
  const price = effectiveGasPrice(transaction, context.block.baseFeePerGas);
  try {
    state.beginTransaction();
    assertExecution(state.getNonce(transaction.sender) === transaction.nonce, 'the nonce was not checked');
    const result = await executeMessage(context, {
      from: transaction.sender,
      to: transaction.to,
      value: transaction.value,
      data: transaction.data,
      gasLimit: transaction.gasLimit,
      effectiveGasPrice: price,
      accessList: transaction.accessList,
    });
    const logs = state.finishTransaction();
    return {
      type: transaction.type,
      success: result.status === 'success',
      cumulativeGasUsed: cumulativeGasBefore + result.gasUsed,
      logs,
      gasUsed: result.gasUsed,
      effectiveGasPrice: price,
      ...(result.contractAddress === undefined ? {} : { contractAddress: result.contractAddress }),
      revertData: result.status === 'revert' ? result.output.slice(0, maxStoredRevertBytes) : new Uint8Array(0),
    };
  } catch (error) {
    if (error instanceof InternalExecutionError) throw error;
    throw new InternalExecutionError(`executing transaction ${transaction.hash} failed`, error);
  }
}

/**
 * Runs a message in the open transaction of the journal: takes the price of the gas, raises the sender's nonce, runs the
 * code, refunds and pays. The sender must be able to pay, and the gas limit must cover the intrinsic gas.
 */
export async function executeMessage(context: TransactionContext, message: TransactionMessage): Promise<MessageResult> {
  const { state, block } = context;
  const { from, gasLimit, effectiveGasPrice: price } = message;
  const intrinsic = intrinsicGas(message);
  const floor = context.fork === 'cancun' ? 0n : floorGas(message);
  assertExecution(gasLimit >= intrinsic && gasLimit >= floor, 'the intrinsic gas was not checked');
  assertExecution(price >= block.baseFeePerGas, 'the gas price was not checked');
  assertExecution(state.getBalance(from) >= gasLimit * price + message.value, 'the balance was not checked');

  state.setBalance(from, state.getBalance(from) - gasLimit * price);
  const nonce = state.getNonce(from);
  state.setNonce(from, nonce + 1n);
  const result = await runFirstFrame(context, message, gasLimit - intrinsic);

  const usedBeforeRefund = gasLimit - result.gasLeft;
  const refund = min(result.refund, usedBeforeRefund / maxRefundQuotient);
  const gasUsed = max(usedBeforeRefund - refund, floor);
  state.setBalance(from, state.getBalance(from) + (gasLimit - gasUsed) * price);
  // The base fee is burnt, the rest is the proposer's (EIP-1559).
  const tip = gasUsed * (price - block.baseFeePerGas);
  state.setBalance(block.beneficiary, state.getBalance(block.beneficiary) + tip);
  return {
    status: result.status,
    output: result.output,
    gasUsed,
    refund,
    ...(result.error === undefined ? {} : { error: result.error }),
    ...(message.to === undefined ? { contractAddress: createAddress(context.suite, from, nonce) } : {}),
  };
}

async function runFirstFrame(
  context: TransactionContext,
  message: TransactionMessage,
  gas: bigint,
): Promise<ContractResult> {
  const { state, block, engine, modules } = context;
  const host = new ExecutionHost({
    state,
    block,
    transaction: { origin: message.from, gasPrice: message.effectiveGasPrice },
    modules,
    isModuleCode: (code) => modules.isModuleCode(code),
    isPrecompile: (address) => engine.isPrecompile(address),
  });
  const frame = {
    kind: message.to === undefined ? ('create' as const) : ('call' as const),
    caller: message.from,
    to: message.to,
    codeAddress: message.to,
    value: message.value,
    input: message.data,
    gas,
    isStatic: false,
    depth: 0,
  };
  if (message.to !== undefined && host.handles(message.to)) return { ...host.call(frame), refund: 0n };
  return engine.run(host, frame, { state, accessList: message.accessList });
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
