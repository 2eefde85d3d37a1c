import type { View, Vote } from '@hanse/protocol';
import { View as toView } from '@hanse/protocol';
import { noteDisconnected, noteHeard } from './absence.ts';
import { acceptStatus, answerLatecomer, confirmReports, enterRecoveredView, resend, resendIfStuck } from './catchUp.ts';
import { acceptCertificate } from './certificates.ts';
import { acceptApplied, acceptExecuted, noteProposal, payOwedFinalizes, requestFinalization } from './finality.ts';
import { acceptBuilt, acceptChecked, acceptProposal, considerProposal, leadView } from './proposals.ts';
import { type ConsensusState, isIndex, roundOf } from './state.ts';
import { recallVote } from './statements.ts';
import { demandOf, nullifyIfDue, scheduleWake, trackDemand } from './timers.ts';
import type { Effect, Input, Recovered } from './types.ts';
import { acceptVote } from './votes.ts';

/**
 * One step of Simplex (Chan and Pass, ePrint 2023/463; spec.md in this package): mutates `state`, returns what the
 * host has to do, in order. Deterministic: the same inputs give the same effects, whatever the machine.
 */
export function step(state: ConsensusState, input: Input): Effect[] {
  const out: Effect[] = [];
  if (state.stopped || (!state.started && input.type !== 'start')) return out;
  // The host's clock is monotonic; an input that was stamped before it queued must not turn time back.
  state.atMs = Math.max(state.atMs, input.atMs);
  hear(state, out, input);
  takeInput(state, out, input);
  settle(state, out);
  return state.stopped ? out.filter(isHarmless) : out;
}

/** One arm an input; each names its rules in spec.md. */
function takeInput(state: ConsensusState, out: Effect[], input: Input): void {
  switch (input.type) {
    case 'start':
      start(state, out, input.recovered);
      return;
    case 'proposal':
      for (const certificate of input.message.justification) acceptCertificate(state, out, certificate, input.from);
      acceptProposal(state, out, input.message);
      acceptVote(state, out, input.message.leaderVote);
      return;
    case 'vote':
      acceptVote(state, out, input.vote);
      return;
    case 'certificate':
      acceptCertificate(state, out, input.certificate, input.from);
      return;
    case 'status':
      acceptStatus(state, out, input);
      return;
    case 'checked':
      acceptChecked(state, out, input);
      return;
    case 'executed':
      acceptExecuted(state, out, input);
      requestFinalization(state, out);
      return;
    case 'built':
      acceptBuilt(state, out, input);
      return;
    case 'pending':
      if (input.waiting && !state.pending) state.pendingSinceMs = state.atMs;
      state.pending = input.waiting;
      return;
    case 'applied':
      acceptApplied(state, out, input.point);
      return;
    case 'disconnected':
      noteDisconnected(state, input.peer);
      return;
    case 'tick':
      return;
  }
}

/** What follows from the state and the time alone. Votes come back as inputs, so one pass is enough. */
function settle(state: ConsensusState, out: Effect[]): void {
  if (state.stopped) return;
  confirmReports(state);
  payOwedFinalizes(state, out);
  considerProposal(state, out);
  const proposeAtMs = leadView(state, out);
  trackDemand(state);
  nullifyIfDue(state, out);
  const demand = demandOf(state);
  resendIfStuck(state, out, demand);
  scheduleWake(state, out, demand, proposeAtMs);
}

/** Whoever sends anything valid of a current view is there (rule T4); whoever speaks of settled views is told (rule R3). */
function hear(state: ConsensusState, out: Effect[], input: Input): void {
  if (!('from' in input) || !isIndex(input.from, state.validators)) return;
  const view = viewIn(input);
  noteHeard(state, input.from, view);
  if (input.type === 'vote' || input.type === 'proposal') answerLatecomer(state, out, input.from, view);
}

function viewIn(input: Extract<Input, { readonly from: number }>): View {
  switch (input.type) {
    case 'proposal':
      return input.message.leaderVote.statement.view;
    case 'vote':
      return input.vote.statement.view;
    case 'certificate':
      return input.certificate.statement.view;
    case 'status':
      return input.view;
  }
}

/** After an alarm that stops this member nothing leaves it but the alarm, evidence, and what was decided for its own log. */
function isHarmless(effect: Effect): boolean {
  return effect.type === 'alarm' || effect.type === 'record' || effect.type === 'evidence';
}

/** Rule S1, upon start: take back what the log holds, and send identical votes again (spec.md, "Start and views"). */
function start(state: ConsensusState, out: Effect[], recovered: Recovered): void {
  if (state.started) throw new Error('the core was started twice');
  state.started = true;
  state.busySinceMs = state.atMs;
  state.idleSinceMs = state.atMs;
  state.progressAtMs = state.atMs;
  state.enteredAtMs = state.atMs;
  if (recovered.amnesia) state.amnesia = { confirmed: new Map(), claimed: new Map() };
  state.floor = recovered.floor ?? toView(0);
  state.enteredAnew = recovered.enteredAnew === true;
  const ownVotes = ownVotesIn(state, recovered);
  const highestOwnVote = recallVotes(state, ownVotes);
  for (const message of recovered.proposals) recallProposal(state, message);
  const replayed: Effect[] = [];
  for (const certificate of recovered.certificates) acceptCertificate(state, replayed, certificate, undefined);
  // They are in the log already, and go out with the resend below.
  for (const effect of replayed) {
    if (effect.type !== 'record' && effect.type !== 'broadcast' && effect.type !== 'enteredView') out.push(effect);
  }
  for (const vote of ownVotes) acceptVote(state, out, vote);
  enterRecoveredView(state, out, highestOwnVote);
  state.deltaMs = state.options.deltaFloorMs;
  resend(state, out);
}

/**
 * The own votes in the log. An own proposal is one too: a crash may tear the vote's record from that of the proposal,
 * which carries the same signature and is sent again with it.
 */
function ownVotesIn(state: ConsensusState, recovered: Recovered): Vote[] {
  const votes: Vote[] = [...recovered.ownVotes];
  for (const { leaderVote } of recovered.proposals)
    if (leaderVote.signer === state.options.self) votes.push(leaderVote);
  return votes.filter(({ statement }) => {
    return statement.epoch === state.options.epoch && statement.view > state.finalized.view;
  });
}

/** Marks every own vote as sent, so that no other one of its view can be. Returns the highest view among them. */
function recallVotes(state: ConsensusState, votes: readonly Vote[]): View {
  let highest = toView(0);
  for (const { statement } of votes) {
    if (statement.view > highest) highest = statement.view;
    recallVote(state, roundOf(state, statement.view), statement);
  }
  return highest;
}

/** A proposal that this member notarized was checked and flushed before; any other one is checked again. */
function recallProposal(state: ConsensusState, message: Recovered['proposals'][number]): void {
  const { view } = message.leaderVote.statement;
  if (message.leaderVote.statement.epoch !== state.options.epoch || view <= state.finalized.view) return;
  const round = roundOf(state, view);
  if (round.message !== undefined && round.sentNotarize?.digest !== message.digest) return;
  round.message = message;
  round.verdict = round.sentNotarize?.digest === message.digest ? 'valid' : 'unknown';
  noteProposal(state, message.digest, view, message.proposal);
}
