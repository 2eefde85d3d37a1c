import { bytesToHex } from '@hanse/protocol';
import { moduleNumbers } from '../abi/addresses.ts';
import { membersAbi } from '../abi/membersAbi.ts';
import { defineModule } from '../defineModule.ts';
import { accountsOf, getAccount, registerAccount, removeAccount, setMayDeploy, setMayTransact } from './accounts.ts';
import { setEndpoints } from './endpoints.ts';
import { getEvidence, reportDoubleVote } from './evidence.ts';
import { initializeMembers } from './initializeMembers.ts';
import { rotateAccount, rotateTransportKey, rotateVoteKey } from './keys.ts';
import type { Reading } from './membersContext.ts';
import { permissionsOf } from './membership.ts';
import { membersStorage } from './membersStorage.ts';
import { policyOf } from './policies.ts';
import {
  enact,
  getProposal,
  proposeDemotion,
  proposeKeys,
  proposeMember,
  proposePolicy,
  proposePromotion,
  proposeRemoval,
  proposeRule,
  vote,
  withdraw,
} from './proposals.ts';
import { declareReady } from './readiness.ts';
import { scheduledRules } from './rules.ts';
import { epochStart, validatorSet } from './validators.ts';

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

/** Who belongs to the alliance, who may do what, and how the members change this together. */
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
    getAccount,
    permissionsOf({ storage }, account) {
      const { mayTransact, mayDeploy } = permissionsOf(storage, account);
      return [mayTransact, mayDeploy] as const;
    },
    accountCount: ({ storage }, member) => BigInt(storage.accountsOf.at(member).length()),
    accountsOf,
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

    epoch: ({ storage }) => storage.epoch.get(),
    validatorSet,
    epochStart,

    proposeMember,
    proposePromotion,
    proposeDemotion,
    proposeRemoval,
    proposeKeys,
    proposeRule,
    proposePolicy,
    vote,
    withdraw,
    enact,
    declareReady,
    proposalCount: ({ storage }) => storage.proposalCount.get(),
    getProposal,
    voteOf: ({ storage }, proposal, member) => storage.votes.at(proposal).at(member).get(),
    policyOf,
    votingPeriod: ({ storage }) => storage.votingPeriodSeconds.get(),
    scheduledRules,
    readyOf({ storage }, member) {
      const conduct = storage.conduct.at(member);
      return [conduct.readyHeight.get(), conduct.readyUntil.get()] as const;
    },

    rotateVoteKey,
    rotateTransportKey,
    rotateAccount,

    reportDoubleVote,
    evidenceCount: ({ storage }) => BigInt(storage.evidenceCount.get()),
    getEvidence,
  },
});
