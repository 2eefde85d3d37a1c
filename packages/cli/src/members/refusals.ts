import { membersAbi } from '@hanse/modules/abi';
import type { Hex } from '@hanse/protocol';
import { describeRevert, failureKind, type MemberEntry, revertDataOf } from '@hanse/sdk';
import { type ContractErrorName, decodeErrorResult } from 'viem';
import { CLIError, exitCodes } from '../cliError.ts';
import { memberName } from './memberLookup.ts';
import { timeText } from './timeText.ts';

/** The errors of the module `members`, each in a line that says what to do. */
type ErrorName = ContractErrorName<typeof membersAbi>;

interface Refusal {
  readonly name: ErrorName;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** Words for a refusal's arguments. */
interface Words {
  /** The name of the member in `member`. */
  readonly member: string;
  /** Any argument as text. */
  of(argument: string): string;
}

const STATES: Readonly<Record<string, string>> = {
  '2': 'has passed already; what is left is to enact it: hanse member enact',
  '3': 'was enacted already',
  '4': 'was withdrawn',
  '5': 'has expired: propose it again',
  '6': 'is void, because the members decided the same matter again since: propose it again if it is still wanted',
};

const SENTENCES: Readonly<Record<ErrorName, (words: Words) => string>> = {
  UnknownProposal: ({ of }) => `There is no proposal ${of('proposal')}. See: hanse member list --proposals`,
  ProposalClosed: ({ of }) => {
    const state = of('state');
    return `Proposal ${of('proposal')} ${STATES[state] ?? 'is closed'}${state === '2' ? ` ${of('proposal')}` : '.'}`;
  },
  NotProposer: ({ of, member }) =>
    `Proposal ${of('proposal')} is not of ${member}: only the member that made it withdraws it. Vote against it instead.`,
  OwnCase: ({ of, member }) => `${member} has no vote on proposal ${of('proposal')}, which is about itself.`,
  NotApproved: ({ of }) =>
    `Proposal ${of('proposal')} has not passed: ${of('approvals')} of ${of('electorate')} approve. See what is missing: hanse member list --proposals`,
  TooManyProposals: ({ of, member }) =>
    `${member} has ${of('limit')} proposals that were neither enacted nor have expired, the most that it may: wait until some expire.`,
  MemberNotActive: ({ member }) => `${member} was removed from the network.`,
  TooManyMembers: ({ of }) => `The network has ${of('limit')} members, the most that it may: remove one first.`,
  InvalidName: () => "That cannot be a member's name: 1 to 31 lower-case letters, digits or hyphens, a letter first.",
  NameTaken: ({ of, member }) =>
    `The name ${of('name')} is or was that of ${member}, and is never given again: let the newcomer choose another and make its folder anew.`,
  InvalidRole: () => 'The role is none of authority, bank, company.',
  InvalidVoteKey: () => 'The vote key is no point of the curve: it is 33 bytes, as a descriptor has it.',
  InvalidTransportKey: () => 'The transport key has not 32 bytes, as a descriptor has it.',
  KeyUsed: ({ member }) => `${member} has or had this key, and a key is used once: make a new one.`,
  AccountBarred: ({ of }) =>
    `An authority barred the account ${of('account')} from sending, so it cannot act for a member: take another account.`,
  NothingChanges: () => 'That is so already: nothing would change.',
  AlreadyValidator: ({ member }) => `${member} is a validator already.`,
  NotValidator: ({ member }) => `${member} is no validator.`,
  LastValidator: ({ member }) => `${member} is the only validator: promote another member first.`,
  LastAuthority: ({ member }) => `${member} is the only authority: admit another one first.`,
  TooManyValidators: ({ of }) => `There are ${of('limit')} validators, the most that there may be: demote one first.`,
  NotReady: ({ member }) =>
    `${member} has not shown in the last hour that it follows the chain. Its operator runs: hanse member ready`,
  HeightOutOfReach: ({ of }) =>
    `Block ${of('height')} is not one of the newest 16: the node is behind. Wait until it has caught up (hanse status), and declare again.`,
  WrongBlock: ({ of }) =>
    `The network has another block ${of('height')} than this node: it follows another chain, or is broken. Run: hanse doctor`,
  TooSoon: ({ of, member }) =>
    `${member} changed this key less than ten minutes ago, and may again from ${timeText(Number(of('until')))} on.`,
  InvalidFeature: () =>
    'That is no feature. Features are protocol, gas-schedule, and module: with the name of a module.',
  WrongVersion: ({ of }) => `The next version of this feature is ${of('next')}: propose that one.`,
  HeightTooLow: ({ of }) =>
    `A rule needs time until every member knows it: the lowest height is ${of('lowest')} now. Choose a much later one, so that all can upgrade.`,
  HeightTooHigh: ({ of }) => `A rule lies no further ahead than block ${of('highest')}.`,
  TooManyRules: ({ of }) =>
    `${of('limit')} rules are to come already, the most that there may be: wait until some are in force.`,
  UnknownAction: ({ of }) => `There is no action ${of('action')} with a policy.`,
  InvalidPolicy: () =>
    'The policy is outside what the action allows. See docs/reference/governance.md, "When a proposal passes": each minimum is 0 to 31, and each action has its allowed percent.',
  UnknownEpoch: ({ of }) => `The chain knows no epoch ${of('epoch')}.`,
  InvalidStatement: () => 'A statement is no vote in its signed form.',
  OtherNetwork: () => 'A vote is of another network.',
  NotContradictory: () => 'An honest validator may sign both votes: they prove nothing.',
  UnknownSigner: ({ of }) => `Epoch ${of('epoch')} has no validator ${of('signer')}.`,
  WrongSignature: () => "A signature is not the validator's: the votes prove nothing.",
  EvidenceKnown: () => 'Somebody has reported this double vote already.',
  TooMuchEvidence: () => 'So much is known about this validator in this epoch that more would prove no more.',
  UnknownEvidence: ({ of }) => `There is no evidence ${of('index')}.`,
  AccountTaken: ({ of, member }) =>
    `The account ${of('account')} is registered by ${member}: take another one, or let ${member} remove it first (hanse account remove).`,
  DeployNotGranted: ({ of }) =>
    `The account ${of('account')} may not be allowed to deploy: an authority barred it, or the member may not itself.`,
  InvalidAccount: ({ of }) => `${of('account')} is reserved or zero and cannot be an account.`,
  InvalidEndpoint: ({ of }) => `Endpoint ${Number(of('index')) + 1} is not host:port.`,
  MemberAccount: ({ of }) => `${of('account')} is a member's own account.`,
  NotAuthority: ({ of }) => `${of('caller')} is no authority's own account.`,
  NotMember: ({ of }) =>
    `${of('caller')} is no active member's own account: name the member that acts with --member, --config or --key.`,
  NotResponsible: ({ of }) => `${of('caller')} does not answer for the account ${of('account')}.`,
  TooMany: ({ of }) => `${of('count')} are more than the ${of('limit')} that there may be.`,
  UnknownAccount: ({ of }) => `The account ${of('account')} is not registered.`,
  UnknownMember: ({ of }) => `There is no member ${of('member')}. See: hanse member list`,
};

/** What the module `members` said; undefined if the data is of something else. */
export function readRefusal(data: Hex): Refusal | undefined {
  try {
    const { errorName, args, abiItem } = decodeErrorResult({ abi: membersAbi, data });
    if (!(errorName in SENTENCES)) return undefined;
    const inputs: readonly { readonly name?: string }[] = 'inputs' in abiItem ? abiItem.inputs : [];
    const values = (args ?? []) as readonly unknown[];
    return {
      name: errorName as ErrorName,
      arguments: Object.fromEntries(inputs.map(({ name = '' }, index) => [name, values[index]])),
    };
  } catch {
    return undefined;
  }
}

/** A refusal of the module in one line for people; anything else as the SDK describes it. */
export function refusalText(data: Hex, members: readonly MemberEntry[]): string {
  const refusal = readRefusal(data);
  if (refusal === undefined) return `The chain refused: ${describeRevert(data)}.`;
  const { name, arguments: given } = refusal;
  const of = (argument: string): string => String(given[argument]).toLowerCase();
  const member = typeof given.member === 'number' ? memberName(members, given.member) : 'the member';
  return SENTENCES[name]({ member, of });
}

/** Runs something that the module may refuse; a refusal becomes a CLIError of one line. */
export async function refusable<T>(members: readonly MemberEntry[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const data = failureKind(error) === 'refused' ? revertDataOf(error) : undefined;
    if (data === undefined) throw error;
    throw new CLIError(refusalText(data, members), exitCodes.refused);
  }
}
