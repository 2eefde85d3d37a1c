import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { genesisHashOf, readNodeConfig } from '@hanse/node';
import type { Command } from 'commander';
import { writeNewFileAtomically } from '../../atomicFile.ts';
import { CLIError } from '../../cliError.ts';
import { readGenesisFile } from '../../genesisFile.ts';
import { invitationOf } from '../../invitation.ts';
import { addOwnMemberOptions, connectOwn, findOwnFolder, type OwnMemberOptions } from '../../members/memberContext.ts';
import { addExamples, usageError } from '../../options.ts';
import { counted, fieldLines, jsonText, printResult } from '../../output.ts';

interface InviteOptions extends OwnMemberOptions {
  readonly genesis?: string;
  readonly out: string;
}

/** `hanse member invite`: the file from which a newcomer makes its folder. */
export function addInviteCommand(member: Command): void {
  const invite = member
    .command('invite')
    .description('write what a newcomer needs to join: the genesis and the members of today; all of it is public')
    .requiredOption('--out <file>', 'the invitation to write; is never overwritten')
    .option('--genesis <file>', "the network's genesis (default: that of the configuration, or of the local network)");
  addExamples(
    addOwnMemberOptions(invite),
    'hanse member invite --config ./bank/node.json --out invitation.json',
    'hanse member invite --rpc http://127.0.0.1:8545 --genesis ./bank/genesis.json --out invitation.json',
  ).action(writeInvitation);
}

async function writeInvitation(options: InviteOptions): Promise<void> {
  const out = resolve(options.out);
  if (existsSync(out)) throw new CLIError(`${out} exists already: choose another file with --out.`);
  const network = await connectOwn(options);
  const genesis = readGenesisFile(
    genesisFileOf(options, network.file === undefined ? undefined : network.layout.genesis),
  );
  const genesisHash = await genesisHashOf(genesis);
  if (genesisHash !== network.status.genesisHash)
    throw new CLIError(
      `The genesis has the hash ${genesisHash}, and ${network.status.name} runs the network ${network.status.genesisHash}: name the right one with --genesis.`,
    );
  const members = (await network.client.members.list()).map(({ name, transportKey, endpoints }) => ({
    name,
    transportKey,
    endpoints,
  }));
  if (!writeNewFileAtomically(out, `${jsonText(invitationOf(genesis, members))}\n`))
    throw new CLIError(`${out} exists already: choose another file with --out.`);
  printResult(options, { file: out, genesisHash, members: members.map(({ name }) => name) }, () => [
    ...fieldLines([
      ['invitation', out],
      ['genesis hash', genesisHash],
      ['names', `${counted(members.length, 'member')}: ${members.map(({ name }) => name).join(', ')}`],
    ]),
    '',
    'Send the file to the newcomer, and tell the genesis hash over another channel. It makes its folder with:',
    `  hanse member init --invitation ${options.out} --name NAME --role ROLE --endpoint HOST:PORT --out DIR`,
  ]);
}

function genesisFileOf(options: InviteOptions, local: string | undefined): string {
  if (options.genesis !== undefined) return options.genesis;
  if (options.config !== undefined) return readNodeConfig(options.config).genesis;
  const folder = findOwnFolder(options);
  if (folder !== undefined) return readNodeConfig(folder.config).genesis;
  if (local !== undefined && existsSync(local)) return local;
  throw usageError("Name the network's genesis document with --genesis FILE.");
}
