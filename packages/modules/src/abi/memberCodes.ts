import type { MemberRole } from '@hanse/protocol';

/** How storage and ABI write a member's role; 0 is none. Append only. */
export const roleCodes: Readonly<Record<MemberRole, number>> = { authority: 1, bank: 2, company: 3 };

const roles: readonly (MemberRole | undefined)[] = [undefined, 'authority', 'bank', 'company'];

/** The role that a code stands for; undefined for a code of a later version. */
export const roleOf = (code: number): MemberRole | undefined => roles[code];

/** A member's status; 0 is no member. Append only. */
export const ACTIVE_MEMBER = 1;
