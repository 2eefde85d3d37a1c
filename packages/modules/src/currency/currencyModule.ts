import { type Address, ZERO_ADDRESS } from '@hanse/protocol';
import { moduleNumbers } from '../abi/addresses.ts';
import { currencyAbi } from '../abi/currencyAbi.ts';
import { ACTIVE_MEMBER, roleCodes } from '../abi/memberCodes.ts';
import { defineModule, type ModuleContext, type ViewContext } from '../defineModule.ts';
import { hasRole, peekMembers } from '../members/membership.ts';
import { currencyStorage } from './currencyStorage.ts';

type Context = ModuleContext<typeof currencyAbi, typeof currencyStorage>;
type Reading = ViewContext<typeof currencyAbi, typeof currencyStorage>;

const MAX_SUPPLY = (1n << 128n) - 1n;
const UNLIMITED = (1n << 256n) - 1n;

/** Adds to a balance. The first time an account holds some, it enters the list by which supply is checked. */
function credit(context: Context, account: Address, amount: bigint): void {
  const { storage } = context;
  const wallet = storage.wallets.at(account);
  // No balance passes the total supply, which stays below 2^128, so this cannot overflow.
  wallet.balance.set(wallet.balance.get() + amount);
  if (amount === 0n || wallet.holder.get() !== 0n) return;
  const holder = storage.holderCount.get() + 1n;
  storage.holderCount.set(holder);
  storage.holders.at(holder).set(account);
  wallet.holder.set(holder);
}

function debit(context: Context, account: Address, amount: bigint): void {
  const { balance } = context.storage.wallets.at(account);
  const held = balance.get();
  if (held < amount) {
    throw context.error('ERC20InsufficientBalance', { sender: account, balance: held, needed: amount });
  }
  balance.set(held - amount);
}

function move(context: Context, from: Address, to: Address, value: bigint): void {
  // What the currency itself or nobody holds could never be spent again.
  if (to === ZERO_ADDRESS || to === context.self) throw context.error('ERC20InvalidReceiver', { receiver: to });
  debit(context, from, value);
  credit(context, to, value);
  context.emit('Transfer', { from, to, value });
}

function transfer(context: Context, to: Address, value: bigint): boolean {
  move(context, context.caller, to, value);
  return true;
}

function approve(context: Context, spender: Address, value: bigint): boolean {
  const owner = context.caller;
  if (spender === ZERO_ADDRESS) throw context.error('ERC20InvalidSpender', { spender });
  context.storage.allowances.at(owner).at(spender).set(value);
  context.emit('Approval', { owner, spender, value });
  return true;
}

function transferFrom(context: Context, from: Address, to: Address, value: bigint): boolean {
  const spender = context.caller;
  const allowance = context.storage.allowances.at(from).at(spender);
  const allowed = allowance.get();
  if (allowed < value) {
    throw context.error('ERC20InsufficientAllowance', { spender, allowance: allowed, needed: value });
  }
  if (allowed !== UNLIMITED) allowance.set(allowed - value);
  move(context, from, to, value);
  return true;
}

/** The account of the member that issues this currency, as the members' module has it now, so that it follows a change of keys. */
function authority(context: Reading | Context): Address {
  return peekMembers(context).members.at(context.storage.authority.get()).account.get();
}

/** Only the authority issues and redeems, and only with operating institutions: the first tier of the two. */
function requireTwoTiers(context: Context, bank: Address): void {
  const members = peekMembers(context);
  const member = members.members.at(context.storage.authority.get());
  if (
    member.account.get() !== context.caller ||
    member.status.get() !== ACTIVE_MEMBER ||
    member.role.get() !== roleCodes.authority
  ) {
    throw context.error('NotAuthority', { caller: context.caller });
  }
  if (!hasRole(members, bank, 'bank')) throw context.error('NotBank', { account: bank });
}

function issue(context: Context, bank: Address, amount: bigint): void {
  requireTwoTiers(context, bank);
  const { totalSupply, issued } = context.storage;
  const supply = totalSupply.get();
  // `issued` never falls, so it has a bound of its own: 2^256 - 1 in the word that it fills.
  const available = min(MAX_SUPPLY - supply, UNLIMITED - issued.get());
  if (amount > available) throw context.error('SupplyExceeded', { amount, available });
  totalSupply.set(supply + amount);
  issued.set(issued.get() + amount);
  credit(context, bank, amount);
  context.emit('Issued', { bank, amount });
  context.emit('Transfer', { from: ZERO_ADDRESS, to: bank, value: amount });
}

function redeem(context: Context, bank: Address, amount: bigint): void {
  requireTwoTiers(context, bank);
  const { totalSupply, redeemed } = context.storage;
  debit(context, bank, amount);
  totalSupply.set(totalSupply.get() - amount);
  redeemed.set(redeemed.get() + amount);
  context.emit('Redeemed', { bank, amount });
  context.emit('Transfer', { from: bank, to: ZERO_ADDRESS, value: amount });
}

function holderAt(context: Reading, index: bigint): Address {
  if (index >= context.storage.holderCount.get()) throw context.error('UnknownHolder', { index });
  return context.storage.holders.at(index + 1n).get();
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** One currency; every currency runs this code at an address of its own. */
export const currencyModule = defineModule({
  name: 'currency',
  version: 1,
  number: moduleNumbers.currency,
  kind: 'instances',
  abi: currencyAbi,
  storage: currencyStorage,
  handlers: {
    name: ({ storage }) => storage.name.get(),
    symbol: ({ storage }) => storage.symbol.get(),
    decimals: ({ storage }) => storage.decimals.get(),
    totalSupply: ({ storage }) => storage.totalSupply.get(),
    balanceOf: ({ storage }, account) => storage.wallets.at(account).balance.get(),
    allowance: ({ storage }, owner, spender) => storage.allowances.at(owner).at(spender).get(),
    transfer,
    approve,
    transferFrom,
    issue,
    redeem,
    issued: ({ storage }) => storage.issued.get(),
    redeemed: ({ storage }) => storage.redeemed.get(),
    authority,
    holderCount: ({ storage }) => storage.holderCount.get(),
    holderAt,
  },
});
