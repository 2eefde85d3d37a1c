import type { FinalizeStatement, Hash, Height, Proposal, ValidatorIndex, View } from '@hanse/protocol';
import { View as toView } from '@hanse/protocol';
import {
  alarm,
  alarmOnce,
  type Block,
  blockOf,
  type ConsensusState,
  maySign,
  pointAsFinalized,
  pruneRounds,
  type Round,
} from './state.ts';
import { enterView } from './timers.ts';
import type { Effect, FinalizedPoint } from './types.ts';

/** Asks the host, once, to execute a block (rule E1: P executes while its votes travel). */
export function requestExecution(
  state: ConsensusState,
  out: Effect[],
  block: Block,
  view: View,
  holders: readonly ValidatorIndex[],
): void {
  if (block.requested || block.executed !== undefined || block.digest === state.point.digest) return;
  block.requested = true;
  out.push({ type: 'execute', digest: block.digest, view, holders });
}

/** Rule E1, upon executed(P) = B: remember the result, compare it with what was signed and certified. */
export function acceptExecuted(
  state: ConsensusState,
  out: Effect[],
  result: {
    readonly digest: Hash;
    readonly height: Height;
    readonly blockHash: Hash;
    readonly closing: Proposal | undefined;
  },
): void {
  const { digest, height, blockHash, closing } = result;
  const block = state.blocks.get(digest);
  // A block that was pruned meanwhile is final or excluded.
  if (block === undefined || block.executed !== undefined) return;
  block.executed = { height, blockHash, closing };
  if (block.signedResult !== undefined && block.signedResult !== blockHash) {
    block.withheld = true;
    alarm(state, out, 'divergence', `${digest} gave ${blockHash}, but ${block.signedResult} was signed for it`, false);
  }
  const parent = block.proposal && state.blocks.get(block.proposal.parentDigest);
  if (parent?.withheld) block.withheld = true;
  for (const { statement } of state.waiting) {
    if (statement.digest === digest && statement.blockHash !== blockHash)
      stopForDivergence(state, out, statement, blockHash);
  }
  if (state.finalized.digest === digest && closing !== undefined) state.closed = true;
  for (const round of state.rounds.values()) if (round.finalizes.size > 0) checkResults(state, out, round);
}

function stopForDivergence(state: ConsensusState, out: Effect[], certified: FinalizeStatement, own: Hash): void {
  const detail = `height ${certified.height}: certified ${certified.blockHash}, executed here ${own}`;
  alarm(state, out, 'divergence', detail, true);
}

/**
 * Rule E2: upon executed(P) with q notarize(v, P) held and nullify(v) never sent, finalize(v, P, B) (paper, step 4;
 * the result is deviation D5). One finalize a view, across restarts, and none below an own one, which has signed the results
 * of all that it stands on: execution may have changed since.
 */
export function payOwedFinalizes(state: ConsensusState, out: Effect[]): void {
  if (state.owed.length === 0) return;
  let highest = 0;
  for (const round of state.rounds.values()) {
    if (round.sentFinalize !== undefined && round.view > highest) highest = round.view;
  }
  // Ascending, so that what became possible at once is all given.
  state.owed.sort((a, b) => a - b);
  state.owed = state.owed.filter((view) => {
    if (view < highest) return false;
    const round = state.rounds.get(view);
    if (round?.notarization === undefined || round.sentNullify || round.sentFinalize !== undefined) return false;
    const { digest } = round.notarization.statement;
    const block = state.blocks.get(digest);
    const executed = block?.executed;
    if (block === undefined || executed === undefined || !maySign(state, view)) return true;
    if (block.withheld) return false;
    const { height, blockHash } = executed;
    const statement: FinalizeStatement = {
      kind: 'finalize',
      epoch: state.options.epoch,
      view,
      digest,
      height,
      blockHash,
    };
    round.sentFinalize = statement;
    block.signedResult = blockHash;
    out.push({ type: 'vote', statement, flushWith: [round.notarization] });
    highest = view;
    return false;
  });
}

/** Rule E3: f + 1 votes for another result than the own, and results so split that none can reach q, are alarms. */
export function checkResults(state: ConsensusState, out: Effect[], round: Round): void {
  const counts = new Map<string, number>();
  for (const { statement } of round.finalizes.values()) {
    const key = `${statement.digest}:${statement.blockHash}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  let best = 0;
  for (const count of counts.values()) if (count > best) best = count;
  if (counts.size > 1 && best + state.validators - round.finalizes.size < state.quorum) {
    const detail = `the finalize votes of view ${round.view} disagree: ${[...counts.keys()].join(', ')}`;
    alarmOnce(state, out, round, 'split', 'no-result-can-reach-quorum', detail, false);
  }
  for (const { statement } of round.finalizes.values()) {
    const own = state.blocks.get(statement.digest)?.executed?.blockHash;
    if (own === undefined || own === statement.blockHash) continue;
    if ((counts.get(`${statement.digest}:${statement.blockHash}`) ?? 0) <= state.faults) continue;
    const detail = `view ${round.view}: f + 1 members signed ${statement.blockHash}, executed here ${own}`;
    alarmOnce(state, out, round, statement.blockHash, 'conflicting-results', detail, false);
  }
}

/** Rule F1: a finalized block goes to storage once it is executed here with the certified result, and so are its ancestors. */
export function requestFinalization(state: ConsensusState, out: Effect[]): void {
  if (state.stopped) return;
  let handed = -1;
  for (const [index, certificate] of state.waiting.entries()) {
    const { digest, blockHash, view } = certificate.statement;
    if (view <= state.point.view) {
      handed = index;
      continue;
    }
    const executed = state.blocks.get(digest)?.executed;
    if (digest !== state.point.digest && executed === undefined) continue;
    if (executed !== undefined && executed.blockHash !== blockHash) {
      stopForDivergence(state, out, certificate.statement, executed.blockHash);
      return;
    }
    if (executed?.closing !== undefined && digest === state.finalized.digest) state.closed = true;
    if (digest !== state.point.digest) out.push({ type: 'finalize', digest, certificate });
    handed = index;
  }
  // What lies below a finalization that was handed over becomes final with it.
  if (handed >= 0) state.waiting.splice(0, handed + 1);
}

/** Rule F2, upon applied(point): storage holds it, by `finalize` or by an import; everything below is let go. */
export function acceptApplied(state: ConsensusState, out: Effect[], point: FinalizedPoint): void {
  if (point.height < state.point.height || (point.height === state.point.height && point.view <= state.point.view))
    return;
  if (point.height === state.finalized.height && point.digest !== state.finalized.digest) {
    alarm(state, out, 'conflicting-certificates', `storage and certificate differ at height ${point.height}`, true);
    return;
  }
  state.point = point;
  if (point.closesEpoch) state.closed = true;
  if (point.view > state.finalized.view || point.height > state.finalized.height) {
    state.finalized = pointAsFinalized(point, state.options.epoch);
    state.progressAtMs = state.atMs;
    state.idleSinceMs = state.atMs;
  } else if (point.digest === state.finalized.digest) {
    state.finalized = { ...state.finalized, timeMs: point.timeMs };
  }
  for (const [digest, block] of state.blocks) {
    if (block.view <= point.view && digest !== point.digest && digest !== state.finalized.digest)
      state.blocks.delete(digest);
  }
  state.waiting = state.waiting.filter(({ statement }) => statement.view > point.view);
  pruneRounds(state);
  requestFinalization(state, out);
  if (state.finalized.view >= state.view) enterView(state, out, toView(state.finalized.view + 1));
}

/** The block facts of a proposal, for its children's rules. */
export function noteProposal(
  state: ConsensusState,
  digest: Hash,
  view: View,
  proposal: { readonly height: Height; readonly timeMs: number; readonly parentDigest: Hash },
): Block {
  const block = blockOf(state, digest, view);
  if (block.proposal === undefined) {
    const { height, timeMs, parentDigest } = proposal;
    block.proposal = { height, timeMs, parentDigest };
    if (state.blocks.get(parentDigest)?.withheld) block.withheld = true;
    if (state.finalized.digest === digest && state.finalized.timeMs === undefined) {
      state.finalized = { ...state.finalized, timeMs };
    }
  }
  return block;
}
