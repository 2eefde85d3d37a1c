import type {
  Certificate,
  FinalizeStatement,
  NotarizeStatement,
  NullifyStatement,
  ValidatorIndex,
  View,
} from '@hanse/protocol';
import { View as toView } from '@hanse/protocol';
import { decayDelta } from './delta.ts';
import { requestExecution, requestFinalization } from './finality.ts';
import {
  alarm,
  type Block,
  blockOf,
  type ConsensusState,
  fetchCertificates,
  isIndex,
  leaderOf,
  MAX_WAITING_FINALIZATIONS,
  pruneRounds,
  type Round,
  roundOf,
} from './state.ts';
import { isOwnDecision, raiseAmnesia } from './statements.ts';
import { enterView } from './timers.ts';
import type { Effect } from './types.ts';

/**
 * Takes a certificate that was formed here (`from` undefined) or came, verified, from a peer. A new one is recorded;
 * it is broadcast if it was formed here or carries this member further (paper, step 4: a player that sees a
 * notarized chain moves on; relaying lets every honest player see it).
 */
export function acceptCertificate(
  state: ConsensusState,
  out: Effect[],
  certificate: Certificate,
  from: ValidatorIndex | undefined,
): void {
  const { statement } = certificate;
  if (state.stopped || statement.epoch !== state.options.epoch || !(statement.view >= 1)) return;
  switch (statement.kind) {
    case 'notarize':
      acceptNotarization(state, out, certificate as Certificate<NotarizeStatement>, from);
      return;
    case 'nullify':
      acceptNullification(state, out, certificate as Certificate<NullifyStatement>, from);
      return;
    case 'finalize':
      acceptFinalization(state, out, certificate as Certificate<FinalizeStatement>, from);
  }
}

/** Rule C1, upon q notarize(v, P): advance; a finalize is owed unless nullify(v) was sent (paper, step 4). */
function acceptNotarization(
  state: ConsensusState,
  out: Effect[],
  certificate: Certificate<NotarizeStatement>,
  from: ValidatorIndex | undefined,
): void {
  const { view, digest, parentView } = certificate.statement;
  if (view === state.finalized.view && digest !== state.finalized.digest) {
    conflict(state, out, certificate, `notarization and finalization of different proposals in view ${view}`);
  }
  if (view <= state.finalized.view) return;
  const round = roundOf(state, view);
  if (round.notarization !== undefined) {
    if (round.notarization.statement.digest !== digest) {
      conflict(state, out, certificate, `notarizations of two proposals in view ${view}`);
    }
    return;
  }
  if (!ownSignatureKnown(state, out, round, certificate)) return;
  round.notarization = certificate;
  out.push({ type: 'record', certificate });
  if (from === undefined || view >= state.view) out.push({ type: 'broadcast', certificate });
  if (view > state.highestNotarized) state.highestNotarized = view;
  const block = blockOf(state, digest, view);
  if (block.invalid) {
    const detail = `a quorum notarized ${digest} in view ${view}, which is invalid here`;
    alarm(state, out, 'invalid-certified-proposal', detail, false);
  } else {
    requestExecution(state, out, block, view, holdersOf(state, certificate));
    if (!round.sentNullify && round.sentFinalize === undefined) state.owed.push(view);
  }
  fetchParent(state, out, round, parentView, from);
  if (view >= state.view) enterView(state, out, toView(view + 1));
}

/** Rule C2, upon q nullify(v): advance (paper, step 4, for the dummy block). */
function acceptNullification(
  state: ConsensusState,
  out: Effect[],
  certificate: Certificate<NullifyStatement>,
  from: ValidatorIndex | undefined,
): void {
  const { view } = certificate.statement;
  if (view === state.finalized.certificate?.statement.view) {
    conflict(state, out, certificate, `nullification of the finalized view ${view}`);
  }
  if (view <= state.finalized.view) return;
  const round = roundOf(state, view);
  if (round.nullification !== undefined || !ownSignatureKnown(state, out, round, certificate)) return;
  round.nullification = certificate;
  out.push({ type: 'record', certificate });
  if (from === undefined || view >= state.view) out.push({ type: 'broadcast', certificate });
  if (view >= state.view) enterView(state, out, toView(view + 1));
}

/** Rule C3, upon q equal finalize(v, P, B): P and its ancestors are final (paper, step 4). */
function acceptFinalization(
  state: ConsensusState,
  out: Effect[],
  certificate: Certificate<FinalizeStatement>,
  from: ValidatorIndex | undefined,
): void {
  const { view, height, digest } = certificate.statement;
  if (contradictsFinalized(state, certificate.statement)) {
    conflict(state, out, certificate, `two finalizations disagree: view ${view}, height ${height}`);
    return;
  }
  if (view <= state.finalized.view) return;
  const round = roundOf(state, view);
  if (round.nullification !== undefined || (round.notarization && round.notarization.statement.digest !== digest)) {
    conflict(
      state,
      out,
      certificate,
      `finalization of ${digest} in view ${view} contradicts a certificate of that view`,
    );
    return;
  }
  if (!ownSignatureKnown(state, out, round, certificate)) return;
  out.push({ type: 'record', certificate });
  out.push({ type: 'broadcast', certificate });
  const block = blockOf(state, digest, view);
  if (block.invalid) {
    alarm(state, out, 'invalid-certified-proposal', `a quorum finalized ${digest}, which is invalid here`, true);
    return;
  }
  state.finalized = { view, height, digest, timeMs: block.proposal?.timeMs, certificate };
  state.waiting.push(certificate);
  if (state.waiting.length > MAX_WAITING_FINALIZATIONS) state.waiting.shift();
  state.progressAtMs = state.atMs;
  state.idleSinceMs = state.atMs;
  decayDelta(state);
  requestExecution(state, out, block, view, holdersOf(state, certificate));
  requestFinalization(state, out);
  noticeBehind(state, out, certificate, block, from);
  pruneRounds(state);
  if (view >= state.view) enterView(state, out, toView(view + 1));
}

/** Whether a finalization cannot be true together with the one that is held. */
function contradictsFinalized(state: ConsensusState, statement: FinalizeStatement): boolean {
  const held = state.finalized;
  const sameBlock = statement.digest === held.digest && statement.height === held.height;
  if (sameBlock) {
    const result = held.certificate?.statement.blockHash;
    return result !== undefined && result !== statement.blockHash;
  }
  // Heights and views of finalized blocks rise together.
  if (statement.view === held.view || statement.height === held.height) return true;
  return statement.view > held.view !== statement.height > held.height;
}

/** Two certificates that cannot both be true mean more than f Byzantine members; both stay in the log as evidence. */
function conflict(state: ConsensusState, out: Effect[], certificate: Certificate, detail: string): void {
  out.push({ type: 'record', certificate });
  alarm(state, out, 'conflicting-certificates', detail, true);
}

/** A certificate that this member's key signed, though it never did, betrays a lost log or a second user of the key. */
function ownSignatureKnown(state: ConsensusState, out: Effect[], round: Round, certificate: Certificate): boolean {
  const self = state.options.self;
  if (self === undefined || state.amnesia !== undefined || certificate.statement.view <= state.floor) return true;
  if (!certificate.signatures.some(({ signer }) => signer === self)) return true;
  if (isOwnDecision(round, certificate.statement)) return true;
  raiseAmnesia(state, out, certificate.statement);
  return false;
}

/** Those who signed hold (notarize) or have executed (finalize) the block: bodies can be asked of them. */
function holdersOf(state: ConsensusState, certificate: Certificate): ValidatorIndex[] {
  const holders: ValidatorIndex[] = [];
  for (const { signer } of certificate.signatures) {
    if (signer !== state.options.self && isIndex(signer, state.validators)) holders.push(signer);
  }
  return holders;
}

/** A notarized block whose parent's notarization is missing cannot be executed: ask whoever sent it, else its leader. */
function fetchParent(
  state: ConsensusState,
  out: Effect[],
  round: Round,
  parentView: View,
  from: ValidatorIndex | undefined,
): void {
  if (parentView <= state.finalized.view || parentView >= round.view) return;
  if (state.rounds.get(parentView)?.notarization !== undefined) return;
  fetchCertificates(state, out, parentView, toView(round.view - 1), from ?? leaderOf(state, round.view));
}

/** A finalized block further up than the blocks that are known here reach has to be imported rather than executed. */
function noticeBehind(
  state: ConsensusState,
  out: Effect[],
  certificate: Certificate<FinalizeStatement>,
  block: Block,
  from: ValidatorIndex | undefined,
): void {
  if (block.executed !== undefined) return;
  let known: number = state.point.height;
  let ofUnknownHeight = 0;
  for (const other of state.blocks.values()) {
    const height = other.proposal?.height ?? other.executed?.height;
    if (height === undefined) ofUnknownHeight += 1;
    else if (height > known) known = height;
  }
  const preferred = from ?? certificate.signatures.find(({ signer }) => signer !== state.options.self)?.signer;
  if (certificate.statement.height > known + ofUnknownHeight && preferred !== undefined) {
    out.push({ type: 'behind', certificate, preferred });
  }
}
