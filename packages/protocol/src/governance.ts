import type { MemberRole } from './genesis.ts';

/** What the members decide together, in the order of the codes that storage and ABI use (from 1). Append only. */
export const GOVERNANCE_ACTIONS = [
  'addMember',
  'promote',
  'demote',
  'remove',
  'replaceKeys',
  'changeRule',
  'changePolicy',
] as const;

export type GovernanceAction = (typeof GOVERNANCE_ACTIONS)[number];

/**
 * When a proposal passes: at least so many approvals by members of each role, and approvals by more than `percent` percent of
 * all active members. A role's minimum counts as the number of its active members where there are fewer.
 */
export interface GovernancePolicy extends Readonly<Record<MemberRole, number>> {
  readonly percent: number;
}

export interface GenesisGovernance {
  /** How long a proposal can be voted for and enacted, in seconds of block time. */
  readonly votingPeriodSeconds: number;
  readonly policies: Readonly<Record<GovernanceAction, GovernancePolicy>>;
}

/** docs/adr/0014-governance-by-roles-and-majority.md gives the reason for each number. */
export const DEFAULT_GOVERNANCE: GenesisGovernance = {
  votingPeriodSeconds: 604_800,
  policies: {
    addMember: { authority: 1, bank: 0, company: 0, percent: 50 },
    promote: { authority: 1, bank: 0, company: 0, percent: 66 },
    demote: { authority: 1, bank: 0, company: 0, percent: 66 },
    remove: { authority: 1, bank: 0, company: 0, percent: 66 },
    replaceKeys: { authority: 1, bank: 0, company: 0, percent: 66 },
    changeRule: { authority: 1, bank: 1, company: 0, percent: 66 },
    changePolicy: { authority: 1, bank: 1, company: 1, percent: 66 },
  },
};

/** A minute to a year. */
export const VOTING_PERIOD_SECONDS = { minimum: 60, maximum: 31_536_000 } as const;

/** More than a set ever holds; a minimum beyond the members of the role means all of them. */
export const MAX_ROLE_MINIMUM = 31;

/**
 * What `percent` may be. A minority may admit observers, but never decides who validates, whose keys count or what the
 * rules are. Unanimous approval always suffices, for "more than 99 percent" is all. The actions by which an alliance repairs itself must
 * work while as many members are missing as its consensus bears, a third; so they ask for no more than two thirds.
 */
export function percentBounds(action: GovernanceAction): { readonly minimum: number; readonly maximum: number } {
  switch (action) {
    case 'addMember':
      return { minimum: 0, maximum: 99 };
    case 'promote':
    case 'demote':
    case 'changeRule':
      return { minimum: 50, maximum: 99 };
    case 'remove':
    case 'replaceKeys':
    case 'changePolicy':
      return { minimum: 50, maximum: 66 };
  }
}
