import type {
  Certificate,
  Epoch,
  FinalizeStatement,
  Hash,
  Height,
  NotarizeStatement,
  NullifyStatement,
  Proposal,
  ValidatorIndex,
  Vote,
} from '@hanse/protocol';
import { faultBound, quorum, View } from '@hanse/protocol';
import type { AlarmKind, ConsensusOptions, Effect, FinalizedPoint, ProposalMessage } from './types.ts';

/** Votes for views further ahead than this are not kept; certificates and fetching bring a straggler there (spec.md, "Memory"). */
export const VOTE_WINDOW = 64;
/** Proposals for views further ahead than this are not kept. */
export const PROPOSAL_WINDOW = 8;
/** Past proposals without a notarization that are kept in case one arrives late. */
export const STALE_PROPOSALS = 8;
/** The most certificates in one resend, answer or justification. */
export const MAX_CERTIFICATES = 64;
/** Finalizations that wait for execution; when there are more, the oldest gives way, since a newer one covers it. */
export const MAX_WAITING_FINALIZATIONS = 16;
/** Facts about blocks that are kept at most; executed ones are kept longest. */
export const MAX_BLOCKS = 1024;
/** Default of `ConsensusOptions.paceMs`. */
export const DEFAULT_PACE_MS = 50;

/** What this member knows of one view above the finalized one. */
export interface Round {
  readonly view: View;
  readonly notarizes: Map<ValidatorIndex, Vote<NotarizeStatement>>;
  readonly nullifies: Map<ValidatorIndex, Vote<NullifyStatement>>;
  readonly finalizes: Map<ValidatorIndex, Vote<FinalizeStatement>>;
  notarization: Certificate<NotarizeStatement> | undefined;
  nullification: Certificate<NullifyStatement> | undefined;
  /** The first proposal of the view's leader; later ones are only evidence. */
  message: ProposalMessage | undefined;
  verdict: 'unknown' | 'checking' | 'valid' | 'invalid';
  /** What this member decided to vote; set when the effect is emitted, before the vote exists. */
  sentNotarize: NotarizeStatement | undefined;
  sentNullify: boolean;
  sentFinalize: FinalizeStatement | undefined;
  /** As leader: the parent a `build` was asked for. */
  building: { readonly view: View; readonly digest: Hash } | undefined;
  /** As leader: what was proposed, until the own vote completes the message. */
  proposed:
    | { readonly proposal: Proposal; readonly digest: Hash; readonly justification: readonly Certificate[] }
    | undefined;
  /** Alarms that were raised for this view, so that each is raised once. */
  readonly alarmed: Set<string>;
}

/** What this member knows of one block above the finalized point. */
export interface Block {
  readonly digest: Hash;
  /** The first view in which it was seen. */
  readonly view: View;
  proposal: { readonly height: Height; readonly timeMs: number; readonly parentDigest: Hash } | undefined;
  /** Whether `execute` was asked for. */
  requested: boolean;
  /** Its result; and itself, if it closes the epoch. */
  executed: { readonly height: Height; readonly blockHash: Hash; readonly closing: Proposal | undefined } | undefined;
  /** The host found it invalid for ever. */
  invalid: boolean;
  /** The block hash in the own finalize vote for it. */
  signedResult: Hash | undefined;
  /** Its result, or an ancestor's, contradicts one that this member signed: no finalize vote. */
  withheld: boolean;
}

/** The highest block that a finalization certificate is held for (or the point, if none is higher). */
export interface Finalized {
  readonly view: View;
  readonly height: Height;
  readonly digest: Hash;
  /** Undefined while the host has not yet applied it and its proposal is unknown. */
  readonly timeMs: number | undefined;
  readonly certificate: Certificate<FinalizeStatement> | undefined;
}

/** Recovery from a lost log: no vote in a view that the lost log may hold (spec.md, "Amnesia"). */
export interface Amnesia {
  /** Views reported by other members that a certificate held here confirms. */
  readonly confirmed: Map<ValidatorIndex, View>;
  /** Reports whose entry certificate has not arrived yet. */
  readonly claimed: Map<ValidatorIndex, View>;
}

/** Plain data: everything that the core remembers. Mutated by `step` alone. */
export interface ConsensusState {
  readonly options: ConsensusOptions;
  readonly validators: number;
  readonly quorum: number;
  readonly faults: number;
  started: boolean;
  /** An alarm with `stop` was raised: nothing is sent any more. */
  stopped: boolean;
  /** The finalized block closes the epoch: nothing is signed in it any more. */
  closed: boolean;
  atMs: number;
  view: View;
  enteredAtMs: number;
  /** What storage holds. */
  point: FinalizedPoint;
  finalized: Finalized;
  readonly rounds: Map<View, Round>;
  readonly blocks: Map<Hash, Block>;
  /** Finalizations that were not handed to the host yet, ascending by view. */
  waiting: Certificate<FinalizeStatement>[];
  /** Views in which a finalize vote may be owed, in the order in which they were notarized here. */
  owed: View[];
  highestNotarized: View;
  pending: boolean;
  /** Since when; of no meaning while nothing is pending. */
  pendingSinceMs: number;
  deltaMs: number;
  /** Views that were given up, though their leaders were there, since the last finalization. */
  failedViews: number;
  /** What delta each leader's views needed lately; undefined before its first, and after an absence. */
  readonly neededMs: (number | undefined)[];
  /** How long after demand arose the current view's proposal came, in milliseconds. */
  proposedAfterMs: number | undefined;
  /** The last view of each leader that was given up without a proposal, and when demand had arisen in it. */
  readonly missedViews: ({ readonly view: View; readonly sinceMs: number } | undefined)[];
  /** When the timers of the current view started; undefined while there is no demand. */
  timersSinceMs: number | undefined;
  /** When that demand arose in the current view: the timers' start without what they allow for gossip. */
  demandedAtMs: number | undefined;
  /** When demand last arose after idleness (or the start), and when it was last seen. */
  busySinceMs: number;
  lastDemandMs: number | undefined;
  /** When the finalized block became known; idle blocks count from here. */
  idleSinceMs: number;
  lastBlockAtMs: number | undefined;
  /** When the finalized block last rose. */
  progressAtMs: number;
  /** Since when there is something that others could help with. */
  stuckSinceMs: number | undefined;
  resentAtMs: number;
  readonly lastHeardMs: (number | undefined)[];
  /** Since when the host has no connection to a validator; undefined if it has one, or never said. */
  readonly goneSinceMs: (number | undefined)[];
  /** The highest view each validator voted in, also beyond the window. */
  readonly seenView: View[];
  /** Other members that reported where they are since the start. */
  readonly reported: Set<ValidatorIndex>;
  /** No report is needed before the first vote (see `Recovered.enteredAnew`). */
  enteredAnew: boolean;
  amnesia: Amnesia | undefined;
  /** Nothing is signed up to this view (see `Recovered.floor`). */
  floor: View;
  readonly fetches: Map<string, { atMs: number; attempts: number }>;
  readonly answeredAtMs: Map<ValidatorIndex, number>;
  wakeAtMs: number | undefined;
}

/** A core above `point`. Nothing happens until the `start` input. Throws RangeError on options that cannot be meant. */
export function createConsensus(options: ConsensusOptions, point: FinalizedPoint): ConsensusState {
  const n = options.validators.validators.length;
  const finalized = pointAsFinalized(point, options.epoch);
  if (n < 1) throw new RangeError('a validator set has at least one member');
  if (options.validators.epoch !== options.epoch) throw new RangeError('the validator set is of another epoch');
  if (options.self !== undefined && !isIndex(options.self, n)) throw new RangeError('self is outside the set');
  if (!(options.deltaFloorMs >= 1)) throw new RangeError('deltaFloorMs must be at least 1');
  return {
    options,
    validators: n,
    quorum: quorum(n),
    faults: faultBound(n),
    started: false,
    stopped: false,
    closed: point.closesEpoch === true,
    atMs: 0,
    view: View(finalized.view + 1),
    enteredAtMs: 0,
    point,
    finalized,
    rounds: new Map(),
    blocks: new Map(),
    waiting: [],
    owed: [],
    highestNotarized: finalized.view,
    pending: false,
    pendingSinceMs: 0,
    deltaMs: options.deltaFloorMs,
    failedViews: 0,
    neededMs: nothingOf(n),
    proposedAfterMs: undefined,
    missedViews: nothingOf(n),
    timersSinceMs: undefined,
    demandedAtMs: undefined,
    busySinceMs: 0,
    lastDemandMs: undefined,
    idleSinceMs: 0,
    lastBlockAtMs: undefined,
    progressAtMs: 0,
    stuckSinceMs: undefined,
    resentAtMs: 0,
    lastHeardMs: nothingOf(n),
    goneSinceMs: nothingOf(n),
    seenView: Array.from({ length: n }, () => View(0)),
    reported: new Set(),
    enteredAnew: false,
    amnesia: undefined,
    floor: View(0),
    fetches: new Map(),
    answeredAtMs: new Map(),
    wakeAtMs: undefined,
  };
}

/** One undefined for each validator. */
function nothingOf(n: number): undefined[] {
  return Array.from({ length: n }, () => undefined);
}

/**
 * A certificate of a descendant or of another epoch says nothing about the point's own view and is left aside; that of
 * a repeated closing block names a later view than the block's.
 */
export function pointAsFinalized(point: FinalizedPoint, epoch: Epoch): Finalized {
  const { height, digest, timeMs } = point;
  const covering = point.certificate?.statement;
  const certificate = covering?.digest === digest && covering.epoch === epoch ? point.certificate : undefined;
  const certified = certificate !== undefined && certificate.statement.view > point.view;
  return { view: certified ? certificate.statement.view : point.view, height, digest, timeMs, certificate };
}

/** Whether a number that came from outside is a place in a set of n. */
export function isIndex(index: number, n: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < n;
}

/** The leader of a view (rule T1; the paper's random oracle is replaced by rotation, deviation D2). */
export function leaderOf(state: ConsensusState, view: View): ValidatorIndex {
  return view % state.validators;
}

/** The round of a view above the finalized one, made on first use. */
export function roundOf(state: ConsensusState, view: View): Round {
  const known = state.rounds.get(view);
  if (known !== undefined) return known;
  const round: Round = {
    view,
    notarizes: new Map(),
    nullifies: new Map(),
    finalizes: new Map(),
    notarization: undefined,
    nullification: undefined,
    message: undefined,
    verdict: 'unknown',
    sentNotarize: undefined,
    sentNullify: false,
    sentFinalize: undefined,
    building: undefined,
    proposed: undefined,
    alarmed: new Set(),
  };
  state.rounds.set(view, round);
  return round;
}

/** The facts about a block, made on first use. Bounded: what was not executed goes first. */
export function blockOf(state: ConsensusState, digest: Hash, view: View): Block {
  const known = state.blocks.get(digest);
  if (known !== undefined) return known;
  if (state.blocks.size >= MAX_BLOCKS) {
    for (const [old, block] of state.blocks) {
      if (block.executed === undefined && block.signedResult === undefined) {
        state.blocks.delete(old);
        break;
      }
    }
  }
  const block: Block = {
    digest,
    view,
    proposal: undefined,
    requested: false,
    executed: undefined,
    invalid: false,
    signedResult: undefined,
    withheld: false,
  };
  state.blocks.set(digest, block);
  return block;
}

/** Whether this member has executed a block, or holds it as final. */
export function isExecuted(state: ConsensusState, digest: Hash): boolean {
  return digest === state.point.digest || state.blocks.get(digest)?.executed !== undefined;
}

/**
 * Whether this member may sign anything in a view now: it is a validator, was not stopped, the epoch is open, it has
 * heard where q - 1 others are since it started (unless it came from the epoch before), and no lost log, nor the part that was cut off it, can hold a vote for the view.
 */
export function maySign(state: ConsensusState, view: View): boolean {
  if (state.options.self === undefined || state.stopped || state.closed || !state.started) return false;
  if (!state.enteredAnew && state.reported.size < state.quorum - 1) return false;
  if (view <= state.floor) return false;
  return state.amnesia === undefined || view > amnesiaFloor(state, state.amnesia);
}

/**
 * The highest view that a lost log may hold a vote for: V* + 1, V* being the maximum of the confirmed views of q other
 * members; without limit until they are known and a finalization above is held (spec.md, "Amnesia").
 */
function amnesiaFloor(state: ConsensusState, amnesia: Amnesia): number {
  if (amnesia.confirmed.size < state.quorum) return Number.POSITIVE_INFINITY;
  const floor = Math.max(...amnesia.confirmed.values()) + 1;
  return state.finalized.view > floor ? floor : Number.POSITIVE_INFINITY;
}

/** Raises an alarm; one with `stop` silences this member for good. */
export function alarm(state: ConsensusState, out: Effect[], kind: AlarmKind, detail: string, stop: boolean): void {
  out.push({ type: 'alarm', kind, detail, stop });
  if (stop) state.stopped = true;
}

/** Raises an alarm once for a view and a subject. */
export function alarmOnce(
  state: ConsensusState,
  out: Effect[],
  round: Round,
  subject: string,
  kind: AlarmKind,
  detail: string,
  stop: boolean,
): void {
  const key = `${kind}:${subject}`;
  if (round.alarmed.has(key)) return;
  round.alarmed.add(key);
  alarm(state, out, kind, detail, stop);
}

/** Another validator to ask, starting from `preferred` and moving on with every attempt; undefined if there is none. */
export function someoneElse(
  state: ConsensusState,
  preferred: ValidatorIndex,
  attempts: number,
): ValidatorIndex | undefined {
  const n = state.validators;
  for (let step = 0; step < n; step++) {
    const candidate = (preferred + attempts + step) % n;
    if (candidate !== state.options.self) return candidate;
  }
  return undefined;
}

/** Asks for certificates that are missing, the same range at most once a resend interval, each time from the next member. */
export function fetchCertificates(
  state: ConsensusState,
  out: Effect[],
  fromView: View,
  toView: View,
  preferred: ValidatorIndex,
): void {
  if (toView < fromView) return;
  const key = `${fromView}:${toView}`;
  const known = state.fetches.get(key);
  if (known !== undefined && state.atMs < known.atMs + state.options.resendIntervalMs) return;
  const attempts = known === undefined ? 0 : known.attempts + 1;
  const from = someoneElse(state, preferred, attempts);
  if (from === undefined) return;
  // Ranges that were asked for long ago are of views that are settled by now.
  if (known === undefined && state.fetches.size >= MAX_CERTIFICATES) state.fetches.clear();
  state.fetches.set(key, { atMs: state.atMs, attempts });
  out.push({ type: 'fetchCertificates', fromView, toView, preferred: from });
}

/** What lies at or below the finalized view decides nothing any more (spec.md, "Memory"). */
export function pruneRounds(state: ConsensusState): void {
  for (const view of [...state.rounds.keys()]) if (view <= state.finalized.view) state.rounds.delete(view);
  state.owed = state.owed.filter((view) => view > state.finalized.view);
  if (state.highestNotarized < state.finalized.view) state.highestNotarized = state.finalized.view;
}

/** Lets go of the oldest past proposals that were not notarized. */
export function pruneStaleProposals(state: ConsensusState): void {
  const stale: Round[] = [];
  for (const round of state.rounds.values()) {
    const past = round.view < state.view && round.notarization === undefined;
    if (past && round.message !== undefined) stale.push(round);
  }
  stale.sort((a, b) => a.view - b.view);
  for (const round of stale.slice(0, Math.max(0, stale.length - STALE_PROPOSALS))) round.message = undefined;
}
