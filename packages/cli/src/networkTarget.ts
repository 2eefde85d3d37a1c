import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Hex } from '@hanse/protocol';
import { createHanseClient, type HanseClient, type MemberStatus } from '@hanse/sdk';
import type { Command } from 'commander';
import { CLIError } from './cliError.ts';
import { isAlive } from './localNetwork/isAlive.ts';
import { type Layout, layoutOf } from './localNetwork/layout.ts';
import { type NetworkFile, readNetworkFile } from './localNetwork/networkFile.ts';
import { usageError } from './options.ts';

export interface NetworkOptions {
  readonly rpc?: string;
  readonly data: string;
}

/** Where a command finds the network: a member's address, or the folder of a local network. */
export function addNetworkOptions(command: Command): Command {
  return command
    .option('--rpc <url>', "a member's JSON-RPC address, for example http://127.0.0.1:8545")
    .option('--data <dir>', 'else: the data folder of the local network that runs here', '.hanse');
}

/** A network as the options name it, before anybody was asked. */
export interface NetworkTarget {
  readonly layout: Layout;
  /** Of a local network that runs. */
  readonly file: NetworkFile | undefined;
  /** The members that can be asked, the best first. */
  readonly rpcUrls: readonly string[];
}

/** Rejects with a CLIError that says what to start or to give, if the options name no network. */
export function findNetwork(options: NetworkOptions): NetworkTarget {
  const layout = layoutOf(resolve(options.data));
  const file = readNetworkFile(layout.network);
  if (options.rpc !== undefined) return { layout, file, rpcUrls: [checkedUrl(options.rpc)] };
  if (file === undefined) {
    const state = existsSync(layout.manifest)
      ? `The network in ${layout.root} does not run. Start it with "hanse up"`
      : `There is no local network in ${layout.root}. Start one with "hanse up", name its folder with --data`;
    throw new CLIError(`${state}, or name a member with --rpc URL.`);
  }
  const alive = file.members.filter(({ pid }) => isAlive(pid));
  if (alive.length === 0)
    throw new CLIError(
      `The network in ${layout.root} was not stopped cleanly and no member runs. Start it with "hanse up".`,
    );
  return { layout, file, rpcUrls: alive.map(({ rpcUrl }) => rpcUrl) };
}

function checkedUrl(text: string): string {
  // People write addresses without a scheme; the port tells what is meant.
  const url = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:')
    throw usageError(`--rpc ${text} is not possible: give an address like http://127.0.0.1:8545.`);
  return url;
}

/** A member that answered. */
export interface ConnectedNetwork {
  readonly layout: Layout;
  readonly client: HanseClient;
  readonly rpcUrl: string;
  readonly status: MemberStatus;
  /** Only if the member is of the local network in the data folder. */
  readonly file: NetworkFile | undefined;
}

/** Connects to the network of the options; `account` signs. */
export async function connect(options: NetworkOptions): Promise<ConnectedNetwork> {
  const { layout, file, rpcUrls } = findNetwork(options);
  const [rpcUrl] = rpcUrls;
  if (rpcUrl === undefined) throw new CLIError('The network has no member that could be asked.');
  const client = await createHanseClient({ rpcUrl });
  const status = await client.status();
  return { layout, client, rpcUrl, status, file: file?.genesisHash === status.genesisHash ? file : undefined };
}

/** The same network through a client that signs with a key. */
export async function withAccount(network: ConnectedNetwork, privateKey: Hex): Promise<HanseClient> {
  return await createHanseClient({ rpcUrl: network.rpcUrl, account: privateKey });
}
