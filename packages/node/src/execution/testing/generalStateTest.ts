import {
  type Address,
  type BlockEnvironment,
  bytesToHex,
  decodeTransaction,
  encodableLogs,
  encodeRlp,
  firstRules,
  type Hash,
  type Hex,
  hexToBytes,
  type Log,
  ProtocolError,
  recoverSender,
  type SignedTransaction,
  type Suite,
  ZERO_HASH,
} from '@hanse/protocol';
import { StateKeys } from '../../storage/stateKeys.ts';
import { EVMAdapter } from '../evmAdapter.ts';
import type { ExecutionRules, Fork } from '../executionRules.ts';
import { JournaledState } from '../journaledState.ts';
import { commitState } from '../stateCommit.ts';
import { checkTransactionStatically } from '../staticChecks.ts';
import { executeTransaction } from '../transactionExecutor.ts';
import { type Allocation, noModules, stateOf } from './executionFixture.ts';

/** One filled GeneralStateTest (ethereum/tests, docs/test_formats/state_tests.md), as far as it is used. */
export interface GeneralStateTest {
  readonly env: Readonly<Record<string, Hex | undefined>>;
  readonly pre: Allocation;
  readonly post: Readonly<Record<string, readonly GeneralStateTestPost[]>>;
}

export interface GeneralStateTestPost {
  readonly hash: Hash;
  readonly logs: Hash;
  readonly txbytes: Hex;
  /** Present if the transaction is invalid: the state stays as it is. */
  readonly expectException?: string;
}

export interface StateTestResult {
  readonly stateRoot: Hash;
  readonly logsHash: Hash;
  /** Why the transaction was refused, if it was. */
  readonly refused: string | undefined;
}

/** Runs the cases of GeneralStateTests through the executor, the journal and the tries of the node. */
export class GeneralStateTestRunner {
  readonly #suite: Suite;
  readonly #keys: StateKeys;
  readonly #engine: EVMAdapter;
  readonly #fork: Fork;

  constructor(suite: Suite, fork: Fork) {
    this.#suite = suite;
    this.#fork = fork;
    this.#keys = new StateKeys(suite);
    this.#engine = new EVMAdapter({ suite, chainId: 1n, fork, isModuleCode: () => false });
  }

  async run(test: GeneralStateTest, post: GeneralStateTestPost): Promise<StateTestResult> {
    const base = stateOf(test.pre, this.#suite, this.#keys);
    const block = environment(test.env, this.#suite);
    const unchanged = (refused: string) => ({ stateRoot: base.stateRoot, logsHash: this.#logsHash([]), refused });
    const transaction = this.#decode(post.txbytes);
    if (typeof transaction === 'string') return unchanged(transaction);
    const rejection = checkTransactionStatically(
      // Most of these tests sign without replay protection (before EIP-155), which a network refuses.
      { ...transaction, chainId: transaction.chainId ?? 1n },
      base.account(transaction.sender),
      { maySend: true, mayDeploy: true },
      this.#rules(block),
    );
    if (rejection !== undefined) return unchanged(rejection.message);
    const nonce = base.account(transaction.sender)?.nonce ?? 0n;
    if (transaction.nonce !== nonce) return unchanged('nonce too high');
    const state = new JournaledState(base, this.#suite);
    const receipt = await executeTransaction(
      { suite: this.#suite, fork: this.#fork, state, block, engine: this.#engine, modules: noModules },
      transaction,
      0n,
    );
    const { stateRoot } = commitState(base, state.changes(), this.#suite, this.#keys);
    return { stateRoot, logsHash: this.#logsHash(receipt.logs), refused: undefined };
  }

  #decode(raw: Hex): SignedTransaction | string {
    try {
      const transaction = decodeTransaction(hexToBytes(raw), this.#suite);
      const sender = recoverSender(transaction, this.#suite);
      return sender === undefined ? 'the signature gives no sender' : { ...transaction, sender };
    } catch (error) {
      if (error instanceof ProtocolError) return error.message;
      throw error;
    }
  }

  #rules(block: BlockEnvironment): ExecutionRules {
    return {
      chainId: 1n,
      fork: this.#fork,
      blockGasLimit: block.gasLimit,
      baseFeePerGas: block.baseFeePerGas,
      maxBlockTransactions: 1,
      maxBlockBytes: 2 ** 24,
      maxTransactionGas: block.gasLimit,
      maxTransactionBytes: 2 ** 24,
      transactionTypes: this.#suite.transactionTypes,
      emptyCodeHash: this.#suite.hashHex(new Uint8Array(0)),
    };
  }

  #logsHash(logs: readonly Log[]): Hash {
    return bytesToHex(this.#suite.keccak256(encodeRlp(encodableLogs(logs))));
  }
}

function environment(env: GeneralStateTest['env'], suite: Suite): BlockEnvironment {
  const number = (name: string) => BigInt(env[name] ?? '0x0');
  return {
    chainId: 1n,
    genesisHash: ZERO_HASH,
    rules: firstRules,
    height: Number(number('currentNumber')),
    timestamp: Number(number('currentTimestamp')),
    beneficiary: (env.currentCoinbase ?? '0x').toLowerCase() as Address,
    gasLimit: number('currentGasLimit'),
    baseFeePerGas: number('currentBaseFee'),
    prevRandao: env.currentRandom ?? `0x${'00'.repeat(32)}`,
    // The format defines the hash of a block as that of its decimal number.
    blockHash: (height) => bytesToHex(suite.keccak256(new TextEncoder().encode(String(height)))),
  };
}
