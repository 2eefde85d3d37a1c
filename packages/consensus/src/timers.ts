import type { ValidatorIndex, View } from '@hanse/protocol';
import {
  ABSENCE_MS,
  type ConsensusState,
  DEFAULT_PACE_MS,
  DELTA_CEILING,
  leaderOf,
  maySign,
  pruneStaleProposals,
  type Round,
  roundOf,
} from './state.ts';
import type { Effect } from './types.ts';

/** Why the current view's timers run (rule T2). */
export type Demand = 'pending' | 'unfinalized' | 'idle-interval' | 'proposal' | 'nullify' | 'none';

/** Rule T1, enter view v: new timers, to be armed on demand; delta doubles with every failed view beyond f since the last finalization. */
export function enterView(state: ConsensusState, out: Effect[], view: View): void {
  const left = state.rounds.get((view - 1) as View);
  // A view that was notarized and not given up is on its way to finality, however slow execution is: no failure.
  if (left !== undefined && (left.sentNullify || left.nullification !== undefined)) {
    state.failedViews += 1;
    if (state.failedViews > state.faults) {
      state.deltaMs = Math.min(state.deltaMs * 2, state.options.deltaFloorMs * DELTA_CEILING);
    }
  }
  state.view = view;
  state.enteredAtMs = state.atMs;
  state.timersSinceMs = undefined;
  pruneStaleProposals(state);
  out.push({ type: 'enteredView', view });
}

/** A finalization shows that delta is long enough: a quarter of it is given back, down to the floor. */
export function decayDelta(state: ConsensusState): void {
  state.failedViews = 0;
  const less = state.deltaMs - Math.floor(state.deltaMs / 4);
  state.deltaMs = Math.max(state.options.deltaFloorMs, less);
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

export function paceMs(state: ConsensusState): number {
  return state.options.paceMs ?? DEFAULT_PACE_MS;
}

function absenceMs(state: ConsensusState): number {
  return Math.max(ABSENCE_MS, 8 * state.deltaMs);
}

/** Arms the timers when demand arises, disarms them when it is gone. */
export function trackDemand(state: ConsensusState): void {
  const demand = demandOf(state);
  if (demand === 'none') {
    state.timersSinceMs = undefined;
    return;
  }
  // After a pause as long as an absence nobody's silence means anything: everybody starts anew.
  if (state.lastDemandMs === undefined || state.atMs - state.lastDemandMs >= absenceMs(state)) {
    state.busySinceMs = state.atMs;
  }
  state.lastDemandMs = state.atMs;
  if (state.timersSinceMs === undefined && maySign(state, state.view)) {
    // A waiting transaction may not have reached the leader: one delta for gossip.
    const gossip = demand === 'pending' || demand === 'idle-interval' ? state.deltaMs : 0;
    state.timersSinceMs = state.atMs + gossip;
  }
}

/**
 * Rule T4, absent leader: silent for max(2 s, 8 delta) of continued demand, while q members (this one included) were
 * heard. Then the timers are 0. Nullify is always safe, so this needs no agreement.
 */
export function leaderIsAbsent(state: ConsensusState): boolean {
  const leader = leaderOf(state, state.view);
  if (leader === state.options.self) return false;
  const since = state.atMs - absenceMs(state);
  if (Math.max(state.lastHeardMs[leader] ?? state.busySinceMs, state.busySinceMs) > since) return false;
  let heard = 1;
  for (const [index, heardAtMs] of state.lastHeardMs.entries()) {
    if (index !== state.options.self && heardAtMs !== undefined && heardAtMs > since) heard += 1;
  }
  return heard >= state.quorum;
}

/** When nullify(v) is due: 2 delta without a proposal, 3 delta in all (paper, step 1: one timer of 3 delta; deviation D3). */
export function nullifyDeadline(state: ConsensusState, round: Round): number | undefined {
  if (state.timersSinceMs === undefined) return undefined;
  const proposed = round.message !== undefined || round.sentNotarize !== undefined;
  if (!proposed && leaderIsAbsent(state)) return state.atMs;
  return state.timersSinceMs + (proposed ? 3 : 2) * state.deltaMs + paceMs(state);
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
