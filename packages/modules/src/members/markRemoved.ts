import { REMOVED_MEMBER } from '../abi/memberCodes.ts';
import type { FieldAccessors } from '../storage/accessors.ts';
import type { membersStorage } from './membersStorage.ts';

/** A member is none any more: it neither votes nor counts, and its accounts may do nothing. Its place in the set is the caller's to change. */
export function markRemoved(storage: FieldAccessors<typeof membersStorage>, member: number): void {
  const record = storage.members.at(member);
  const active = storage.activeMembers.at(record.role.get());
  active.set(active.get() - 1);
  record.status.set(REMOVED_MEMBER);
}
