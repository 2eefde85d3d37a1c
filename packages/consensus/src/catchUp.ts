import type { Certificate, Hash, Height, ValidatorIndex, View, Vote } from '@hanse/protocol';
import { View as toView } from '@hanse/protocol';
import { wasMissed } from './delta.ts';
import {
  type ConsensusState,
  fetchCertificates,
  isIndex,
  leaderOf,
  MAX_CERTIFICATES,
  type Round,
  roundOf,
  someoneElse,
} from './state.ts';
import { isCaught, sameStatement } from './statements.ts';
import { type Demand, enterView, resendDeadline, viewAhead } from './timers.ts';
import type { Effect, Input } from './types.ts';

/** Rounds above the finalized view, ascending, from `fromView` to `toView`. */
function roundsBetween(state: ConsensusState, fromView: number, toView: number): Round[] {
  const rounds: Round[] = [];
  for (const round of state.rounds.values()) if (round.view >= fromView && round.view <= toView) rounds.push(round);
  return rounds.sort((a, b) => a.view - b.view);
}

/**
 * What to answer to a peer's request for certificates of [fromView, toView]: the highest finalization if it is not
 * older, then notarizations and nullifications ascending by view, at most 64 in all.
 */
export function certificatesBetween(state: ConsensusState, fromView: View, toView: View): Certificate[] {
  const certificates: Certificate[] = [];
  const { certificate, view } = state.finalized;
  if (certificate !== undefined && view >= fromView) certificates.push(certificate);
  for (const round of roundsBetween(state, fromView, toView)) {
    if (round.notarization !== undefined) certificates.push(round.notarization);
    if (round.nullification !== undefined) certificates.push(round.nullification);
    if (certificates.length >= MAX_CERTIFICATES) break;
  }
  return certificates.slice(0, MAX_CERTIFICATES);
}

/** The highest finalization, and the certificates from `fromView` up; if they are too many, the newest, since those move a peer. */
function newestCertificates(state: ConsensusState, fromView: View): Certificate[] {
  const certificates: Certificate[] = [];
  for (const round of roundsBetween(state, fromView, Number.MAX_SAFE_INTEGER)) {
    if (round.notarization !== undefined) certificates.push(round.notarization);
    if (round.nullification !== undefined) certificates.push(round.nullification);
  }
  const newest = certificates.slice(-(MAX_CERTIFICATES - 1));
  return state.finalized.certificate === undefined ? newest : [state.finalized.certificate, ...newest];
}

/** Own votes, as flushed, from a view up; the newest if they are too many. */
function ownVotes(state: ConsensusState, fromView: View): Vote[] {
  const { self } = state.options;
  const votes: Vote[] = [];
  if (self === undefined) return votes;
  for (const round of roundsBetween(state, fromView, Number.MAX_SAFE_INTEGER)) {
    for (const vote of [round.notarizes.get(self), round.nullifies.get(self), round.finalizes.get(self)]) {
      if (vote !== undefined) votes.push(vote);
    }
  }
  return votes.slice(-MAX_CERTIFICATES);
}

/** Rule R1: while nothing is finalized though it should, what others may lack goes out again at intervals. */
export function resendIfStuck(state: ConsensusState, out: Effect[], demand: Demand): void {
  const due = resendDeadline(state, demand);
  if (due === undefined || state.atMs < due) return;
  state.resentAtMs = state.atMs;
  resend(state, out);
}

/** The highest finalization, all certificates and own votes above it, the own proposal; and questions repeated. */
export function resend(state: ConsensusState, out: Effect[]): void {
  const above = toView(state.finalized.view + 1);
  const { self } = state.options;
  if (self !== undefined) {
    const message = leaderOf(state, state.view) === self ? state.rounds.get(state.view)?.message : undefined;
    const certificates = newestCertificates(state, above);
    const votes = ownVotes(state, above);
    if (certificates.length + votes.length > 0 || message !== undefined) {
      out.push({ type: 'resend', certificates, ownVotes: votes, ...(message && { proposal: message }) });
    }
  }
  const ahead = viewAhead(state);
  if (ahead !== undefined) fetchCertificates(state, out, above, toView(ahead.view - 1), ahead.of);
  fetchMissingParents(state, out);
  const oldest = state.waiting[0];
  const newest = state.waiting.at(-1);
  if (oldest === undefined || newest === undefined) return;
  const attempts = Math.floor(state.atMs / state.options.resendIntervalMs) % state.validators;
  const preferred = someoneElse(state, newest.signatures[0]?.signer ?? 0, attempts);
  if (preferred !== undefined) out.push({ type: 'behind', certificate: newest, preferred });
}

/** Asks again for the notarizations of parents, without which a notarized block cannot be executed. */
function fetchMissingParents(state: ConsensusState, out: Effect[]): void {
  for (const round of state.rounds.values()) {
    const parentView = round.notarization?.statement.parentView;
    if (parentView === undefined || parentView <= state.finalized.view || parentView >= round.view) continue;
    if (state.rounds.get(parentView)?.notarization !== undefined) continue;
    fetchCertificates(state, out, parentView, toView(round.view - 1), leaderOf(state, round.view));
  }
}

/** Rule R2, upon status: note where the peer is, give it what it lacks, ask it for what this member lacks. */
export function acceptStatus(state: ConsensusState, out: Effect[], input: Extract<Input, { type: 'status' }>): void {
  const { from, view, finalizedHeight, finalizedView } = input;
  if (from === state.options.self) return;
  // Observers report too, but only validators' reports say anything about what was signed.
  if (isIndex(from, state.validators)) {
    state.reported.add(from);
    if (state.amnesia !== undefined && !state.amnesia.confirmed.has(from)) state.amnesia.claimed.set(from, view);
  }
  if (view < state.view || finalizedView < state.finalized.view) {
    const fromView = toView(Math.max(view, state.finalized.view + 1));
    const certificates = newestCertificates(state, fromView);
    if (finalizedView >= state.finalized.view && certificates[0] === state.finalized.certificate) certificates.shift();
    const votes = ownVotes(state, fromView);
    if (certificates.length + votes.length > 0) {
      out.push({ type: 'send', to: from, certificates, ownVotes: votes });
    }
  }
  const peerIsAhead =
    view > state.view || finalizedView > state.finalized.view || finalizedHeight > state.finalized.height;
  if (peerIsAhead) {
    const fromView = toView(state.finalized.view + 1);
    fetchCertificates(state, out, fromView, toView(Math.max(view - 1, finalizedView, fromView)), from);
  }
}

/** A report counts once a certificate held here proves that such a view was entered (spec.md, "Amnesia"). */
export function confirmReports(state: ConsensusState): void {
  if (state.amnesia === undefined) return;
  for (const [from, view] of state.amnesia.claimed) {
    if (view > state.view) continue;
    state.amnesia.confirmed.set(from, view);
    state.amnesia.claimed.delete(from);
  }
}

/**
 * Rule R3: whoever still speaks of views that are settled gets the finalization, once a resend interval per peer. Late
 * votes are normal for two delta after a finalization; in a closed epoch every message is late ("Epochs").
 */
export function answerLatecomer(state: ConsensusState, out: Effect[], to: ValidatorIndex, view: View): void {
  const { certificate } = state.finalized;
  if (certificate === undefined || to === state.options.self) return;
  const late = view <= state.finalized.view && state.atMs > state.progressAtMs + 2 * state.deltaMs;
  if (!late && !state.closed) return;
  const answeredAtMs = state.answeredAtMs.get(to);
  if (answeredAtMs !== undefined && state.atMs < answeredAtMs + state.options.resendIntervalMs) return;
  state.answeredAtMs.set(to, state.atMs);
  out.push({ type: 'send', to, certificates: [certificate], ownVotes: [] });
}

/** Whether a certificate would tell this core nothing new: a cheap question to ask before verifying it. */
export function knowsCertificate(state: ConsensusState, certificate: Certificate): boolean {
  const { kind, view } = certificate.statement;
  if (view < state.finalized.view) return true;
  if (view === state.finalized.view) return kind !== 'finalize' || state.finalized.certificate !== undefined;
  const round = state.rounds.get(view);
  if (round === undefined || kind === 'finalize') return false;
  return (kind === 'notarize' ? round.notarization : round.nullification) !== undefined;
}

/**
 * Whether a vote would tell this core nothing new, as `knowsCertificate`: its view is settled, it was counted, or its signer was caught
 * signing two of the kind in that view, after which a third is no news.
 */
export function knowsVote(state: ConsensusState, { statement, signer }: Vote): boolean {
  const { kind, view, epoch } = statement;
  if (epoch !== state.options.epoch) return false;
  if (view <= state.finalized.view) return true;
  const round = state.rounds.get(view);
  const votes: ReadonlyMap<ValidatorIndex, Vote> | undefined =
    kind === 'notarize' ? round?.notarizes : kind === 'nullify' ? round?.nullifies : round?.finalizes;
  const first = votes?.get(signer);
  if (round === undefined || first === undefined) return false;
  return sameStatement(first.statement, statement) || isCaught(round, signer, kind);
}

/**
 * Whether a further proposal of a view would tell nothing new: its view is settled, unless this member gave it up for want of a proposal; or its
 * leader signed two, and this is neither the first nor the notarized one.
 */
export function knowsProposal(state: ConsensusState, view: View, digest: Hash): boolean {
  if (view <= state.finalized.view) return !wasMissed(state, view);
  const round = state.rounds.get(view);
  if (round === undefined || round.notarization?.statement.digest === digest) return false;
  const first = round.message?.digest ?? round.proposed?.digest;
  return first !== undefined && first !== digest && isCaught(round, leaderOf(state, view), 'notarize');
}

/**
 * The unfinalized blocks that the next proposal will most likely stand on, newest first: the current view's proposal if
 * it may still be notarized, the highest notarized block and its notarized ancestors. A transaction in one of them is
 * not `pending`; ask again upon `enteredView`, a new proposal and a finalization.
 */
export function bestBranch(state: ConsensusState): Hash[] {
  const branch: Hash[] = [];
  const current = state.rounds.get(state.view);
  const proposed = current?.message?.digest ?? current?.proposed?.digest;
  if (proposed !== undefined && current?.verdict !== 'invalid') branch.push(proposed);
  let view: View = state.highestNotarized;
  while (view > state.finalized.view) {
    const statement = state.rounds.get(view)?.notarization?.statement;
    if (statement === undefined) break;
    if (!branch.includes(statement.digest)) branch.push(statement.digest);
    view = statement.parentView;
  }
  return branch;
}

/** What this member reports of itself: `from` is added by whoever receives it. */
export function statusOf(state: ConsensusState): {
  readonly view: View;
  readonly finalizedHeight: Height;
  readonly finalizedView: View;
} {
  return { view: state.view, finalizedHeight: state.finalized.height, finalizedView: state.finalized.view };
}

/** The certificates that a peer needs to believe this member's status: the finalization and what let it enter its view. */
export function statusCertificates(state: ConsensusState): Certificate[] {
  const certificates: Certificate[] = [];
  if (state.finalized.certificate !== undefined) certificates.push(state.finalized.certificate);
  const entered = state.rounds.get(toView(state.view - 1));
  const entry = entered?.notarization ?? entered?.nullification;
  if (entry !== undefined) certificates.push(entry);
  return certificates;
}

/** After recovery: the view of the newest own vote or beyond the newest certificate. */
export function enterRecoveredView(state: ConsensusState, out: Effect[], highestOwnVote: View): void {
  if (highestOwnVote > state.view) enterView(state, out, highestOwnVote);
  else out.push({ type: 'enteredView', view: state.view });
  roundOf(state, state.view);
}
