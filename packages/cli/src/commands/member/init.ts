import { resolve } from 'node:path';
import { MEMBER_NAME, type MemberRole, parseEndpoint } from '@hanse/protocol';
import type { Command } from 'commander';
import { CLIError } from '../../cliError.ts';
import { type Invitation, readInvitation } from '../../invitation.ts';
import { addLocalMember } from '../../localNetwork/addLocalMember.ts';
import { MAX_ENDPOINTS } from '../../memberDescriptor.ts';
import { createMemberFolder, listenAddressFor, type MemberFolder } from '../../memberFolder.ts';
import { addExamples, collect, dataOption, parseChoice, parseWhole, usageError } from '../../options.ts';
import { addOutputOption, fieldLines, type OutputOptions, printResult } from '../../output.ts';

interface InitOptions extends OutputOptions {
  readonly name: string;
  readonly role: string;
  readonly endpoint?: readonly string[];
  readonly listen?: string;
  readonly rpcPort: string;
  readonly rpcHost: string;
  readonly suite: string;
  readonly out?: string;
  readonly invitation?: string;
  readonly replace?: boolean;
  readonly local?: boolean;
  readonly data: string;
}

/** `hanse member init`: a member's keys, made on its owner's machine. */
export function addInitCommand(member: Command): void {
  const init = member
    .command('init')
    .description("make a member's keys, configuration and public descriptor")
    .requiredOption('--name <name>', 'the name of the member: lower-case letters, digits and hyphens')
    .requiredOption('--role <role>', 'authority, bank or company')
    .option('--endpoint <host:port>', 'where other members reach it (repeatable, up to 8)', collect)
    .option('--out <dir>', "the member's folder; must be new or empty")
    .option('--invitation <file>', 'join a network that runs: the file that hanse member invite wrote')
    .option('--replace', 'with --invitation: the member exists and lost its keys; the others vote for these')
    .option('--listen <host:port>', 'where it accepts members (default: the port of the first endpoint)')
    .option('--rpc-port <port>', 'port of its JSON-RPC', '8545')
    .option('--rpc-host <host>', 'address of its JSON-RPC; others than loopback open it to the network', '127.0.0.1')
    .option('--suite <suite>', 'the cryptographic suite of the network to be', 'international')
    .option('--local', 'a further member of the local network on this machine: folder, ports and endpoint are chosen')
    .option('--data <dir>', 'with --local: the data folder of the local network', '.hanse');
  addExamples(
    addOutputOption(init),
    'hanse member init --name bank --role bank --endpoint bank.example.com:9545 --out ./bank',
    'hanse member init --name mill --role company --endpoint mill.example.com:9545 --out ./mill --invitation invitation.json',
    'hanse member init --local --name mill --role company',
  ).action(async (options: InitOptions) => {
    const name = parseName(options.name);
    const role = parseChoice<MemberRole>('--role', options.role, ['authority', 'bank', 'company']);
    if (options.local === true) await initLocal(name, role, options);
    else await initFolder(name, role, options);
  });
}

async function initFolder(name: string, role: MemberRole, options: InitOptions): Promise<void> {
  if (options.out === undefined) throw usageError("Say where the member's folder goes: --out DIR.");
  const endpoints = parseEndpoints(options.endpoint ?? []);
  const invitation = options.invitation === undefined ? undefined : readInvitation(options.invitation);
  const replaces = options.replace === true;
  assertNameFits(name, invitation, options);
  const folder = await createMemberFolder({
    folder: resolve(options.out),
    suite: invitation?.genesis.suite ?? parseChoice('--suite', options.suite, ['international', 'commercial']),
    name,
    role,
    endpoints,
    listen: options.listen ?? listenAddressFor(endpoints[0] ?? ''),
    rpc: { host: options.rpcHost, port: parseWhole('--rpc-port', options.rpcPort, 0, 65_535) },
    ...(invitation === undefined ? {} : { invitation }),
  });
  const steps = replaces
    ? replacingSteps(folder)
    : invitation === undefined
      ? foundingSteps(folder)
      : joiningSteps(folder);
  report(folder, options, steps);
}

function assertNameFits(name: string, invitation: Invitation | undefined, options: InitOptions): void {
  if (invitation === undefined) {
    if (options.replace === true)
      throw usageError('--replace goes with --invitation FILE, which a member of the network makes.');
    return;
  }
  const taken = invitation.members.some((member) => member.name === name);
  if (taken && options.replace !== true)
    throw new CLIError(
      `The network of ${options.invitation} has a member ${name} already. Choose another --name, or add --replace if ${name} lost its keys and these are to replace them.`,
    );
  if (!taken && options.replace === true)
    throw new CLIError(`The network of ${options.invitation} has no member ${name} whose keys could be replaced.`);
}

async function initLocal(name: string, role: MemberRole, options: InitOptions): Promise<void> {
  const foreign = (['endpoint', 'out', 'invitation', 'replace', 'listen'] as const).find(
    (option) => options[option] !== undefined,
  );
  if (foreign !== undefined) throw usageError(`--local chooses it itself: leave out --${foreign}.`);
  const folder = await addLocalMember(resolve(options.data), name, role);
  report(folder, options, localSteps(name, options.data));
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

const foundingSteps = ({ descriptorFile, genesisFile, configFile }: MemberFolder): readonly string[] => [
  `Send ${descriptorFile} to whoever creates the network, and tell the fingerprint over another channel.`,
  `Put the genesis document that comes back at ${genesisFile}.`,
  'Compare the genesis hash with the other members: hanse network show --genesis FILE',
  `hanse node --config ${configFile}`,
];

const joiningSteps = ({ descriptor, descriptorFile, configFile }: MemberFolder): readonly string[] => [
  'Compare the genesis hash with a member, over another channel than the invitation came by.',
  `Start the node; it waits, and follows as soon as it is admitted: hanse node --config ${configFile}`,
  `Send ${descriptorFile} to a member and tell the fingerprint; it proposes you: hanse member propose add FILE`,
  `To become a validator, once the node has caught up: hanse member ready --config ${configFile}`,
  `A member proposes that as well: hanse member propose promote ${descriptor.name}`,
];

const replacingSteps = ({ descriptor, descriptorFile, configFile }: MemberFolder): readonly string[] => [
  'Compare the genesis hash with a member, over another channel than the invitation came by.',
  `Send ${descriptorFile} to a member and tell the fingerprint; it proposes the keys: hanse member propose keys ${descriptor.name} --descriptor FILE`,
  `Start the node; it waits, and follows as soon as the others have voted: hanse node --config ${configFile}`,
];

function localSteps(name: string, data: string): readonly string[] {
  const folder = dataOption(data);
  return [
    `In a terminal of its own: hanse up --only ${name}${folder}`,
    `hanse member propose add ${name} --member authority${folder}`,
    `The others vote: hanse member vote NUMBER --member bank${folder}`,
    `To become a validator: hanse member ready --member ${name}${folder}, then hanse member propose promote ${name} --member authority${folder}`,
  ];
}

function report(folder: MemberFolder, options: OutputOptions, steps: readonly string[]): void {
  const { descriptor, fingerprint, descriptorFile, configFile, keysFolder, genesisFile, genesisHash } = folder;
  const files = { descriptorFile, configFile, keysFolder, genesisFile };
  const value = { ...descriptor, fingerprint, genesisHash: genesisHash ?? null, files };
  printResult(options, value, () => [
    ...fieldLines([
      ['member', `${descriptor.name} (${descriptor.role})`],
      ['account', descriptor.address],
      ['descriptor', descriptorFile],
      ['fingerprint', fingerprint],
      ['private keys', `${keysFolder} (keep a copy in a safe place; they never leave this machine otherwise)`],
      ['configuration', configFile],
      ['genesis hash', genesisHash],
    ]),
    '',
    'Next:',
    ...steps.map((step, index) => `  ${index + 1}. ${step}`),
  ]);
}
