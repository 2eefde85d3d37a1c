import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { membersAbi } from '@hanse/modules/abi';
import { type GovernanceAction, type Hex, isHex, MEMBER_NAME } from '@hanse/protocol';
import type { KeyReplacement, SentTransaction } from '@hanse/sdk';
import type { Command } from 'commander';
import { parseEventLogs } from 'viem';
import { parseAddress } from '../../addressBook.ts';
import { CLIError } from '../../cliError.ts';
import { layoutOf } from '../../localNetwork/layout.ts';
import {
  descriptorFingerprint,
  type MemberDescriptor,
  readDescriptorFile,
  verifyDescriptor,
} from '../../memberDescriptor.ts';
import { act, printProposal } from '../../members/act.ts';
import { type ActingOptions, addActingOptions, type MemberContext, openMember } from '../../members/memberContext.ts';
import { findMember } from '../../members/memberLookup.ts';
import { ACTION_WORDS } from '../../members/proposalView.ts';
import { addExamples, parseChoice, parseWhole, usageError } from '../../options.ts';

/** `hanse member propose`: what the members decide together. The proposer's own approval is counted with the proposal. */
export function addProposeCommand(member: Command): void {
  const propose = member
    .command('propose')
    .description("propose a change for the members to vote on; it counts as the proposer's approval");
  addAdd(propose);
  addAboutMember(propose, 'promote', 'make a member a validator, the last of the set', (context, id) =>
    context.client.members.proposePromotion(id),
  );
  addAboutMember(
    propose,
    'demote',
    'make a validator an observer: it stays a member without a vote on blocks',
    (context, id) => context.client.members.proposeDemotion(id),
  );
  addAboutMember(
    propose,
    'remove',
    'remove a member: it is cut off, and its accounts can send no more',
    (context, id) => context.client.members.proposeRemoval(id),
  );
  addKeys(propose);
  addRule(propose);
  addPolicy(propose);
}

/** Sends a proposal as the member of the options, and prints how it stands; a descriptor's fingerprint is for people to compare. */
async function propose(
  options: ActingOptions,
  send: (context: MemberContext) => Promise<SentTransaction>,
  descriptor?: (context: MemberContext) => MemberDescriptor | undefined,
): Promise<void> {
  const context = await openMember(options);
  const described = descriptor?.(context);
  const fingerprint = described === undefined ? undefined : descriptorFingerprint(described, context.suite);
  const done = await act(context, options, () => send(context));
  const [created] = parseEventLogs({ abi: membersAbi, eventName: 'ProposalCreated', logs: done.receipt.logs });
  if (created === undefined) throw new Error('A proposal was made without its event.');
  await printProposal(context, options, created.args.proposal, done, { fingerprint });
}

function addAdd(parent: Command): void {
  const add = parent
    .command('add')
    .description('admit a new member, from the descriptor that it made of itself')
    .argument('<descriptor>', "the newcomer's descriptor.json, or its name if hanse member init --local made it");
  addExamples(
    addActingOptions(add),
    'hanse member propose add ./mill.json --config ./bank/node.json',
    'hanse member propose add mill --member authority',
  ).action(async (given: string, options: ActingOptions) => {
    const file = descriptorFileOf(given, options);
    const descriptor = readDescriptorFile(file);
    const { name, role, address, voteKey, transportKey, endpoints } = descriptor;
    const newcomer = { name, role, account: address, voteKey, transportKey, endpoints };
    await propose(
      options,
      ({ client }) => client.members.proposeMember(newcomer),
      (context) => checkedDescriptor(context, descriptor, file),
    );
  });
}

/** The file itself, or that of a member of the local network. */
function descriptorFileOf(given: string, options: ActingOptions): string {
  if (existsSync(given) || !MEMBER_NAME.test(given)) return given;
  const root = resolve(options.data);
  const local = join(layoutOf(root).member(given).folder, 'descriptor.json');
  if (existsSync(local)) return local;
  throw new CLIError(
    `There is no descriptor ${given} here, and no folder of a member ${given} in ${root}. Name the file that the newcomer sent; in a local network make its folder first: hanse member init --local --name ${given}`,
  );
}

function checkedDescriptor({ suite }: MemberContext, descriptor: MemberDescriptor, file: string): MemberDescriptor {
  if (descriptor.suite !== suite.id)
    throw new CLIError(
      `${file} has keys of the suite ${descriptor.suite}, and this network uses ${suite.id}: the newcomer makes its folder anew with --suite ${suite.id}.`,
    );
  verifyDescriptor(descriptor, suite, file);
  return descriptor;
}

function addAboutMember(
  parent: Command,
  verb: 'promote' | 'demote' | 'remove',
  description: string,
  send: (context: MemberContext, id: number) => Promise<SentTransaction>,
): void {
  const command = parent.command(verb).description(description).argument('<who>', 'its name or number');
  addExamples(
    addActingOptions(command),
    `hanse member propose ${verb} mill --member authority`,
    `hanse member propose ${verb} 5 --config ./bank/node.json`,
  ).action(async (who: string, options: ActingOptions) => {
    await propose(options, (context) => send(context, findMember(context.members, who).number));
  });
}

type ReplacingKeys = Omit<KeyReplacement, 'member'>;

interface KeysOptions extends ActingOptions {
  readonly account?: string;
  readonly voteKey?: string;
  readonly transportKey?: string;
  readonly descriptor?: string;
}

function addKeys(parent: Command): void {
  const keys = parent
    .command('keys')
    .description(
      'replace keys that a member lost; a member that has its account changes its keys itself (hanse member rotate)',
    )
    .argument('<who>', 'whose keys: its name or number')
    .option('--account <address>', 'its new account')
    .option('--vote-key <hex>', 'its new public vote key, 33 bytes')
    .option('--transport-key <hex>', 'its new public transport key, 32 bytes')
    .option('--descriptor <file>', 'else: all three from a new descriptor of the member');
  addExamples(
    addActingOptions(keys),
    'hanse member propose keys bank --account 0x1f9090aae28b8a3dceadf281b0f12828e676c326 --member authority',
    'hanse member propose keys bank --descriptor ./bank-again/descriptor.json --member authority',
  ).action(async (who: string, options: KeysOptions) => {
    const given = parseKeys(options);
    const { descriptor: file } = options;
    const descriptor = file === undefined ? undefined : readDescriptorFile(file);
    await propose(
      options,
      async ({ members, client }) => {
        const { number, name } = findMember(members, who);
        if (descriptor !== undefined && descriptor.name !== name)
          throw new CLIError(`${file} is the descriptor of ${descriptor.name}, not of ${name}.`);
        return await client.members.proposeKeys({ member: number, ...(given ?? keysOf(descriptor)) });
      },
      (context) => (descriptor === undefined ? undefined : checkedDescriptor(context, descriptor, file ?? '')),
    );
  });
}

/** The keys that were named one by one; undefined if a descriptor has them. */
function parseKeys({ account, voteKey, transportKey, descriptor }: KeysOptions): ReplacingKeys | undefined {
  const given = {
    ...(account === undefined ? {} : { account: parseAddress(account) }),
    ...(voteKey === undefined ? {} : { voteKey: parseKey('--vote-key', voteKey, 33) }),
    ...(transportKey === undefined ? {} : { transportKey: parseKey('--transport-key', transportKey, 32) }),
  };
  const named = Object.keys(given).length > 0;
  if (named && descriptor !== undefined) throw usageError('Give the keys one by one, or --descriptor: not both.');
  if (!named && descriptor === undefined)
    throw usageError('Say what replaces the lost keys: --account, --vote-key, --transport-key, or --descriptor.');
  return named ? given : undefined;
}

function parseKey(option: string, text: string, bytes: number): Hex {
  const key = text.toLowerCase();
  if (isHex(key, bytes)) return key;
  throw usageError(`${option} ${text} is not possible: give 0x and ${2 * bytes} hexadecimal digits.`);
}

const keysOf = (descriptor: MemberDescriptor | undefined): ReplacingKeys =>
  descriptor === undefined
    ? {}
    : { account: descriptor.address, voteKey: descriptor.voteKey, transportKey: descriptor.transportKey };

interface RuleOptions extends ActingOptions {
  readonly height: string;
}

function addRule(parent: Command): void {
  const rule = parent
    .command('rule')
    .description('a new version of a rule, in force from a height on; members whose program lacks it stop before')
    .argument('<feature>', 'protocol, gas-schedule, or module:NAME')
    .argument('<version>', 'the version after the present one (hanse member list --rules)')
    .requiredOption('--height <n>', 'from which block on; +N counts from the newest block');
  addExamples(
    addActingOptions(rule),
    'hanse member propose rule gas-schedule 2 --height 250000 --member authority',
    'hanse member propose rule gas-schedule 2 --height +20000 --config ./bank/node.json',
  ).action(async (feature: string, version: string, options: RuleOptions) => {
    const wanted = parseWhole('<version>', version, 1, 2 ** 32 - 1);
    const distance = parseWhole('--height', options.height.replace(/^\+/, ''), 1, 2 ** 47);
    await propose(options, async ({ network, client }) => {
      const from = options.height.startsWith('+') ? network.status.height : 0;
      return await client.members.proposeRule({ feature, version: wanted, height: from + distance });
    });
  });
}

interface PolicyOptions extends ActingOptions {
  readonly authority?: string;
  readonly bank?: string;
  readonly company?: string;
  readonly percent?: string;
}

const ACTIONS_BY_WORD = Object.fromEntries(
  Object.entries(ACTION_WORDS).map(([action, word]) => [word, action as GovernanceAction]),
);

function addPolicy(parent: Command): void {
  const policy = parent
    .command('policy')
    .description('change what it takes to decide an action; what is not named stays')
    .argument('<action>', Object.keys(ACTIONS_BY_WORD).join(', '))
    .option('--authority <n>', 'approvals by so many authorities, or all there are')
    .option('--bank <n>', 'approvals by so many banks')
    .option('--company <n>', 'approvals by so many companies')
    .option('--percent <n>', 'approvals by more than this share of all members');
  addExamples(
    addActingOptions(policy),
    'hanse member propose policy add --company 1 --member authority',
    'hanse member propose policy changeRule --percent 75 --config ./bank/node.json',
  ).action(async (word: string, options: PolicyOptions) => {
    const words = [...Object.keys(ACTIONS_BY_WORD), ...Object.keys(ACTION_WORDS)];
    const chosen = parseChoice('<action>', word, words);
    const action = ACTIONS_BY_WORD[chosen] ?? (chosen as GovernanceAction);
    const named = (['authority', 'bank', 'company', 'percent'] as const).filter((name) => options[name] !== undefined);
    if (named.length === 0) throw usageError('Say what changes: --authority, --bank, --company or --percent.');
    const changes = Object.fromEntries(
      named.map((name) => [name, parseWhole(`--${name}`, options[name] as string, 0, name === 'percent' ? 99 : 31)]),
    );
    await propose(options, async ({ client }) => {
      const policy = { ...(await client.members.policy(action)), ...changes };
      return await client.members.proposePolicy({ policyOf: action, policy });
    });
  });
}
