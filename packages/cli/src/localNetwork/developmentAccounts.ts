import { existsSync } from 'node:fs';
import { addressOfPrivateKey, readKeyFile } from '@hanse/node';
import { bytesToHex, type Suite } from '@hanse/protocol';
import { writeJsonAtomically } from '../atomicFile.ts';
import { layoutOf } from './layout.ts';
import { readNetworkFile, writeNetworkFile } from './networkFile.ts';
import { type DevelopmentAccount, openLocalNetwork } from './networkFolder.ts';

const NOTE =
  'Development keys of this local network. Anybody who reads this file can spend; use them for nothing else.';

/** Writes the development accounts of a local network. */
export function writeDevelopmentAccounts(path: string, accounts: readonly DevelopmentAccount[]): void {
  writeJsonAtomically(path, { note: NOTE, accounts }, 0o600);
}

/** Puts a member's own account, whose key is in a file, among the development accounts, in place of the one that it had. Doing it twice changes nothing. */
export function updateDevelopmentAccount(
  root: string,
  { name, file }: { readonly name: string; readonly file: string },
  suite: Suite,
): void {
  const layout = layoutOf(root);
  if (!existsSync(layout.manifest)) return;
  const key = readKeyFile(file);
  const account = { name, member: name, address: addressOfPrivateKey(key, suite), privateKey: bytesToHex(key) };
  const replaced = (accounts: readonly DevelopmentAccount[]): readonly DevelopmentAccount[] =>
    accounts.some((entry) => entry.name === name)
      ? accounts.map((entry) => (entry.name === name ? account : entry))
      : [...accounts, account];
  writeDevelopmentAccounts(layout.accounts, replaced(openLocalNetwork(root).accounts));
  const running = readNetworkFile(layout.network);
  if (running === undefined) return;
  const members = running.members.map((member) =>
    member.name === name ? { ...member, address: account.address } : member,
  );
  writeNetworkFile(layout.network, { ...running, members, accounts: replaced(running.accounts) });
}
