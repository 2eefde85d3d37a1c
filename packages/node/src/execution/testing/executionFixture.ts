import {
  type Address,
  type BlockEnvironment,
  createInternationalSuite,
  type Epoch,
  firstRules,
  type Hash,
  type Header,
  Height,
  type Hex,
  hexToBytes,
  type Log,
  portablePrimitives,
  type SignedTransaction,
  type StateReader,
  type Suite,
  signTransaction,
  type UnsignedTransaction,
} from '@hanse/protocol';
import { emptyState } from '../../storage/emptyState.ts';
import { StateKeys } from '../../storage/stateKeys.ts';
import { type StateBase, StateOverlay } from '../../storage/stateOverlay.ts';
import { BlockExecutor, type ExecutedBlock } from '../blockExecutor.ts';
import { EVMAdapter } from '../evmAdapter.ts';
import type { ExecutionRules } from '../executionRules.ts';
import { JournaledState } from '../journaledState.ts';
import { commitState } from '../stateCommit.ts';
import {
  executeMessage,
  type MessageResult,
  type ModuleRunner,
  type TransactionMessage,
} from '../transactionExecutor.ts';

/** The accounts of a state as ethereum/tests and geth's genesis write them. */
export type Allocation = Readonly<
  Record<
    string,
    {
      readonly balance?: Hex;
      readonly nonce?: Hex;
      readonly code?: Hex;
      readonly storage?: Readonly<Record<Hex, Hex>>;
    }
  >
>;

/** A module host without any module. */
export const noModules: ModuleRunner = {
  isModuleCode: () => false,
  beginBlock: () => [],
  applyRecovery: () => {
    throw new Error('there is no module');
  },
  run: () => {
    throw new Error('there is no module');
  },
};

export const testSuite: Suite = createInternationalSuite(portablePrimitives);

/** A development key of tests, from 1 on, and its account. */
export function testAccount(number: number): { readonly privateKey: Uint8Array; readonly address: Address } {
  const privateKey = new Uint8Array(32);
  privateKey[31] = number;
  return { privateKey, address: testSuite.addressOf(portablePrimitives.secp256k1PublicKey(privateKey, true))! };
}

export const testRules: ExecutionRules = {
  chainId: 1234n,
  fork: 'prague',
  blockGasLimit: 60_000_000n,
  baseFeePerGas: 0n,
  maxBlockTransactions: 4_096,
  maxBlockBytes: 2 * 1024 * 1024,
  maxTransactionGas: 16_777_216n,
  maxTransactionBytes: 131_072,
  transactionTypes: testSuite.transactionTypes,
  emptyCodeHash: testSuite.hashHex(new Uint8Array(0)),
};

/** A signed EIP-1559 transaction of chain 1234: gas limit 1,000,000, no fee, unless the fields say otherwise. */
export function testTransaction(
  fields: Partial<UnsignedTransaction> & { readonly nonce: bigint },
  account = testAccount(1),
): SignedTransaction {
  return signTransaction(
    {
      type: 2,
      chainId: testRules.chainId,
      gasLimit: 1_000_000n,
      maxFeePerGas: 0n,
      maxPriorityFeePerGas: 0n,
      to: undefined,
      value: 0n,
      data: new Uint8Array(0),
      accessList: [],
      ...fields,
    },
    account.privateKey,
    testSuite,
  );
}

/** The state that consists of these accounts. */
export function stateOf(allocation: Allocation, suite: Suite = testSuite, keys = new StateKeys(suite)): StateBase {
  const base = emptyState(suite);
  const state = new JournaledState(base, suite);
  state.beginTransaction();
  for (const [name, { balance, nonce, code, storage }] of Object.entries(allocation)) {
    const address = name.toLowerCase() as Address;
    state.setBalance(address, BigInt(balance ?? 0));
    state.setNonce(address, BigInt(nonce ?? 0));
    if (code !== undefined && code !== '0x') state.setCode(address, hexToBytes(code));
    for (const [slot, word] of Object.entries(storage ?? {})) state.setStorage(address, BigInt(slot), BigInt(word));
  }
  state.finishTransaction();
  return new StateOverlay(base, commitState(base, state.changes(), suite, keys));
}

const zeroHash: Hash = `0x${'00'.repeat(32)}`;
export const proposer: Address = `0x${'be'.repeat(20)}`;

/** A chain of executed blocks that nobody has agreed on: for tests of execution alone. */
export class ExecutionChain {
  readonly rules: ExecutionRules;
  readonly blocks: { readonly header: Header; readonly hash: Hash }[];
  state: StateBase;
  readonly #executor: BlockExecutor;

  constructor(
    allocation: Allocation,
    {
      rules = testRules,
      modules = noModules,
    }: { readonly rules?: ExecutionRules; readonly modules?: ModuleRunner } = {},
  ) {
    const keys = new StateKeys(testSuite);
    this.rules = rules;
    this.state = stateOf(allocation, testSuite, keys);
    this.blocks = [{ header: genesisHeader(this.state.stateRoot, rules), hash: testSuite.hashHex(hexToBytes('0x00')) }];
    this.#executor = new BlockExecutor({ suite: testSuite, rules, genesisHash: this.head.hash }, { modules, keys });
  }

  get head(): { readonly header: Header; readonly hash: Hash } {
    return this.blocks.at(-1)!;
  }

  /** Executes the next block, a second after the one before. */
  async execute(
    transactions: readonly SignedTransaction[],
    nextSetHash: (state: StateReader) => Hash = () => zeroHash,
  ): Promise<ExecutedBlock> {
    const height = this.blocks.length;
    const block = await this.#executor.executeBlock({
      parent: this.head,
      parentState: this.state,
      height: Height(height),
      timeMs: 1_700_000_000_000 + height * 1000,
      beneficiary: proposer,
      digest: testSuite.hashHex(Uint8Array.of(1, height & 0xff)),
      epoch: 0 as Epoch,
      rules: firstRules,
      nextSetHash,
      transactions,
      blockHash: (asked) => this.blocks[asked]?.hash,
    });
    this.blocks.push({ header: block.header, hash: block.hash });
    this.state = block.overlay;
    return block;
  }
}

function genesisHeader(stateRoot: Hash, rules: ExecutionRules): Header {
  return {
    parentHash: zeroHash,
    ommersHash: zeroHash,
    beneficiary: proposer,
    stateRoot,
    transactionsRoot: zeroHash,
    receiptsRoot: zeroHash,
    logsBloom: `0x${'00'.repeat(256)}`,
    difficulty: 0n,
    number: Height(0),
    gasLimit: rules.blockGasLimit,
    gasUsed: 0n,
    timestamp: 1_700_000_000,
    extraData: zeroHash,
    mixHash: zeroHash,
    nonce: '0x0000000000000000',
    baseFeePerGas: rules.baseFeePerGas,
    withdrawalsRoot: zeroHash,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: zeroHash,
    requestsHash: zeroHash,
  };
}

/** Runs one message without fee on such a state, in block 100; gives its result, its logs and the state after it. */
export async function runMessage(
  allocation: Allocation,
  message: Partial<TransactionMessage>,
  { modules = noModules, suite = testSuite, block = {}, gasSchedule = 1 }: MessageOptions = {},
): Promise<{ readonly result: MessageResult; readonly logs: readonly Log[]; readonly state: JournaledState }> {
  const state = new JournaledState(stateOf(allocation, suite), suite);
  const engine = new EVMAdapter({
    suite,
    chainId: testRules.chainId,
    fork: 'prague',
    isModuleCode: (code) => modules.isModuleCode(code),
    gasSchedule,
  });
  state.beginTransaction();
  const result = await executeMessage(
    { suite, fork: 'prague', state, block: { ...testBlock, ...block }, engine, modules },
    {
      from: testAccount(1).address,
      to: undefined,
      value: 0n,
      data: new Uint8Array(0),
      gasLimit: 1_000_000n,
      effectiveGasPrice: 0n,
      accessList: [],
      ...message,
    },
  );
  return { result, logs: state.finishTransaction(), state };
}

export interface MessageOptions {
  readonly modules?: ModuleRunner;
  readonly suite?: Suite;
  readonly block?: Partial<BlockEnvironment>;
  readonly gasSchedule?: number;
}

export const testBlock: BlockEnvironment = {
  chainId: testRules.chainId,
  genesisHash: zeroHash,
  height: 100,
  timestamp: 1_700_000_100,
  beneficiary: proposer,
  gasLimit: testRules.blockGasLimit,
  baseFeePerGas: 0n,
  prevRandao: `0x${'5a'.repeat(32)}`,
  rules: firstRules,
  blockHash: (height) => (height < 100 && height >= 0 ? `0x${height.toString(16).padStart(64, '0')}` : undefined),
};

/** Init code that deploys this runtime code (hexadecimal without 0x, at most 255 bytes). */
export function initCodeFor(runtime: string): string {
  const length = (runtime.length / 2).toString(16).padStart(2, '0');
  // PUSH1 length, PUSH1 12, PUSH1 0, CODECOPY, PUSH1 length, PUSH1 0, RETURN: twelve bytes with the code behind them.
  return `60${length}600c60003960${length}6000f3${runtime}`;
}
