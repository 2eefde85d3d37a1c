import type { GovernanceAction, GovernancePolicy, MemberRole } from '@hanse/protocol';
import type { HanseClient, KeyReplacement, MemberEntry, ProposalDescription } from '@hanse/sdk';
import { counted } from '../output.ts';
import { memberName } from './memberLookup.ts';
import { refusalText } from './refusals.ts';
import { spanText, timeText } from './timeText.ts';

/** A proposal with what a person wants to know of it. */
export interface ProposalView extends ProposalDescription {
  /** What it is about, in a few words. */
  readonly about: string;
  /** What it still takes; null once it was enacted, withdrawn or superseded, or has expired. */
  readonly missing: string | null;
  /** What the alliance gives up by it; null if nothing that a person would not expect. */
  readonly warning: string | null;
  readonly approvedBy: readonly string[];
  readonly rejectedBy: readonly string[];
  /** Members that may vote and have not. */
  readonly undecided: readonly string[];
}

const ROLES: readonly MemberRole[] = ['authority', 'bank', 'company'];

/** What `hanse member propose` calls the actions. */
export const ACTION_WORDS: Readonly<Record<GovernanceAction, string>> = {
  addMember: 'add',
  promote: 'promote',
  demote: 'demote',
  remove: 'remove',
  replaceKeys: 'keys',
  changeRule: 'rule',
  changePolicy: 'policy',
};

/** "authority 1, bank 0, company 0, and more than 66 % of all". */
export function policyText({ authority, bank, company, percent }: GovernancePolicy): string {
  return `authority ${authority}, bank ${bank}, company ${company}, and more than ${percent} % of all`;
}

export function aboutText({ change }: ProposalDescription, members: readonly MemberEntry[]): string {
  switch (change.action) {
    case 'addMember':
      return `admit ${change.name} (${change.role})`;
    case 'promote':
      return `make ${memberName(members, change.member)} a validator`;
    case 'demote':
      return `make ${memberName(members, change.member)} an observer`;
    case 'remove':
      return `remove ${memberName(members, change.member)}`;
    case 'replaceKeys':
      return `replace ${replacedKeys(change)} of ${memberName(members, change.member)}`;
    case 'changeRule':
      return `rule ${change.feature} ${change.version} from block ${change.height} on`;
    case 'changePolicy':
      return `policy of ${ACTION_WORDS[change.policyOf]}: ${policyText(change.policy)}`;
  }
}

/** Up to so many validators the quorum is all of them (packages/consensus/spec.md, "Model"). */
const ALL_NEEDED = 3;

/** What it means that a demotion or removal leaves so few validators that none of them may fail. */
export function smallSetWarning(
  { change, state }: Pick<ProposalDescription, 'change' | 'state'>,
  members: readonly MemberEntry[],
): string | undefined {
  if (change.action !== 'demote' && change.action !== 'remove') return undefined;
  if (state !== 'open' && state !== 'passed') return undefined;
  const validators = members.filter(({ active, validator }) => active && validator);
  const left = validators.filter(({ number }) => number !== change.member).length;
  if (left === validators.length || left > ALL_NEEDED) return undefined;
  return `it leaves ${counted(left, 'validator')}: while one of them is away no block is made, and if one loses its log of votes, all members must sign a recovery (docs/operating/lost-quorum.md)`;
}

function replacedKeys({ account, voteKey, transportKey }: Partial<KeyReplacement>): string {
  const replaced = [
    ...(account === undefined ? [] : ['account']),
    ...(voteKey === undefined ? [] : ['vote key']),
    ...(transportKey === undefined ? [] : ['transport key']),
  ];
  return replaced.join(', ').replace(/, ([^,]*)$/, ' and $1');
}

/** Whom a proposal is about in a way that leaves it no vote. */
const subjectOf = ({ change }: ProposalDescription): number =>
  change.action === 'remove' || change.action === 'replaceKeys' ? change.member : 0;

/** What approvals an open proposal lacks, as the module counts them: "2 more approvals, one of a bank". */
export function missingApprovals(
  { approvals, electorate }: Pick<ProposalDescription, 'approvals' | 'electorate'>,
  policy: GovernancePolicy,
  voters: readonly { readonly role: MemberRole; readonly approved: boolean }[],
): string {
  const needed = Math.floor((policy.percent * electorate) / 100) + 1;
  const lacking = ROLES.map((role) => {
    const ofRole = voters.filter((voter) => voter.role === role);
    const wanted = Math.min(policy[role], ofRole.length);
    return { role, count: Math.max(0, wanted - ofRole.filter(({ approved }) => approved).length) };
  }).filter(({ count }) => count > 0);
  const byRole = lacking.reduce((sum, { count }) => sum + count, 0);
  const more = Math.max(needed - approvals, byRole);
  if (more <= 0) return 'nothing';
  const roles = lacking.map(({ role, count }) => `${count} of the role ${role}`).join(', ');
  return `${counted(more, 'more approval')}${roles === '' ? '' : ` (${roles})`}`;
}

/** Reads a proposal and who voted how. */
export async function viewProposal(
  client: HanseClient,
  id: number,
  members: readonly MemberEntry[],
): Promise<ProposalView> {
  const proposal = await client.members.proposal(id);
  const subject = subjectOf(proposal);
  const electors = members.filter(({ active, number }) => active && number !== subject);
  const [policy, ...votes] = await Promise.all([
    client.members.policy(proposal.change.action),
    ...electors.map(({ number }) => client.members.voteOf({ proposal: id, member: number })),
  ]);
  const named = (vote: 'approve' | 'reject' | undefined): readonly string[] =>
    electors.filter((_, index) => votes[index] === vote).map(({ name }) => name);
  const voters = electors.map(({ role }, index) => ({ role, approved: votes[index] === 'approve' }));
  return {
    ...proposal,
    about: aboutText(proposal, members),
    missing: await missingText(client, proposal, members, missingApprovals(proposal, policy, voters)),
    warning: smallSetWarning(proposal, members) ?? null,
    approvedBy: named('approve'),
    rejectedBy: named('reject'),
    undecided: named(undefined),
  };
}

async function missingText(
  client: HanseClient,
  proposal: ProposalDescription,
  members: readonly MemberEntry[],
  approvals: string,
): Promise<string | null> {
  if (proposal.state === 'open' && !proposal.approved) return approvals;
  if (proposal.state !== 'open' && proposal.state !== 'passed') return null;
  const anybody = members.find(({ active }) => active);
  if (anybody === undefined) return null;
  const refusal = await client.members.refusalOf(anybody.account, 'enact', [proposal.id]);
  return refusal === undefined
    ? `somebody enacts it: hanse member enact ${proposal.id}`
    : refusalText(refusal, members);
}

/** "open: 2 of 4 approve, 1 rejects". */
export function stateText({ state, approvals, rejections, electorate, enactedHeight }: ProposalDescription): string {
  const against = rejections === 0 ? '' : `, ${rejections} against`;
  const where = state === 'enacted' ? ` in block ${enactedHeight}` : '';
  return `${state}${where}: ${approvals} of ${electorate} for it${against}`;
}

export function expiryText({ state, expiresAt }: ProposalDescription, nowMs: number): string {
  if (state !== 'open' && state !== 'passed') return '-';
  return `${timeText(expiresAt)} (in ${spanText(expiresAt - nowMs / 1_000)})`;
}
