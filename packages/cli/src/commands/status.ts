import { createHanseClient, type MemberStatus } from '@hanse/sdk';
import type { Command } from 'commander';
import { CLIError, exitCodes } from '../cliError.ts';
import { alignColumns } from '../localNetwork/membersTable.ts';
import type { NetworkFile } from '../localNetwork/networkFile.ts';
import { type Probe, probeMember } from '../memberProbe.ts';
import { addNetworkOptions, findNetwork, type NetworkOptions } from '../networkTarget.ts';
import { addExamples } from '../options.ts';
import { addOutputOption, fieldLines, type OutputOptions, printResult } from '../output.ts';

/** A row of the table: a member that answered, one that did not, or one that only another member tells of. */
type Row =
  | { readonly name: string; readonly rpcUrl: string; readonly status: MemberStatus }
  | { readonly name: string; readonly rpcUrl: string; readonly problem: string }
  | { readonly name: string; readonly seenBy: string; readonly connected: boolean };

/** `hanse status`: how the members are. */
export function addStatusCommand(program: Command): void {
  const status = program.command('status').description('show how the members of a network are');
  addExamples(
    addOutputOption(addNetworkOptions(status)),
    'hanse status',
    'hanse status --rpc http://bank.example.com:8545 --json',
  ).action(async (options: NetworkOptions & OutputOptions) => {
    const { file, rpcUrls } = findNetwork(options);
    const rows =
      options.rpc === undefined && file !== undefined ? await rowsOfFile(file) : await rowsOfMember(rpcUrls[0] ?? '');
    const warnings = findWarnings(rows);
    const members = rows.map((row) => ('status' in row ? { rpcUrl: row.rpcUrl, ...row.status } : row));
    printResult(options, { members, warnings }, () => describe(rows, warnings));
    if (warnings.length > 0) process.exitCode = exitCodes.failure;
  });
}

async function rowsOfFile(file: NetworkFile): Promise<readonly Row[]> {
  return await Promise.all(file.members.map(async ({ name, rpcUrl }) => ({ name, ...(await probeMember(rpcUrl)) })));
}

/** The member itself, and of the others what it knows: their JSON-RPC addresses stand nowhere on the chain. */
async function rowsOfMember(rpcUrl: string): Promise<readonly Row[]> {
  const probe: Probe = await probeMember(rpcUrl);
  if ('problem' in probe)
    throw new CLIError(`${probe.problem}. Is the member running, and is this its JSON-RPC address?`);
  const { status } = probe;
  const client = await createHanseClient({ rpcUrl });
  const others = (await client.members.list()).filter(({ name }) => name !== status.name);
  return [
    { name: status.name, rpcUrl, status },
    ...others.map(({ name }) => ({
      name,
      seenBy: status.name,
      connected: status.peers.some((peer) => peer.name === name && peer.connected),
    })),
  ];
}

/** What a person should look at; each in one line. */
function findWarnings(rows: readonly Row[]): readonly string[] {
  const warnings: string[] = [];
  const hashes = new Map<number, { readonly name: string; readonly hash: string | null }>();
  for (const row of rows) {
    if ('problem' in row) warnings.push(`${row.name}: ${row.problem}`);
    else if ('connected' in row) {
      if (!row.connected) warnings.push(`${row.seenBy} is not connected to ${row.name}`);
    } else {
      const { name, healthy, height, blockHash, membership, missingRule } = row.status;
      // Whoever is no member reaches nobody, and that is as it should be.
      if (!healthy && membership === 'active') warnings.push(`${name} is not healthy; ask ${row.rpcUrl}/health why`);
      if (missingRule !== null)
        warnings.push(
          `${name} stops before block ${missingRule.height}: its program lacks version ${missingRule.version} of the rule "${missingRule.feature}"; upgrade it`,
        );
      const other = hashes.get(height);
      if (other !== undefined && other.hash !== blockHash)
        warnings.push(`${name} and ${other.name} have different blocks at height ${height}: one of them is broken`);
      hashes.set(height, { name, hash: blockHash });
    }
  }
  return warnings;
}

function describe(rows: readonly Row[], warnings: readonly string[]): readonly string[] {
  // Whoever is furthest knows best; one that waits to be admitted may know of nothing but the genesis.
  const network = rows
    .flatMap((row) => ('status' in row ? [row.status] : []))
    .reduce<MemberStatus | undefined>(
      (best, status) => (best && best.height >= status.height ? best : status),
      undefined,
    );
  const header = [
    'member',
    'votes',
    'height',
    'block',
    'view',
    'peers',
    'pending',
    'health',
    'cryptography',
    'JSON-RPC',
  ];
  return [
    ...(network === undefined
      ? []
      : [
          ...fieldLines([
            ['network', `${network.network}, chain ${network.chainId}, suite ${network.suite}`],
            ['genesis', network.genesisHash],
            ['epoch', String(network.epoch)],
            ['validators', `${network.validators.length}: ${network.validators.join(', ')}`],
            [
              'proposals',
              network.openProposals === 0
                ? 'none open'
                : `${network.openProposals} open: hanse member list --proposals`,
            ],
          ]),
          '',
        ]),
    ...alignColumns([header, ...rows.map(cells)]),
    ...(warnings.length > 0 ? ['', ...warnings] : []),
  ];
}

function cells(row: Row): readonly string[] {
  const unknown = Array.from({ length: 6 }, () => '-');
  if ('problem' in row) return [row.name, ...unknown, 'no answer', '-', row.rpcUrl];
  if ('connected' in row)
    return [row.name, ...unknown, row.connected ? `reached by ${row.seenBy}` : 'not reached', '-', '-'];
  const { name, height, blockHash, epoch, view, peers, pendingTransactions, syncing, cryptography } = row.status;
  const connected = peers.filter((peer) => peer.connected).length;
  return [
    name,
    votesOf(row.status),
    syncing === false ? String(height) : `${height} of ${syncing.highestHeight}`,
    blockHash === null ? '-' : `${blockHash.slice(0, 12)}…`,
    epoch === 0 ? String(view) : `${epoch}/${view}`,
    `${connected} of ${peers.length}`,
    String(pendingTransactions),
    healthOf(row.status),
    [...new Set(Object.values(cryptography).map(shortName))].join(' + '),
    row.rpcUrl,
  ];
}

/** Whether a member has a vote and uses it. */
function votesOf({ name, membership, voting, validators, recoveryPending }: MemberStatus): string {
  if (membership === 'none') return 'not admitted';
  if (membership === 'removed') return 'removed';
  switch (voting) {
    case 'voting':
      return 'yes';
    case 'observer':
      return validators.includes(name) ? 'NO (key missing)' : 'observer';
    case 'waiting':
      return 'not yet (waiting)';
    case 'amnesia':
      return 'not yet (amnesia)';
    case 'recovery':
      return `NO (recovery of block ${recoveryPending})`;
    case 'stopped':
      return 'NO (stopped)';
  }
}

function healthOf({ healthy, syncing, membership }: MemberStatus): string {
  if (membership !== 'active') return '-';
  if (!healthy && syncing === false) return 'NOT WELL';
  return syncing === false ? 'good' : 'catching up';
}

/** "native" of "native (libsecp256k1)". */
const shortName = (implementation: string): string => implementation.split(' ')[0] ?? implementation;
