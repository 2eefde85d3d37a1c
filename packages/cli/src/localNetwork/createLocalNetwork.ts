import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  addressOfPrivateKey,
  keyFileNames,
  loadSuite,
  type NodeConfig,
  newMemberKeys,
  newPrivateKey,
  publicMemberKeys,
  writeKeyFile,
  writeMemberKeys,
} from '@hanse/node';
import type { Genesis, GenesisMember, MemberRole, SuiteId } from '@hanse/protocol';
import { bytesToHex, canonicalGenesisBytes, DEFAULT_GOVERNANCE, type Suite } from '@hanse/protocol';
import { writeFileAtomically, writeJsonAtomically } from '../atomicFile.ts';
import { writeDevelopmentAccounts } from './developmentAccounts.ts';
import { layoutOf } from './layout.ts';
import type { DevelopmentAccount, LocalNetwork, Manifest } from './networkFolder.ts';

export const LOCAL_CHAIN_ID = 42_691;

const CAST: readonly { readonly name: string; readonly role: MemberRole }[] = [
  { name: 'authority', role: 'authority' },
  { name: 'bank', role: 'bank' },
  { name: 'farm', role: 'company' },
  { name: 'market', role: 'company' },
];

/** Accounts beside the members' own: who answers for them, and whether they may deploy contracts. */
const PEOPLE: readonly { readonly name: string; readonly member: string; readonly mayDeploy: boolean }[] = [
  { name: 'developer', member: 'bank', mayDeploy: true },
  { name: 'alice', member: 'bank', mayDeploy: false },
  { name: 'bob', member: 'bank', mayDeploy: false },
];

/** The names of the members that a local network of so many has. */
export const memberNames = (count: number): readonly string[] => cast(count).map(({ name }) => name);

/** The cast of a local network: the four of the story, and as many further companies as asked for. */
function cast(count: number): readonly { readonly name: string; readonly role: MemberRole }[] {
  return Array.from(
    { length: count },
    (_, index) => CAST[index] ?? { name: `member${index + 1}`, role: 'company' as const },
  );
}

export interface CreateOptions {
  readonly root: string;
  readonly suite: SuiteId;
  readonly members: number;
  readonly rpcPort: number;
  readonly peerPort: number;
  /** Of the genesis, milliseconds since 1970. */
  readonly nowMs: number;
}

/** Creates a network: keys, accounts, genesis and one folder for each member. The manifest is written last. */
export async function createLocalNetwork(options: CreateOptions): Promise<LocalNetwork> {
  const layout = layoutOf(options.root);
  const suite = await loadSuite(options.suite);
  mkdirSync(options.root, { recursive: true });
  const people = cast(options.members);
  const memberKeys = people.map(({ name, role }) => {
    const keys = newMemberKeys(suite);
    const accountKey = newPrivateKey(suite);
    writeMemberKeys(layout.member(name).keys, keys);
    writeKeyFile(join(layout.member(name).keys, keyFileNames.account), accountKey);
    return { name, role, keys, accountKey };
  });
  const accounts = developmentAccounts(memberKeys, suite);
  const members = memberKeys.map(
    ({ name, role, keys, accountKey }, index): GenesisMember => ({
      name,
      role,
      validator: true,
      address: addressOfPrivateKey(accountKey, suite),
      ...publicMemberKeys(keys, suite),
      endpoints: [`127.0.0.1:${options.peerPort + index}`],
    }),
  );
  const genesis = localGenesis(options, members, accounts);
  writeFileAtomically(layout.genesis, `${JSON.stringify(genesis, null, 2)}\n`);
  people.forEach(({ name }, index) => {
    writeJsonAtomically(layout.member(name).config, memberConfig(name, options, index));
  });
  writeDevelopmentAccounts(layout.accounts, accounts);
  const manifest: Manifest = {
    format: 1,
    kind: 'hanse local network',
    suite: options.suite,
    members: people.map(({ name }) => name),
    ports: { rpcPort: options.rpcPort, peerPort: options.peerPort },
    storyTold: false,
  };
  writeJsonAtomically(layout.manifest, manifest);
  return { layout, manifest, accounts };
}

function developmentAccounts(
  members: readonly { readonly name: string; readonly accountKey: Uint8Array }[],
  suite: Suite,
): readonly DevelopmentAccount[] {
  const account = (name: string, member: string, privateKey: Uint8Array): DevelopmentAccount => ({
    name,
    member,
    address: addressOfPrivateKey(privateKey, suite),
    privateKey: bytesToHex(privateKey),
  });
  const own = members.map(({ name, accountKey }) => account(name, name, accountKey));
  const names = new Set(members.map(({ name }) => name));
  const others = PEOPLE.map(({ name, member }) =>
    account(name, names.has(member) ? member : 'authority', newPrivateKey(suite)),
  );
  return [...own, ...others];
}

function localGenesis(
  options: CreateOptions,
  members: readonly GenesisMember[],
  accounts: readonly DevelopmentAccount[],
): Genesis {
  const genesis: Genesis = {
    format: 1,
    name: 'hanse local network',
    chainId: LOCAL_CHAIN_ID,
    suite: options.suite,
    timeMs: options.nowMs,
    parameters: {
      blockGasLimit: 60_000_000,
      minGasPrice: '0',
      accounts: 'registered',
      idleBlockIntervalMs: 30_000,
      maxBlockTransactions: 4_096,
      maxBlockBytes: 2 * 1024 * 1024,
      maxTransactionGas: 16_777_216,
      maxTransactionBytes: 131_072,
    },
    governance: DEFAULT_GOVERNANCE,
    members,
    // A member's own account needs no entry.
    accounts: accounts
      .filter(({ name, member }) => name !== member)
      .map(({ name, member, address }) => ({
        address,
        member,
        mayDeploy: PEOPLE.find((person) => person.name === name)?.mayDeploy ?? false,
      })),
    currencies: [{ symbol: 'DCNY', name: 'Digital Yuan', decimals: 2, authority: 'authority' }],
    alloc: {},
  };
  // The writer checks what every reader will check, so that a mistake shows here and not in four logs.
  canonicalGenesisBytes(genesis);
  return genesis;
}

function memberConfig(name: string, options: CreateOptions, index: number): NodeConfig {
  return {
    format: 1,
    name,
    genesis: '../../genesis.json',
    keys: 'keys',
    data: 'data',
    peer: { listen: `127.0.0.1:${options.peerPort + index}` },
    rpc: { host: '127.0.0.1', port: options.rpcPort + index },
    log: 'info',
  };
}
