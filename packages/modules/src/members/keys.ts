import { type Address, bytesToHex, type Hex, hexToBytes } from '@hanse/protocol';
import type { RevertSignal } from '../runtime/signals.ts';
import type { FieldAccessors, ValueAccessor } from '../storage/accessors.ts';
import { changeOwnAccount, ownAccountRefusal } from './accounts.ts';
import { type Context, callingMember } from './membersContext.ts';
import type { membersStorage } from './membersStorage.ts';
import { renewValidator } from './validators.ts';

type Storage = FieldAccessors<typeof membersStorage>;

const TRANSPORT_KEY_BYTES = 32;

/**
 * How long a member waits, in seconds of block time, before it changes the same key itself again. Each change of a validator
 * closes an epoch, for which the chain stands still for a moment; ten minutes keep even a third of 31 validators below two a minute.
 */
export const ROTATION_INTERVAL_SECONDS = 600;

/** What a key is known by: a point and its negative, whose private keys follow from each other, count as one. */
const tailOf = (key: Uint8Array): Hex => bytesToHex(key.subarray(-32));

/** Why bytes cannot become a member's vote key. */
export function voteKeyRefusal(context: Context, key: Uint8Array): RevertSignal | undefined {
  if (!context.isPublicKey(key)) return context.error('InvalidVoteKey', {});
  const member = context.storage.voteKeyOwners.at(tailOf(key)).get();
  return member === 0 ? undefined : context.error('KeyUsed', { member });
}

/** Why bytes cannot become a member's transport key. */
export function transportKeyRefusal(context: Context, key: Uint8Array): RevertSignal | undefined {
  if (key.length !== TRANSPORT_KEY_BYTES) return context.error('InvalidTransportKey', {});
  const member = context.storage.transportKeyOwners.at(tailOf(key)).get();
  return member === 0 ? undefined : context.error('KeyUsed', { member });
}

/** Writes a vote key and remembers for ever whose it is; the caller checked it. */
export function writeVoteKey(storage: Storage, member: number, key: Uint8Array): void {
  storage.members.at(member).voteKey.set(key);
  storage.voteKeyOwners.at(tailOf(key)).set(member);
}

/** Writes a transport key and remembers for ever whose it is; the caller checked it. */
export function writeTransportKey(storage: Storage, member: number, key: Uint8Array): void {
  storage.members.at(member).transportKey.set(key);
  storage.transportKeyOwners.at(tailOf(key)).set(member);
}

export function changeVoteKey(context: Context, member: number, key: Uint8Array): void {
  writeVoteKey(context.storage, member, key);
  context.emit('VoteKeyChanged', { member, voteKey: bytesToHex(key) });
}

export function changeTransportKey(context: Context, member: number, key: Uint8Array): void {
  writeTransportKey(context.storage, member, key);
  context.emit('TransportKeyChanged', { member, transportKey: bytesToHex(key) });
}

export function rotateVoteKey(context: Context, voteKey: Hex): void {
  const member = callingMember(context);
  const key = hexToBytes(voteKey);
  const refusal = voteKeyRefusal(context, key);
  if (refusal !== undefined) throw refusal;
  takeTurn(context, member, context.storage.conduct.at(member).nextVoteKey);
  changeVoteKey(context, member, key);
  renewValidator(context, member);
}

export function rotateTransportKey(context: Context, transportKey: Hex): void {
  const member = callingMember(context);
  const key = hexToBytes(transportKey);
  const refusal = transportKeyRefusal(context, key);
  if (refusal !== undefined) throw refusal;
  takeTurn(context, member, context.storage.conduct.at(member).nextTransportKey);
  changeTransportKey(context, member, key);
}

export function rotateAccount(context: Context, account: Address): void {
  const member = callingMember(context);
  if (account === context.caller) throw context.error('NothingChanges', {});
  const refusal = ownAccountRefusal(context, account, member);
  if (refusal !== undefined) throw refusal;
  takeTurn(context, member, context.storage.conduct.at(member).nextAccount);
  changeOwnAccount(context, member, account);
  renewValidator(context, member);
}

function takeTurn(context: Context, member: number, next: ValueAccessor<number>): void {
  const until = next.get();
  const { timestamp } = context.block;
  if (timestamp < until) throw context.error('TooSoon', { member, until });
  next.set(timestamp + ROTATION_INTERVAL_SECONDS);
}
