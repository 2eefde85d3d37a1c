import { hexToBytes, utf8ToBytes } from './bytes.ts';
import type { ValidatorSet } from './consensus.ts';
import { ProtocolError } from './errors.ts';
import type { GenesisGovernance } from './governance.ts';
import type { Suite, SuiteId } from './suite.ts';
import { type Address, Epoch, type Hash, type Hex } from './types.ts';

/** Whether only registered accounts may send transactions, or everybody. */
export type AccountsPolicy = 'registered' | 'open';

/** authority: regulator and central bank; bank: operating institution. */
export type MemberRole = 'authority' | 'bank' | 'company';

export interface GenesisParameters {
  readonly blockGasLimit: number;
  /** Decimal wei; also the constant base fee. */
  readonly minGasPrice: string;
  readonly accounts: AccountsPolicy;
  readonly idleBlockIntervalMs: number;
  readonly maxBlockTransactions: number;
  readonly maxBlockBytes: number;
  readonly maxTransactionGas: number;
  readonly maxTransactionBytes: number;
}

export interface GenesisMember {
  /** ^[a-z][a-z0-9-]{0,30}$ */
  readonly name: string;
  readonly role: MemberRole;
  readonly validator: boolean;
  /** The member's account. */
  readonly address: Address;
  /** Compressed vote key, 33 bytes. */
  readonly voteKey: Hex;
  /** Ed25519, 32 bytes raw (international suite). */
  readonly transportKey: Hex;
  /** host:port, DNS names welcome, IPv6 in brackets. */
  readonly endpoints: readonly string[];
}

export interface GenesisAccount {
  readonly address: Address;
  /** The name of the member that answers for it. */
  readonly member: string;
  readonly mayDeploy: boolean;
}

export interface GenesisCurrency {
  readonly symbol: string;
  readonly name: string;
  readonly decimals: number;
  /** The name of a member whose role is authority. */
  readonly authority: string;
}

export interface GenesisAllocation {
  /** Decimal wei. */
  readonly balance?: string;
  /** Decimal. */
  readonly nonce?: string;
  readonly code?: Hex;
  /** Slots and words, 32 bytes each. */
  readonly storage?: Readonly<Record<Hex, Hex>>;
}

/** The document that every member of a network starts from; its hash is bound into the genesis block. */
export interface Genesis {
  readonly format: 1;
  /** The network's name, for people. */
  readonly name: string;
  /** 1 to 2^53 - 1. */
  readonly chainId: number;
  readonly suite: SuiteId;
  /** Of the genesis block, milliseconds since 1970. */
  readonly timeMs: number;
  readonly parameters: GenesisParameters;
  readonly governance: GenesisGovernance;
  readonly members: readonly GenesisMember[];
  readonly accounts: readonly GenesisAccount[];
  readonly currencies: readonly GenesisCurrency[];
  /** Further accounts: contracts or balances, as in a geth genesis. */
  readonly alloc: Readonly<Record<Address, GenesisAllocation>>;
}

/** The document as the genesis hash sees it: JSON with sorted keys, without spaces, in UTF-8. */
export function canonicalGenesisBytes(genesis: Genesis): Uint8Array {
  return utf8ToBytes(canonicalJson(genesis));
}

/** The suite's hash of the canonical bytes; `extraData` of the genesis block. */
export function genesisDocumentHash(suite: Suite, genesis: Genesis): Hash {
  return suite.hashHex(canonicalGenesisBytes(genesis));
}

/** The set of epoch 0: the validators among the members, in the document's order. */
export function genesisValidatorSet(genesis: Genesis): ValidatorSet {
  const validators = genesis.members
    .filter((member) => member.validator)
    .map(({ name, address, voteKey }) => ({ name, address, voteKey }));
  return { epoch: Epoch(0), validators };
}

/** Checks what needs the suite: that it is the named one and that vote keys are points of its curve. Throws `invalid-genesis`. */
export function checkGenesisKeys(suite: Suite, genesis: Genesis): void {
  if (genesis.suite !== suite.id) {
    throw new ProtocolError('invalid-genesis', `genesis: suite is ${genesis.suite}, but this program runs ${suite.id}`);
  }
  genesis.members.forEach((member, index) => {
    if (suite.addressOf(hexToBytes(member.voteKey)) === undefined) {
      throw new ProtocolError('invalid-genesis', `genesis: members[${index}].voteKey is not a point of the curve`);
    }
  });
}

/** Sorts keys by UTF-16 code units as RFC 8785 does; the document holds only strings, booleans and safe integers. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
