import type { RecoveredSet } from '@hanse/protocol';
import type { FieldAccessors } from '../storage/accessors.ts';
import { markRemoved } from './markRemoved.ts';
import type { membersStorage } from './membersStorage.ts';
import { validatorIds, writeSet } from './validators.ts';

/**
 * Begins the epoch of a recovery in the state of the first block after it: the chain's own record of what the members
 * confirmed by hand. `height` is that of the last block before, at which the epoch starts.
 */
export function applyRecovery(
  storage: FieldAccessors<typeof membersStorage>,
  { set: { epoch, validators }, removed }: RecoveredSet,
  height: number,
): void {
  const idOf = (name: string): number => storage.memberByName.at(name).get();
  const ids = validators.map(({ name }) => idOf(name));
  for (const id of validatorIds(storage)) {
    if (ids.includes(id)) continue;
    const member = storage.members.at(id);
    member.validator.set(false);
    member.order.set(0);
  }
  for (const name of removed) markRemoved(storage, idOf(name));
  storage.epoch.set(BigInt(epoch));
  storage.epochStarts.at(BigInt(epoch)).set(height);
  writeSet(storage, BigInt(epoch), ids);
}
