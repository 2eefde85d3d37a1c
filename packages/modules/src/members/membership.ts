import type { Address, MemberRole } from '@hanse/protocol';
import { membersAddress } from '../abi/addresses.ts';
import { ACTIVE_MEMBER, roleCodes } from '../abi/memberCodes.ts';
import type { FieldReaders } from '../storage/accessors.ts';
import type { StorageFields } from '../storage/storageType.ts';
import { membersStorage } from './membersStorage.ts';

/** The members' storage, to read: a module's own, another module's view of it, or that of a finished state. */
export type MembersReader = FieldReaders<typeof membersStorage>;

/** What a sender may do. */
export interface Permissions {
  readonly mayTransact: boolean;
  readonly mayDeploy: boolean;
}

const nothing: Permissions = { mayTransact: false, mayDeploy: false };
const everything: Permissions = { mayTransact: true, mayDeploy: true };

/** The members' storage as another module's frame sees it. */
export function peekMembers(context: {
  peek<Other extends StorageFields>(address: Address, fields: Other): FieldReaders<Other>;
}): MembersReader {
  return context.peek(membersAddress, membersStorage);
}

/**
 * On an open network everybody may do everything. On a registered one an account needs a registration by a member
 * that is still active, and its flags decide.
 */
export function permissionsOf(members: MembersReader, account: Address): Permissions {
  if (members.parameters.openAccounts.get()) return everything;
  const record = members.accounts.at(account);
  const member = record.member.get();
  if (member === 0 || !isActive(members, member)) return nothing;
  const mayTransact = record.mayTransact.get();
  return { mayTransact, mayDeploy: mayTransact && record.mayDeploy.get() };
}

const isActive = (members: MembersReader, id: number): boolean => members.members.at(id).status.get() === ACTIVE_MEMBER;

/** The active member that answers for an account; 0 if there is none. */
export function memberOfAccount(members: MembersReader, account: Address): number {
  const id = members.accounts.at(account).member.get();
  return id !== 0 && isActive(members, id) ? id : 0;
}

/** The active member whose own account this is; 0 if there is none. */
export function memberOfOwnAccount(members: MembersReader, account: Address): number {
  const id = members.accounts.at(account).member.get();
  if (id === 0) return 0;
  const member = members.members.at(id);
  return member.account.get() === account && member.status.get() === ACTIVE_MEMBER ? id : 0;
}

/** Whether this is the own account of an active member with that role. */
export function hasRole(members: MembersReader, account: Address, role: MemberRole): boolean {
  const id = memberOfOwnAccount(members, account);
  return id !== 0 && members.members.at(id).role.get() === roleCodes[role];
}

/** Whether a member has shown not long ago that it follows the chain. */
export const isReady = (members: MembersReader, id: number, timestamp: number): boolean =>
  timestamp < members.conduct.at(id).readyUntil.get();

/** How many members there are, those that were removed not counted. */
export function activeMemberCount({ activeMembers }: MembersReader): number {
  return Object.values(roleCodes).reduce((sum, role) => sum + activeMembers.at(role).get(), 0);
}
