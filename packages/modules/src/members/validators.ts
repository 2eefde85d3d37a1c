import { bytesToHex } from '@hanse/protocol';
import { GAS } from '../gasSchedule.ts';
import { clearStorage, type FieldAccessors } from '../storage/accessors.ts';
import type { Context, Reading } from './membersContext.ts';
import type { MembersReader } from './membership.ts';
import type { membersStorage } from './membersStorage.ts';

type Storage = FieldAccessors<typeof membersStorage>;

/** What a validator takes: member and account share a slot, a key of 33 bytes has its length and two words. */
const VALIDATOR_SLOTS = 4;
/** The set's size, the height of its closing block, and the number of the epoch. */
const EPOCH_SLOTS = 3;

/** The members that decide the next block, in the order of the set. */
export function validatorIds({ epoch, validatorCounts, validators }: MembersReader): readonly number[] {
  const current = epoch.get();
  const set = validators.at(current);
  return Array.from({ length: validatorCounts.at(current).get() }, (_, index) => set.at(index).member.get());
}

/** Writes the set of an epoch as the members are now. */
export function writeSet(storage: Storage, epoch: bigint, ids: readonly number[]): void {
  const set = storage.validators.at(epoch);
  const before = storage.validatorCounts.at(epoch).get();
  ids.forEach((id, order) => {
    const member = storage.members.at(id);
    member.validator.set(true);
    member.order.set(order);
    const validator = set.at(order);
    validator.member.set(id);
    validator.account.set(member.account.get());
    validator.voteKey.set(member.voteKey.get());
  });
  // The set of this epoch may have been longer a moment ago, in the same block.
  for (let order = ids.length; order < before; order++) clearStorage(set.at(order));
  storage.validatorCounts.at(epoch).set(ids.length);
}

/**
 * Makes these members the validators, with the accounts and keys that they have now. The first change in a block begins a
 * new epoch, further ones rewrite its set, so that a block closes one epoch at most and older sets stay as they are.
 */
export function changeValidators(context: Context, ids: readonly number[]): void {
  const { storage, block } = context;
  let epoch = storage.epoch.get();
  if (epoch === 0n || storage.epochStarts.at(epoch).get() !== block.height) {
    epoch += 1n;
    storage.epoch.set(epoch);
    storage.epochStarts.at(epoch).set(block.height);
  } else {
    // As dear as a new epoch: gas is estimated as if in the newest block, which may be one that closed an epoch.
    context.chargeItems((ids.length * VALIDATOR_SLOTS + EPOCH_SLOTS) * (GAS.writeNew / GAS.loopItem));
  }
  writeSet(storage, epoch, ids);
  context.emit('ValidatorSetChanged', { epoch, members: ids });
}

/** Brings the set up to date with the account and vote key of a member, if it is in it. */
export function renewValidator(context: Context, member: number): void {
  if (context.storage.members.at(member).validator.get()) changeValidators(context, validatorIds(context.storage));
}

export function validatorSet({ storage }: Reading, epoch: bigint) {
  const count = storage.validatorCounts.at(epoch).get();
  return Array.from({ length: count }, (_, i) => {
    const validator = storage.validators.at(epoch).at(i);
    const member = validator.member.get();
    return {
      member,
      name: storage.members.at(member).name.get(),
      account: validator.account.get(),
      voteKey: bytesToHex(validator.voteKey.get()),
    };
  });
}

export function epochStart(context: Reading, epoch: bigint): number {
  const { validatorCounts, epochStarts } = context.storage;
  if (validatorCounts.at(epoch).get() === 0) throw context.error('UnknownEpoch', { epoch });
  return epochStarts.at(epoch).get();
}
