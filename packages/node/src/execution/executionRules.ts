import type { Genesis, Hash, Suite } from '@hanse/protocol';

/** Which Ethereum fork's rules contracts run under. A network runs `prague`; `cancun` exists for the reference tests. */
export type Fork = 'prague' | 'cancun';

/** The limits and prices of a network: constant from the genesis on, until governance can change them at a height. */
export interface ExecutionRules {
  readonly chainId: bigint;
  readonly fork: Fork;
  readonly blockGasLimit: bigint;
  /** The constant base fee of every block, in wei: the genesis parameter `minGasPrice`. */
  readonly baseFeePerGas: bigint;
  readonly maxBlockTransactions: number;
  /** The bound on the sum of the transactions' encodings in one block. */
  readonly maxBlockBytes: number;
  readonly maxTransactionGas: bigint;
  /** The bound on one transaction's EIP-2718 encoding. */
  readonly maxTransactionBytes: number;
  /** The envelope types that the network's suite accepts; 0 stands for legacy. */
  readonly transactionTypes: ReadonlySet<number>;
  /** The suite's hash of no code, by which an account without code is known. */
  readonly emptyCodeHash: Hash;
}

/** The rules that a genesis document sets. */
export function executionRules(genesis: Pick<Genesis, 'chainId' | 'parameters'>, suite: Suite): ExecutionRules {
  const { parameters } = genesis;
  return {
    chainId: BigInt(genesis.chainId),
    fork: 'prague',
    blockGasLimit: BigInt(parameters.blockGasLimit),
    baseFeePerGas: BigInt(parameters.minGasPrice),
    maxBlockTransactions: parameters.maxBlockTransactions,
    maxBlockBytes: parameters.maxBlockBytes,
    maxTransactionGas: BigInt(parameters.maxTransactionGas),
    maxTransactionBytes: parameters.maxTransactionBytes,
    transactionTypes: suite.transactionTypes,
    emptyCodeHash: suite.hashHex(new Uint8Array(0)),
  };
}
