import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadSuite, readNodeConfig } from '@hanse/node';
import { bytesToHex, type Suite, type SuiteId } from '@hanse/protocol';
import type { HanseClient, MemberEntry } from '@hanse/sdk';
import type { Command } from 'commander';
import { loadAddressBook } from '../addressBook.ts';
import { CLIError } from '../cliError.ts';
import { addGenesisOption, type GenesisOption } from '../finality.ts';
import { updateDevelopmentAccount } from '../localNetwork/developmentAccounts.ts';
import { isAlive } from '../localNetwork/isAlive.ts';
import { layoutOf } from '../localNetwork/layout.ts';
import { readNetworkFile } from '../localNetwork/networkFile.ts';
import {
  addNetworkOptions,
  type ConnectedNetwork,
  connect,
  type NetworkOptions,
  withAccount,
} from '../networkTarget.ts';
import { usageError } from '../options.ts';
import { addOutputOption, type OutputOptions } from '../output.ts';
import { rpcUrlOf } from '../rpcUrlOf.ts';
import { addSignerOptions, findSigner, type Signer, type SignerOptions } from '../signer.ts';
import { readHeldKeys } from './memberKeyFolder.ts';

/** Which member a command is about, and where its files are. */
export interface OwnMemberOptions extends NetworkOptions, OutputOptions {
  readonly member?: string;
  readonly config?: string;
}

/** The same for a command that signs. */
export interface ActingOptions extends OwnMemberOptions, SignerOptions, GenesisOption {}

export function addOwnMemberOptions(command: Command): Command {
  const options = command
    .option('--member <name>', 'the member that acts: one of the local network, or the one whose key is given')
    .option('--config <file>', 'else: its configuration (node.json), which says where its keys and its JSON-RPC are');
  return addOutputOption(addNetworkOptions(options));
}

export const addActingOptions = (command: Command): Command =>
  addGenesisOption(addSignerOptions(addOwnMemberOptions(command)));

/** The folder of a member that runs on this machine. */
export interface OwnFolder {
  readonly name: string;
  readonly config: string;
  readonly keys: string;
  readonly genesis: string;
  readonly rpcUrl: string;
}

/** The member's folder on this machine, by its configuration or by its name in the local network; undefined if there is none. */
export function findOwnFolder(options: OwnMemberOptions): OwnFolder | undefined {
  const local = layoutOf(resolve(options.data));
  const named = options.config === undefined ? options.member : undefined;
  const file = options.config ?? (named === undefined ? undefined : local.member(named).config);
  if (file === undefined || (options.config === undefined && !existsSync(file))) return undefined;
  const config = resolve(file);
  const { name, keys, genesis, rpc } = readNodeConfig(config);
  // A local network may have been started at other ports than those in the configuration.
  const running =
    named === undefined ? undefined : readNetworkFile(local.network)?.members.find((m) => m.name === named);
  return { name, config, keys, genesis, rpcUrl: running?.rpcUrl ?? rpcUrlOf({ rpc }) };
}

/** Connects to the member's own node if it is known and runs, else to any of the local network. */
export async function connectOwn(
  options: OwnMemberOptions,
  folder = findOwnFolder(options),
  { ownNode = false }: { readonly ownNode?: boolean } = {},
): Promise<ConnectedNetwork> {
  if (options.rpc !== undefined || folder === undefined) return await connect(options);
  if (options.config !== undefined || ownNode || runsLocally(options, folder.name))
    return await connect({ ...options, rpc: folder.rpcUrl });
  return await connect(options);
}

function runsLocally(options: OwnMemberOptions, name: string): boolean {
  const running = readNetworkFile(layoutOf(resolve(options.data)).network)?.members;
  return running?.some((member) => member.name === name && isAlive(member.pid)) ?? false;
}

/** A member that acts by its own account. */
export interface MemberContext {
  readonly network: ConnectedNetwork;
  readonly suite: Suite;
  readonly members: readonly MemberEntry[];
  readonly self: MemberEntry;
  /** Signs with the member's account. */
  readonly client: HanseClient;
  readonly folder: OwnFolder | undefined;
}

/** Finds out who acts, with which key, through whom; every reason against it is a CLIError that says what to give. */
export async function openMember(
  options: ActingOptions,
  { ownNode = false }: { readonly ownNode?: boolean } = {},
): Promise<MemberContext> {
  const { member, config, from, key } = options;
  if (member === undefined && config === undefined && from === undefined && key === undefined)
    throw usageError(
      'Say which member acts: --member NAME in a local network, --config FILE with its node.json, or --rpc URL and --key FILE.',
    );
  const folder = findOwnFolder(options);
  const network = await connectOwn(options, folder, { ownNode });
  const suite = await loadSuite(network.status.suite as SuiteId);
  const members = await network.client.members.all();
  const name = folder?.name ?? member;
  const signer = await findActingSigner(options, { network, suite, members, folder, name });
  const self = members.find(({ account, active }) => account === signer.address && active);
  if (self === undefined)
    throw new CLIError(`${signer.address} is no member's account: only members (${activeNames(members)}) do this.`);
  if (name !== undefined && self.name !== name)
    throw new CLIError(`The key is that of the member ${self.name}, not of ${name}.`);
  return { network, suite, members, self, client: await withAccount(network, signer.privateKey), folder };
}

const activeNames = (members: readonly MemberEntry[]): string =>
  members
    .filter(({ active }) => active)
    .map(({ name }) => name)
    .join(', ');

interface Known {
  readonly network: ConnectedNetwork;
  readonly suite: Suite;
  readonly members: readonly MemberEntry[];
  readonly folder: OwnFolder | undefined;
  readonly name: string | undefined;
}

/** The key that was named, else the one in the member's folder that the chain has for it, else what the local network or the keystore has. */
async function findActingSigner(options: ActingOptions, known: Known): Promise<Signer> {
  const { network, suite, members, folder, name } = known;
  const book = await loadAddressBook(network);
  if (options.key !== undefined || options.from !== undefined) return await findSigner(options, network, book);
  const entry = members.find((member) => member.name === name);
  if (entry === undefined && folder !== undefined)
    throw new CLIError(
      `${name} is not admitted, as far as ${network.status.name} knows the chain (block ${network.status.height}). A member proposes it with its descriptor (hanse member propose add FILE), and the members vote.`,
    );
  if (entry === undefined) throw new CLIError(`The chain has no member ${name}. Members are: ${activeNames(members)}.`);
  if (!entry.active) throw new CLIError(`${name} was removed from the network and can do nothing there.`);
  const held = folder === undefined ? [] : readHeldKeys(folder.keys, 'account', suite);
  const own = held.find(({ publicPart }) => publicPart === entry.account);
  if (own !== undefined) {
    // Whether the member changed its account or the others replaced it: in a local network the account has the member's name.
    const { file } = network;
    const isLocal = options.config === undefined && file !== undefined;
    if (isLocal && !file.accounts.some(({ address }) => address === entry.account))
      updateDevelopmentAccount(resolve(options.data), { name: entry.name, file: own.file }, suite);
    return { address: entry.account, privateKey: bytesToHex(own.key) };
  }
  return await findSigner({ ...options, from: entry.account }, network, book);
}
