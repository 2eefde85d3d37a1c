import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  addressOfPrivateKey,
  genesisHashOf,
  type IntroducedMember,
  keyFileNames,
  loadSuite,
  type NodeConfig,
  newMemberKeys,
  newPrivateKey,
  publicMemberKeys,
  writeKeyFile,
  writeMemberKeys,
} from '@hanse/node';
import { type Hash, type MemberRole, parseEndpoint, type SuiteId } from '@hanse/protocol';
import { writeNewFileAtomically } from './atomicFile.ts';
import { CLIError } from './cliError.ts';
import type { Invitation } from './invitation.ts';
import {
  type DescriptorContent,
  descriptorFingerprint,
  type MemberDescriptor,
  signDescriptor,
} from './memberDescriptor.ts';

export interface MemberFolderOptions {
  readonly folder: string;
  readonly suite: SuiteId;
  readonly name: string;
  readonly role: MemberRole;
  /** Where others reach the member: host:port. */
  readonly endpoints: readonly string[];
  /** Where the member accepts others. */
  readonly listen: string;
  readonly rpc: { readonly host: string; readonly port: number };
  /** Where the genesis is, from the folder; `genesis.json` in it if absent. */
  readonly genesisPath?: string;
  /** A network that runs already: its genesis is put into the folder, its members into the configuration. */
  readonly invitation?: Invitation;
  /** The members of today, where the genesis is at hand already. */
  readonly introduced?: readonly IntroducedMember[];
}

/** What stands in the folder of a member that runs on a machine of its own. */
export interface MemberFolder {
  readonly descriptor: MemberDescriptor;
  readonly fingerprint: Hash;
  readonly descriptorFile: string;
  readonly configFile: string;
  readonly keysFolder: string;
  /** Where the member's genesis is, or is expected. */
  readonly genesisFile: string;
  /** Of the network that it was invited to. */
  readonly genesisHash: Hash | undefined;
}

/** Makes a member's keys, configuration and descriptor in a new or empty folder. The descriptor comes last: it means that all is there. */
export async function createMemberFolder(options: MemberFolderOptions): Promise<MemberFolder> {
  const { folder, invitation } = options;
  refuseUsedFolder(folder);
  const suite = await loadSuite(options.suite);
  // Whatever is wrong with the genesis shows before there is a folder.
  const genesisHash = invitation === undefined ? undefined : await genesisHashOf(invitation.genesis);
  const keys = newMemberKeys(suite);
  const account = newPrivateKey(suite);
  const content: DescriptorContent = {
    suite: options.suite,
    name: options.name,
    role: options.role,
    address: addressOfPrivateKey(account, suite),
    accountKey: suite.publicKey(account),
    ...publicMemberKeys(keys, suite),
    endpoints: options.endpoints,
  };
  const descriptor = signDescriptor(content, { account, vote: keys.vote }, suite);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // A folder that was there already, empty, may be open to others.
  chmodSync(folder, 0o700);
  const keysFolder = join(folder, 'keys');
  writeMemberKeys(keysFolder, keys);
  writeKeyFile(join(keysFolder, keyFileNames.account), account);
  const configFile = join(folder, 'node.json');
  const descriptorFile = join(folder, 'descriptor.json');
  const genesisFile = join(folder, options.genesisPath ?? GENESIS_FILE);
  if (invitation !== undefined) writeNew(genesisFile, invitation.genesis);
  writeNew(configFile, nodeConfig(options));
  writeNew(descriptorFile, descriptor);
  return {
    descriptor,
    fingerprint: descriptorFingerprint(content, suite),
    descriptorFile,
    configFile,
    keysFolder,
    genesisFile,
    genesisHash,
  };
}

/** The address to listen at that suits where others reach the member: the same port, on loopback alone if nobody else can come. */
export function listenAddressFor(endpoint: string): string {
  const { host, port } = parseEndpoint(endpoint) ?? { host: '', port: 0 };
  if (host === 'localhost' || host.startsWith('127.')) return `127.0.0.1:${port}`;
  if (host === '::1') return `[::1]:${port}`;
  return host.includes(':') ? `[::]:${port}` : `0.0.0.0:${port}`;
}

const GENESIS_FILE = 'genesis.json';

function nodeConfig(options: MemberFolderOptions): NodeConfig {
  const introduced = (options.invitation?.members ?? options.introduced ?? []).filter(
    ({ name }) => name !== options.name,
  );
  return {
    format: 1,
    name: options.name,
    genesis: options.genesisPath ?? GENESIS_FILE,
    keys: 'keys',
    data: 'data',
    peer: { listen: options.listen, ...(introduced.length === 0 ? {} : { introduced }) },
    rpc: options.rpc,
    log: 'info',
  };
}

function refuseUsedFolder(folder: string): void {
  if (!existsSync(folder)) return;
  let entries: readonly string[];
  try {
    entries = readdirSync(folder);
  } catch (error) {
    throw new CLIError(`${folder} cannot be used: ${(error as Error).message}`);
  }
  if (entries.includes('descriptor.json'))
    throw new CLIError(
      `${folder} holds a member already; its keys are never overwritten. Choose another folder with --out.`,
    );
  if (entries.length > 0)
    throw new CLIError(`${folder} is not empty. Choose a new folder with --out; nothing was changed.`);
}

function writeNew(path: string, value: unknown): void {
  if (!writeNewFileAtomically(path, `${JSON.stringify(value, null, 2)}\n`))
    throw new CLIError(`${path} exists already; it is not overwritten.`);
}
