import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { acquireFolderLock, ConfigError, readJsonFile } from '@hanse/node';
import { type Address, type Hex, isAddress, isHex, type SuiteId } from '@hanse/protocol';
import { writeJsonAtomically } from '../atomicFile.ts';
import { CLIError } from '../cliError.ts';
import { type Layout, layoutOf } from './layout.ts';

/** Where the members of a local network answer: the first one's ports, from which the others count up. */
export interface NetworkPorts {
  readonly rpcPort: number;
  readonly peerPort: number;
}

/** `hanse.json`: what the folder of a local network says of itself. */
export interface Manifest {
  readonly format: 1;
  readonly kind: 'hanse local network';
  readonly suite: SuiteId;
  readonly members: readonly string[];
  /** Members that the others removed: they keep their place, by which the ports count, and are not started any more. */
  readonly removed?: readonly string[];
  /** Of the latest start. */
  readonly ports: NetworkPorts;
  /** Whether the opening story was told to its end. */
  readonly storyTold: boolean;
}

/** An account of a local network, with its key: for development only. */
export interface DevelopmentAccount {
  readonly name: string;
  readonly member: string;
  readonly address: Address;
  readonly privateKey: Hex;
}

export interface LocalNetwork {
  readonly layout: Layout;
  readonly manifest: Manifest;
  readonly accounts: readonly DevelopmentAccount[];
}

const KIND = 'hanse local network';
/** What may stand in a folder without a network: locks, and the keys of `hanse account`. */
const BESIDE_A_NETWORK = ['network.lock', 'keystore'];

/** What stands at a path: nothing (or an empty folder), a local network, or something else that is not ours to touch. */
export function folderState(root: string): 'absent' | 'network' | 'foreign' {
  if (!existsSync(root)) return 'absent';
  let entries: readonly string[];
  try {
    entries = readdirSync(root);
  } catch (error) {
    throw new CLIError(`The data folder ${root} cannot be read: ${(error as Error).message}`);
  }
  if (entries.every((entry) => BESIDE_A_NETWORK.includes(entry))) return 'absent';
  if (!entries.includes('hanse.json')) return 'foreign';
  // A damaged description is still known by what else a network has.
  return hasOurKind(layoutOf(root).manifest) || (entries.includes('genesis.json') && memberFolders(root).length > 0)
    ? 'network'
    : 'foreign';
}

function hasOurKind(file: string): boolean {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { kind?: unknown } | null)?.kind === KIND;
  } catch {
    return false;
  }
}

/** The names of the members' folders: those that hold a configuration. */
export function memberFolders(root: string): readonly string[] {
  const folder = join(root, 'members');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => existsSync(layoutOf(root).member(name).config));
}

/** Opens the network in a folder; every damage is one line that says what to do. */
export function openLocalNetwork(root: string): LocalNetwork {
  const layout = layoutOf(root);
  const manifest = readOwn(layout.manifest, 'The network description', parseManifest);
  const accounts = readOwn(layout.accounts, 'The file of development accounts', parseAccounts);
  for (const name of manifest.members) {
    for (const file of [layout.genesis, layout.member(name).config, layout.member(name).keys]) {
      if (!existsSync(file)) throw new CLIError(`${file} is missing. ${REMEDY}`);
    }
  }
  return { layout, manifest, accounts };
}

const REMEDY = 'Restore it from a copy, or start anew with --fresh (this deletes the chain in the folder).';

/** Reads one of a network's own files; `parse` gives undefined for anything that this program did not write. */
function readOwn<T>(file: string, what: string, parse: (json: unknown) => T | undefined): T {
  let json: unknown;
  try {
    json = readJsonFile(file, what);
  } catch (error) {
    if (error instanceof ConfigError) throw new CLIError(`${what} ${file} is missing or damaged. ${REMEDY}`);
    throw error;
  }
  const parsed = parse(json);
  if (parsed === undefined) throw new CLIError(`${what} ${file} is damaged or of another version. ${REMEDY}`);
  return parsed;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isName = (value: unknown): value is string => typeof value === 'string' && /^[a-z][a-z0-9-]{0,30}$/.test(value);
const isPort = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536;

function parseManifest(json: unknown): Manifest | undefined {
  if (!isRecord(json) || json.format !== 1 || json.kind !== KIND || json.suite !== 'international') return undefined;
  const { members, ports, storyTold, removed = [] } = json;
  if (!Array.isArray(members) || members.length === 0 || !members.every(isName)) return undefined;
  if (!Array.isArray(removed) || !removed.every(isName)) return undefined;
  if (!isRecord(ports) || !isPort(ports.rpcPort) || !isPort(ports.peerPort) || typeof storyTold !== 'boolean')
    return undefined;
  return {
    format: 1,
    kind: KIND,
    suite: 'international',
    members,
    ...(removed.length === 0 ? {} : { removed }),
    ports: { rpcPort: ports.rpcPort, peerPort: ports.peerPort },
    storyTold,
  };
}

function parseAccounts(json: unknown): readonly DevelopmentAccount[] | undefined {
  if (!isRecord(json) || !Array.isArray(json.accounts)) return undefined;
  const good = json.accounts.every(
    (account: unknown) =>
      isRecord(account) &&
      isName(account.name) &&
      isName(account.member) &&
      isAddress(account.address) &&
      isHex(account.privateKey, 32),
  );
  return good ? (json.accounts as DevelopmentAccount[]) : undefined;
}

/** Changes what the folder says of its network, as it is now: another process may have added a member meanwhile. */
export function updateManifest(network: LocalNetwork, change: (manifest: Manifest) => Partial<Manifest>): LocalNetwork {
  const { manifest: file } = network.layout;
  const current = readOwn(file, 'The network description', parseManifest);
  const manifest = { ...current, ...change(current) };
  writeJsonAtomically(file, manifest);
  return { ...network, manifest };
}

/** The members that are started: all but those that were removed. */
export const presentMembers = ({ members, removed = [] }: Manifest): readonly string[] =>
  members.filter((name) => !removed.includes(name));

/** Throws, naming the process, if a member of the folder's network runs: under `hanse up --only`, or left behind. */
export function assertMembersStopped(root: string): void {
  for (const name of memberFolders(root)) {
    const { data } = layoutOf(root).member(name);
    if (existsSync(data)) acquireFolderLock(data).release();
  }
}

/**
 * Deletes the network in a folder and nothing else: keys of `hanse account` stay. The description goes last, so that a deletion
 * that breaks off can be repeated.
 */
export function deleteLocalNetwork(root: string): void {
  const layout = layoutOf(root);
  for (const name of memberFolders(root)) rmSync(layout.member(name).folder, { recursive: true, force: true });
  for (const path of [layout.network, layout.accounts, layout.genesis, join(root, 'story')]) {
    rmSync(path, { recursive: true, force: true });
  }
  const members = join(root, 'members');
  if (existsSync(members) && readdirSync(members).length === 0) rmdirSync(members);
  rmSync(layout.manifest, { force: true });
}
