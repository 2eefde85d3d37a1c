import { GOVERNANCE_ACTIONS, type GovernanceAction, type MemberRole, type Statement } from '@hanse/protocol';

/** How storage and ABI write a member's role; 0 is none. Append only. */
export const roleCodes: Readonly<Record<MemberRole, number>> = { authority: 1, bank: 2, company: 3 };

const roles: readonly (MemberRole | undefined)[] = [undefined, 'authority', 'bank', 'company'];

/** The role that a code stands for; undefined for a code of a later version. */
export const roleOf = (code: number): MemberRole | undefined => roles[code];

/** A member's status; 0 is no member. Append only. */
export const ACTIVE_MEMBER = 1;
export const REMOVED_MEMBER = 2;

/** How storage and ABI write what a proposal does: from 1 on. */
export const actionCode = (action: GovernanceAction): number => GOVERNANCE_ACTIONS.indexOf(action) + 1;

/** The action that a code stands for; undefined for none. */
export const actionOf = (code: number): GovernanceAction | undefined => GOVERNANCE_ACTIONS[code - 1];

/** A proposal's state. `expired` is never stored: time makes it; nor is `superseded`: another decision does. Append only. */
export const proposalStates = { open: 1, passed: 2, enacted: 3, withdrawn: 4, expired: 5, superseded: 6 } as const;

export type ProposalState = keyof typeof proposalStates;

/** The state that a code stands for; undefined for a code of a later version. */
export const proposalStateOf = (code: number): ProposalState | undefined =>
  (Object.keys(proposalStates) as ProposalState[]).find((state) => proposalStates[state] === code);

/** A member's vote on a proposal; 0 is none. Append only. */
export const voteCodes = { approve: 1, reject: 2 } as const;

/** The kinds of votes in evidence, as on the wire. Append only. */
export const statementCodes: Readonly<Record<Statement['kind'], number>> = { notarize: 1, nullify: 2, finalize: 3 };

/** The kind that a code stands for; undefined for a code of a later version. */
export const statementKindOf = (code: number): Statement['kind'] | undefined =>
  (Object.keys(statementCodes) as Statement['kind'][]).find((kind) => statementCodes[kind] === code);
