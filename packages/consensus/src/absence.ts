import type { ValidatorIndex, View } from '@hanse/protocol';
import { type ConsensusState, isIndex } from './state.ts';

/** Silence after which a leader counts as absent, if 8 delta are not longer (rule T4). */
const ABSENCE_MS = 2_000;
/** What a member says of views further below the finalized one shows that it is catching up, not that it could lead. */
const CURRENT_VIEWS = 16;

/** How long a silence means absence; also how long a pause without demand gives everybody a new term. */
export function absenceMs(state: ConsensusState): number {
  return Math.max(ABSENCE_MS, 8 * state.deltaMs);
}

/** Whoever speaks of a current view is there (rule T4). */
export function noteHeard(state: ConsensusState, from: ValidatorIndex, view: View): void {
  if (view + CURRENT_VIEWS < state.finalized.view) return;
  state.lastHeardMs[from] = state.atMs;
  state.goneSinceMs[from] = undefined;
}

/** The host lost its connection to a member: nothing of it can be on its way. */
export function noteDisconnected(state: ConsensusState, peer: ValidatorIndex): void {
  if (!isIndex(peer, state.validators) || peer === state.options.self) return;
  state.goneSinceMs[peer] ??= state.atMs;
}

/**
 * Rule T4: from when on the timers of a leader's views are 0; undefined if it counts as present. Nullify is always safe, so this needs no
 * agreement.
 */
export function absentFromMs(state: ConsensusState, leader: ValidatorIndex): number | undefined {
  if (leader === state.options.self) return undefined;
  const goneSinceMs = state.goneSinceMs[leader];
  // A connection that comes back within a delta was no absence.
  if (goneSinceMs !== undefined && quorumIsConnected(state)) return goneSinceMs + state.deltaMs;
  const heardMs = Math.max(state.lastHeardMs[leader] ?? state.busySinceMs, state.busySinceMs);
  const silentFromMs = heardMs + absenceMs(state);
  return silentFromMs <= state.atMs && quorumIsHeard(state) ? silentFromMs : undefined;
}

/** Whether this member's own links are good: q members are connected, this one included. */
function quorumIsConnected(state: ConsensusState): boolean {
  return state.goneSinceMs.filter((sinceMs) => sinceMs === undefined).length >= state.quorum;
}

/** The same without a word of the host: q members were heard lately, this one included. */
function quorumIsHeard(state: ConsensusState): boolean {
  const since = state.atMs - absenceMs(state);
  let heard = 1;
  for (const [index, heardAtMs] of state.lastHeardMs.entries()) {
    if (index !== state.options.self && heardAtMs !== undefined && heardAtMs > since) heard += 1;
  }
  return heard >= state.quorum;
}
