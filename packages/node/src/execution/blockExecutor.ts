import type { HookFailure } from '@hanse/modules';
import {
  type Address,
  type BlockEnvironment,
  bytesToHex,
  constantHeaderFields,
  type Epoch,
  encodeReceipt,
  type Hash,
  type Header,
  type Height,
  headerExtraData,
  headerHash,
  logsBloom,
  mergeBlooms,
  orderedTrieRoot,
  type RecoveredSet,
  type RuleVersions,
  type SignedTransaction,
  type StateReader,
  type StoredReceipt,
  type Suite,
  ZERO_ADDRESS,
} from '@hanse/protocol';
import type { StateKeys } from '../storage/stateKeys.ts';
import { type StateBase, type StateChanges, StateOverlay } from '../storage/stateOverlay.ts';
import { EngineBySchedule } from './engineBySchedule.ts';
import { ExecutionHost } from './executionHost.ts';
import type { ExecutionRules } from './executionRules.ts';
import { assertExecution, InternalExecutionError } from './internalExecutionError.ts';
import { JournaledState } from './journaledState.ts';
import { commitState } from './stateCommit.ts';
import { executeTransaction, type ModuleRunner, type TransactionContext } from './transactionExecutor.ts';

/** BLOCKHASH and `BlockEnvironment.blockHash` reach this far back (Yellow Paper, section 9.4.2). */
export const blockHashWindow = 256;

export interface BlockExecutorOptions {
  readonly suite: Suite;
  readonly rules: ExecutionRules;
  /** The hash of block 0. */
  readonly genesisHash: Hash;
}

export interface BlockExecutorModules {
  readonly modules: ModuleRunner;
  /** The hashed keys of the state tries, kept from block to block. */
  readonly keys: StateKeys;
}

export interface BlockRequest {
  readonly parent: { readonly header: Header; readonly hash: Hash };
  /** The state that executing the parent gave. */
  readonly parentState: StateBase;
  readonly height: Height;
  /** Of the proposal, milliseconds since 1970; later than the parent's. */
  readonly timeMs: number;
  /** The account of the leader. */
  readonly beneficiary: Address;
  /** The proposal's digest and epoch, which `extraData` binds to the header. */
  readonly digest: Hash;
  readonly epoch: Epoch;
  /** The hash of the validator set that the block's own state says decides the next block. */
  readonly nextSetHash: (state: StateReader) => Hash;
  /** The versions of the rules in force at this height. */
  readonly rules: RuleVersions;
  /** The recovery that begins with this block. */
  readonly recovered?: RecoveredSet;
  /** In their order; they passed `checkBlockTransactions` on the same parent. */
  readonly transactions: readonly SignedTransaction[];
  /** The hash of an ancestor; asked for the last 256 heights only. */
  readonly blockHash: (height: number) => Hash | undefined;
}

/** What executing a block gave. */
export interface ExecutedBlock {
  readonly header: Header;
  readonly hash: Hash;
  readonly nextSetHash: Hash;
  /** One for every transaction, in order. */
  readonly receipts: readonly StoredReceipt[];
  readonly gasUsed: bigint;
  readonly stateChanges: StateChanges;
  /** The state after the block, over the request's `parentState`. */
  readonly overlay: StateOverlay;
  /** Begin-block hooks that failed and were undone; the same on every member, and worth an alarm. */
  readonly hookFailures: readonly HookFailure[];
}

/**
 * Executes blocks, one after another. Deterministic: the result is a function of the request alone. It throws
 * InternalExecutionError and nothing else; after a throw it can be used again.
 */
export class BlockExecutor {
  readonly #suite: Suite;
  readonly #rules: ExecutionRules;
  readonly #genesisHash: Hash;
  readonly #modules: ModuleRunner;
  readonly #keys: StateKeys;
  readonly #engines: EngineBySchedule;

  constructor(options: BlockExecutorOptions, { modules, keys }: BlockExecutorModules) {
    this.#suite = options.suite;
    this.#rules = options.rules;
    this.#genesisHash = options.genesisHash;
    this.#modules = modules;
    this.#keys = keys;
    this.#engines = new EngineBySchedule({
      suite: options.suite,
      chainId: options.rules.chainId,
      fork: options.rules.fork,
      isModuleCode: (code) => modules.isModuleCode(code),
    });
  }

  async executeBlock(request: BlockRequest): Promise<ExecutedBlock> {
    try {
      return await this.#execute(request);
    } catch (error) {
      if (error instanceof InternalExecutionError) throw error;
      throw new InternalExecutionError(`executing block ${request.height} (${request.digest}) failed`, error);
    }
  }

  async #execute(request: BlockRequest): Promise<ExecutedBlock> {
    const state = new JournaledState(request.parentState, this.#suite);
    const block = this.#environment(request);
    const context: TransactionContext = {
      suite: this.#suite,
      fork: this.#rules.fork,
      state,
      block,
      engine: this.#engines.of(request.rules),
      modules: this.#modules,
    };
    if (request.recovered !== undefined) beginRecovered(context, request.recovered);
    const hookFailures = runBeginBlock(context);
    const receipts: StoredReceipt[] = [];
    let gasUsed = 0n;
    for (const transaction of request.transactions) {
      const receipt = await executeTransaction(context, transaction, gasUsed);
      receipts.push(receipt);
      gasUsed = receipt.cumulativeGasUsed;
    }
    assertExecution(gasUsed <= block.gasLimit, 'the transactions used more gas than the block has');
    const stateChanges = commitState(request.parentState, state.changes(), this.#suite, this.#keys);
    const overlay = new StateOverlay(request.parentState, stateChanges);
    const nextSetHash = request.nextSetHash(overlay);
    const header = this.#header(request, block, { stateRoot: stateChanges.stateRoot, receipts, gasUsed, nextSetHash });
    const hash = headerHash(this.#suite, header);
    return { header, hash, nextSetHash, receipts, gasUsed, stateChanges, overlay, hookFailures };
  }

  #environment(request: BlockRequest): BlockEnvironment {
    const { parent, height } = request;
    const timestamp = Math.floor(request.timeMs / 1000);
    assertExecution(height === parent.header.number + 1, 'the height does not follow the parent');
    assertExecution(timestamp >= parent.header.timestamp, 'the time goes back');
    return {
      chainId: this.#rules.chainId,
      genesisHash: this.#genesisHash,
      height,
      timestamp,
      beneficiary: request.beneficiary,
      gasLimit: this.#rules.blockGasLimit,
      baseFeePerGas: this.#rules.baseFeePerGas,
      prevRandao: parent.hash,
      rules: request.rules,
      blockHash: (asked) => {
        if (asked >= height || asked < 0 || asked < height - blockHashWindow) return undefined;
        return asked === height - 1 ? parent.hash : request.blockHash(asked);
      },
    };
  }

  #header(
    request: BlockRequest,
    block: BlockEnvironment,
    result: { stateRoot: Hash; receipts: readonly StoredReceipt[]; gasUsed: bigint; nextSetHash: Hash },
  ): Header {
    const suite = this.#suite;
    const blooms = result.receipts.map((receipt) => logsBloom(suite, receipt.logs));
    const encodedReceipts = result.receipts.map((receipt, index) => encodeReceipt(suite, receipt, blooms[index]));
    return {
      ...constantHeaderFields(suite),
      parentHash: request.parent.hash,
      beneficiary: request.beneficiary,
      stateRoot: result.stateRoot,
      transactionsRoot: orderedTrieRoot(
        request.transactions.map(({ raw }) => raw),
        suite,
      ),
      receiptsRoot: orderedTrieRoot(encodedReceipts, suite),
      logsBloom: bytesToHex(mergeBlooms(blooms)),
      number: request.height,
      gasLimit: block.gasLimit,
      gasUsed: result.gasUsed,
      timestamp: block.timestamp,
      extraData: headerExtraData(suite, request.digest, request.epoch, result.nextSetHash),
      mixHash: block.prevRandao,
      baseFeePerGas: block.baseFeePerGas,
    };
  }
}

/** The members went on by a recovery: the state says so from this block on. */
function beginRecovered({ state, block, modules }: TransactionContext, recovered: RecoveredSet): void {
  state.beginTransaction();
  modules.applyRecovery(state, recovered, block.height - 1);
  assertExecution(state.finishTransaction().length === 0, 'a recovery emitted a log, which no receipt can hold');
}

/** The modules' schedules run before the first transaction, in a transaction of the journal of their own. */
function runBeginBlock({ state, block, modules, engine }: TransactionContext): readonly HookFailure[] {
  state.beginTransaction();
  const failures = modules.beginBlock(
    new ExecutionHost({
      state,
      block,
      transaction: { origin: ZERO_ADDRESS, gasPrice: 0n },
      modules,
      isModuleCode: (code) => modules.isModuleCode(code),
      isPrecompile: (address) => engine.isPrecompile(address),
    }),
  );
  assertExecution(
    state.finishTransaction().length === 0,
    'a begin-block hook emitted a log, which no receipt can hold',
  );
  return failures;
}
