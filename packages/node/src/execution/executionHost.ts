import {
  type Address,
  type BlockEnvironment,
  type CallMessage,
  type CallResult,
  encodeErrorReason,
  type FrameRunner,
  type Host,
  type TransactionEnvironment,
  type WorldState,
} from '@hanse/protocol';

/** The depth of the deepest frame (Yellow Paper, section 8). */
export const maxCallDepth = 1_024;

export interface ExecutionHostOptions {
  readonly state: WorldState;
  readonly block: BlockEnvironment;
  readonly transaction: TransactionEnvironment;
  /** Runs the frames of module accounts. */
  readonly modules: FrameRunner;
  readonly isModuleCode: (code: Uint8Array) => boolean;
  readonly isPrecompile: (address: Address) => boolean;
}

const noBytes = new Uint8Array(0);

/**
 * The chain as a running module sees it. `call` runs frames of modules and plain transfers of value; a module's call to a
 * contract reverts with a reason, because the contract engine is not synchronous yet.
 */
export class ExecutionHost implements Host {
  readonly state: WorldState;
  readonly block: BlockEnvironment;
  readonly transaction: TransactionEnvironment;
  readonly #options: ExecutionHostOptions;

  constructor(options: ExecutionHostOptions) {
    this.state = options.state;
    this.block = options.block;
    this.transaction = options.transaction;
    this.#options = options;
  }

  /** Whether `call` can run a frame at this address itself: a module's, or no code's at all. */
  handles(address: Address): boolean {
    if (this.#options.isPrecompile(address)) return false;
    const code = this.state.getCode(address);
    return code.length === 0 || this.#options.isModuleCode(code);
  }

  call(message: CallMessage): CallResult {
    const { to, caller, value, gas } = message;
    if (message.depth > maxCallDepth)
      return { status: 'revert', gasLeft: gas, output: noBytes, error: 'max call depth exceeded' };
    if (to === undefined || (message.kind !== 'call' && message.kind !== 'staticcall')) {
      return refusal(gas, `a module cannot ${message.kind}`);
    }
    if (message.isStatic && value > 0n) return refusal(gas, 'write protection');
    if (!this.handles(to)) return refusal(gas, 'a module cannot call a contract on this version of the chain');
    if (this.state.getBalance(caller) < value) {
      return { status: 'revert', gasLeft: gas, output: noBytes, error: 'insufficient balance for transfer' };
    }
    const snapshot = this.state.snapshot();
    this.#transfer(caller, to, value);
    const result: CallResult =
      this.state.getCode(to).length === 0
        ? { status: 'success', gasLeft: gas, output: noBytes }
        : this.#options.modules.run(this, message);
    if (result.status !== 'success') this.state.revertTo(snapshot);
    return result;
  }

  #transfer(from: Address, to: Address, value: bigint): void {
    if (value === 0n || from === to) return;
    this.state.setBalance(from, this.state.getBalance(from) - value);
    this.state.setBalance(to, this.state.getBalance(to) + value);
  }
}

function refusal(gasLeft: bigint, reason: string): CallResult {
  return { status: 'revert', gasLeft, output: encodeErrorReason(reason), error: reason };
}
