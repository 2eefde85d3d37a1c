import type { WorldState } from './state.ts';
import type { Address, Hash } from './types.ts';

/** The versions of the network's rules in force at a height: those that governance scheduled for it or before. */
export interface RuleVersions {
  /** The version of a feature (`protocol`, `gas-schedule`, `module:NAME`); 1 where nothing was scheduled. */
  of(feature: string): number;
}

/** The rules of a network that has scheduled none. */
export const firstRules: RuleVersions = { of: () => 1 };

/** The block that a transaction runs in. */
export interface BlockEnvironment {
  readonly chainId: bigint;
  /** The hash of block 0, which stands for the network and begins whatever its members sign. */
  readonly genesisHash: Hash;
  readonly height: number;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly beneficiary: Address;
  readonly gasLimit: bigint;
  readonly baseFeePerGas: bigint;
  readonly prevRandao: Hash;
  readonly rules: RuleVersions;
  /** The hash of one of the last 256 blocks, or undefined outside that window. */
  blockHash(height: number): Hash | undefined;
}

/** The transaction that runs. */
export interface TransactionEnvironment {
  readonly origin: Address;
  readonly gasPrice: bigint;
}

export type CallKind = 'call' | 'staticcall' | 'delegatecall' | 'callcode' | 'create' | 'create2';

/** One frame's request, whoever makes it: a transaction, a contract or a module. */
export interface CallMessage {
  readonly kind: CallKind;
  readonly caller: Address;
  /** The account whose storage and balance the frame acts on; for create and create2 not known yet: undefined. */
  readonly to: Address | undefined;
  /** Whose code runs; differs from `to` for delegatecall and callcode. */
  readonly codeAddress: Address | undefined;
  readonly value: bigint;
  readonly input: Uint8Array;
  readonly gas: bigint;
  readonly isStatic: boolean;
  /** 0 for the transaction's own frame; at most 1,024. */
  readonly depth: number;
  /** For create2. */
  readonly salt?: bigint;
}

export type CallStatus = 'success' | 'revert' | 'failure';

export interface CallResult {
  /** `revert` returns what is left of the gas and the revert data; `failure` consumes all of it. */
  readonly status: CallStatus;
  readonly gasLeft: bigint;
  readonly output: Uint8Array;
  /** The field's word for the failure, for example `out of gas`; for people, not for consensus. */
  readonly error?: string;
  /** For a creation that succeeded. */
  readonly createdAddress?: Address;
}

/**
 * What a running contract or module may ask of the chain. Synchronous: an engine runs a frame to its end on the
 * host's own stack. `call` resolves whose code it is (contract or module) and runs it.
 */
export interface Host {
  readonly state: WorldState;
  readonly block: BlockEnvironment;
  readonly transaction: TransactionEnvironment;
  call(message: CallMessage): CallResult;
}

/** Something that can run a frame: the contract engine, or a module. It never throws for what bytecode or input does. */
export interface FrameRunner {
  run(host: Host, message: CallMessage): CallResult;
}
