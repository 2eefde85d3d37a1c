import type { Certificate, Hash, NotarizeStatement, Proposal, View } from '@hanse/protocol';
import { View as toView } from '@hanse/protocol';
import { noteProposalArrival, paceMs } from './delta.ts';
import { noteProposal, requestExecution } from './finality.ts';
import {
  alarm,
  alarmOnce,
  blockOf,
  type ConsensusState,
  fetchCertificates,
  isExecuted,
  leaderOf,
  MAX_CERTIFICATES,
  maySign,
  PROPOSAL_WINDOW,
  type Round,
  roundOf,
} from './state.ts';
import { equivocationOf } from './statements.ts';
import { demandOf, idleDeadline, nullify } from './timers.ts';
import type { Effect, Input, ProposalMessage } from './types.ts';

/** Rule P1, upon a proposal: keep the first of the view's leader; a second one is evidence. Certificates in it were taken before. */
export function acceptProposal(state: ConsensusState, out: Effect[], message: ProposalMessage): void {
  const { proposal, digest, leaderVote } = message;
  const { view, kind, digest: signedDigest, epoch } = leaderVote.statement;
  if (kind !== 'notarize' || signedDigest !== digest) return;
  if (epoch !== state.options.epoch || proposal.epoch !== epoch) return;
  if (leaderVote.signer !== leaderOf(state, view)) return;
  noteProposalArrival(state, view);
  if (view <= state.finalized.view) {
    // The host may have fetched it in order to execute it: its facts are still of use.
    if (state.blocks.has(digest)) noteProposal(state, digest, view, proposal);
    return;
  }
  if (view > state.view + PROPOSAL_WINDOW) return;
  const round = roundOf(state, view);
  const first = round.message?.digest ?? round.proposed?.digest;
  const notarized = round.notarization?.statement.digest;
  if (first !== undefined && first !== digest) {
    const detail = `the leader of view ${view} signed two proposals`;
    alarmOnce(state, out, round, equivocationOf(leaderVote.signer, 'notarize'), 'equivocation', detail, false);
  }
  if (first === undefined || (notarized === digest && first !== digest)) {
    round.message = message;
    if (first !== undefined) round.verdict = 'unknown';
    state.lastBlockAtMs = state.atMs;
  }
  if (round.message?.digest === digest) noteProposal(state, digest, view, proposal);
}

type Standing =
  | { readonly standing: 'acceptable' }
  /** Missing something that may come: no vote yet. */
  | { readonly standing: 'waiting' }
  /** Against the rules whatever else arrives. */
  | { readonly standing: 'invalid' };

const ACCEPTABLE: Standing = { standing: 'acceptable' };
const WAITING: Standing = { standing: 'waiting' };
const INVALID: Standing = { standing: 'invalid' };

/**
 * Rule P2: the parent is notarized, every view between nullified (paper, step 3: the proposal extends a notarized chain,
 * with a notarized dummy block in each skipped place).
 */
function standingOfParent(state: ConsensusState, out: Effect[], message: ProposalMessage): Standing {
  const { proposal, digest, leaderVote } = message;
  const { view, parentView } = leaderVote.statement;
  const again = proposal.view !== view;
  if (parentView >= view || proposal.view > view || parentView < state.finalized.view) return INVALID;
  if (!again && proposal.leader !== leaderOf(state, view)) return INVALID;
  // Whoever finalized an epoch's last block does not repeat it.
  if (again && parentView === state.finalized.view) return INVALID;
  const extended = again ? digest : proposal.parentDigest;
  const leader = leaderOf(state, view);
  if (parentView === state.finalized.view) {
    if (extended !== state.finalized.digest) return INVALID;
  } else {
    const notarization = state.rounds.get(parentView)?.notarization;
    if (notarization === undefined) {
      fetchCertificates(state, out, parentView, toView(view - 1), leader);
      return WAITING;
    }
    if (notarization.statement.digest !== extended) return INVALID;
  }
  const gap = firstGap(state, toView(parentView + 1), view);
  if (gap === undefined) return ACCEPTABLE;
  fetchCertificates(state, out, gap, toView(view - 1), leader);
  return WAITING;
}

/** The first view of [fromView, beforeView) that is not nullified here. */
function firstGap(state: ConsensusState, fromView: View, beforeView: View): View | undefined {
  for (let view = fromView as number; view < beforeView; view++) {
    if (state.rounds.get(toView(view))?.nullification === undefined) return toView(view);
  }
  return undefined;
}

/** Rules P3 to P5: the closing block, the bound of unfinalized blocks, emptiness. What this member's own view of finality says. */
function standingOfContent(state: ConsensusState, proposal: Proposal, statement: NotarizeStatement): Standing {
  const again = proposal.view !== statement.view;
  const parentDigest = again ? statement.digest : proposal.parentDigest;
  const parent = state.blocks.get(parentDigest);
  const executed = parent?.executed;
  if (again) {
    if (executed === undefined) return WAITING;
    return executed.closing === undefined ? INVALID : ACCEPTABLE;
  }
  if (executed?.closing !== undefined) return INVALID;
  const facts = parent?.proposal;
  const parentHeight = facts?.height ?? executed?.height ?? heightIfFinal(state, parentDigest);
  if (parentHeight !== undefined && proposal.height !== parentHeight + 1) return INVALID;
  if (facts !== undefined && proposal.timeMs <= facts.timeMs) return INVALID;
  if (proposal.transactionHashes.length === 0) {
    return emptyIsDue(state, statement.parentView, proposal.timeMs) ? ACCEPTABLE : INVALID;
  }
  return isBeyondBound(state, proposal.height - 1) ? WAITING : ACCEPTABLE;
}

function heightIfFinal(state: ConsensusState, digest: Hash): number | undefined {
  if (digest === state.finalized.digest) return state.finalized.height;
  return digest === state.point.digest ? state.point.height : undefined;
}

/** Rule P4: with so many unfinalized blocks up to the parent, only empty proposals are accepted. */
function isBeyondBound(state: ConsensusState, parentHeight: number): boolean {
  return parentHeight - state.finalized.height >= state.options.maxUnfinalizedBlocks;
}

/**
 * Rule P5: an empty proposal is due while its parent is not finalized here, or after the idle interval: by the times in
 * the blocks, or by this member's own clock with two delta of slack for a leader that learnt of the parent earlier.
 */
function emptyIsDue(state: ConsensusState, parentView: View, timeMs: number): boolean {
  if (parentView > state.finalized.view) return true;
  const parentTimeMs = state.finalized.timeMs;
  if (parentTimeMs !== undefined && timeMs >= parentTimeMs + state.options.idleBlockIntervalMs) return true;
  return state.atMs + 2 * state.deltaMs >= idleDeadline(state);
}

/**
 * Rules P2 to P6, upon the first proposal of v's leader, in v: have it checked, and notarize it, once (paper, step 3: vote
 * for the first, and only the first, proposal of the leader).
 */
export function considerProposal(state: ConsensusState, out: Effect[]): void {
  const round = state.rounds.get(state.view);
  const message = round?.message;
  if (round === undefined || message === undefined || state.closed || state.options.self === undefined) return;
  if (round.sentNotarize !== undefined || round.verdict === 'invalid') return;
  const { statement } = message.leaderVote;
  let { standing } = standingOfParent(state, out, message);
  if (standing === 'acceptable') standing = standingOfContent(state, message.proposal, statement).standing;
  if (standing === 'invalid') round.verdict = 'invalid';
  if (standing !== 'acceptable') return;
  const again = message.proposal.view !== statement.view;
  // A repeated closing block was checked, flushed and executed when it was first proposed.
  if (again) round.verdict = 'valid';
  if (round.verdict === 'unknown') {
    round.verdict = 'checking';
    out.push({ type: 'check', view: round.view, message });
  }
  const ready = again || isExecuted(state, message.proposal.parentDigest);
  if (round.verdict !== 'valid' || !ready || !maySign(state, round.view)) return;
  round.sentNotarize = statement;
  out.push({ type: 'vote', statement, flushWith: [] });
  requestExecution(state, out, noteProposal(state, message.digest, round.view, message.proposal), round.view, []);
}

/** Rule P7, upon the host's verdict. */
export function acceptChecked(state: ConsensusState, out: Effect[], input: Extract<Input, { type: 'checked' }>): void {
  const { view, digest, valid } = input;
  if (!valid) {
    const block = state.blocks.get(digest);
    if (block !== undefined && block.executed === undefined) block.invalid = true;
    for (const round of state.rounds.values()) {
      if (round.notarization?.statement.digest !== digest) continue;
      const detail = `a quorum notarized ${digest} in view ${round.view}, which is invalid here: ${input.reason ?? ''}`;
      alarmOnce(state, out, round, digest, 'invalid-certified-proposal', detail, false);
    }
    if (state.waiting.some(({ statement }) => statement.digest === digest)) {
      alarm(state, out, 'invalid-certified-proposal', `a quorum finalized ${digest}, which is invalid here`, true);
    }
  }
  const round = state.rounds.get(view);
  if (round?.message?.digest !== digest || round.verdict !== 'checking') return;
  round.verdict = valid ? 'valid' : 'invalid';
}

/**
 * The highest notarized block for which every view between is nullified here, or the first view that stands in the
 * way (rule L1).
 */
export function bestParent(
  state: ConsensusState,
): { readonly view: View; readonly digest: Hash } | { readonly missing: View } {
  for (let view = state.view - 1; view > state.finalized.view; view--) {
    const round = state.rounds.get(toView(view));
    if (round?.notarization !== undefined) return { view: toView(view), digest: round.notarization.statement.digest };
    if (round?.nullification === undefined) return { missing: toView(view) };
  }
  return { view: state.finalized.view, digest: state.finalized.digest };
}

/**
 * Rule L1, leader of the current view: propose once, on an executed parent, when there is a reason to (paper, step 2: on
 * entering; "Idle" is deviation D6). Returns when to look again, if time alone decides.
 */
export function leadView(state: ConsensusState, out: Effect[]): number | undefined {
  const { view } = state;
  if (leaderOf(state, view) !== state.options.self || !maySign(state, view)) return undefined;
  const round = roundOf(state, view);
  if (round.sentNotarize || round.sentNullify || round.building || round.message) return undefined;
  const parent = bestParent(state);
  if ('missing' in parent) {
    fetchCertificates(state, out, toView(state.finalized.view + 1), parent.missing, leaderOf(state, toView(view + 1)));
    return undefined;
  }
  if (!isExecuted(state, parent.digest)) return yieldView(state, out, round);
  const executed = state.blocks.get(parent.digest)?.executed;
  const height = executed?.height ?? heightIfFinal(state, parent.digest) ?? state.point.height;
  const unfinalized = parent.view > state.finalized.view;
  // Finality is a message's way behind: an unfinalized parent is waited for, one delta, before anything empty is made.
  const patienceMs = state.enteredAtMs + state.deltaMs;
  if (unfinalized && executed?.closing !== undefined) {
    if (state.atMs < patienceMs) return patienceMs;
    // Rule L3: on a notarized closing block the only proposal is that block again (deviation D10).
    propose(state, out, round, parent.view, executed.closing, parent.digest);
    return undefined;
  }
  const beyond = isBeyondBound(state, height);
  const useful = state.pending && !beyond;
  if (!useful) {
    const dueAtMs = unfinalized ? patienceMs : idleDeadline(state);
    if (state.atMs < dueAtMs) return dueAtMs;
  }
  round.building = parent;
  const notBeforeMs = Math.max(state.atMs, (state.lastBlockAtMs ?? state.atMs - paceMs(state)) + paceMs(state));
  out.push({ type: 'build', view, parentDigest: parent.digest, empty: beyond, notBeforeMs });
  return undefined;
}

/**
 * Rule L4: a leader that cannot build for want of its parent waits for it for one delta, and not at all if it is catching up from far
 * below; then it gives the view up, which spares the others their timers. Returns when that is due.
 */
function yieldView(state: ConsensusState, out: Effect[], round: Round): number | undefined {
  if (demandOf(state) === 'none') return undefined;
  const catchingUp = state.finalized.height - state.point.height > state.options.maxUnfinalizedBlocks;
  const dueAtMs = state.enteredAtMs + (catchingUp ? 0 : state.deltaMs);
  if (state.atMs < dueAtMs) return dueAtMs;
  nullify(state, out, round);
  return undefined;
}

/** Rule L2, upon built: propose it if it is still wanted; what could not be built is nullified at once. */
export function acceptBuilt(state: ConsensusState, out: Effect[], input: Extract<Input, { type: 'built' }>): void {
  const { view, proposal, digest } = input;
  const round = state.rounds.get(view);
  if (round?.building === undefined || view !== state.view || round.sentNotarize || round.sentNullify) return;
  const parent = round.building;
  if (proposal === undefined) {
    nullify(state, out, round);
    return;
  }
  if (proposal.transactionHashes.length === 0 && !emptyIsDue(state, parent.view, proposal.timeMs)) {
    // The transactions went another way meanwhile. Nobody would notarize an empty block: wait for the next reason.
    round.building = undefined;
    state.pending = false;
    return;
  }
  if (!maySign(state, view)) return;
  propose(state, out, round, parent.view, proposal, digest);
}

function propose(
  state: ConsensusState,
  out: Effect[],
  round: Round,
  parentView: View,
  proposal: Proposal,
  digest: Hash,
): void {
  const { view } = round;
  const statement: NotarizeStatement = { kind: 'notarize', epoch: state.options.epoch, view, parentView, digest };
  const justification = justify(state, parentView, view);
  round.sentNotarize = statement;
  round.proposed = { proposal, digest, justification };
  state.lastBlockAtMs = state.atMs;
  out.push({ type: 'propose', view, proposal, digest, statement, justification });
  const block = proposal.view === view ? noteProposal(state, digest, view, proposal) : blockOf(state, digest, view);
  requestExecution(state, out, block, view, []);
}

/** The certificates that make a proposal acceptable: its parent's, and the nullifications of the views between; the newest, if too many. */
function justify(state: ConsensusState, parentView: View, view: View): Certificate[] {
  const certificates: Certificate[] = [];
  const notarization = state.rounds.get(parentView)?.notarization;
  const parent = parentView === state.finalized.view ? state.finalized.certificate : notarization;
  if (parent !== undefined) certificates.push(parent);
  for (let between = parentView + 1; between < view; between++) {
    const nullification = state.rounds.get(toView(between))?.nullification;
    if (nullification !== undefined) certificates.push(nullification);
  }
  return certificates.slice(-MAX_CERTIFICATES);
}
