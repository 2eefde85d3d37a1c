import { randomInt } from 'node:crypto';
import { loadSuite } from '@hanse/node';
import {
  type Address,
  DEFAULT_GENESIS_PARAMETERS,
  type Genesis,
  type GenesisCurrency,
  type GenesisParameters,
  isHex,
  MAX_VALIDATORS,
  parseGenesis,
} from '@hanse/protocol';
import { CLIError } from './cliError.ts';
import { type MemberDescriptor, verifyDescriptor } from './memberDescriptor.ts';

/** A descriptor and the file that it was read from. */
export interface DescriptorFile {
  readonly file: string;
  readonly descriptor: MemberDescriptor;
}

export interface GenesisOptions {
  readonly descriptors: readonly DescriptorFile[];
  /** Names of members that follow the chain without a vote. */
  readonly observers: readonly string[];
  readonly name: string;
  /** Absent: one is drawn, so that a transaction of another network is not valid here. */
  readonly chainId?: number;
  readonly parameters: Partial<GenesisParameters>;
  readonly currencies: readonly GenesisCurrency[];
  /** Native coin, in wei, for accounts or members by name: needed only where gas has a price. */
  readonly allocations: readonly { readonly to: string; readonly wei: bigint }[];
  readonly nowMs: number;
}

/** Chain ids that are drawn: above those in public use, small enough for every wallet. */
const DRAWN_CHAIN_IDS = { from: 1_000_000_000, to: 2_000_000_000 } as const;

/** The genesis of a network from its members' descriptors. Every reason against it is a CLIError or ProtocolError for people. */
export async function genesisOf(options: GenesisOptions): Promise<Genesis> {
  const { descriptors, observers } = options;
  const suite = await loadSuite(onlySuite(descriptors));
  for (const { descriptor, file } of descriptors) verifyDescriptor(descriptor, suite, file);
  refuseDuplicates(descriptors);
  checkMembers(options);
  const parameters = checkedParameters(options);
  const members = descriptors.map(({ descriptor }) => {
    const { name, role, address, voteKey, transportKey, endpoints } = descriptor;
    return { name, role, validator: !observers.includes(name), address, voteKey, transportKey, endpoints };
  });
  // Whoever writes the document checks what every member will check when it reads it.
  return parseGenesis({
    format: 1,
    name: options.name,
    chainId: options.chainId ?? randomInt(DRAWN_CHAIN_IDS.from, DRAWN_CHAIN_IDS.to),
    suite: suite.id,
    timeMs: options.nowMs,
    parameters,
    members,
    accounts: [],
    currencies: options.currencies,
    alloc: allocations(options),
  });
}

function onlySuite(descriptors: readonly DescriptorFile[]): MemberDescriptor['suite'] {
  const [first] = descriptors;
  if (first === undefined) throw new CLIError('A network needs at least one member: give --from DESCRIPTOR.');
  const other = descriptors.find(({ descriptor }) => descriptor.suite !== first.descriptor.suite);
  if (other !== undefined) {
    throw new CLIError(
      `${first.file} has keys of the suite ${first.descriptor.suite}, ${other.file} of ${other.descriptor.suite}: all members of a network use one.`,
    );
  }
  return first.descriptor.suite;
}

/** Names, keys and endpoints stand for one member each. */
function refuseDuplicates(descriptors: readonly DescriptorFile[]): void {
  const seen = new Map<string, string>();
  const claim = (what: string, value: string, file: string): void => {
    const earlier = seen.get(`${what} ${value}`);
    if (earlier === file) throw new CLIError(`${file} gives the ${what} ${value} twice.`);
    if (earlier !== undefined)
      throw new CLIError(`${earlier} and ${file} have the same ${what} ${value}: every member needs its own.`);
    seen.set(`${what} ${value}`, file);
  };
  for (const { file, descriptor } of descriptors) {
    claim('name', descriptor.name, file);
    claim('account', descriptor.address, file);
    claim('vote key', descriptor.voteKey, file);
    claim('transport key', descriptor.transportKey, file);
    for (const endpoint of descriptor.endpoints) claim('endpoint', endpoint, file);
  }
}

function checkMembers({ descriptors, observers }: GenesisOptions): void {
  const names = descriptors.map(({ descriptor }) => descriptor.name);
  const unknown = observers.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new CLIError(`--observer ${unknown} is no member of the network. Members are: ${names.join(', ')}.`);
  if (!descriptors.some(({ descriptor }) => descriptor.role === 'authority'))
    throw new CLIError(
      'A network needs a member with the role authority: who else should admit members and issue money?',
    );
  const validators = names.filter((name) => !observers.includes(name)).length;
  if (validators < 1 || validators > MAX_VALIDATORS) {
    throw new CLIError(
      `A network has 1 to ${MAX_VALIDATORS} validators, not ${validators}: name members that do not vote with --observer.`,
    );
  }
}

function checkedParameters({ parameters, allocations }: GenesisOptions): GenesisParameters {
  const all = { ...DEFAULT_GENESIS_PARAMETERS, ...parameters };
  if (all.minGasPrice !== '0' && allocations.length === 0) {
    throw new CLIError(
      'With --min-gas-price above 0 somebody must own coins to pay with, or nobody could send a transaction: give --allocate.',
    );
  }
  return { ...all, maxTransactionGas: Math.min(all.maxTransactionGas, all.blockGasLimit) };
}

function allocations({ descriptors, allocations }: GenesisOptions): Record<Address, { readonly balance: string }> {
  const entries = allocations.map(({ to, wei }): [Address, { balance: string }] => {
    const member = descriptors.find(({ descriptor }) => descriptor.name === to)?.descriptor;
    const address = member?.address ?? to.toLowerCase();
    if (!isHex(address, 20)) throw new CLIError(`--allocate: ${to} is neither a member nor an address.`);
    return [address, { balance: wei.toString() }];
  });
  const addresses = entries.map(([address]) => address);
  const twice = addresses.find((address, index) => addresses.indexOf(address) !== index);
  if (twice !== undefined) throw new CLIError(`--allocate names ${twice} twice.`);
  return Object.fromEntries(entries);
}
