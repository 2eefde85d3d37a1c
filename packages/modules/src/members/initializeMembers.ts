import { type Address, type GenesisMember, hexToBytes } from '@hanse/protocol';
import { isReservedAddress } from '../abi/addresses.ts';
import { ACTIVE_MEMBER, roleCodes } from '../abi/memberCodes.ts';
import type { GenesisContext } from '../defineModule.ts';
import type { FieldAccessors } from '../storage/accessors.ts';
import { writeTransportKey, writeVoteKey } from './keys.ts';
import type { membersStorage } from './membersStorage.ts';
import { writePolicies } from './policies.ts';
import { writeSet } from './validators.ts';

type Storage = FieldAccessors<typeof membersStorage>;

/** Writes parameters, policies, members, their accounts and the validators of epoch 0. Throws for an account that stands twice. */
export function initializeMembers({ storage, genesis }: GenesisContext<typeof membersStorage>): void {
  const { parameters } = storage;
  parameters.blockGasLimit.set(genesis.parameters.blockGasLimit);
  parameters.maxTransactionGas.set(genesis.parameters.maxTransactionGas);
  parameters.idleBlockIntervalMs.set(genesis.parameters.idleBlockIntervalMs);
  parameters.maxBlockTransactions.set(genesis.parameters.maxBlockTransactions);
  parameters.maxBlockBytes.set(genesis.parameters.maxBlockBytes);
  parameters.maxTransactionBytes.set(genesis.parameters.maxTransactionBytes);
  parameters.openAccounts.set(genesis.parameters.accounts === 'open');
  parameters.minGasPrice.set(BigInt(genesis.parameters.minGasPrice));
  storage.votingPeriodSeconds.set(genesis.governance.votingPeriodSeconds);
  writePolicies(storage, genesis.governance.policies);
  storage.memberCount.set(genesis.members.length);
  const validators: number[] = [];
  genesis.members.forEach((member, index) => {
    writeMember(storage, index + 1, member);
    if (member.validator) validators.push(index + 1);
    // A member's own account may deploy, so that it can grant this to its accounts; the authority can take it away.
    writeAccount(storage, member.address, index + 1, true);
  });
  writeSet(storage, 0n, validators);
  for (const account of genesis.accounts) {
    writeAccount(storage, account.address, storage.memberByName.at(account.member).get(), account.mayDeploy);
  }
}

function writeMember(storage: Storage, id: number, member: GenesisMember): void {
  const record = storage.members.at(id);
  record.account.set(member.address);
  record.role.set(roleCodes[member.role]);
  record.status.set(ACTIVE_MEMBER);
  record.name.set(member.name);
  for (const endpoint of member.endpoints) record.endpoints.push().set(endpoint);
  writeVoteKey(storage, id, hexToBytes(member.voteKey));
  writeTransportKey(storage, id, hexToBytes(member.transportKey));
  storage.memberByName.at(member.name).set(id);
  const active = storage.activeMembers.at(roleCodes[member.role]);
  active.set(active.get() + 1);
}

function writeAccount(storage: Storage, account: Address, member: number, mayDeploy: boolean): void {
  const record = storage.accounts.at(account);
  if (member === 0) throw new RangeError(`genesis: account ${account} is of an unknown member`);
  if (record.member.get() !== 0) throw new RangeError(`genesis: account ${account} stands twice`);
  if (isReservedAddress(account)) throw new RangeError(`genesis: account ${account} is reserved`);
  const accounts = storage.accountsOf.at(member);
  record.member.set(member);
  record.position.set(accounts.length());
  record.mayTransact.set(true);
  record.mayDeploy.set(mayDeploy);
  accounts.push().set(account);
}
