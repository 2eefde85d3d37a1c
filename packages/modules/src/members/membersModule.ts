import { type Address, bytesToHex, parseEndpoint, ZERO_ADDRESS } from '@hanse/protocol';
import { isReservedAddress, moduleNumbers } from '../abi/addresses.ts';
import { membersAbi } from '../abi/membersAbi.ts';
import { defineModule, type ModuleContext, type ViewContext } from '../defineModule.ts';
import { clearStorage } from '../storage/accessors.ts';
import { initializeMembers } from './initializeMembers.ts';
import { hasRole, memberOfOwnAccount, permissionsOf } from './membership.ts';
import { membersStorage } from './membersStorage.ts';

type Context = ModuleContext<typeof membersAbi, typeof membersStorage>;
type Reading = ViewContext<typeof membersAbi, typeof membersStorage>;

const MAX_ENDPOINTS = 8;
/** How many accounts `accountsOf` gives at once. */
const MAX_PAGE = 256;

/** The member that calls; reverts for everybody else. */
function callingMember(context: Context): number {
  const member = memberOfOwnAccount(context.storage, context.caller);
  if (member === 0) throw context.error('NotMember', { caller: context.caller });
  return member;
}

function requireAuthority(context: Context): void {
  if (!hasRole(context.storage, context.caller, 'authority')) {
    throw context.error('NotAuthority', { caller: context.caller });
  }
}

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

function registerAccount(context: Context, account: Address, mayDeploy: boolean): void {
  const member = callingMember(context);
  if (account === ZERO_ADDRESS || isReservedAddress(account)) throw context.error('InvalidAccount', { account });
  const record = context.storage.accounts.at(account);
  const owner = record.member.get();
  if (owner !== 0) throw context.error('AccountTaken', { account, member: owner });
  if (mayDeploy) requireGrantable(context, account);
  const accounts = context.storage.accountsOf.at(member);
  const mayTransact = !record.transactBarred.get();
  record.member.set(member);
  record.position.set(accounts.length());
  record.mayTransact.set(mayTransact);
  record.mayDeploy.set(mayDeploy);
  record.since.set(context.block.height);
  accounts.push().set(account);
  context.emit('AccountRegistered', { account, member, mayTransact, mayDeploy });
}

/** A member grants what it has itself, and only where the authority did not bar it. */
function requireGrantable(context: Context, account: Address): void {
  const { accounts } = context.storage;
  if (!accounts.at(context.caller).mayDeploy.get() || accounts.at(account).deployBarred.get()) {
    throw context.error('DeployNotGranted', { account });
  }
}

function requireNoMember(context: Context, account: Address, member: number): void {
  if (context.storage.members.at(member).account.get() === account) throw context.error('MemberAccount', { account });
}

function removeAccount(context: Context, account: Address): void {
  const { storage, caller } = context;
  const member = responsibleMember(context, account);
  if (memberOfOwnAccount(storage, caller) !== member && !hasRole(storage, caller, 'authority')) {
    throw context.error('NotResponsible', { caller, account });
  }
  requireNoMember(context, account, member);
  const record = storage.accounts.at(account);
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

function setMayDeploy(context: Context, account: Address, allowed: boolean): void {
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

function setMayTransact(context: Context, account: Address, allowed: boolean): void {
  requireAuthority(context);
  const member = responsibleMember(context, account);
  requireNoMember(context, account, member);
  const record = context.storage.accounts.at(account);
  record.transactBarred.set(!allowed);
  record.mayTransact.set(allowed);
  emitPermissions(context, account);
}

function setEndpoints(context: Context, endpoints: readonly string[]): void {
  const member = callingMember(context);
  if (endpoints.length === 0 || endpoints.length > MAX_ENDPOINTS) {
    throw context.error('TooMany', { count: BigInt(endpoints.length), limit: BigInt(MAX_ENDPOINTS) });
  }
  context.chargeItems(endpoints.length);
  endpoints.forEach((endpoint, index) => {
    if (parseEndpoint(endpoint) === undefined) throw context.error('InvalidEndpoint', { index: BigInt(index) });
  });
  const stored = context.storage.members.at(member).endpoints;
  clearStorage(stored);
  for (const endpoint of endpoints) stored.push().set(endpoint);
  context.emit('EndpointsChanged', { member, endpoints });
}

function getMember(context: Reading, id: number) {
  const member = context.storage.members.at(id);
  const status = member.status.get();
  if (status === 0) throw context.error('UnknownMember', { member: id });
  const endpoints: string[] = [];
  for (let i = 0; i < member.endpoints.length(); i++) endpoints.push(member.endpoints.at(i).get());
  return {
    id,
    name: member.name.get(),
    role: member.role.get(),
    status,
    account: member.account.get(),
    validator: member.validator.get(),
    order: member.order.get(),
    voteKey: bytesToHex(member.voteKey.get()),
    transportKey: bytesToHex(member.transportKey.get()),
    endpoints,
  };
}

function accountsOf(context: Reading, member: number, offset: bigint, limit: bigint): Address[] {
  const accounts = context.storage.accountsOf.at(member);
  const length = BigInt(accounts.length());
  const asked = limit < BigInt(MAX_PAGE) ? limit : BigInt(MAX_PAGE);
  const end = offset + asked < length ? offset + asked : length;
  const page: Address[] = [];
  for (let i = offset; i < end; i++) page.push(accounts.at(Number(i)).get());
  return page;
}

function validatorSet(context: Reading, epoch: bigint) {
  const count = context.storage.validatorCounts.at(epoch).get();
  return Array.from({ length: count }, (_, i) => {
    const validator = context.storage.validators.at(epoch).at(i);
    const member = validator.member.get();
    return {
      member,
      name: context.storage.members.at(member).name.get(),
      account: validator.account.get(),
      voteKey: bytesToHex(validator.voteKey.get()),
    };
  });
}

/** Who belongs to the alliance, and who may do what. */
export const membersModule = defineModule({
  name: 'members',
  version: 1,
  number: moduleNumbers.members,
  kind: 'single',
  abi: membersAbi,
  storage: membersStorage,
  initialize: initializeMembers,
  handlers: {
    registerAccount,
    removeAccount,
    setMayDeploy,
    setMayTransact,
    setEndpoints,
    memberCount: ({ storage }) => storage.memberCount.get(),
    getMember,
    memberByName: ({ storage }, name) => storage.memberByName.at(name).get(),
    getAccount({ storage }, account) {
      const record = storage.accounts.at(account);
      return {
        member: record.member.get(),
        mayTransact: record.mayTransact.get(),
        mayDeploy: record.mayDeploy.get(),
        transactBarred: record.transactBarred.get(),
        deployBarred: record.deployBarred.get(),
        since: record.since.get(),
      };
    },
    permissionsOf({ storage }, account) {
      const { mayTransact, mayDeploy } = permissionsOf(storage, account);
      return [mayTransact, mayDeploy] as const;
    },
    accountCount: ({ storage }, member) => BigInt(storage.accountsOf.at(member).length()),
    accountsOf,
    epoch: ({ storage }) => storage.epoch.get(),
    validatorSet,
    parameters({ storage: { parameters } }) {
      return {
        blockGasLimit: parameters.blockGasLimit.get(),
        maxTransactionGas: parameters.maxTransactionGas.get(),
        idleBlockIntervalMs: parameters.idleBlockIntervalMs.get(),
        maxBlockTransactions: parameters.maxBlockTransactions.get(),
        maxBlockBytes: parameters.maxBlockBytes.get(),
        maxTransactionBytes: parameters.maxTransactionBytes.get(),
        openAccounts: parameters.openAccounts.get(),
        minGasPrice: parameters.minGasPrice.get(),
      };
    },
  },
});
