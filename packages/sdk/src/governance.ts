import {
  ACTIVE_MEMBER,
  actionCode,
  actionOf,
  membersAbi,
  membersAddress,
  type ProposalState,
  proposalStateOf,
  roleCodes,
  roleOf,
  statementKindOf,
  voteCodes,
} from '@hanse/modules/abi';
import {
  type Address,
  type GovernanceAction,
  type GovernancePolicy,
  type Hash,
  type Hex,
  type MemberRole,
  type Statement,
  ZERO_ADDRESS,
} from '@hanse/protocol';
import {
  type ContractFunctionArgs,
  type ContractFunctionName,
  encodeFunctionData,
  type GetContractReturnType,
  getContract,
} from 'viem';
import { revertDataOf } from './describeError.ts';
import type { HanseConnection, HansePublicClient } from './hanseConnection.ts';
import type { SeenDoubleVote } from './hanseRpc.ts';
import { type SentTransaction, sentTransaction } from './sentTransaction.ts';

/** A member by its name or its number. */
export type MemberReference = string | number;

/** A member to be. */
export interface NewMember {
  readonly name: string;
  readonly role: MemberRole;
  readonly account: Address;
  readonly voteKey: Hex;
  readonly transportKey: Hex;
  readonly endpoints: readonly string[];
}

/** A member as the chain has it, those that were removed included. */
export interface MemberEntry extends NewMember {
  readonly number: number;
  readonly active: boolean;
  readonly validator: boolean;
  /** Of a validator: its place in the set, from 0 on. */
  readonly place?: number;
}

/** New keys of a member; what is absent stays as it is. */
export interface KeyReplacement {
  readonly member: MemberReference;
  readonly account?: Address;
  readonly voteKey?: Hex;
  readonly transportKey?: Hex;
}

/** A version of a feature and the height from which it is in force. */
export interface ScheduledRule {
  readonly feature: string;
  readonly version: number;
  readonly height: number;
}

/** What a proposal does. Members stand by their numbers; `member` of addMember is there once it was enacted. */
export type ProposedChange =
  | ({ readonly action: 'addMember'; readonly member?: number } & NewMember)
  | { readonly action: 'promote' | 'demote' | 'remove'; readonly member: number }
  | ({ readonly action: 'replaceKeys' } & KeyReplacement & { readonly member: number })
  | ({ readonly action: 'changeRule' } & ScheduledRule)
  | { readonly action: 'changePolicy'; readonly policyOf: GovernanceAction; readonly policy: GovernancePolicy };

export interface ProposalDescription {
  readonly id: number;
  readonly state: ProposalState;
  readonly proposer: number;
  /** Seconds since 1970. From `expiresAt` on it can be neither voted for nor enacted. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** The block that enacted it. */
  readonly enactedHeight?: number;
  /** As it stands, or as it stood when it passed. */
  readonly approvals: number;
  readonly rejections: number;
  /** How many members count. */
  readonly electorate: number;
  /** Whether the approvals suffice. */
  readonly approved: boolean;
  readonly change: ProposedChange;
}

/** Two votes of one validator in one view that no honest validator makes. */
export interface EvidenceDescription {
  readonly member: number;
  readonly signer: number;
  readonly epoch: number;
  readonly view: number;
  readonly kinds: readonly [Statement['kind'], Statement['kind']];
  /** The suite's hashes of the signed statements. */
  readonly hashes: readonly [Hash, Hash];
  readonly height: number;
  readonly reporter: Address;
}

/**
 * How members change the alliance together (docs/reference/governance.md). Whatever writes needs the own account of an active
 * member, except `reportDoubleVote`.
 */
export interface Governance {
  /** The member with that name or number; rejects if there is none. */
  member(reference: MemberReference): Promise<MemberEntry>;
  /** All members in the order of their numbers, those that were removed included. */
  all(): Promise<readonly MemberEntry[]>;
  proposeMember(member: NewMember): Promise<SentTransaction>;
  proposePromotion(member: MemberReference): Promise<SentTransaction>;
  proposeDemotion(member: MemberReference): Promise<SentTransaction>;
  proposeRemoval(member: MemberReference): Promise<SentTransaction>;
  /** For keys that are lost or stolen. */
  proposeKeys(keys: KeyReplacement): Promise<SentTransaction>;
  proposeRule(rule: ScheduledRule): Promise<SentTransaction>;
  proposePolicy(change: { policyOf: GovernanceAction; policy: GovernancePolicy }): Promise<SentTransaction>;
  vote(vote: { proposal: number; approve: boolean }): Promise<SentTransaction>;
  withdraw(proposal: number): Promise<SentTransaction>;
  enact(proposal: number): Promise<SentTransaction>;
  /** Shows with the block below the newest that this member follows the chain. */
  declareReady(): Promise<SentTransaction>;
  rotateVoteKey(voteKey: Hex): Promise<SentTransaction>;
  rotateTransportKey(transportKey: Hex): Promise<SentTransaction>;
  /** From then on the other account is the member's own, and this one is not registered. */
  rotateAccount(account: Address): Promise<SentTransaction>;
  /** Records two contradicting votes, each in its signed form with its signature. */
  reportDoubleVote(evidence: {
    signer: number;
    statements: readonly [Hex, Hex];
    signatures: readonly [Hex, Hex];
  }): Promise<SentTransaction>;
  proposalCount(): Promise<number>;
  proposal(id: number): Promise<ProposalDescription>;
  voteOf(vote: { proposal: number; member: MemberReference }): Promise<'approve' | 'reject' | undefined>;
  policy(action: GovernanceAction): Promise<GovernancePolicy>;
  votingPeriodSeconds(): Promise<number>;
  /** Ascending by height; what is not named is in version 1. */
  scheduledRules(): Promise<readonly ScheduledRule[]>;
  epoch(): Promise<number>;
  /** The height of the block that closed the epoch before; rejects for an epoch that has not begun. */
  epochStart(epoch: number): Promise<number>;
  /** Up to which second a member counts as ready to be promoted, and for which block it said so; undefined if it never did. */
  readyOf(member: MemberReference): Promise<{ readonly height: number; readonly until: number } | undefined>;
  evidenceCount(): Promise<number>;
  /** Evidence is numbered from 0. */
  evidence(index: number): Promise<EvidenceDescription>;
  /** The double votes that the asked member saw itself, be they on the chain or not. */
  seenEvidence(): Promise<readonly SeenDoubleVote[]>;
  /** Why the module would refuse a call of an account now, as revert data; undefined if it would not. Sends nothing. */
  refusalOf<Name extends GovernanceCall>(
    account: Address,
    functionName: Name,
    args: ContractFunctionArgs<typeof membersAbi, 'nonpayable', Name>,
  ): Promise<Hex | undefined>;
}

/** A function of the module that changes something. */
export type GovernanceCall = ContractFunctionName<typeof membersAbi, 'nonpayable'>;

/**
 * What a call of governance may use. It is not estimated, because a vote that only counts when it is estimated may be the one that decides when it
 * is executed, and then it does what was proposed: for 31 validators about 3,000,000 gas.
 */
const GOVERNANCE_GAS = 8_000_000;

const contract = { address: membersAddress, abi: membersAbi } as const;

/** A code of a version of the chain that this client does not know would be shown wrongly. */
function known<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new RangeError(`The chain has ${what} that this version does not know: upgrade it.`);
  return value;
}

const lowerCase = (address: Address): Address => address.toLowerCase() as Address;

export function governanceOf(connection: HanseConnection): Governance {
  const { publicClient } = connection;
  const { read } = getContract({ ...contract, client: publicClient });
  const numberOf = (reference: MemberReference) => memberNumber(read, reference);

  const send: Send = async (functionName, args) => {
    const wallet = connection.requireWallet();
    const data = encodeFunctionData({ abi: membersAbi, functionName, args } as never);
    // What would revert now is refused with its reason, before it is sent.
    await publicClient.call({ account: wallet.account, to: membersAddress, data });
    const { maxTransactionGas } = await read.parameters();
    const gas = BigInt(Math.min(GOVERNANCE_GAS, maxTransactionGas));
    return sentTransaction(publicClient, await wallet.sendTransaction({ to: membersAddress, data, gas }));
  };

  return {
    ...governanceViews(read),
    seenEvidence: () => publicClient.request({ method: 'hanse_evidence' }),
    refusalOf: async (account, functionName, args) => {
      const data = encodeFunctionData({ abi: membersAbi, functionName, args } as never);
      try {
        await publicClient.call({ account, to: membersAddress, data });
        return undefined;
      } catch (error) {
        const refusal = revertDataOf(error);
        if (refusal === undefined) throw error;
        return refusal;
      }
    },
    proposeMember: ({ name, role, account, voteKey, transportKey, endpoints }) =>
      send('proposeMember', [name, roleCodes[role], account, voteKey, transportKey, endpoints]),
    proposePromotion: async (member) => send('proposePromotion', [await numberOf(member)]),
    proposeDemotion: async (member) => send('proposeDemotion', [await numberOf(member)]),
    proposeRemoval: async (member) => send('proposeRemoval', [await numberOf(member)]),
    proposeKeys: async ({ member, account = ZERO_ADDRESS, voteKey = '0x', transportKey = '0x' }) =>
      send('proposeKeys', [await numberOf(member), account, voteKey, transportKey]),
    proposeRule: ({ feature, version, height }) => send('proposeRule', [feature, version, height]),
    proposePolicy: ({ policyOf, policy }) => send('proposePolicy', [actionCode(policyOf), policy]),
    vote: ({ proposal, approve }) => send('vote', [proposal, approve]),
    withdraw: (proposal) => send('withdraw', [proposal]),
    enact: (proposal) => send('enact', [proposal]),
    declareReady: async () => {
      // A call is tried as if in the newest block, which does not know its own hash, so it is the one below that counts.
      const { parentHash, number } = await publicClient.getBlock();
      if (number === 0n) throw new RangeError('The chain has no block yet that a member could be ready for.');
      return await send('declareReady', [Number(number) - 1, parentHash]);
    },
    rotateVoteKey: (voteKey) => send('rotateVoteKey', [voteKey]),
    rotateTransportKey: (transportKey) => send('rotateTransportKey', [transportKey]),
    rotateAccount: (account) => send('rotateAccount', [account]),
    reportDoubleVote: ({ signer, statements, signatures }) =>
      send('reportDoubleVote', [statements[0], signatures[0], statements[1], signatures[1], signer]),
  };
}

/** Sends one call of the module. */
type Send = <Name extends GovernanceCall>(
  functionName: Name,
  args: ContractFunctionArgs<typeof membersAbi, 'nonpayable', Name>,
) => Promise<SentTransaction>;

type Reader = GetContractReturnType<typeof membersAbi, HansePublicClient>['read'];

async function memberNumber(read: Reader, reference: MemberReference): Promise<number> {
  if (typeof reference === 'number') return reference;
  const number = await read.memberByName([reference]);
  if (number === 0) throw new RangeError(`This network has no member ${reference}.`);
  return number;
}

async function readMember(read: Reader, number: number): Promise<MemberEntry> {
  const { id, role, status, order, ...member } = await read.getMember([number]);
  return {
    ...member,
    number: id,
    role: known(roleOf(role), 'a role'),
    active: status === ACTIVE_MEMBER,
    account: lowerCase(member.account),
    ...(member.validator ? { place: order } : {}),
  };
}

function governanceViews(read: Reader) {
  return {
    member: async (reference) => readMember(read, await memberNumber(read, reference)),
    all: async () => {
      const count = await read.memberCount();
      return await Promise.all(Array.from({ length: count }, (_, index) => readMember(read, index + 1)));
    },
    proposalCount: () => read.proposalCount(),
    proposal: async (id) => describeProposal(await read.getProposal([id])),
    voteOf: async ({ proposal, member }) => {
      const code = await read.voteOf([proposal, await memberNumber(read, member)]);
      if (code === 0) return undefined;
      return code === voteCodes.approve ? 'approve' : 'reject';
    },
    policy: (action) => read.policyOf([actionCode(action)]),
    votingPeriodSeconds: () => read.votingPeriod(),
    scheduledRules: () => read.scheduledRules(),
    epoch: async () => Number(await read.epoch()),
    epochStart: (epoch) => read.epochStart([BigInt(epoch)]),
    readyOf: async (member) => {
      const [height, until] = await read.readyOf([await memberNumber(read, member)]);
      return until === 0 ? undefined : { height, until };
    },
    evidenceCount: async () => Number(await read.evidenceCount()),
    evidence: async (index) => {
      const evidence = await read.getEvidence([BigInt(index)]);
      const kind = (code: number) => known(statementKindOf(code), 'a kind of vote');
      return {
        member: evidence.member,
        signer: evidence.signer,
        epoch: Number(evidence.epoch),
        view: Number(evidence.viewNumber),
        kinds: [kind(evidence.kindA), kind(evidence.kindB)],
        hashes: [evidence.hashA, evidence.hashB],
        height: evidence.height,
        reporter: lowerCase(evidence.reporter),
      };
    },
  } satisfies Partial<Governance>;
}

type Stored = Awaited<ReturnType<Reader['getProposal']>>;

function describeProposal({ action, state, enactedHeight, proposed, ...rest }: Stored): ProposalDescription {
  return {
    ...rest,
    state: known(proposalStateOf(state), 'a state of a proposal'),
    ...(enactedHeight === 0 ? {} : { enactedHeight }),
    change: describeChange(known(actionOf(action), 'a kind of proposal'), proposed),
  };
}

function describeChange(action: GovernanceAction, proposed: Stored['proposed']): ProposedChange {
  const { member, name, role, voteKey, transportKey, endpoints, feature, version, height } = proposed;
  const account = lowerCase(proposed.account);
  switch (action) {
    case 'addMember': {
      const given = { name, role: known(roleOf(role), 'a role'), account, voteKey, transportKey, endpoints };
      return { action, ...given, ...(member === 0 ? {} : { member }) };
    }
    case 'promote':
    case 'demote':
    case 'remove':
      return { action, member };
    case 'replaceKeys':
      return {
        action,
        member,
        ...(account === ZERO_ADDRESS ? {} : { account }),
        ...(voteKey === '0x' ? {} : { voteKey }),
        ...(transportKey === '0x' ? {} : { transportKey }),
      };
    case 'changeRule':
      return { action, feature, version, height };
    case 'changePolicy':
      return { action, policyOf: known(actionOf(proposed.policyAction), 'an action'), policy: proposed.policy };
  }
}
