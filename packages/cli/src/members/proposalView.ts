import { type GovernanceAction, type GovernancePolicy, type MemberRole, ZERO_ADDRESS } from '@hanse/protocol';
import type { HanseClient, MemberEntry, Proposal } from '@hanse/sdk';
import { counted } from '../output.ts';
import { memberName } from './memberLookup.ts';
import { refusalText } from './refusals.ts';
import { spanText, timeText } from './timeText.ts';

/** A proposal with what a person wants to know of it. */
export interface ProposalView extends Proposal {
  /** What it is about, in a few words. */
  readonly about: string;
  /** What it still takes; null once it was enacted, withdrawn or has expired. */
  readonly missing: string | null;
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

export function aboutText({ action, proposed }: Proposal, members: readonly MemberEntry[]): string {
  const member = memberName(members, proposed.member);
  const { feature, version, height, policyAction, policy } = proposed;
  switch (action) {
    case 'addMember':
      return `admit ${proposed.name} (${proposed.role ?? 'of an unknown role'})`;
    case 'promote':
      return `make ${member} a validator`;
    case 'demote':
      return `make ${member} an observer`;
    case 'remove':
      return `remove ${member}`;
    case 'replaceKeys':
      return `replace ${replacedKeys(proposed)} of ${member}`;
    case 'changeRule':
      return `rule ${feature} ${version} from block ${height} on`;
    case 'changePolicy':
      return `policy of ${policyAction === null ? 'an unknown action' : ACTION_WORDS[policyAction]}: ${policyText(policy)}`;
  }
}

function replacedKeys({ account, voteKey, transportKey }: Proposal['proposed']): string {
  const replaced = [
    ...(account === ZERO_ADDRESS ? [] : ['account']),
    ...(voteKey === '0x' ? [] : ['vote key']),
    ...(transportKey === '0x' ? [] : ['transport key']),
  ];
  return replaced.join(', ').replace(/, ([^,]*)$/, ' and $1');
}

/** Whom a proposal is about in a way that leaves it no vote. */
const subjectOf = ({ action, proposed }: Proposal): number =>
  action === 'remove' || action === 'replaceKeys' ? proposed.member : 0;

/** What approvals an open proposal lacks, as the module counts them: "2 more approvals, one of a bank". */
export function missingApprovals(
  { approvals, electorate }: Pick<Proposal, 'approvals' | 'electorate'>,
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
  policies: Readonly<Record<GovernanceAction, GovernancePolicy>>,
): Promise<ProposalView> {
  const proposal = await client.governance.proposal(id);
  const subject = subjectOf(proposal);
  const electors = members.filter((member) => member.status === 'active' && member.id !== subject);
  const votes = await Promise.all(electors.map((elector) => client.governance.voteOf(id, elector.id)));
  const named = (vote: 'approved' | 'rejected' | null): readonly string[] =>
    electors.filter((_, index) => votes[index] === vote).map(({ name }) => name);
  const voters = electors.map(({ role }, index) => ({ role, approved: votes[index] === 'approved' }));
  return {
    ...proposal,
    about: aboutText(proposal, members),
    missing: await missingText(
      client,
      proposal,
      members,
      missingApprovals(proposal, policies[proposal.action], voters),
    ),
    approvedBy: named('approved'),
    rejectedBy: named('rejected'),
    undecided: named(null),
  };
}

async function missingText(
  client: HanseClient,
  proposal: Proposal,
  members: readonly MemberEntry[],
  approvals: string,
): Promise<string | null> {
  if (proposal.state === 'open' && !proposal.approved) return approvals;
  if (proposal.state !== 'open' && proposal.state !== 'passed') return null;
  const anybody = members.find(({ status }) => status === 'active');
  if (anybody === undefined) return null;
  const refusal = await client.governance.refusalOf(anybody.address, 'enact', [proposal.id]);
  return refusal === undefined
    ? `somebody enacts it: hanse member enact ${proposal.id}`
    : refusalText(refusal, members);
}

/** "open: 2 of 4 approve, 1 rejects". */
export function stateText({ state, approvals, rejections, electorate, enactedHeight }: Proposal): string {
  const against = rejections === 0 ? '' : `, ${rejections} against`;
  const where = state === 'enacted' ? ` in block ${enactedHeight}` : '';
  return `${state}${where}: ${approvals} of ${electorate} for it${against}`;
}

export function expiryText({ state, expiresAt }: Proposal, nowMs: number): string {
  if (state !== 'open' && state !== 'passed') return '-';
  return `${timeText(expiresAt)} (in ${spanText(expiresAt - nowMs / 1_000)})`;
}
