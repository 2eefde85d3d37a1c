import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { genesisHashOf, loadSuite } from '@hanse/node';
import type { Genesis, GenesisCurrency, Hash } from '@hanse/protocol';
import type { Command } from 'commander';
import { writeNewFileAtomically } from '../atomicFile.ts';
import { CLIError } from '../cliError.ts';
import { readGenesisFile } from '../genesisFile.ts';
import { alignColumns } from '../localNetwork/membersTable.ts';
import { descriptorFingerprint, readDescriptorFile, verifyDescriptor } from '../memberDescriptor.ts';
import { genesisOf } from '../networkGenesis.ts';
import { addExamples, collect, parseChoice, parseWhole, usageError } from '../options.ts';
import { addOutputOption, counted, fieldLines, type OutputOptions, printResult } from '../output.ts';

interface CreateOptions extends OutputOptions {
  readonly from: readonly string[];
  readonly out: string;
  readonly name: string;
  readonly chainId?: string;
  readonly accounts: string;
  readonly minGasPrice: string;
  readonly blockGasLimit: string;
  readonly idleBlockInterval: string;
  readonly currency?: readonly string[];
  readonly observer?: readonly string[];
  readonly allocate?: readonly string[];
}

interface ShowOptions extends OutputOptions {
  readonly genesis: string;
  readonly descriptor?: readonly string[];
}

/** `hanse network`: the document that all members of a network start from. */
export function addNetworkCommand(program: Command): void {
  const network = program.command('network').description('create and compare the genesis of a network');
  addCreate(network);
  addShow(network);
}

function addCreate(network: Command): void {
  const create = network
    .command('create')
    .description("make a genesis document from members' descriptors; needs nobody's private keys")
    .requiredOption(
      '--from <descriptor...>',
      "the members' descriptor files; their order is the order of the validators",
    )
    .requiredOption('--out <file>', 'the genesis document to write; is never overwritten')
    .option('--name <name>', "the network's name, for people", 'hanse')
    .option('--chain-id <n>', 'the chain id (default: a random one)')
    .option(
      '--accounts <policy>',
      'registered: only accounts that members register send transactions; or open',
      'registered',
    )
    .option('--min-gas-price <wei>', 'the minimum gas price, also the constant base fee', '0')
    .option('--block-gas-limit <n>', 'gas that a block may use', '60000000')
    .option('--idle-block-interval <ms>', 'a block at least so often, even without transactions', '30000')
    .option(
      '--currency <symbol:name:decimals:member>',
      'a currency and the authority that issues it (repeatable)',
      collect,
    )
    .option('--observer <name>', 'a member that follows the chain without a vote (repeatable)', collect)
    .option(
      '--allocate <who:wei>',
      'native coin for a member or an address, where gas has a price (repeatable)',
      collect,
    );
  addExamples(
    addOutputOption(create),
    'hanse network create --from authority.json bank.json farm.json market.json --out genesis.json \\\n      --name "Food alliance" --currency "DCNY:Digital Yuan:2:authority"',
  ).action(createNetwork);
}

async function createNetwork(options: CreateOptions): Promise<void> {
  const out = resolve(options.out);
  if (existsSync(out)) throw refuseOverwrite(out);
  if (!existsSync(dirname(out))) throw new CLIError(`The folder ${dirname(out)} does not exist: make it first.`);
  const descriptors = options.from.map((file) => ({ file, descriptor: readDescriptorFile(file) }));
  const genesis = await genesisOf({
    descriptors,
    observers: options.observer ?? [],
    name: options.name,
    ...(options.chainId === undefined
      ? {}
      : { chainId: parseWhole('--chain-id', options.chainId, 1, Number.MAX_SAFE_INTEGER) }),
    parameters: {
      accounts: parseChoice('--accounts', options.accounts, ['registered', 'open']),
      minGasPrice: parseWei('--min-gas-price', options.minGasPrice).toString(),
      blockGasLimit: parseWhole('--block-gas-limit', options.blockGasLimit, 100_000, 1_000_000_000),
      idleBlockIntervalMs: parseWhole('--idle-block-interval', options.idleBlockInterval, 100, 86_400_000),
    },
    currencies: (options.currency ?? []).map(parseCurrency),
    allocations: (options.allocate ?? []).map(parseAllocation),
    nowMs: Date.now(),
  });
  const genesisHash = await genesisHashOf(genesis);
  if (!writeNewFileAtomically(out, `${JSON.stringify(genesis, null, 2)}\n`)) throw refuseOverwrite(out);
  const suite = await loadSuite(genesis.suite);
  const fingerprints = new Map(
    descriptors.map(({ descriptor }) => [descriptor.name, descriptorFingerprint(descriptor, suite)]),
  );
  printResult(options, { file: out, genesisHash, fingerprints: Object.fromEntries(fingerprints), genesis }, () => [
    ...describe(genesis, genesisHash, out),
    '',
    'Fingerprints of the descriptors, which their members can confirm:',
    ...alignColumns([...fingerprints].map(([name, fingerprint]) => [`  ${name}`, fingerprint])),
    '',
    `Send ${out} to every member. All compare the genesis hash before they start.`,
  ]);
}

const refuseOverwrite = (out: string): CLIError =>
  new CLIError(`${out} exists already: a genesis is never overwritten. Choose another file with --out.`);

function parseWei(option: string, text: string): bigint {
  if (/^\d{1,39}$/.test(text)) return BigInt(text);
  throw usageError(`${option} ${text} is not possible: give a whole number of wei.`);
}

/** SYMBOL:NAME:DECIMALS:MEMBER; the name may hold anything but a colon. */
function parseCurrency(text: string): GenesisCurrency {
  const [symbol, name, decimals, authority, ...rest] = text.split(':');
  if (!symbol || !name || !decimals || !authority || rest.length > 0)
    throw usageError(
      `--currency ${text} is not possible: give SYMBOL:NAME:DECIMALS:MEMBER, as in DCNY:Digital Yuan:2:authority.`,
    );
  return { symbol, name, decimals: parseWhole('--currency: decimals', decimals, 0, 18), authority };
}

function parseAllocation(text: string): { readonly to: string; readonly wei: bigint } {
  const [to, wei, ...rest] = text.split(':');
  if (!to || !wei || rest.length > 0)
    throw usageError(`--allocate ${text} is not possible: give MEMBER:WEI or ADDRESS:WEI.`);
  return { to, wei: parseWei('--allocate', wei) };
}

function addShow(network: Command): void {
  const show = network
    .command('show')
    .description('show a genesis document and its hash, for members to compare before they start')
    .requiredOption('--genesis <file>', 'the genesis document')
    .option('--descriptor <file>', 'check that this member stands in it exactly so (repeatable)', collect);
  addExamples(
    addOutputOption(show),
    'hanse network show --genesis ./bank/genesis.json --descriptor ./bank/descriptor.json',
  ).action(async (options: ShowOptions) => {
    const genesis = readGenesisFile(options.genesis);
    const genesisHash = await genesisHashOf(genesis);
    const described = options.descriptor ?? [];
    for (const file of described) await assertDescribed(genesis, file);
    printResult(options, { file: resolve(options.genesis), genesisHash, genesis }, () => [
      ...describe(genesis, genesisHash, options.genesis),
      ...described.map((file) => `${file}: stands in the genesis with the same keys and endpoints.`),
    ]);
  });
}

/** Throws unless the genesis has the descriptor's member with the same role, account, keys and endpoints. */
async function assertDescribed(genesis: Genesis, file: string): Promise<void> {
  const descriptor = readDescriptorFile(file);
  verifyDescriptor(descriptor, await loadSuite(descriptor.suite), file);
  const member = genesis.members.find(({ name }) => name === descriptor.name);
  if (member === undefined)
    throw new CLIError(`The genesis has no member ${descriptor.name} (${file}). Do not start with it.`);
  const fields = ['role', 'address', 'voteKey', 'transportKey'] as const;
  const other =
    fields.find((field) => member[field] !== descriptor[field]) ??
    (member.endpoints.join() === descriptor.endpoints.join() ? undefined : 'endpoints');
  if (other !== undefined)
    throw new CLIError(
      `In the genesis, ${other} of ${descriptor.name} is not as in ${file}. Do not start with it: ask its author why.`,
    );
}

function describe(genesis: Genesis, genesisHash: Hash, file: string): readonly string[] {
  const { parameters } = genesis;
  const validators = genesis.members.filter(({ validator }) => validator).length;
  return [
    ...fieldLines([
      ['genesis hash', genesisHash],
      ['document', file],
      ['network', `${genesis.name}, chain ${genesis.chainId}, suite ${genesis.suite}`],
      ['members', `${counted(genesis.members.length, 'member')}, ${counted(validators, 'validator')}`],
      ['accounts', parameters.accounts],
      ['gas', `minimum price ${parameters.minGasPrice} wei, ${parameters.blockGasLimit} a block`],
      ['idle block', `every ${parameters.idleBlockIntervalMs} ms`],
      ...genesis.currencies.map(({ symbol, name, decimals, authority }): [string, string] => [
        `currency ${symbol}`,
        `${name}, ${counted(decimals, 'decimal')}, issued by ${authority}`,
      ]),
    ]),
    '',
    ...alignColumns([
      ['member', 'role', 'validator', 'account', 'endpoints'],
      ...genesis.members.map(({ name, role, validator, address, endpoints }) => [
        name,
        role,
        validator ? 'yes' : 'no',
        address,
        endpoints.join(' '),
      ]),
    ]),
  ];
}
