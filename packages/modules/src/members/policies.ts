import { type GovernanceAction, type GovernancePolicy, MAX_ROLE_MINIMUM, percentBounds } from '@hanse/protocol';
import { ACTIVE_MEMBER, actionCode, actionOf, roleCodes, voteCodes } from '../abi/memberCodes.ts';
import type { FieldAccessors, FieldReaders } from '../storage/accessors.ts';
import type { Reading } from './membersContext.ts';
import type { MembersReader } from './membership.ts';
import type { membersStorage, policyStruct, proposalStruct } from './membersStorage.ts';

const roles = ['authority', 'bank', 'company'] as const;

/** How a proposal stands. */
export interface Tally {
  readonly approvals: number;
  readonly rejections: number;
  /** How many members count. */
  readonly electorate: number;
  /** Whether the approvals suffice. */
  readonly approved: boolean;
}

export const isAllowedPolicy = (action: GovernanceAction, policy: GovernancePolicy): boolean => {
  const { minimum, maximum } = percentBounds(action);
  return (
    roles.every((role) => policy[role] <= MAX_ROLE_MINIMUM) && policy.percent >= minimum && policy.percent <= maximum
  );
};

export function readPolicy(record: FieldReaders<typeof policyStruct.fields>): GovernancePolicy {
  return {
    authority: record.authority.get(),
    bank: record.bank.get(),
    company: record.company.get(),
    percent: record.percent.get(),
  };
}

export function writePolicy(record: FieldAccessors<typeof policyStruct.fields>, policy: GovernancePolicy): void {
  record.authority.set(policy.authority);
  record.bank.set(policy.bank);
  record.company.set(policy.company);
  record.percent.set(policy.percent);
}

/** Writes the policies of the genesis document. */
export function writePolicies(
  storage: FieldAccessors<typeof membersStorage>,
  policies: Readonly<Record<GovernanceAction, GovernancePolicy>>,
): void {
  for (const [action, policy] of Object.entries(policies)) {
    writePolicy(storage.policies.at(actionCode(action as GovernanceAction)), policy);
  }
}

/** The member that neither votes nor counts in its own case, so that nobody's lost or hostile keys stand in the way; 0 if there is none. */
export function subjectOf(proposal: FieldReaders<typeof proposalStruct.fields>): number {
  const action = actionOf(proposal.action.get());
  return action === 'remove' || action === 'replaceKeys' ? proposal.member.get() : 0;
}

/** Counts a proposal's votes by the members of now: whoever was removed counts no more, whoever came since does. */
export function tallyOf(storage: MembersReader, id: number): Tally {
  const proposal = storage.proposals.at(id);
  const policy = readPolicy(storage.policies.at(proposal.action.get()));
  const subject = subjectOf(proposal);
  const members = rolesCounted(storage, subject);
  const approvals = new Map<number, number>();
  let rejections = 0;
  const votes = storage.votes.at(id);
  const { voters } = proposal;
  for (let index = 0, length = voters.length(); index < length; index++) {
    const voter = voters.at(index).get();
    const member = storage.members.at(voter);
    if (voter === subject || member.status.get() !== ACTIVE_MEMBER) continue;
    if (votes.at(voter).get() === voteCodes.approve) {
      const role = member.role.get();
      approvals.set(role, (approvals.get(role) ?? 0) + 1);
    } else {
      rejections += 1;
    }
  }
  const electorate = roles.reduce((sum, role) => sum + members[role], 0);
  const approving = roles.reduce((sum, role) => sum + (approvals.get(roleCodes[role]) ?? 0), 0);
  const approved =
    approving * 100 > policy.percent * electorate &&
    roles.every((role) => (approvals.get(roleCodes[role]) ?? 0) >= Math.min(policy[role], members[role]));
  return { approvals: approving, rejections, electorate, approved };
}

/** How many active members of each role count. */
function rolesCounted(storage: MembersReader, subject: number): Record<(typeof roles)[number], number> {
  const record = storage.members.at(subject);
  const left = subject !== 0 && record.status.get() === ACTIVE_MEMBER ? record.role.get() : 0;
  const count = (role: (typeof roles)[number]) => {
    const code = roleCodes[role];
    return storage.activeMembers.at(code).get() - (code === left ? 1 : 0);
  };
  return { authority: count('authority'), bank: count('bank'), company: count('company') };
}

export function policyOf(context: Reading, action: number): GovernancePolicy {
  if (actionOf(action) === undefined) throw context.error('UnknownAction', { action });
  return readPolicy(context.storage.policies.at(action));
}
