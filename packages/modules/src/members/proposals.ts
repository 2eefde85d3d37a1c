import type { Address, GovernanceAction, GovernancePolicy, Hex } from '@hanse/protocol';
import { actionCode, actionOf, proposalStates, voteCodes } from '../abi/memberCodes.ts';
import type { FieldAccessors } from '../storage/accessors.ts';
import { perform, refusalToPerform, refusalToPropose } from './actions.ts';
import { type Context, callingMember, type Reading } from './membersContext.ts';
import type { MembersReader } from './membership.ts';
import type { proposalStruct } from './membersStorage.ts';
import { subjectOf, type Tally, tallyOf } from './policies.ts';
import { nothingProposed, type Proposed, readProposed, writeProposed } from './proposed.ts';

type ProposalRecord = FieldAccessors<typeof proposalStruct.fields>;

/** So many proposals of one member may stand that were neither enacted nor have expired; withdrawn ones count, or a member could fill the state. */
export const MAX_PENDING_PROPOSALS = 64;

/** The matter that an action settles for its member: what is decided in it later makes earlier proposals of it void. */
function matterOf(action: number): 'standing' | 'keys' | undefined {
  switch (actionOf(action)) {
    case 'promote':
    case 'demote':
      return 'standing';
    case 'replaceKeys':
      return 'keys';
    default:
      return undefined;
  }
}

/**
 * The state with time counted in, and with what was decided since: from the second `expiresAt` on nothing can be done any more, nor after
 * another decision in the same matter, for a proposal that passed and could not be carried out must not undo that one later.
 */
export function stateOf(storage: MembersReader, id: number, timestamp: number): number {
  const proposal = storage.proposals.at(id);
  const state = proposal.state.get();
  if (state !== proposalStates.open && state !== proposalStates.passed) return state;
  const matter = matterOf(proposal.action.get());
  if (matter !== undefined && id <= storage.decided.at(proposal.member.get())[matter].get())
    return proposalStates.superseded;
  return timestamp >= proposal.expiresAt.get() ? proposalStates.expired : state;
}

/** A proposal in one of these states; reverts for every other. */
function requireProposal(context: Context, id: number, ...states: readonly number[]): ProposalRecord {
  const proposal = context.storage.proposals.at(id);
  if (proposal.action.get() === 0) throw context.error('UnknownProposal', { proposal: id });
  const state = stateOf(context.storage, id, context.block.timestamp);
  if (!states.includes(state)) throw context.error('ProposalClosed', { proposal: id, state });
  return proposal;
}

/** The stored action; a code that this version does not know would be a mistake of the module. */
function actionIn(proposal: ProposalRecord): GovernanceAction {
  const action = actionOf(proposal.action.get());
  if (action === undefined) throw new Error('a proposal has an action that this version does not know');
  return action;
}

function propose(context: Context, action: GovernanceAction, given: Partial<Proposed>): number {
  const proposer = callingMember(context);
  const proposed = { ...nothingProposed, ...given };
  const refusal = refusalToPropose(context, action, proposed);
  if (refusal !== undefined) throw refusal;
  const { storage, block } = context;
  const id = storage.proposalCount.get() + 1;
  takePlace(context, proposer, id);
  storage.proposalCount.set(id);
  const expiresAt = block.timestamp + storage.votingPeriodSeconds.get();
  const proposal = storage.proposals.at(id);
  proposal.action.set(actionCode(action));
  proposal.state.set(proposalStates.open);
  proposal.proposer.set(proposer);
  proposal.createdAt.set(block.timestamp);
  proposal.expiresAt.set(expiresAt);
  writeProposed(proposal, proposed);
  context.emit('ProposalCreated', { proposal: id, action: actionCode(action), proposer, proposed, expiresAt });
  if (subjectOf(proposal) !== proposer) castVote(context, id, proposer, true);
  return id;
}

/** Puts a proposal into the list of those that the member has pending, which loses what is over. */
function takePlace(context: Context, member: number, id: number): void {
  const { pendingProposals, proposals } = context.storage;
  const list = pendingProposals.at(member);
  const length = list.length();
  let kept = 0;
  for (let index = 0; index < length; index++) {
    const entry = list.at(index).get();
    const proposal = proposals.at(entry);
    const isOver =
      proposal.state.get() === proposalStates.enacted || context.block.timestamp >= proposal.expiresAt.get();
    if (isOver) continue;
    if (kept !== index) list.at(kept).set(entry);
    kept += 1;
  }
  if (kept >= MAX_PENDING_PROPOSALS) {
    throw context.error('TooManyProposals', { member, limit: BigInt(MAX_PENDING_PROPOSALS) });
  }
  for (let index = length; index > kept; index--) list.pop();
  list.push().set(id);
}

/** Records a vote and, if the approvals suffice with it, closes the voting and does what was proposed, now or when it can be done. */
function castVote(context: Context, id: number, member: number, approve: boolean): void {
  const { storage } = context;
  const proposal = storage.proposals.at(id);
  const vote = storage.votes.at(id).at(member);
  if (vote.get() === 0) proposal.voters.push().set(member);
  vote.set(approve ? voteCodes.approve : voteCodes.reject);
  context.emit('Voted', { proposal: id, member, approve });
  const tally = tallyOf(storage, id);
  if (!tally.approved) return;
  pass(context, id, tally);
  const action = actionIn(proposal);
  const proposed = readProposed(proposal);
  if (refusalToPerform(context, action, proposed) === undefined) carryOut(context, id, action, proposed);
  else if (action === 'promote') storage.awaitedPromotion.at(proposed.member).set(id);
}

/** Closes the voting and keeps the count, which later changes of members would change. */
function pass(context: Context, id: number, { approvals, rejections, electorate }: Tally): void {
  const proposal = context.storage.proposals.at(id);
  proposal.state.set(proposalStates.passed);
  proposal.approvals.set(approvals);
  proposal.rejections.set(rejections);
  proposal.electorate.set(electorate);
  context.emit('ProposalPassed', { proposal: id, approvals, rejections, electorate });
}

function carryOut(context: Context, id: number, action: GovernanceAction, proposed: Proposed): void {
  const { storage } = context;
  const proposal = storage.proposals.at(id);
  proposal.state.set(proposalStates.enacted);
  proposal.enactedHeight.set(context.block.height);
  context.emit('ProposalEnacted', { proposal: id, action: actionCode(action) });
  proposal.member.set(perform(context, action, proposed));
  const matter = matterOf(actionCode(action));
  if (matter !== undefined) storage.decided.at(proposed.member)[matter].set(storage.proposalCount.get());
}

export function vote(context: Context, id: number, approve: boolean): void {
  const member = callingMember(context);
  const proposal = requireProposal(context, id, proposalStates.open);
  if (subjectOf(proposal) === member) throw context.error('OwnCase', { proposal: id, member });
  castVote(context, id, member, approve);
}

export function withdraw(context: Context, id: number): void {
  const member = callingMember(context);
  const proposal = requireProposal(context, id, proposalStates.open, proposalStates.passed);
  if (proposal.proposer.get() !== member) throw context.error('NotProposer', { proposal: id, member });
  proposal.state.set(proposalStates.withdrawn);
  context.emit('ProposalWithdrawn', { proposal: id });
}

export function enact(context: Context, id: number): void {
  callingMember(context);
  const proposal = requireProposal(context, id, proposalStates.open, proposalStates.passed);
  if (proposal.state.get() === proposalStates.open) {
    const tally = tallyOf(context.storage, id);
    const { approvals, electorate } = tally;
    if (!tally.approved) throw context.error('NotApproved', { proposal: id, approvals, electorate });
    pass(context, id, tally);
  }
  const action = actionIn(proposal);
  const proposed = readProposed(proposal);
  const refusal = refusalToPerform(context, action, proposed);
  if (refusal !== undefined) throw refusal;
  carryOut(context, id, action, proposed);
}

/** Enacts the promotion of a member that passed before it was ready, if there is one and nothing else stands against it. */
export function enactAwaitedPromotion(context: Context, member: number): void {
  const { storage, block } = context;
  const id = storage.awaitedPromotion.at(member).get();
  if (id === 0) return;
  if (stateOf(storage, id, block.timestamp) !== proposalStates.passed) return;
  const proposed = readProposed(storage.proposals.at(id));
  if (refusalToPerform(context, 'promote', proposed) === undefined) carryOut(context, id, 'promote', proposed);
}

export const proposeMember = (
  context: Context,
  name: string,
  role: number,
  account: Address,
  voteKey: Hex,
  transportKey: Hex,
  endpoints: readonly string[],
): number => propose(context, 'addMember', { name, role, account, voteKey, transportKey, endpoints });

export const proposePromotion = (context: Context, member: number): number => propose(context, 'promote', { member });

export const proposeDemotion = (context: Context, member: number): number => propose(context, 'demote', { member });

export const proposeRemoval = (context: Context, member: number): number => propose(context, 'remove', { member });

export const proposeKeys = (
  context: Context,
  member: number,
  account: Address,
  voteKey: Hex,
  transportKey: Hex,
): number => propose(context, 'replaceKeys', { member, account, voteKey, transportKey });

export const proposeRule = (context: Context, feature: string, version: number, height: number): number =>
  propose(context, 'changeRule', { feature, version, height });

export const proposePolicy = (context: Context, policyAction: number, policy: GovernancePolicy): number =>
  propose(context, 'changePolicy', { policyAction, policy });

export function getProposal(context: Reading, id: number) {
  const { storage, block } = context;
  const proposal = storage.proposals.at(id);
  const action = proposal.action.get();
  if (action === 0) throw context.error('UnknownProposal', { proposal: id });
  const state = stateOf(storage, id, block.timestamp);
  // Of what passed, the count that decided.
  const kept: Tally = {
    approvals: proposal.approvals.get(),
    rejections: proposal.rejections.get(),
    electorate: proposal.electorate.get(),
    approved: true,
  };
  const tally = kept.electorate === 0 ? tallyOf(storage, id) : kept;
  return {
    id,
    action,
    state,
    proposer: proposal.proposer.get(),
    createdAt: proposal.createdAt.get(),
    expiresAt: proposal.expiresAt.get(),
    enactedHeight: proposal.enactedHeight.get(),
    ...tally,
    proposed: readProposed(proposal),
  };
}
