import type {
  Certificate,
  FinalizeStatement,
  NotarizeStatement,
  NullifyStatement,
  Statement,
  ValidatorIndex,
  Vote,
} from '@hanse/protocol';
import { acceptCertificate } from './certificates.ts';
import { checkResults } from './finality.ts';
import { alarmOnce, type ConsensusState, isIndex, type Round, roundOf, VOTE_WINDOW } from './state.ts';
import { equivocationOf, isOwnDecision, raiseAmnesia, recallVote, sameStatement } from './statements.ts';
import type { Effect } from './types.ts';

/** Counts a vote (rules V1 to V4 of spec.md) and forms the certificate that it completes. */
export function acceptVote(state: ConsensusState, out: Effect[], vote: Vote): void {
  const { statement, signer } = vote;
  if (statement.epoch !== state.options.epoch || !isIndex(signer, state.validators)) return;
  if (!(statement.view >= 1)) return;
  if (statement.view > (state.seenView[signer] ?? 0)) state.seenView[signer] = statement.view;
  if (statement.view <= state.finalized.view || statement.view > state.view + VOTE_WINDOW) return;
  const round = roundOf(state, statement.view);
  if (signer === state.options.self && !isOwnDecision(round, statement)) {
    if (state.amnesia === undefined && statement.view > state.floor) {
      raiseAmnesia(state, out, statement);
      return;
    }
    // What the lost log held, or was cut off it, comes back from those who received it.
    recallVote(state, round, statement);
  }
  switch (statement.kind) {
    case 'notarize':
      countNotarize(state, out, round, vote as Vote<NotarizeStatement>);
      return;
    case 'nullify':
      countNullify(state, out, round, vote as Vote<NullifyStatement>);
      return;
    case 'finalize':
      countFinalize(state, out, round, vote as Vote<FinalizeStatement>);
  }
}

function countNotarize(state: ConsensusState, out: Effect[], round: Round, vote: Vote<NotarizeStatement>): void {
  if (!keepFirst(state, out, round, round.notarizes, vote)) return;
  if (vote.signer === state.options.self) completeOwnProposal(round, vote);
  if (round.notarization === undefined) formCertificate(state, out, round.notarizes, vote.statement);
}

function countNullify(state: ConsensusState, out: Effect[], round: Round, vote: Vote<NullifyStatement>): void {
  if (!keepFirst(state, out, round, round.nullifies, vote)) return;
  const finalize = round.finalizes.get(vote.signer);
  if (finalize !== undefined) reportNullifyAndFinalize(state, out, round, finalize, vote);
  if (round.nullification === undefined) formCertificate(state, out, round.nullifies, vote.statement);
}

function countFinalize(state: ConsensusState, out: Effect[], round: Round, vote: Vote<FinalizeStatement>): void {
  if (!keepFirst(state, out, round, round.finalizes, vote)) return;
  const nullify = round.nullifies.get(vote.signer);
  if (nullify !== undefined) reportNullifyAndFinalize(state, out, round, nullify, vote);
  checkResults(state, out, round);
  formCertificate(state, out, round.finalizes, vote.statement);
}

/** Only the first vote of a kind counts per signer and view; a second, different one is evidence (paper, step 3: "the first and only the first"). */
function keepFirst<S extends Statement>(
  state: ConsensusState,
  out: Effect[],
  round: Round,
  votes: Map<ValidatorIndex, Vote<S>>,
  vote: Vote<S>,
): boolean {
  const first = votes.get(vote.signer);
  if (first === undefined) {
    votes.set(vote.signer, vote);
    return true;
  }
  if (!sameStatement(first.statement, vote.statement)) {
    const detail = `validator ${vote.signer} signed two different ${vote.statement.kind} votes in view ${round.view}`;
    alarmOnce(state, out, round, equivocationOf(vote.signer, vote.statement.kind), 'equivocation', detail, false);
    giveEvidence(out, round, first, vote);
  }
  return false;
}

function reportNullifyAndFinalize(state: ConsensusState, out: Effect[], round: Round, first: Vote, second: Vote): void {
  const detail = `validator ${second.signer} signed both nullify and finalize in view ${round.view}`;
  alarmOnce(state, out, round, `${second.signer}:both`, 'equivocation', detail, false);
  giveEvidence(out, round, first, second);
}

/** The two votes themselves, once for each way in which a validator contradicted itself in a view. */
function giveEvidence(out: Effect[], round: Round, first: Vote, second: Vote): void {
  const key = `evidence:${second.signer}:${first.statement.kind}:${second.statement.kind}`;
  if (round.alarmed.has(key)) return;
  round.alarmed.add(key);
  out.push({ type: 'evidence', first, second });
}

/** The leader's own vote came back flushed: it is the signature under the proposal, kept for resending. */
function completeOwnProposal(round: Round, vote: Vote<NotarizeStatement>): void {
  if (round.proposed === undefined || round.message !== undefined) return;
  round.message = { ...round.proposed, leaderVote: vote };
  round.verdict = 'valid';
}

/** Rule V2: q equal votes are a certificate, of exactly q signers in ascending order, the lowest of those known. */
function formCertificate<S extends Statement>(
  state: ConsensusState,
  out: Effect[],
  votes: ReadonlyMap<ValidatorIndex, Vote<S>>,
  statement: S,
): void {
  const equal: Vote<S>[] = [];
  for (const vote of votes.values()) if (sameStatement(vote.statement, statement)) equal.push(vote);
  if (equal.length < state.quorum) return;
  equal.sort((a, b) => a.signer - b.signer);
  const signatures = equal.slice(0, state.quorum).map(({ signer, signature }) => ({ signer, signature }));
  const certificate: Certificate<S> = { statement, signatures };
  acceptCertificate(state, out, certificate, undefined);
}
