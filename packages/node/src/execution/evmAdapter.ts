import { type Common, createCustomCommon, Hardfork, Mainnet } from '@ethereumjs/common';
import {
  EVM,
  type EVMBLSInterface,
  EVMError,
  type EVMMockBlockchainInterface,
  type EVMOpts,
  type EVMResult,
  getActivePrecompiles,
  type Message,
  NobleBLS,
  NobleBN254,
  type PrecompileFunc,
} from '@ethereumjs/evm';
import { createAddressFromString, hexToBytes } from '@ethereumjs/util';
import {
  type AccessListItem,
  type Address,
  type BlockEnvironment,
  bytesToBigint,
  bytesToHex,
  type CallMessage,
  type CallResult,
  concatBytes,
  encodeErrorReason,
  type Host,
  type Suite,
} from '@hanse/protocol';
import { EVMStateManager } from './evmStateManager.ts';
import type { Fork } from './executionRules.ts';
import { assertExecution, InternalExecutionError } from './internalExecutionError.ts';
import type { JournaledState } from './journaledState.ts';
import { verifyKzgProof } from './kzgVerifier.ts';
import { precompileFloorGas, precompileWorkMs, slowPrecompiles } from './precompileWork.ts';

export interface EVMAdapterOptions {
  readonly suite: Suite;
  readonly chainId: bigint;
  readonly fork: Fork;
  /** See `supportedRules`; 1 if absent. */
  readonly gasSchedule?: number;
  /** Whether code is a module's marker. A contract's call to such an account reverts with a reason. */
  readonly isModuleCode: (code: Uint8Array) => boolean;
  /**
   * Called at every jump destination and every frame, that is, at least once in any 49,152 opcodes; `aheadMs` is about how long the
   * frame cannot be stopped, because it is a precompile's. A throw ends the run and comes out of `run` as it is. Block
   * execution has none: its bound is gas.
   */
  readonly onProgress?: (event: 'jump' | 'frame', aheadMs: number) => void;
}

/** What a transaction brings along besides its first frame. */
export interface TransactionFrame {
  /** The same state as the host's. */
  readonly state: JournaledState;
  readonly accessList: readonly AccessListItem[];
}

export interface ContractResult extends CallResult {
  /** The refund counter (EIP-3529), not capped yet; 0 unless the frame succeeded. */
  readonly refund: bigint;
}

/**
 * Runs the first frame of a transaction in `@ethereumjs/evm`, over our world state. It is asynchronous only because that
 * interpreter is; the synchronous engine that takes its place implements `FrameRunner`. One run at a time.
 *
 * Modules and contracts run side by side: a frame of a contract that calls a module's account reverts with a reason.
 */
export class EVMAdapter {
  readonly #options: EVMAdapterOptions;
  readonly #common: Common;
  readonly #stateManager: EVMStateManager;
  #evm: EVM;
  #block: BlockEnvironment | undefined;
  #running = false;

  constructor(options: EVMAdapterOptions) {
    this.#options = options;
    this.#common = createCommon(options);
    this.#stateManager = new EVMStateManager(options.suite);
    this.#evm = this.#createEVM();
  }

  /** Whether the address is a precompiled contract of the fork. */
  isPrecompile(address: Address): boolean {
    return this.#evm.precompiles.has(address.slice(2));
  }

  /**
   * Runs a frame of depth 0 with its value transfer, and removes the accounts that it created and destroyed (EIP-6780).
   * The caller has raised the sender's nonce and taken the price of the gas. Logs go to the state if the frame succeeds.
   * Throws InternalExecutionError for a defect, and whatever `onProgress` throws; afterwards the state must be discarded.
   */
  async run(host: Host, message: CallMessage, frame: TransactionFrame): Promise<ContractResult> {
    assertExecution(!this.#running, 'the EVM adapter runs one transaction at a time');
    assertExecution(message.depth === 0, 'the EVM adapter runs the first frame of a transaction');
    this.#running = true;
    this.#block = host.block;
    this.#stateManager.attach(frame.state);
    try {
      this.#warm(host, message, frame.accessList);
      const result = await this.#runCall(host, message);
      this.#applyResult(frame.state, result);
      this.#stateManager.detach();
      this.#evm.journal.cleanJournal();
      return toContractResult(message, result);
    } catch (error) {
      // Whatever was thrown left the interpreter's journals half way: start with fresh ones.
      this.#evm = this.#createEVM();
      throw error;
    } finally {
      this.#running = false;
      this.#block = undefined;
    }
  }

  async #runCall(host: Host, message: CallMessage): Promise<EVMResult> {
    return this.#evm.runCall({
      block: { header: blockHeader(host.block) },
      gasPrice: host.transaction.gasPrice,
      origin: createAddressFromString(host.transaction.origin),
      caller: createAddressFromString(message.caller),
      ...(message.to === undefined ? {} : { to: createAddressFromString(message.to) }),
      value: message.value,
      data: message.input,
      gasLimit: message.gas,
      isStatic: message.isStatic,
      depth: 0,
      skipNonceIncrement: true,
    });
  }

  #applyResult(state: JournaledState, { execResult }: EVMResult): void {
    if (execResult.exceptionError !== undefined) return;
    for (const [address, topics, data] of execResult.logs ?? []) {
      state.addLog({ address: bytesToHex(address), topics: topics.map((topic) => bytesToHex(topic)), data });
    }
    for (const address of execResult.selfdestruct?.keys() ?? []) {
      if (state.isCreated(address)) state.destroy(address);
    }
  }

  /** EIP-2929, EIP-2930 and EIP-3651: what is warm when the transaction begins. */
  #warm(host: Host, message: CallMessage, accessList: readonly AccessListItem[]): void {
    const { journal, precompiles } = this.#evm;
    journal.cleanJournal();
    for (const address of precompiles.keys()) journal.addAlwaysWarmAddress(address);
    journal.addAlwaysWarmAddress(host.transaction.origin);
    journal.addAlwaysWarmAddress(host.block.beneficiary);
    if (message.to !== undefined) journal.addAlwaysWarmAddress(message.to);
    for (const { address, storageKeys } of accessList) {
      journal.addAlwaysWarmAddress(address);
      for (const key of storageKeys) journal.addAlwaysWarmSlot(address, key);
    }
  }

  #createEVM(): EVM {
    const { isModuleCode, onProgress } = this.#options;
    const blockchain: EVMMockBlockchainInterface = {
      getBlock: async (height) => ({ hash: () => this.#blockHash(height) }),
      putBlock: async () => {},
      shallowCopy: () => blockchain,
    };
    const evm = new ContractEVM(
      {
        common: this.#common,
        stateManager: this.#stateManager,
        blockchain,
        bn254: new NobleBN254(),
        bls: bls(),
        ...(this.#options.gasSchedule === 2 ? { customPrecompiles: slowPrecompilesByTime(this.#common) } : {}),
        // A jump destination has no effect of its own, so that this is a place to look at the clock from.
        ...(onProgress === undefined
          ? {}
          : {
              customOpcodes: [
                { opcode: 0x5b, opcodeName: 'JUMPDEST', baseFee: 1, logicFunction: () => onProgress('jump', 0) },
              ],
            }),
      },
      isModuleCode,
    );
    if (onProgress !== undefined) {
      evm.events.on('beforeMessage', (message) => onProgress('frame', workAheadMs(evm, message)));
    }
    return evm;
  }

  #blockHash(height: number): Uint8Array {
    const hash = this.#block?.blockHash(height);
    if (hash === undefined) throw new InternalExecutionError(`the hash of block ${height} is missing`);
    return hexToBytes(hash);
  }
}

/** The EVM with the one rule that it lacks: what a contract gets that calls a module. */
class ContractEVM extends EVM {
  readonly #isModuleCode: (code: Uint8Array) => boolean;

  constructor(options: EVMOpts, isModuleCode: (code: Uint8Array) => boolean) {
    super(options);
    this.#isModuleCode = isModuleCode;
  }

  protected override async _loadCode(message: Message): Promise<void> {
    if (message.code === undefined) {
      const code = await this.stateManager.getCode(message.codeAddress);
      if (this.#isModuleCode(code)) {
        message.code = refuseModuleCall;
        message.isCompiled = true;
        return;
      }
    }
    await super._loadCode(message);
  }
}

/** The slow precompiles at the price of gas schedule 2: whoever cannot pay for the time fails before any of it is spent. */
function slowPrecompilesByTime(common: Common): { address: `0x${string}`; function: PrecompileFunc }[] {
  const active = getActivePrecompiles(common);
  return slowPrecompiles.flatMap((lastByte) => {
    const address = lastByte.toString(16).padStart(40, '0');
    const precompile = active.get(address);
    if (precompile === undefined) return [];
    const priced: PrecompileFunc = async (input) => {
      const floor = precompileFloorGas(lastByte, input.data);
      if (input.gasLimit < floor) {
        return {
          executionGasUsed: input.gasLimit,
          returnValue: new Uint8Array(0),
          exceptionError: new EVMError(EVMError.errorMessages.OUT_OF_GAS),
        };
      }
      const result = await precompile(input);
      return result.executionGasUsed < floor ? { ...result, executionGasUsed: floor } : result;
    };
    return [{ address: `0x${address}`, function: priced }];
  });
}

function workAheadMs(evm: EVM, message: Message): number {
  // A creation has no address of code.
  if (message.to === undefined) return 0;
  const { bytes } = message.codeAddress;
  if (!evm.precompiles.has(bytesToHex(bytes).slice(2))) return 0;
  return precompileWorkMs(bytes.at(-1) ?? 0, message.data, message.gasLimit);
}

const moduleCallReason = encodeErrorReason('a contract cannot call a module on this version of the chain');

/** Gives the gas back and reverts, so that the calling contract can handle it; the marker code itself would burn all of it. */
const refuseModuleCall: PrecompileFunc = () => ({
  executionGasUsed: 0n,
  returnValue: moduleCallReason,
  exceptionError: new EVMError(EVMError.errorMessages.REVERT),
});

/** What geth says where the interpreter says something else (core/vm/errors.go); for people, not for consensus. */
const gethWords: Readonly<Record<string, string>> = {
  'static state change': 'write protection',
  'create collision': 'contract address collision',
  'code store out of gas': 'contract creation code storage out of gas',
  'code size to deposit exceeds maximum code size': 'max code size exceeded',
  'initcode exceeds max initcode size': 'max initcode size exceeded',
  'invalid bytecode deployed': 'invalid code: must not begin with 0xef',
  'insufficient balance': 'insufficient balance for transfer',
};

function gethWord(error: string): string {
  // The interpreter appends where the jump was.
  return error.startsWith('invalid JUMP') ? 'invalid jump destination' : (gethWords[error] ?? error);
}

function toContractResult(message: CallMessage, { execResult, createdAddress }: EVMResult): ContractResult {
  const error = execResult.exceptionError?.error;
  const status = error === undefined ? 'success' : error === EVMError.errorMessages.REVERT ? 'revert' : 'failure';
  const gasLeft = status === 'failure' ? 0n : message.gas - execResult.executionGasUsed;
  assertExecution(gasLeft >= 0n && gasLeft <= message.gas, 'the EVM used more gas than it was given');
  return {
    status,
    gasLeft,
    // The data that a failed frame leaves is no revert data, and the code of a creation is in the state.
    output: status === 'failure' ? new Uint8Array(0) : execResult.returnValue,
    refund: status === 'success' ? (execResult.gasRefund ?? 0n) : 0n,
    ...(error === undefined || status === 'revert' ? {} : { error: gethWord(error) }),
    ...(status === 'success' && createdAddress !== undefined && message.to === undefined
      ? { createdAddress: bytesToHex(createdAddress.bytes) }
      : {}),
  };
}

function blockHeader(block: BlockEnvironment) {
  return {
    number: BigInt(block.height),
    coinbase: createAddressFromString(block.beneficiary),
    timestamp: BigInt(block.timestamp),
    difficulty: 0n,
    prevRandao: hexToBytes(block.prevRandao),
    gasLimit: block.gasLimit,
    baseFeePerGas: block.baseFeePerGas,
    // There are no blobs; the price of one at zero excess blob gas is 1 (EIP-4844).
    getBlobGasPrice: () => 1n,
  };
}

function createCommon({ suite, chainId, fork }: EVMAdapterOptions): Common {
  const { primitives } = suite;
  return createCustomCommon(
    // A chain id is a safe integer (genesis), so that the number is exact.
    { chainId: Number(chainId), name: 'hanse' },
    Mainnet,
    {
      hardfork: fork === 'cancun' ? Hardfork.Cancun : Hardfork.Prague,
      customCrypto: {
        // Inside the EVM the algorithms are Ethereum's in both suites.
        keccak256: (data) => primitives.keccak256(data),
        sha256: (data) => primitives.sha256(data),
        ecrecover: (hash, v, r, s) => {
          const recovery = Number(bytesOrBigint(v) - 27n);
          const key = primitives.secp256k1Recover(hash, concatBytes(pad32(r), pad32(s)), recovery);
          // The precompile turns a throw into its empty answer.
          if (key === undefined) throw new RangeError('no public key');
          return key.subarray(1);
        },
        kzg: kzgVerifier,
      },
    },
  );
}

/** The precompile needs the verification alone; nothing of blob transactions is reachable on this chain. */
const kzgVerifier = {
  verifyProof: verifyKzgProof,
  blobToKzgCommitment: noBlobs,
  computeBlobProof: noBlobs,
  verifyBlobProofBatch: noBlobs,
  computeCells: noBlobs,
  computeCellsAndProofs: noBlobs,
  recoverCellsAndProofs: noBlobs,
  verifyCellKzgProofBatch: noBlobs,
};

function noBlobs(): never {
  throw new InternalExecutionError('there are no blobs on this chain');
}

function bls(): EVMBLSInterface {
  return new NobleBLS();
}

function bytesOrBigint(value: bigint | Uint8Array): bigint {
  return typeof value === 'bigint' ? value : bytesToBigint(value);
}

function pad32(bytes: Uint8Array): Uint8Array {
  return bytes.length === 32 ? bytes : concatBytes(new Uint8Array(32 - bytes.length), bytes);
}
