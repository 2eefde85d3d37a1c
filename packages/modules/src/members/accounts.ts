import { type Address, ZERO_ADDRESS } from '@hanse/protocol';
import { isReservedAddress } from '../abi/addresses.ts';
import type { RevertSignal } from '../runtime/signals.ts';
import { type Context, callingMember, type Reading, requireAuthority } from './membersContext.ts';
import { hasRole, memberOfAccount, memberOfOwnAccount } from './membership.ts';

/** How many accounts `accountsOf` gives at once. */
const MAX_PAGE = 256;

/** The member that answers for a registered account; reverts if nobody does. */
function responsibleMember(context: Context, account: Address): number {
  const member = context.storage.accounts.at(account).member.get();
  if (member === 0) throw context.error('UnknownAccount', { account });
  return member;
}

function emitPermissions(context: Context, account: Address): void {
  const record = context.storage.accounts.at(account);
  context.emit('AccountPermissionsChanged', {
    account,
    member: record.member.get(),
    mayTransact: record.mayTransact.get(),
    mayDeploy: record.mayDeploy.get(),
  });
}

/** Why an account cannot become one of `member` (0: of a member to be). What a removed member registered is free. */
function accountRefusal(context: Context, account: Address, member: number): RevertSignal | undefined {
  const { storage } = context;
  if (account === ZERO_ADDRESS || isReservedAddress(account)) return context.error('InvalidAccount', { account });
  const owner = memberOfAccount(storage, account);
  return owner === 0 || owner === member ? undefined : context.error('AccountTaken', { account, member: owner });
}

/** Why an account cannot become the own account of `member` (0: of a member to be). It may be one that the member registered. */
export function ownAccountRefusal(context: Context, account: Address, member: number): RevertSignal | undefined {
  const refusal = accountRefusal(context, account, member);
  if (refusal !== undefined) return refusal;
  return context.storage.accounts.at(account).transactBarred.get()
    ? context.error('AccountBarred', { account })
    : undefined;
}

/** Registers an account; the caller checked that it is free. */
export function enterAccount(context: Context, account: Address, member: number, mayDeploy: boolean): void {
  const { storage } = context;
  const record = storage.accounts.at(account);
  // What a removed member left behind changes hands.
  if (record.member.get() !== 0) dropAccount(context, account);
  const accounts = storage.accountsOf.at(member);
  const mayTransact = !record.transactBarred.get();
  record.member.set(member);
  record.position.set(accounts.length());
  record.mayTransact.set(mayTransact);
  record.mayDeploy.set(mayDeploy);
  record.since.set(context.block.height);
  accounts.push().set(account);
  context.emit('AccountRegistered', { account, member, mayTransact, mayDeploy });
}

/** Takes a registration away; bars stay. */
function dropAccount(context: Context, account: Address): void {
  const { storage } = context;
  const record = storage.accounts.at(account);
  const member = record.member.get();
  const accounts = storage.accountsOf.at(member);
  // The last of the list takes the place of the one that goes, so that the list stays dense.
  const position = record.position.get();
  const last = accounts.at(accounts.length() - 1).get();
  accounts.at(position).set(last);
  storage.accounts.at(last).position.set(position);
  accounts.pop();
  record.member.set(0);
  record.position.set(0);
  record.mayTransact.set(false);
  record.mayDeploy.set(false);
  record.since.set(0);
  context.emit('AccountRemoved', { account, member });
}

/**
 * Makes a checked account the member's own; the one before loses its registration. A bar on deployment goes along: else a
 * member could shake it off by changing its account.
 */
export function changeOwnAccount(context: Context, member: number, account: Address): void {
  const { accounts, members } = context.storage;
  const own = members.at(member).account;
  const previous = own.get();
  const left = accounts.at(previous);
  const entered = accounts.at(account);
  const isBarred = left.deployBarred.get() || entered.deployBarred.get();
  const mayDeploy = left.mayDeploy.get() && !isBarred;
  own.set(account);
  dropAccount(context, previous);
  if (isBarred) entered.deployBarred.set(true);
  if (entered.member.get() !== member) {
    enterAccount(context, account, member, mayDeploy);
  } else if (entered.mayDeploy.get() !== mayDeploy) {
    entered.mayDeploy.set(mayDeploy);
    emitPermissions(context, account);
  }
  context.emit('MemberAccountChanged', { member, previous, account });
}

export function registerAccount(context: Context, account: Address, mayDeploy: boolean): void {
  const member = callingMember(context);
  const refusal = accountRefusal(context, account, 0);
  if (refusal !== undefined) throw refusal;
  if (mayDeploy) requireGrantable(context, account);
  enterAccount(context, account, member, mayDeploy);
}

/** A member grants what it has itself, and only where the authority did not bar it. */
function requireGrantable(context: Context, account: Address): void {
  const { accounts } = context.storage;
  if (!accounts.at(context.caller).mayDeploy.get() || accounts.at(account).deployBarred.get()) {
    throw context.error('DeployNotGranted', { account });
  }
}

function requireNoMember(context: Context, account: Address): void {
  if (memberOfOwnAccount(context.storage, account) !== 0) throw context.error('MemberAccount', { account });
}

export function removeAccount(context: Context, account: Address): void {
  const { storage, caller } = context;
  const member = responsibleMember(context, account);
  if (memberOfOwnAccount(storage, caller) !== member && !hasRole(storage, caller, 'authority')) {
    throw context.error('NotResponsible', { caller, account });
  }
  requireNoMember(context, account);
  dropAccount(context, account);
}

export function setMayDeploy(context: Context, account: Address, allowed: boolean): void {
  const { storage, caller } = context;
  const member = responsibleMember(context, account);
  const record = storage.accounts.at(account);
  if (hasRole(storage, caller, 'authority')) {
    record.deployBarred.set(!allowed);
  } else {
    if (memberOfOwnAccount(storage, caller) !== member) throw context.error('NotResponsible', { caller, account });
    if (allowed) requireGrantable(context, account);
  }
  record.mayDeploy.set(allowed);
  emitPermissions(context, account);
}

export function setMayTransact(context: Context, account: Address, allowed: boolean): void {
  requireAuthority(context);
  responsibleMember(context, account);
  requireNoMember(context, account);
  const record = context.storage.accounts.at(account);
  record.transactBarred.set(!allowed);
  record.mayTransact.set(allowed);
  emitPermissions(context, account);
}

export function getAccount({ storage }: Reading, account: Address) {
  const record = storage.accounts.at(account);
  return {
    member: record.member.get(),
    mayTransact: record.mayTransact.get(),
    mayDeploy: record.mayDeploy.get(),
    transactBarred: record.transactBarred.get(),
    deployBarred: record.deployBarred.get(),
    since: record.since.get(),
  };
}

export function accountsOf({ storage }: Reading, member: number, offset: bigint, limit: bigint): Address[] {
  const accounts = storage.accountsOf.at(member);
  const length = BigInt(accounts.length());
  const asked = limit < BigInt(MAX_PAGE) ? limit : BigInt(MAX_PAGE);
  const end = offset + asked < length ? offset + asked : length;
  const page: Address[] = [];
  for (let i = offset; i < end; i++) page.push(accounts.at(Number(i)).get());
  return page;
}
