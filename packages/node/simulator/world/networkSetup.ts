import { ModuleHost } from '@hanse/modules';
import {
  type Address,
  createInternationalSuite,
  type Genesis,
  type Hash,
  type Hex,
  parseGenesis,
  type Suite,
} from '@hanse/protocol';
import { type ExecutionRules, executionRules } from '../../src/execution/executionRules.ts';
import { buildGenesisBlock } from '../../src/execution/genesisBlock.ts';
import { loadNodePrimitives } from '../../src/runtime/nodePrimitives.ts';
import { LedgerStore } from '../../src/storage/ledgerStore.ts';
import { MemoryDatabase } from '../../src/storage/memoryKeyValueStore.ts';
import { StateKeys } from '../../src/storage/stateKeys.ts';
import { fastPrimitives } from '../crypto/fastPrimitives.ts';

export type SuiteChoice = 'fast' | 'real';

export interface NetworkOptions {
  readonly suite: SuiteChoice;
  readonly validators: number;
  /** Members that run a node and do not vote. */
  readonly observers: number;
  /** Members to be, whom the genesis does not know: they have machines and keys, and come last. */
  readonly applicants?: number;
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Who decides what, as a genesis says it; if absent, a majority of any members changes who decides. */
  readonly policies?: Readonly<Record<string, unknown>>;
}

/** Everything about a network that its seed does not decide; made once for a configuration. */
export interface NetworkSetup {
  readonly suite: Suite;
  readonly genesis: Genesis;
  readonly genesisHash: Hash;
  readonly rules: ExecutionRules;
  /** Of all that have machines, by their places. */
  readonly names: readonly string[];
  readonly validators: number;
  readonly transportKeys: readonly Hex[];
  readonly voteKeys: readonly Uint8Array[];
  /** Hashes and compiled ABIs that never change: shared by all members. */
  readonly keys: StateKeys;
  readonly modules: ModuleHost;
  /** A ledger with block 0, to be copied. */
  readonly database: MemoryDatabase;
}

/** Enough that changes come about while the network is under faults. */
const MAJORITY = { authority: 0, bank: 0, company: 0, percent: 50 };
const MAJORITY_CHANGES_THE_SET = { promote: MAJORITY, demote: MAJORITY };

export const START_MS = 1_700_000_000_000;
export const CHAIN_ID = 1234;

/** A private key of the simulation, and its account. Number 1 is the authority, 2 the bank, then the other members; from 200 on clients. */
export function simulatedAccount(
  number: number,
  suite: Suite,
): { readonly privateKey: Uint8Array; readonly address: Address } {
  const privateKey = simulatedKey(0, number);
  const address = suite.addressOf(suite.primitives.secp256k1PublicKey(privateKey, true));
  if (address === undefined) throw new Error(`there is no account ${number}`);
  return { privateKey, address };
}

/** A private key of the simulation; `use` tells accounts (0), first vote keys (1) and later keys of members apart. */
export const simulatedKey = (use: number, number: number): Uint8Array => {
  const key = new Uint8Array(32);
  key.set([use, number >> 8, number], 29);
  return key;
};

const made = new Map<string, Promise<NetworkSetup>>();

export function networkSetup(options: NetworkOptions): Promise<NetworkSetup> {
  const name = JSON.stringify(options);
  const setup = made.get(name) ?? makeSetup(options);
  made.set(name, setup);
  return setup;
}

async function makeSetup(options: NetworkOptions): Promise<NetworkSetup> {
  const { validators, observers, applicants = 0, parameters = {}, policies = MAJORITY_CHANGES_THE_SET } = options;
  const suite = createInternationalSuite(options.suite === 'fast' ? fastPrimitives : await loadNodePrimitives());
  const size = validators + observers;
  const indexes = Array.from({ length: size + applicants }, (_, index) => index);
  const kindOf = (index: number): string => (index < validators ? 'member' : index < size ? 'observer' : 'applicant');
  const names = indexes.map((index) => ['authority', 'bank'][index] ?? `${kindOf(index)}-${index}`);
  const voteKeys = indexes.map((index) => simulatedKey(1, index + 1));
  const transportKeys = indexes.map((index): Hex => `0x${(index + 1).toString(16).padStart(64, '0')}`);
  const genesis = parseGenesis({
    format: 1,
    name: 'simulation',
    chainId: CHAIN_ID,
    suite: 'international',
    timeMs: START_MS,
    members: indexes.slice(0, size).map((index) => ({
      name: names[index],
      role: index === 0 ? 'authority' : index === 1 ? 'bank' : 'company',
      validator: index < validators,
      address: simulatedAccount(index + 1, suite).address,
      voteKey: suite.publicKey(voteKeys[index]!),
      transportKey: transportKeys[index],
      endpoints: [`${names[index]}:1`],
    })),
    currencies: [{ symbol: 'DCNY', name: 'Digital yuan', decimals: 2, authority: 'authority' }],
    parameters: { accounts: 'open', idleBlockIntervalMs: 10_000, ...parameters },
    governance: { policies },
  });
  const keys = new StateKeys(suite);
  const modules = new ModuleHost(suite);
  const block = buildGenesisBlock(genesis, suite, { modules, keys });
  const database = new MemoryDatabase();
  new LedgerStore(database.open(), { suite, keys }).initialize(block);
  return {
    suite,
    genesis,
    genesisHash: block.hash,
    rules: executionRules(genesis, suite),
    names,
    validators,
    transportKeys,
    voteKeys,
    keys,
    modules,
    database,
  };
}
