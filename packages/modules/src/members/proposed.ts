import { type Address, bytesToHex, type GovernancePolicy, type Hex, hexToBytes, ZERO_ADDRESS } from '@hanse/protocol';
import type { FieldAccessors, FieldReaders } from '../storage/accessors.ts';
import type { proposalStruct } from './membersStorage.ts';
import { readPolicy, writePolicy } from './policies.ts';

/** What a proposal is about, as the ABI has it; what its action does not use is blank. */
export interface Proposed {
  readonly member: number;
  readonly name: string;
  readonly role: number;
  readonly account: Address;
  readonly voteKey: Hex;
  readonly transportKey: Hex;
  readonly endpoints: readonly string[];
  readonly feature: string;
  readonly version: number;
  readonly height: number;
  readonly policyAction: number;
  readonly policy: GovernancePolicy;
}

export const nothingProposed: Proposed = {
  member: 0,
  name: '',
  role: 0,
  account: ZERO_ADDRESS,
  voteKey: '0x',
  transportKey: '0x',
  endpoints: [],
  feature: '',
  version: 0,
  height: 0,
  policyAction: 0,
  policy: { authority: 0, bank: 0, company: 0, percent: 0 },
};

/** Writes what is not blank into a new record. */
export function writeProposed(record: FieldAccessors<typeof proposalStruct.fields>, proposed: Proposed): void {
  if (proposed.member !== 0) record.member.set(proposed.member);
  if (proposed.account !== ZERO_ADDRESS) record.account.set(proposed.account);
  if (proposed.name !== '') record.name.set(proposed.name);
  if (proposed.voteKey !== '0x') record.voteKey.set(hexToBytes(proposed.voteKey));
  if (proposed.transportKey !== '0x') record.transportKey.set(hexToBytes(proposed.transportKey));
  for (const endpoint of proposed.endpoints) record.endpoints.push().set(endpoint);
  if (proposed.role !== 0) record.role.set(proposed.role);
  if (proposed.feature !== '') {
    record.feature.set(proposed.feature);
    record.version.set(proposed.version);
    record.height.set(proposed.height);
  }
  if (proposed.policyAction !== 0) {
    record.policyAction.set(proposed.policyAction);
    writePolicy(record.policy, proposed.policy);
  }
}

export function readProposed(record: FieldReaders<typeof proposalStruct.fields>): Proposed {
  const { endpoints } = record;
  return {
    member: record.member.get(),
    name: record.name.get(),
    role: record.role.get(),
    account: record.account.get(),
    voteKey: bytesToHex(record.voteKey.get()),
    transportKey: bytesToHex(record.transportKey.get()),
    endpoints: Array.from({ length: endpoints.length() }, (_, index) => endpoints.at(index).get()),
    feature: record.feature.get(),
    version: record.version.get(),
    height: record.height.get(),
    policyAction: record.policyAction.get(),
    policy: readPolicy(record.policy),
  };
}
