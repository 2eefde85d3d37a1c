import {
  type GovernanceAction,
  hexToBytes,
  MAX_MEMBERS,
  MAX_VALIDATORS,
  MEMBER_NAME,
  ZERO_ADDRESS,
} from '@hanse/protocol';
import { ACTIVE_MEMBER, actionOf, REMOVED_MEMBER, roleCodes, roleOf } from '../abi/memberCodes.ts';
import type { RevertSignal } from '../runtime/signals.ts';
import { changeOwnAccount, enterAccount, ownAccountRefusal } from './accounts.ts';
import { endpointsRefusal } from './endpoints.ts';
import {
  changeTransportKey,
  changeVoteKey,
  transportKeyRefusal,
  voteKeyRefusal,
  writeTransportKey,
  writeVoteKey,
} from './keys.ts';
import type { Context } from './membersContext.ts';
import { activeMemberCount, isReady } from './membership.ts';
import { isAllowedPolicy, writePolicy } from './policies.ts';
import type { Proposed } from './proposed.ts';
import { ruleRefusal, scheduleRule } from './rules.ts';
import { changeValidators, renewValidator, validatorIds } from './validators.ts';

/** Something that members decide together. */
interface Action {
  /** Why this cannot be done now. Asked when it is proposed and again when it is done, for much changes in between. */
  readonly refuse: (context: Context, proposed: Proposed) => RevertSignal | undefined;
  /** What must hold besides when it is done. */
  readonly await?: (context: Context, proposed: Proposed) => RevertSignal | undefined;
  /** Does what was not refused; gives the member that it concerned. */
  readonly perform: (context: Context, proposed: Proposed) => number;
}

/** Why a proposal could not be carried out now. */
export function refusalToPropose(
  context: Context,
  action: GovernanceAction,
  proposed: Proposed,
): RevertSignal | undefined {
  return actions[action].refuse(context, proposed);
}

/** Why an approved proposal cannot be carried out yet. */
export function refusalToPerform(
  context: Context,
  action: GovernanceAction,
  proposed: Proposed,
): RevertSignal | undefined {
  return actions[action].refuse(context, proposed) ?? actions[action].await?.(context, proposed);
}

/** Carries out what `refusalToPerform` does not refuse; gives the member that it concerned, 0 if none. */
export function perform(context: Context, action: GovernanceAction, proposed: Proposed): number {
  return actions[action].perform(context, proposed);
}

/** The first reason among those that are asked one after another. */
function firstRefusal(...questions: readonly (() => RevertSignal | undefined)[]): RevertSignal | undefined {
  for (const question of questions) {
    const refusal = question();
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function inactiveRefusal(context: Context, member: number): RevertSignal | undefined {
  const status = context.storage.members.at(member).status.get();
  if (status === ACTIVE_MEMBER) return undefined;
  return status === 0 ? context.error('UnknownMember', { member }) : context.error('MemberNotActive', { member });
}

function nameRefusal(context: Context, name: string): RevertSignal | undefined {
  if (!MEMBER_NAME.test(name)) return context.error('InvalidName', {});
  const member = context.storage.memberByName.at(name).get();
  return member === 0 ? undefined : context.error('NameTaken', { name, member });
}

function lastValidatorRefusal(context: Context, member: number): RevertSignal | undefined {
  const { members, epoch, validatorCounts } = context.storage;
  const isLast = members.at(member).validator.get() && validatorCounts.at(epoch.get()).get() === 1;
  return isLast ? context.error('LastValidator', { member }) : undefined;
}

function lastAuthorityRefusal(context: Context, member: number): RevertSignal | undefined {
  const { members, activeMembers } = context.storage;
  const { authority } = roleCodes;
  const isLast = members.at(member).role.get() === authority && activeMembers.at(authority).get() === 1;
  return isLast ? context.error('LastAuthority', { member }) : undefined;
}

const addMember: Action = {
  refuse: (context, { name, role, account, voteKey, transportKey, endpoints }) =>
    firstRefusal(
      () =>
        activeMemberCount(context.storage) >= MAX_MEMBERS
          ? context.error('TooManyMembers', { limit: BigInt(MAX_MEMBERS) })
          : undefined,
      () => nameRefusal(context, name),
      () => (roleOf(role) === undefined ? context.error('InvalidRole', { role }) : undefined),
      () => ownAccountRefusal(context, account, 0),
      () => voteKeyRefusal(context, hexToBytes(voteKey)),
      () => transportKeyRefusal(context, hexToBytes(transportKey)),
      () => endpointsRefusal(context, endpoints),
    ),
  perform(context, { name, role, account, voteKey, transportKey, endpoints }) {
    const { storage } = context;
    const id = storage.memberCount.get() + 1;
    storage.memberCount.set(id);
    const member = storage.members.at(id);
    member.account.set(account);
    member.role.set(role);
    member.status.set(ACTIVE_MEMBER);
    member.name.set(name);
    for (const endpoint of endpoints) member.endpoints.push().set(endpoint);
    storage.memberByName.at(name).set(id);
    writeVoteKey(storage, id, hexToBytes(voteKey));
    writeTransportKey(storage, id, hexToBytes(transportKey));
    const active = storage.activeMembers.at(role);
    active.set(active.get() + 1);
    context.emit('MemberAdded', { member: id, name, role, account });
    // As in the genesis: a member's own account may deploy, so that it can grant this to its accounts.
    enterAccount(context, account, id, !storage.accounts.at(account).deployBarred.get());
    return id;
  },
};

const promote: Action = {
  refuse: (context, { member }) =>
    firstRefusal(
      () => inactiveRefusal(context, member),
      () =>
        context.storage.members.at(member).validator.get() ? context.error('AlreadyValidator', { member }) : undefined,
      () =>
        validatorIds(context.storage).length >= MAX_VALIDATORS
          ? context.error('TooManyValidators', { limit: BigInt(MAX_VALIDATORS) })
          : undefined,
    ),
  await: (context, { member }) =>
    isReady(context.storage, member, context.block.timestamp) ? undefined : context.error('NotReady', { member }),
  perform(context, { member }) {
    context.emit('MemberPromoted', { member });
    changeValidators(context, [...validatorIds(context.storage), member]);
    return member;
  },
};

const demote: Action = {
  refuse: (context, { member }) =>
    firstRefusal(
      () => inactiveRefusal(context, member),
      () =>
        context.storage.members.at(member).validator.get() ? undefined : context.error('NotValidator', { member }),
      () => lastValidatorRefusal(context, member),
    ),
  perform(context, { member }) {
    context.emit('MemberDemoted', { member });
    leaveSet(context, member);
    return member;
  },
};

/** Takes a validator out of the set; the others keep their order. */
function leaveSet(context: Context, member: number): void {
  const record = context.storage.members.at(member);
  record.validator.set(false);
  record.order.set(0);
  changeValidators(
    context,
    validatorIds(context.storage).filter((id) => id !== member),
  );
}

const remove: Action = {
  refuse: (context, { member }) =>
    firstRefusal(
      () => inactiveRefusal(context, member),
      () => lastValidatorRefusal(context, member),
      () => lastAuthorityRefusal(context, member),
    ),
  perform(context, { member }) {
    const { storage } = context;
    const record = storage.members.at(member);
    const active = storage.activeMembers.at(record.role.get());
    active.set(active.get() - 1);
    record.status.set(REMOVED_MEMBER);
    context.emit('MemberRemoved', { member });
    if (record.validator.get()) leaveSet(context, member);
    return member;
  },
};

const replaceKeys: Action = {
  refuse(context, { member, account, voteKey, transportKey }) {
    const replacesAccount = account !== ZERO_ADDRESS;
    return firstRefusal(
      () => inactiveRefusal(context, member),
      () =>
        (replacesAccount && context.storage.members.at(member).account.get() === account) ||
        (!replacesAccount && voteKey === '0x' && transportKey === '0x')
          ? context.error('NothingChanges', {})
          : undefined,
      () => (replacesAccount ? ownAccountRefusal(context, account, member) : undefined),
      () => (voteKey === '0x' ? undefined : voteKeyRefusal(context, hexToBytes(voteKey))),
      () => (transportKey === '0x' ? undefined : transportKeyRefusal(context, hexToBytes(transportKey))),
    );
  },
  perform(context, { member, account, voteKey, transportKey }) {
    if (account !== ZERO_ADDRESS) changeOwnAccount(context, member, account);
    if (voteKey !== '0x') changeVoteKey(context, member, hexToBytes(voteKey));
    if (transportKey !== '0x') changeTransportKey(context, member, hexToBytes(transportKey));
    if (account !== ZERO_ADDRESS || voteKey !== '0x') renewValidator(context, member);
    return member;
  },
};

const changeRule: Action = {
  refuse: ruleRefusal,
  perform(context, rule) {
    scheduleRule(context, rule);
    return 0;
  },
};

const changePolicy: Action = {
  refuse(context, { policyAction, policy }) {
    const action = actionOf(policyAction);
    if (action === undefined) return context.error('UnknownAction', { action: policyAction });
    return isAllowedPolicy(action, policy) ? undefined : context.error('InvalidPolicy', { action: policyAction });
  },
  perform(context, { policyAction, policy }) {
    writePolicy(context.storage.policies.at(policyAction), policy);
    context.emit('PolicyChanged', { action: policyAction, policy });
    return 0;
  },
};

const actions: Readonly<Record<GovernanceAction, Action>> = {
  addMember,
  promote,
  demote,
  remove,
  replaceKeys,
  changeRule,
  changePolicy,
};
