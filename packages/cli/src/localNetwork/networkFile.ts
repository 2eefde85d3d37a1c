import { existsSync, readFileSync, rmSync } from 'node:fs';
import type { Hash, Hex, SuiteId } from '@hanse/protocol';
import { writeJsonAtomically } from '../atomicFile.ts';
import { CLIError } from '../cliError.ts';
import type { DevelopmentAccount, LocalNetwork } from './networkFolder.ts';
import type { StartedMember } from './runningNetwork.ts';

/** `network.json`: what tools and tests read of a running local network. It exists while the network runs. */
export interface NetworkFile {
  readonly note: string;
  readonly chainId: number;
  readonly suite: SuiteId;
  readonly genesisHash: Hash;
  readonly members: readonly NetworkFileMember[];
  readonly accounts: readonly DevelopmentAccount[];
  readonly currencies: readonly { readonly symbol: string; readonly decimals: number; readonly address: Hex }[];
}

export interface NetworkFileMember {
  readonly name: string;
  readonly address: Hex;
  readonly rpcUrl: string;
  readonly wsUrl: string;
  readonly pid: number;
}

export const NETWORK_FILE_NOTE =
  'This file exists while the local network runs. The private keys are development keys of this network alone: never use them elsewhere.';

export function writeNetworkFile(path: string, network: NetworkFile): void {
  writeJsonAtomically(path, network, 0o600);
}

/** A member of a running network was started beside the others, again or for the first time. */
export function enterIntoNetworkFile({ layout, accounts }: LocalNetwork, started: StartedMember): void {
  const file = readNetworkFile(layout.network);
  if (file === undefined) return;
  const { name, pid } = started.process;
  const account = accounts.find((entry) => entry.name === name);
  const before = file.members.find((member) => member.name === name);
  const address = before?.address ?? account?.address;
  if (address === undefined) throw new CLIError(`${name} has no account in ${layout.accounts}: its folder is damaged.`);
  const entry: NetworkFileMember = { name, address, rpcUrl: started.rpcUrl, wsUrl: started.wsUrl, pid };
  const members =
    before === undefined
      ? [...file.members, entry]
      : file.members.map((member) => (member.name === name ? entry : member));
  writeNetworkFile(layout.network, { ...file, members });
}

export function removeNetworkFile(path: string): void {
  rmSync(path, { force: true });
}

/** Reads the file of a running network; undefined if there is none. */
export function readNetworkFile(path: string): NetworkFile | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const file = JSON.parse(readFileSync(path, 'utf8')) as Partial<NetworkFile> | null;
    if (!Array.isArray(file?.members) || !Array.isArray(file?.accounts))
      throw new Error('members or accounts are missing');
    return file as NetworkFile;
  } catch (error) {
    throw new CLIError(`${path} is damaged (${(error as Error).message}). Stop the network and start it again.`);
  }
}
