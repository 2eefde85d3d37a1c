import { existsSync, readFileSync, rmSync } from 'node:fs';
import type { Hash, Hex, SuiteId } from '@hanse/protocol';
import { writeJsonAtomically } from '../atomicFile.ts';
import { CLIError } from '../cliError.ts';
import type { DevelopmentAccount } from './networkFolder.ts';

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
