import { resolve } from 'node:path';
import { MEMBER_NAME, parseEndpoint } from '@hanse/protocol';
import type { Command } from 'commander';
import { MAX_ENDPOINTS } from '../memberDescriptor.ts';
import { createMemberFolder, listenAddressFor, type MemberFolder } from '../memberFolder.ts';
import { addExamples, collect, parseChoice, parseWhole, usageError } from '../options.ts';
import { addOutputOption, fieldLines, type OutputOptions, printResult } from '../output.ts';

interface InitOptions extends OutputOptions {
  readonly name: string;
  readonly role: string;
  readonly endpoint: readonly string[];
  readonly listen?: string;
  readonly rpcPort: string;
  readonly rpcHost: string;
  readonly suite: string;
  readonly out: string;
}

/** `hanse member`: what a member does on its own machine, before there is a network. */
export function addMemberCommand(program: Command): void {
  const member = program.command('member').description("prepare a member on its owner's machine");
  const init = member
    .command('init')
    .description("make a member's keys, configuration and public descriptor")
    .requiredOption('--name <name>', 'the name of the member: lower-case letters, digits and hyphens')
    .requiredOption('--role <role>', 'authority, bank or company')
    .requiredOption('--endpoint <host:port>', 'where other members reach it (repeatable, up to 8)', collect)
    .requiredOption('--out <dir>', "the member's folder; must be new or empty")
    .option('--listen <host:port>', 'where it accepts members (default: the port of the first endpoint)')
    .option('--rpc-port <port>', 'port of its JSON-RPC', '8545')
    .option('--rpc-host <host>', 'address of its JSON-RPC; others than loopback open it to the network', '127.0.0.1')
    .option('--suite <suite>', 'the cryptographic suite of the network to be', 'international');
  addExamples(
    addOutputOption(init),
    'hanse member init --name bank --role bank --endpoint bank.example.com:9545 --out ./bank',
  ).action(async (options: InitOptions) => {
    const folder = await createMemberFolder({
      folder: resolve(options.out),
      suite: parseChoice('--suite', options.suite, ['international', 'commercial']),
      name: parseName(options.name),
      role: parseChoice('--role', options.role, ['authority', 'bank', 'company']),
      endpoints: parseEndpoints(options.endpoint),
      listen: options.listen ?? listenAddressFor(options.endpoint[0] ?? ''),
      rpc: { host: options.rpcHost, port: parseWhole('--rpc-port', options.rpcPort, 0, 65_535) },
    });
    report(folder, options);
  });
}

function parseName(name: string): string {
  if (MEMBER_NAME.test(name)) return name;
  throw usageError(`--name ${name} is not possible: 1 to 31 lower-case letters, digits or hyphens, a letter first.`);
}

function parseEndpoints(endpoints: readonly string[]): readonly string[] {
  if (endpoints.length === 0) throw usageError('Give at least one --endpoint host:port.');
  if (endpoints.length > MAX_ENDPOINTS) throw usageError(`A member has at most ${MAX_ENDPOINTS} endpoints.`);
  for (const endpoint of endpoints) {
    if (parseEndpoint(endpoint) === undefined)
      throw usageError(`--endpoint ${endpoint} is not possible: give host:port or [IPv6 address]:port.`);
  }
  return endpoints;
}

function report(folder: MemberFolder, options: OutputOptions): void {
  const { descriptor, fingerprint, descriptorFile, configFile, keysFolder, genesisFile } = folder;
  const value = { ...descriptor, fingerprint, files: { descriptorFile, configFile, keysFolder, genesisFile } };
  printResult(options, value, () => [
    ...fieldLines([
      ['member', `${descriptor.name} (${descriptor.role})`],
      ['account', descriptor.address],
      ['descriptor', descriptorFile],
      ['fingerprint', fingerprint],
      ['private keys', `${keysFolder} (keep a copy in a safe place; they never leave this machine otherwise)`],
      ['configuration', configFile],
    ]),
    '',
    'Next:',
    `  1. Send ${descriptorFile} to whoever creates the network, and tell the fingerprint over another channel.`,
    `  2. Put the genesis document that comes back at ${genesisFile}.`,
    '  3. Compare the genesis hash with the other members: hanse network show --genesis FILE',
    `  4. hanse node --config ${configFile}`,
  ]);
}
