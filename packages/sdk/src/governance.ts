import {
  actionOf,
  evidenceKinds,
  membersAbi,
  membersAddress,
  proposalStateOf,
  REMOVED_MEMBER,
  roleCodes,
  roleOf,
  voteCodes,
} from '@hanse/modules/abi';
import {
  type Address,
  GOVERNANCE_ACTIONS,
  type GovernanceAction,
  type GovernancePolicy,
  type Hash,
  type Hex,
  type MemberRole,
  ZERO_ADDRESS,
} from '@hanse/protocol';
import type { ContractFunctionArgs, ContractFunctionName, ContractFunctionReturnType } from 'viem';
import { revertDataOf } from './describeError.ts';
import type { HanseConnection } from './hanseConnection.ts';
import type { SeenDoubleVote } from './hanseRpc.ts';
import { type SentTransaction, sentTransaction } from './sentTransaction.ts';

/** A member as the chain has it, those that were removed included. */
export interface MemberEntry {
  readonly id: number;
  readonly name: string;
  readonly role: MemberRole;
  readonly status: 'active' | 'removed';
  readonly address: Address;
  /** Its place among the validators, from 0; null if it is none. */
  readonly place: number | null;
  readonly voteKey: Hex;
  readonly transportKey: Hex;
  readonly endpoints: readonly string[];
  /** Seconds since 1970 until which its declaration to be ready stands; 0 if it never made one. */
  readonly readyUntil: number;
}

export type ProposalState = 'open' | 'passed' | 'enacted' | 'withdrawn' | 'expired';

/** What a proposal is about; what its action does not use is zero or empty. */
export interface ProposedChange {
  /** Whom it is about; the new member once it was admitted. */
  readonly member: number;
  readonly name: string;
  readonly role: MemberRole | null;
  readonly account: Address;
  readonly voteKey: Hex;
  readonly transportKey: Hex;
  readonly endpoints: readonly string[];
  readonly feature: string;
  readonly version: number;
  readonly height: number;
  readonly policyAction: GovernanceAction | null;
  readonly policy: GovernancePolicy;
}

export interface Proposal {
  readonly id: number;
  readonly action: GovernanceAction;
  readonly state: ProposalState;
  /** The member that made it. */
  readonly proposer: number;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** 0 before. */
  readonly enactedHeight: number;
  readonly approvals: number;
  readonly rejections: number;
  /** How many members count. */
  readonly electorate: number;
  readonly approved: boolean;
  readonly proposed: ProposedChange;
}

export interface RuleSchedule {
  readonly feature: string;
  readonly version: number;
  /** From which block on. */
  readonly height: number;
}

/** A double vote that stands on the chain. */
export interface RecordedEvidence {
  readonly member: number;
  readonly epoch: number;
  readonly view: number;
  readonly kinds: readonly [string, string];
  readonly height: number;
  readonly reporter: Address;
}

export interface NewMember {
  readonly name: string;
  readonly role: MemberRole;
  readonly account: Address;
  readonly voteKey: Hex;
  readonly transportKey: Hex;
  readonly endpoints: readonly string[];
}

/** Keys to put in place of lost ones; what is absent stays. */
export interface NewKeys {
  readonly account?: Address;
  readonly voteKey?: Hex;
  readonly transportKey?: Hex;
}

export type GovernanceCall = ContractFunctionName<typeof membersAbi, 'nonpayable'>;
type CallArguments<Name extends GovernanceCall> = ContractFunctionArgs<typeof membersAbi, 'nonpayable', Name>;

/** How the members decide about members, keys, rules and policies (the module `members`, docs/reference/governance.md). */
export interface Governance {
  /** All members in the order of their ids. */
  members(): Promise<readonly MemberEntry[]>;
  proposalCount(): Promise<number>;
  proposal(id: number): Promise<Proposal>;
  voteOf(proposal: number, member: number): Promise<'approved' | 'rejected' | null>;
  policies(): Promise<Readonly<Record<GovernanceAction, GovernancePolicy>>>;
  /** Ascending by height; what is not named is in version 1. */
  rules(): Promise<readonly RuleSchedule[]>;
  evidence(): Promise<readonly RecordedEvidence[]>;
  /** The double votes that the asked member saw. */
  seenEvidence(): Promise<readonly SeenDoubleVote[]>;
  /** Why the module would refuse a call of an account now, as revert data; undefined if it would not. Sends nothing. */
  refusalOf<Name extends GovernanceCall>(
    account: Address,
    name: Name,
    args: CallArguments<Name>,
  ): Promise<Hex | undefined>;

  // All below are sent by a member's own account.

  proposeMember(member: NewMember): Promise<SentTransaction>;
  proposePromotion(member: number): Promise<SentTransaction>;
  proposeDemotion(member: number): Promise<SentTransaction>;
  proposeRemoval(member: number): Promise<SentTransaction>;
  proposeKeys(member: number, keys: NewKeys): Promise<SentTransaction>;
  proposeRule(rule: RuleSchedule): Promise<SentTransaction>;
  proposePolicy(action: GovernanceAction, policy: GovernancePolicy): Promise<SentTransaction>;
  vote(proposal: number, approve: boolean): Promise<SentTransaction>;
  withdraw(proposal: number): Promise<SentTransaction>;
  enact(proposal: number): Promise<SentTransaction>;
  /** A member that is no validator shows that it has a block of the last 16. */
  declareReady(block: { readonly height: number; readonly hash: Hash }): Promise<SentTransaction>;
  rotateVoteKey(key: Hex): Promise<SentTransaction>;
  rotateTransportKey(key: Hex): Promise<SentTransaction>;
  rotateAccount(account: Address): Promise<SentTransaction>;
  /** Anybody who may send transactions reports a double vote. */
  reportDoubleVote(evidence: SeenDoubleVote): Promise<SentTransaction>;
}

const contract = { address: membersAddress, abi: membersAbi } as const;

/**
 * Gas beyond the estimate: between estimate and block another vote may come in, and then this one decides and enacts, which writes a
 * whole set of validators (31 of them take about 3 million). What is not used is not charged.
 */
const GAS_RESERVE = 4_000_000n;

export function governanceOf(connection: HanseConnection): Governance {
  const { publicClient } = connection;
  const send = async <Name extends GovernanceCall>(
    functionName: Name,
    args: CallArguments<Name>,
  ): Promise<SentTransaction> => {
    const wallet = connection.requireWallet();
    const call = { ...contract, functionName, args } as never;
    const [estimate, { maxTransactionGas }] = await Promise.all([
      publicClient.estimateContractGas({ ...(call as object), account: wallet.account } as never),
      publicClient.readContract({ ...contract, functionName: 'parameters' }),
    ]);
    const limit = BigInt(maxTransactionGas);
    const wanted = estimate + GAS_RESERVE;
    const gas = wanted < limit ? wanted : limit;
    return sentTransaction(publicClient, await wallet.writeContract({ ...(call as object), gas } as never));
  };
  return {
    ...readsOf(connection),
    refusalOf: async (account, functionName, args) => {
      try {
        await publicClient.simulateContract({ ...contract, functionName, args, account } as never);
        return undefined;
      } catch (error) {
        const data = revertDataOf(error);
        if (data === undefined) throw error;
        return data;
      }
    },
    proposeMember: ({ name, role, account, voteKey, transportKey, endpoints }) =>
      send('proposeMember', [name, roleCodes[role], account, voteKey, transportKey, endpoints]),
    proposePromotion: (member) => send('proposePromotion', [member]),
    proposeDemotion: (member) => send('proposeDemotion', [member]),
    proposeRemoval: (member) => send('proposeRemoval', [member]),
    proposeKeys: (member, { account = ZERO_ADDRESS, voteKey = '0x', transportKey = '0x' }) =>
      send('proposeKeys', [member, account, voteKey, transportKey]),
    proposeRule: ({ feature, version, height }) => send('proposeRule', [feature, version, height]),
    proposePolicy: (action, policy) => send('proposePolicy', [GOVERNANCE_ACTIONS.indexOf(action) + 1, policy]),
    vote: (proposal, approve) => send('vote', [proposal, approve]),
    withdraw: (proposal) => send('withdraw', [proposal]),
    enact: (proposal) => send('enact', [proposal]),
    declareReady: ({ height, hash }) => send('declareReady', [height, hash]),
    rotateVoteKey: (key) => send('rotateVoteKey', [key]),
    rotateTransportKey: (key) => send('rotateTransportKey', [key]),
    rotateAccount: (account) => send('rotateAccount', [account]),
    reportDoubleVote: ({ first, second, signer }) =>
      send('reportDoubleVote', [first.statement, first.signature, second.statement, second.signature, signer]),
  };
}

type Reads = Pick<
  Governance,
  'members' | 'proposalCount' | 'proposal' | 'voteOf' | 'policies' | 'rules' | 'evidence' | 'seenEvidence'
>;

function readsOf({ publicClient }: HanseConnection): Reads {
  const readMember = async (id: number): Promise<MemberEntry> => {
    const [member, [, readyUntil]] = await Promise.all([
      publicClient.readContract({ ...contract, functionName: 'getMember', args: [id] }),
      publicClient.readContract({ ...contract, functionName: 'readyOf', args: [id] }),
    ]);
    const { name, role, status, account, validator, order, voteKey, transportKey, endpoints } = member;
    return {
      id,
      name,
      role: known(roleOf(role), 'role', role),
      status: status === REMOVED_MEMBER ? 'removed' : 'active',
      address: account.toLowerCase() as Address,
      place: validator ? order : null,
      voteKey,
      transportKey,
      endpoints,
      readyUntil,
    };
  };
  return {
    members: async () => {
      const count = await publicClient.readContract({ ...contract, functionName: 'memberCount' });
      return await Promise.all(Array.from({ length: count }, (_, index) => readMember(index + 1)));
    },
    proposalCount: () => publicClient.readContract({ ...contract, functionName: 'proposalCount' }),
    proposal: async (id) => {
      return readProposal(await publicClient.readContract({ ...contract, functionName: 'getProposal', args: [id] }));
    },
    voteOf: async (proposal, member) => {
      const code = await publicClient.readContract({ ...contract, functionName: 'voteOf', args: [proposal, member] });
      if (code === voteCodes.approve) return 'approved';
      return code === voteCodes.reject ? 'rejected' : null;
    },
    policies: async () => {
      const policies = await Promise.all(
        GOVERNANCE_ACTIONS.map((_, index) =>
          publicClient.readContract({ ...contract, functionName: 'policyOf', args: [index + 1] }),
        ),
      );
      const entries = GOVERNANCE_ACTIONS.map((action, index) => [action, policies[index]] as const);
      return Object.fromEntries(entries) as Record<GovernanceAction, GovernancePolicy>;
    },
    rules: () => publicClient.readContract({ ...contract, functionName: 'scheduledRules' }),
    evidence: async () => {
      const count = await publicClient.readContract({ ...contract, functionName: 'evidenceCount' });
      return await Promise.all(
        Array.from({ length: Number(count) }, async (_, index) => {
          const args = [BigInt(index)] as const;
          const found = await publicClient.readContract({ ...contract, functionName: 'getEvidence', args });
          const { member, epoch, viewNumber, kindA, kindB, height, reporter } = found;
          const kindOf = (code: number): string => evidenceKinds[code] ?? String(code);
          return {
            member,
            epoch: Number(epoch),
            view: Number(viewNumber),
            kinds: [kindOf(kindA), kindOf(kindB)] as const,
            height,
            reporter: reporter.toLowerCase() as Address,
          };
        }),
      );
    },
    seenEvidence: () => publicClient.request({ method: 'hanse_evidence' }),
  };
}

function readProposal(record: ContractFunctionReturnType<typeof membersAbi, 'view', 'getProposal'>): Proposal {
  const { proposed, action, state, ...others } = record;
  return {
    ...others,
    action: known(actionOf(action), 'action', action),
    state: known(proposalStateOf(state), 'state of a proposal', state),
    proposed: {
      ...proposed,
      account: proposed.account.toLowerCase() as Address,
      role: roleOf(proposed.role) ?? null,
      policyAction: actionOf(proposed.policyAction) ?? null,
    },
  };
}

/** A code that is newer than this program is an error that says so. */
function known<T>(value: T | undefined, what: string, code: number): T {
  if (value === undefined)
    throw new Error(`The network has a ${what} that this program does not know (${code}): use a newer version.`);
  return value;
}
