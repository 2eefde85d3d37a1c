import type { ScheduledRule } from '@hanse/modules';
import {
  type AccessListItem,
  type Address,
  type BlockEnvironment,
  type Hash,
  type Header,
  Height,
  MAX_INITCODE_BYTES,
  type StateReader,
  type Suite,
} from '@hanse/protocol';
import type { Clock } from '../runtime/clock.ts';
import { blockHashWindow } from './blockExecutor.ts';
import { EngineBySchedule } from './engineBySchedule.ts';
import type { EVMAdapter } from './evmAdapter.ts';
import type { ExecutionRules } from './executionRules.ts';
import { estimateGas } from './gasEstimator.ts';
import { InternalExecutionError } from './internalExecutionError.ts';
import { JournaledState } from './journaledState.ts';
import { rulesAt } from './ruleVersions.ts';
import { minimumGas } from './staticChecks.ts';
import { executeMessage, type MessageResult, type ModuleRunner } from './transactionExecutor.ts';

/** A message that is tried out on the newest finalized state, not sent. Nobody's permission is asked. */
export interface CallRequest {
  readonly from: Address;
  /** Undefined creates a contract. */
  readonly to: Address | undefined;
  /** Undefined asks for as much as `gasCap`. */
  readonly gas: bigint | undefined;
  /** The price that GASPRICE shows and the balance is checked against; 0 when the client names none. */
  readonly gasPrice: bigint;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly accessList: readonly AccessListItem[];
}

export interface CallOptions {
  readonly gasCap: bigint;
  /** The service gives up after so many milliseconds and answers `timeout`. */
  readonly timeoutMs: number;
}

export const defaultCallOptions: CallOptions = { gasCap: 50_000_000n, timeoutMs: 5_000 };

export type CallFailure =
  | { readonly status: 'revert'; readonly output: Uint8Array }
  /** Failed while running, for example `out of gas`, or could not begin, for example `intrinsic gas too low`. */
  | { readonly status: 'failure'; readonly error: string }
  | { readonly status: 'timeout' };

export type CallOutcome = { readonly status: 'success'; readonly output: Uint8Array } | CallFailure;

export type EstimateOutcome =
  | { readonly status: 'success'; readonly gas: bigint }
  /** Even `allowance` gas was not enough. */
  | { readonly status: 'allowance'; readonly allowance: bigint }
  | CallFailure;

/** The finalized chain, as far as calls read it. */
export interface CallLedger {
  /** Makes the newest commit of the writing thread visible. */
  refresh(): void;
  headHeight(): Height;
  header(height: Height): { readonly header: Header; readonly hash: Hash } | undefined;
  state(): StateReader;
}

export interface CallServiceModules {
  readonly ledger: CallLedger;
  readonly modules: ModuleRunner;
  /** What governance has scheduled, by a state. */
  readonly scheduledRules: (state: StateReader) => readonly ScheduledRule[];
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Jump destinations between two looks at the clock; each is a few microseconds of work at most. */
const jumpsPerClockReading = 256;

/** A call ran longer than its time. */
class CallTimeout extends Error {
  override readonly name = 'CallTimeout';
}

/** What one call or estimate runs on: the newest finalized block. */
interface CallHead {
  readonly state: StateReader;
  readonly block: BlockEnvironment;
  /** By the gas schedule of the next block, for which gas is estimated. */
  readonly engine: EVMAdapter;
}

/**
 * Runs `eth_call` and `eth_estimateGas` on the newest finalized state and keeps nothing. Meant for a worker of its
 * own; requests and results are structured-clonable. Bounded by gas and by time: a look at the clock happens at
 * least every 49,152 opcodes and at every frame, and a precompile that would take longer than what is left is not begun.
 */
export class CallService {
  readonly #suite: Suite;
  readonly #rules: ExecutionRules;
  readonly #parts: CallServiceModules;
  readonly #engines: EngineBySchedule;
  /** Read once: the hash of block 0 never changes. */
  #genesisHash: Hash | undefined;
  #deadlineMs = 0;
  #jumps = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: { readonly suite: Suite; readonly rules: ExecutionRules }, parts: CallServiceModules) {
    this.#suite = options.suite;
    this.#rules = options.rules;
    this.#parts = parts;
    this.#engines = new EngineBySchedule({
      suite: options.suite,
      chainId: options.rules.chainId,
      fork: options.rules.fork,
      isModuleCode: (code) => parts.modules.isModuleCode(code),
      onProgress: (event, aheadMs) => this.#watchClock(event, aheadMs),
    });
  }

  /** `eth_call`: the output of a message, or why it has none. */
  call(request: CallRequest, options: CallOptions = defaultCallOptions): Promise<CallOutcome> {
    return this.#serially(options, async (head): Promise<CallOutcome> => {
      const gas = request.gas === undefined || request.gas > options.gasCap ? options.gasCap : request.gas;
      const refused = this.#refuse(head, request, gas);
      if (refused !== undefined) return { status: 'failure', error: refused };
      const result = await this.#attempt(head, request, gas);
      if (result.status === 'failure') return { status: 'failure', error: result.error ?? 'execution failed' };
      return { status: result.status, output: result.output };
    });
  }

  /** `eth_estimateGas`: a gas limit that suffices, at most 1.5 % above the least (geth's search). */
  estimateGas(request: CallRequest, options: CallOptions = defaultCallOptions): Promise<EstimateOutcome> {
    return this.#serially(options, async (head) =>
      estimateGas(request, {
        gasCap: options.gasCap,
        blockGasLimit: head.block.gasLimit,
        maxTransactionGas: this.#rules.maxTransactionGas,
        balance: head.state.account(request.from)?.balance ?? 0n,
        isPlainTransfer: this.#isPlainTransfer(head, request),
        minimum: minimumGas(request, this.#rules.fork),
        refuse: (gas) => this.#refuse(head, request, gas),
        attempt: (gas) => this.#attempt(head, request, gas),
      }),
    );
  }

  /** Resolves once what runs has ended. */
  async close(): Promise<void> {
    await this.#queue;
  }

  /** One at a time, whoever calls: the engine has one state. */
  #serially<T extends CallOutcome | EstimateOutcome>(
    options: CallOptions,
    run: (head: CallHead) => Promise<T>,
  ): Promise<T | CallFailure> {
    const turn = this.#queue.then(async (): Promise<T | CallFailure> => {
      this.#deadlineMs = this.#parts.clock.monotonicMs() + options.timeoutMs;
      this.#jumps = 0;
      try {
        return await run(this.#head());
      } catch (error) {
        if (error instanceof CallTimeout) return { status: 'timeout' };
        throw error instanceof InternalExecutionError ? error : new InternalExecutionError('a call failed', error);
      }
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  #head(): CallHead {
    const { ledger } = this.#parts;
    ledger.refresh();
    const height = ledger.headHeight();
    const head = ledger.header(height);
    if (head === undefined) throw new InternalExecutionError(`the header of block ${height} is missing`);
    this.#genesisHash ??= ledger.header(Height(0))?.hash;
    if (this.#genesisHash === undefined) throw new InternalExecutionError('the header of block 0 is missing');
    const { header } = head;
    const state = ledger.state();
    const rules = rulesAt(this.#parts.scheduledRules(state), height + 1);
    return {
      state,
      engine: this.#engines.of(rules),
      block: {
        chainId: this.#rules.chainId,
        genesisHash: this.#genesisHash,
        height,
        timestamp: header.timestamp,
        beneficiary: header.beneficiary,
        gasLimit: header.gasLimit,
        baseFeePerGas: header.baseFeePerGas,
        prevRandao: header.mixHash,
        rules,
        blockHash: (asked) =>
          asked >= 0 && asked < height && asked >= height - blockHashWindow
            ? ledger.header(asked as Height)?.hash
            : undefined,
      },
    };
  }

  /** Why a message with so much gas could not even begin; the wording is geth's. */
  #refuse({ state, block }: CallHead, request: CallRequest, gas: bigint): string | undefined {
    const { gasPrice } = request;
    if (gasPrice !== 0n && gasPrice < block.baseFeePerGas) {
      return `max fee per gas less than block base fee: address ${request.from}, maxFeePerGas: ${gasPrice}, baseFee: ${block.baseFeePerGas}`;
    }
    if (request.to === undefined && request.data.length > MAX_INITCODE_BYTES) {
      return `max initcode size exceeded: code size ${request.data.length}, limit ${MAX_INITCODE_BYTES}`;
    }
    const minimum = minimumGas(request, this.#rules.fork);
    if (gas < minimum) return `intrinsic gas too low: have ${gas}, want ${minimum}`;
    const balance = state.account(request.from)?.balance ?? 0n;
    const cost = gas * gasPrice + request.value;
    if (balance < cost) {
      return `insufficient funds for gas * price + value: address ${request.from} have ${balance} want ${cost}`;
    }
    return undefined;
  }

  async #attempt(head: CallHead, request: CallRequest, gas: bigint): Promise<MessageResult> {
    // Whoever names no price pays none, whatever the base fee is.
    const block = request.gasPrice === 0n ? { ...head.block, baseFeePerGas: 0n } : head.block;
    const state = new JournaledState(head.state, this.#suite);
    state.beginTransaction();
    this.#watchClock('frame', 0);
    return executeMessage(
      {
        suite: this.#suite,
        fork: this.#rules.fork,
        state,
        block,
        engine: head.engine,
        modules: this.#parts.modules,
      },
      {
        from: request.from,
        to: request.to,
        value: request.value,
        data: request.data,
        gasLimit: gas,
        effectiveGasPrice: request.gasPrice,
        accessList: request.accessList,
      },
    );
  }

  #isPlainTransfer({ state, engine }: CallHead, { to, data }: CallRequest): boolean {
    if (to === undefined || data.length > 0 || engine.isPrecompile(to)) return false;
    const account = state.account(to);
    return account === undefined || account.codeHash === this.#rules.emptyCodeHash;
  }

  #watchClock(event: 'jump' | 'frame', aheadMs: number): void {
    if (event === 'jump') {
      this.#jumps += 1;
      if (this.#jumps % jumpsPerClockReading !== 0) return;
    }
    if (this.#parts.clock.monotonicMs() + aheadMs > this.#deadlineMs) throw new CallTimeout('execution timeout');
  }
}
