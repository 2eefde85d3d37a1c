import type { ValidatorIndex, View } from '@hanse/protocol';
import { absenceMs, absentFromMs } from './absence.ts';
import { deltaOf, growDelta, noteMissedView, noteNotarized, paceMs } from './delta.ts';
import { type ConsensusState, leaderOf, maySign, pruneStaleProposals, type Round, roundOf } from './state.ts';
import type { Effect } from './types.ts';

/** Why the current view's timers run (rule T2). */
export type Demand = 'pending' | 'unfinalized' | 'idle-interval' | 'proposal' | 'nullify' | 'none';

/** Rule T1, enter view v: new timers, to be armed on demand; how the view before it went decides delta ("Delta"). */
export function enterView(state: ConsensusState, out: Effect[], view: View): void {
  const left = state.rounds.get((view - 1) as View);
  if (left !== undefined) judgeView(state, left);
  state.view = view;
  state.enteredAtMs = state.atMs;
  state.timersSinceMs = undefined;
  state.demandedAtMs = undefined;
  state.proposedAfterMs = undefined;
  pruneStaleProposals(state);
  out.push({ type: 'enteredView', view });
}

function judgeView(state: ConsensusState, left: Round): void {
  // A member that was moved over views saw nothing of how long they took.
  const witnessed = left.view === state.view;
  if (!left.sentNullify && left.nullification === undefined) {
    // A view that was notarized and not given up is on its way to finality, however slow execution is: no failure.
    if (witnessed && left.notarization !== undefined) noteNotarized(state);
    return;
  }
  const leader = leaderOf(state, left.view);
  const absentSinceMs = absentFromMs(state, leader);
  if (absentSinceMs !== undefined && absentSinceMs <= state.atMs) {
    // That nothing comes of an absent leader says nothing of how long messages take.
    state.neededMs[leader] = undefined;
    return;
  }
  if (witnessed && left.message === undefined && left.sentNotarize === undefined) noteMissedView(state);
  growDelta(state);
}

/** What, if anything, asks for the current view to make progress. */
export function demandOf(state: ConsensusState): Demand {
  if (state.closed) return 'none';
  const round = state.rounds.get(state.view);
  if (state.highestNotarized > state.finalized.view) return 'unfinalized';
  if (round?.sentNullify || (round !== undefined && round.nullifies.size > state.faults)) return 'nullify';
  if (round?.message !== undefined && round.verdict !== 'invalid') return 'proposal';
  if (round?.sentNotarize !== undefined) return 'proposal';
  if (state.pending) return 'pending';
  return state.atMs >= idleDeadline(state) ? 'idle-interval' : 'none';
}

/** When an idle block is due, by this member's own clock. */
export function idleDeadline(state: ConsensusState): number {
  return state.idleSinceMs + state.options.idleBlockIntervalMs;
}

/** A waiting transaction may not have reached the leader, nor the idle interval ended by its clock: one delta for that. */
function sharedFromMs(state: ConsensusState, demand: Demand): number {
  if (demand === 'pending') return state.pendingSinceMs + state.deltaMs;
  return demand === 'idle-interval' ? idleDeadline(state) + state.deltaMs : state.atMs;
}

/** Arms the timers when demand arises, disarms them when it is gone. */
export function trackDemand(state: ConsensusState): void {
  const demand = demandOf(state);
  if (demand === 'none') {
    state.timersSinceMs = undefined;
    state.demandedAtMs = undefined;
    return;
  }
  // After a pause as long as an absence nobody's silence means anything: everybody starts anew.
  if (state.lastDemandMs === undefined || state.atMs - state.lastDemandMs >= absenceMs(state)) {
    state.busySinceMs = state.atMs;
  }
  state.lastDemandMs = state.atMs;
  if (state.timersSinceMs !== undefined || !maySign(state, state.view)) return;
  state.demandedAtMs = state.atMs;
  state.timersSinceMs = Math.max(state.atMs, sharedFromMs(state, demand));
}

/**
 * When nullify(v) is due: 2 delta without a proposal, one more with it (paper, step 1: one timer of 3 delta; deviation D3), by the
 * leader's own delta; at once if it is absent (rule T4, deviation D9).
 */
export function nullifyDeadline(state: ConsensusState, round: Round): number | undefined {
  if (state.timersSinceMs === undefined) return undefined;
  const leader = leaderOf(state, state.view);
  const proposalDueMs = state.timersSinceMs + 2 * deltaOf(state, leader) + paceMs(state);
  if (round.message !== undefined || round.sentNotarize !== undefined) return proposalDueMs + state.deltaMs;
  const absentSinceMs = absentFromMs(state, leader);
  return absentSinceMs === undefined ? proposalDueMs : Math.min(proposalDueMs, absentSinceMs);
}

/** Rules T2 to T5: nullify(v), once, never after finalize(v) (paper, step 1: vote for the dummy block). */
export function nullifyIfDue(state: ConsensusState, out: Effect[]): void {
  const { view } = state;
  if (!maySign(state, view)) return;
  const round = roundOf(state, view);
  if (round.sentNullify || round.sentFinalize !== undefined) return;
  const deadline = nullifyDeadline(state, round);
  const due =
    (deadline !== undefined && state.atMs >= deadline) ||
    round.verdict === 'invalid' ||
    round.nullifies.has(leaderOf(state, view)) ||
    round.nullifies.size > state.faults;
  if (due) nullify(state, out, round);
}

export function nullify(state: ConsensusState, out: Effect[], round: Round): void {
  if (!maySign(state, round.view) || round.sentNullify || round.sentFinalize !== undefined) return;
  round.sentNullify = true;
  out.push({
    type: 'vote',
    statement: { kind: 'nullify', epoch: state.options.epoch, view: round.view },
    flushWith: [],
  });
}

/** When rule R1 is due; undefined while nobody could help with anything. */
export function resendDeadline(state: ConsensusState, demand: Demand): number | undefined {
  const stuck = demand !== 'none' || state.waiting.length > 0 || viewAhead(state) !== undefined;
  if (!stuck || !state.started) {
    state.stuckSinceMs = undefined;
    return undefined;
  }
  state.stuckSinceMs ??= state.atMs;
  return Math.max(state.stuckSinceMs, state.progressAtMs, state.resentAtMs) + state.options.resendIntervalMs;
}

/** The view that at least one honest member is in, if it is ahead of this one: f + 1 members voted there or later. */
export function viewAhead(state: ConsensusState): { readonly view: View; readonly of: ValidatorIndex } | undefined {
  const ranked = state.seenView
    .map((view, of) => ({ view, of }))
    .filter(({ of }) => of !== state.options.self)
    .sort((a, b) => b.view - a.view || a.of - b.of);
  const candidate = ranked[state.faults];
  return candidate !== undefined && candidate.view > state.view ? candidate : undefined;
}

/** The earliest moment at which something is due without any input; told to the host when it changes. */
export function scheduleWake(
  state: ConsensusState,
  out: Effect[],
  demand: Demand,
  proposeAtMs: number | undefined,
): void {
  const moments: number[] = [];
  const round = state.rounds.get(state.view);
  if (round !== undefined && !round.sentNullify) {
    const deadline = nullifyDeadline(state, round);
    if (deadline !== undefined) moments.push(deadline);
  }
  const resendAtMs = resendDeadline(state, demand);
  if (resendAtMs !== undefined) moments.push(resendAtMs);
  if (proposeAtMs !== undefined) moments.push(proposeAtMs);
  if (demand === 'none' && !state.closed) moments.push(idleDeadline(state));
  let earliest: number | undefined;
  for (const moment of moments) {
    const later = Math.max(moment, state.atMs + 1);
    if (earliest === undefined || later < earliest) earliest = later;
  }
  if (earliest === undefined || earliest === state.wakeAtMs) return;
  state.wakeAtMs = earliest;
  out.push({ type: 'wakeAt', atMs: earliest });
}
