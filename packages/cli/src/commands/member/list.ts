import { GOVERNANCE_ACTIONS, type GovernanceAction } from '@hanse/protocol';
import type { HanseClient, MemberEntry, MemberStatus, ScheduledRule } from '@hanse/sdk';
import type { Command } from 'commander';
import { alignColumns } from '../../localNetwork/membersTable.ts';
import { addOwnMemberOptions, connectOwn, type OwnMemberOptions } from '../../members/memberContext.ts';
import { memberName } from '../../members/memberLookup.ts';
import { ACTION_WORDS, expiryText, type ProposalView, stateText, viewProposal } from '../../members/proposalView.ts';
import { timeText } from '../../members/timeText.ts';
import { addExamples, parseWhole } from '../../options.ts';
import { counted, printResult } from '../../output.ts';

interface ListOptions extends OwnMemberOptions {
  readonly proposals?: boolean;
  readonly rules?: boolean;
  readonly policies?: boolean;
  readonly limit: string;
}

/** `hanse member list`: the members, and what they decide. */
export function addListCommand(member: Command): void {
  const list = member
    .command('list')
    .description('show the members as the chain has them, or their proposals, rules and policies')
    .option('--proposals', 'show open and recent proposals: how they stand, what is missing, until when')
    .option('--limit <n>', 'how many proposals, the newest first', '20')
    .option('--rules', 'show which versions of the rules are in force or to come')
    .option('--policies', 'show what it takes to decide');
  addExamples(
    addOwnMemberOptions(list),
    'hanse member list',
    'hanse member list --proposals',
    'hanse member list --rules --rpc http://bank.example.com:8545',
  ).action(async (options: ListOptions) => {
    const { client, status } = await connectOwn(options);
    const everything = !options.proposals && !options.rules && !options.policies;
    const members = await client.members.all();
    const parts = [
      ...(everything ? [await membersPart(client, members)] : []),
      ...(options.proposals
        ? [await proposalsPart(client, members, parseWhole('--limit', options.limit, 1, 1_000))]
        : []),
      ...(options.rules ? [rulesPart(await client.members.scheduledRules(), status)] : []),
      ...(options.policies ? [await policiesPart(client)] : []),
    ];
    const value = Object.assign({}, ...parts.map((part) => part.value)) as unknown;
    printResult(options, value, () => parts.flatMap(({ lines }, index) => (index === 0 ? lines : ['', ...lines])));
  });
}

/** Something to show: for programs and for people. */
interface Part {
  readonly value: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
}

async function membersPart(client: HanseClient, members: readonly MemberEntry[]): Promise<Part> {
  const validators = members.filter(({ validator }) => validator).length;
  const nowSeconds = Date.now() / 1_000;
  const declared = await Promise.all(
    members.map(({ number, active, validator }) => (active && !validator ? client.members.readyOf(number) : undefined)),
  );
  const value = members.map((member, index) => {
    const until = declared[index]?.until;
    return { ...member, readyUntil: until !== undefined && until > nowSeconds ? until : null };
  });
  const rows = value.map(({ number, name, role, active, place, readyUntil, account }) => [
    String(number),
    name,
    role,
    active ? 'active' : 'removed',
    place === undefined ? '-' : `${place + 1} of ${validators}`,
    readyUntil === null ? '-' : `until ${timeText(readyUntil)}`,
    account,
  ]);
  const header = ['number', 'member', 'role', 'status', 'validator', 'ready', 'account'];
  return { value: { members: value }, lines: alignColumns([header, ...rows]) };
}

async function proposalsPart(client: HanseClient, members: readonly MemberEntry[], limit: number): Promise<Part> {
  const count = await client.members.proposalCount();
  const ids = Array.from({ length: Math.min(count, limit) }, (_, index) => count - index);
  const proposals: ProposalView[] = [];
  for (const id of ids) proposals.push(await viewProposal(client, id, members));
  const rows = proposals.map((proposal) => [
    String(proposal.id),
    proposal.about,
    memberName(members, proposal.proposer),
    stateText(proposal),
    missingCell(proposal),
    expiryText(proposal, Date.now()),
  ]);
  const header = ['number', 'proposal', 'by', 'state', 'missing', 'expires'];
  const lines =
    proposals.length === 0
      ? ['Nothing was proposed yet. See: hanse member propose --help']
      : [
          ...alignColumns([header, ...rows]),
          ...(count > limit ? [`and ${counted(count - limit, 'older one')} (--limit ${count})`] : []),
        ];
  return { value: { proposals }, lines };
}

const missingCell = ({ missing, state, undecided }: ProposalView): string => {
  const open = state === 'open' && undecided.length > 0 ? `; no vote yet: ${undecided.join(', ')}` : '';
  return missing === null ? '-' : `${missing}${open}`;
};

function rulesPart(rules: readonly ScheduledRule[], status: MemberStatus): Part {
  const { height, missingRule, name } = status;
  const rows = rules.map((rule) => {
    const isMissing =
      missingRule !== null && rule.feature === missingRule.feature && rule.version >= missingRule.version;
    const when = rule.height <= height ? 'in force' : `in ${counted(rule.height - height, 'block')}`;
    return [
      rule.feature,
      String(rule.version),
      String(rule.height),
      when,
      isMissing ? `${name} LACKS IT: upgrade` : 'yes',
    ];
  });
  const header = ['rule', 'version', 'from block', 'state', `known to ${name}`];
  return {
    value: { rules, missingRule, height },
    lines: [
      ...(rules.length === 0 ? ['No rule was changed: all are in version 1.'] : alignColumns([header, ...rows])),
      `The newest block is ${height}. A rule that is not named is in version 1.`,
    ],
  };
}

async function policiesPart(client: HanseClient): Promise<Part> {
  const policies = await Promise.all(GOVERNANCE_ACTIONS.map((action) => client.members.policy(action)));
  const rows = policies.map(({ authority, bank, company, percent }, index) => {
    const action = GOVERNANCE_ACTIONS[index] as GovernanceAction;
    return [ACTION_WORDS[action], ...[authority, bank, company].map(String), `more than ${percent} %`];
  });
  return {
    value: { policies: Object.fromEntries(GOVERNANCE_ACTIONS.map((action, index) => [action, policies[index]])) },
    lines: alignColumns([['action', 'authorities', 'banks', 'companies', 'of all members'], ...rows]),
  };
}
