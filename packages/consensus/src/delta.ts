import type { ValidatorIndex, View } from '@hanse/protocol';
import { type ConsensusState, DEFAULT_PACE_MS, leaderOf } from './state.ts';

/** Delta never exceeds this many times its floor. */
const DELTA_CEILING = 64;

/** The least time between two blocks under load. */
export function paceMs(state: ConsensusState): number {
  return state.options.paceMs ?? DEFAULT_PACE_MS;
}

/** Half as much again as was needed: a message may be later than the last one was. */
function withMargin(neededMs: number): number {
  return neededMs + Math.ceil(neededMs / 2);
}

/**
 * Rule T3: the delta of a leader's view, by which its proposal is awaited. A leader that lately needed more than the common delta has as
 * much as it needed, up to twice the common one; one for which that is not enough has no more than others, since waiting
 * would be in vain. The leader itself is in no hurry to give its own view up.
 */
export function deltaOf(state: ConsensusState, leader: ValidatorIndex): number {
  const { deltaMs } = state;
  if (leader === state.options.self) return 2 * deltaMs;
  const neededMs = state.neededMs[leader] ?? 0;
  if (neededMs > 2 * deltaMs) return deltaMs;
  return Math.min(2 * deltaMs, Math.max(deltaMs, withMargin(neededMs)));
}

/** A view was given up with a leader that was there: from the (f + 1)-st since the last finalization on, delta doubles. */
export function growDelta(state: ConsensusState): void {
  state.failedViews += 1;
  if (state.failedViews > state.faults) {
    state.deltaMs = Math.min(state.deltaMs * 2, state.options.deltaFloorMs * DELTA_CEILING);
  }
}

/**
 * A finalization shows that delta is long enough: a quarter of it is given back, but not what the views of the quickest q leaders needed
 * lately, with half as much again, and not the floor.
 */
export function decayDelta(state: ConsensusState): void {
  state.failedViews = 0;
  const { deltaFloorMs } = state.options;
  const less = state.deltaMs - Math.floor(state.deltaMs / 4);
  state.deltaMs = Math.min(Math.max(deltaFloorMs, fittingDelta(state), less), deltaFloorMs * DELTA_CEILING);
}

/** What fits the quickest q leaders: the other f may be slow on purpose. */
function fittingDelta(state: ConsensusState): number {
  const slowestFirst = state.neededMs.map((neededMs) => neededMs ?? 0).sort((a, b) => b - a);
  return withMargin(slowestFirst[state.faults] ?? 0);
}

/** The first proposal of a view arrives: in the current view in time, in a past one too late. */
export function noteProposalArrival(state: ConsensusState, view: View): void {
  if (view === state.view) {
    if (state.demandedAtMs !== undefined) state.proposedAfterMs ??= elapsedMs(state, state.demandedAtMs);
    return;
  }
  const leader = leaderOf(state, view);
  const missed = state.missedViews[leader];
  if (missed === undefined || !wasMissed(state, view)) return;
  state.missedViews[leader] = undefined;
  learn(state, leader, Math.ceil(elapsedMs(state, missed.sinceMs) / 2));
}

/** The current view was notarized: what its leader needed of delta, by T3's 2 delta and 3 delta. */
export function noteNotarized(state: ConsensusState): void {
  if (state.demandedAtMs === undefined) return;
  const untilProposalMs = Math.ceil((state.proposedAfterMs ?? 0) / 2);
  const inAllMs = Math.ceil(elapsedMs(state, state.demandedAtMs) / 3);
  learn(state, leaderOf(state, state.view), Math.max(untilProposalMs, inAllMs));
}

/** The current view is left without a proposal; one that arrives later still says how long it took. */
export function noteMissedView(state: ConsensusState): void {
  if (state.demandedAtMs === undefined) return;
  state.missedViews[leaderOf(state, state.view)] = { view: state.view, sinceMs: state.demandedAtMs };
}

/** Whether a proposal of this view would still tell something, though the view is settled: it was given up for want of one. */
export function wasMissed(state: ConsensusState, view: View): boolean {
  return state.missedViews[leaderOf(state, view)]?.view === view;
}

/** Since there was demand, without the pace that the timers allow for. */
function elapsedMs(state: ConsensusState, sinceMs: number): number {
  return Math.max(0, Math.ceil(state.atMs - sinceMs) - paceMs(state));
}

/** Rises at once; falls by a quarter a view. */
function learn(state: ConsensusState, leader: ValidatorIndex, neededMs: number): void {
  const before = state.neededMs[leader] ?? 0;
  state.neededMs[leader] = Math.max(neededMs, before - Math.ceil(before / 4));
}
