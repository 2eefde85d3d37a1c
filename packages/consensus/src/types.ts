import type {
  Certificate,
  Epoch,
  FinalizeStatement,
  Hash,
  Height,
  NotarizeStatement,
  NullifyStatement,
  Proposal,
  Statement,
  ValidatorIndex,
  ValidatorSet,
  View,
  Vote,
} from '@hanse/protocol';

/** Fixed for an epoch. */
export interface ConsensusOptions {
  readonly epoch: Epoch;
  readonly validators: ValidatorSet;
  /** This member's place in the set; undefined for an observer, who follows and never votes. */
  readonly self: ValidatorIndex | undefined;
  /** Floor of delta, the assumed bound of one message's way, in milliseconds. */
  readonly deltaFloorMs: number;
  readonly idleBlockIntervalMs: number;
  /** Beyond so many unfinalized blocks on a branch only empty proposals are accepted. */
  readonly maxUnfinalizedBlocks: number;
  /** How often the highest certificates are sent again while nothing is finalized. */
  readonly resendIntervalMs: number;
  /** Least time between two blocks under load, in milliseconds; 50 if absent. After idle there is no wait. */
  readonly paceMs?: number;
}

/** The finalized block that this core starts above. In the first epoch it is the genesis: view 0. */
export interface FinalizedPoint {
  readonly digest: Hash;
  readonly height: Height;
  /** The view of this epoch in which it was notarized; 0 if it comes from before the epoch. */
  readonly view: View;
  readonly timeMs: number;
  readonly certificate: Certificate<FinalizeStatement> | undefined;
  /** It closed the epoch of this very core, which then signs nothing and only tells others; absent means no. */
  readonly closesEpoch?: boolean;
}

/** A leader's proposal for a view on the wire. The leader's own notarize vote is its signature. */
export interface ProposalMessage {
  readonly proposal: Proposal;
  readonly digest: Hash;
  readonly leaderVote: Vote<NotarizeStatement>;
  /** What proves the parent notarized (or finalized) and the views between nullified, as far as the receiver may lack it. */
  readonly justification: readonly Certificate[];
}

/** What this member's log gave back after a restart, everything above the finalized point. */
export interface Recovered {
  readonly ownVotes: readonly Vote[];
  readonly certificates: readonly Certificate[];
  /** Proposals held with every body flushed. */
  readonly proposals: readonly ProposalMessage[];
  /** The log is absent although the key was used, or a backup was restored: spec.md, "Amnesia". */
  readonly amnesia?: boolean;
  /** Votes up to this view were cut off the log, because they lay below what storage held then: storage is older now, and nothing is signed in these views (rule S2). */
  readonly floor?: View;
  /**
   * The process ran the epoch before and holds its whole log, so the key cannot have signed anything in this one: the first vote
   * waits for nobody's report (rule S1).
   */
  readonly enteredAnew?: boolean;
}

/**
 * Everything that can happen to the core. Votes, certificates and leader votes were verified (signature, set, epoch,
 * digest recomputed) by the host before they come here. `atMs` is a monotonic clock's reading.
 */
export type Input = { readonly atMs: number } & (
  | { readonly type: 'start'; readonly recovered: Recovered }
  | { readonly type: 'proposal'; readonly from: ValidatorIndex; readonly message: ProposalMessage }
  | { readonly type: 'vote'; readonly from: ValidatorIndex; readonly vote: Vote }
  | { readonly type: 'certificate'; readonly from: ValidatorIndex; readonly certificate: Certificate }
  /**
   * A peer's periodic or requested report of where it stands. The core votes only after q - 1 other members have
   * reported since `start`, so the host sends its own status at start, on every new connection, in answer to every
   * status that asks for one, and every 5 s. A certificate that came with the status is fed in before it.
   */
  | {
      readonly type: 'status';
      readonly from: ValidatorIndex;
      readonly view: View;
      readonly finalizedHeight: Height;
      readonly finalizedView: View;
    }
  /** Answer to `check`: every body is held and flushed, the parent is executed, and the static rules say so. */
  | {
      readonly type: 'checked';
      readonly view: View;
      readonly digest: Hash;
      readonly valid: boolean;
      readonly reason?: string;
    }
  /** Answer to `execute`. */
  | {
      readonly type: 'executed';
      readonly digest: Hash;
      readonly height: Height;
      readonly blockHash: Hash;
      /** What was executed, if it closes the epoch: a leader may have to repeat it. */
      readonly closing: Proposal | undefined;
    }
  /** Answer to `build`; `digest` is ready to execute. Undefined: this member could not build (it will be nullified). */
  | { readonly type: 'built'; readonly view: View; readonly proposal: Proposal | undefined; readonly digest: Hash }
  /**
   * Whether an admissible transaction waits in the pool that no block of `bestBranch` holds. Fed in whenever it changes,
   * and again after every `built`, because the core takes an empty one as a no.
   */
  | { readonly type: 'pending'; readonly waiting: boolean }
  /** `finalize` (or an import) made this point durable in storage. */
  | { readonly type: 'applied'; readonly point: FinalizedPoint }
  /**
   * The host lost its connection to a validator, or has none at the start: nothing of it is on its way. Whatever comes from
   * it later takes that back.
   */
  | { readonly type: 'disconnected'; readonly peer: ValidatorIndex }
  /** `wakeAt` has come. */
  | { readonly type: 'tick' }
);

/**
 * Everything that the core may ask of its host, to be carried out in order. The host's duties (spec.md, "The host"):
 * 1. `vote`: sign, append vote and whatever `flushWith` names to the log, flush, only then broadcast, then feed
 *    the vote back as an input of its own. 2. Certificates in `record` are appended (no flush of their own).
 * 3. `finalize` is applied in order. 4. A `wakeAt` replaces the one before it. 5. `propose` stands alone (no `vote`
 *    goes with it): sign `statement`, append proposal, bodies and vote, flush, send a ProposalMessage to every
 *    validator, then feed the vote back like any own vote.
 */
export type Effect =
  | { readonly type: 'vote'; readonly statement: Statement; readonly flushWith: readonly Certificate[] }
  /** Sign `statement` and send the proposal with it as the leader's notarize vote; proposal, bodies and vote flushed before. */
  | {
      readonly type: 'propose';
      readonly view: View;
      readonly proposal: Proposal;
      readonly digest: Hash;
      readonly statement: NotarizeStatement;
      readonly justification: readonly Certificate[];
    }
  | { readonly type: 'record'; readonly certificate: Certificate }
  | { readonly type: 'broadcast'; readonly certificate: Certificate }
  | {
      readonly type: 'send';
      readonly to: ValidatorIndex;
      readonly certificates: readonly Certificate[];
      readonly ownVotes: readonly Vote[];
    }
  | {
      readonly type: 'resend';
      readonly certificates: readonly Certificate[];
      readonly ownVotes: readonly Vote[];
      readonly proposal?: ProposalMessage;
    }
  /** Get every body, flush, wait until the parent is executed, check; answer `checked`. */
  | { readonly type: 'check'; readonly view: View; readonly message: ProposalMessage }
  /** Execute as soon as proposal, bodies and executed parent are there (fetch what is missing from `holders`); answer `executed`. */
  | {
      readonly type: 'execute';
      readonly digest: Hash;
      readonly view: View;
      readonly holders: readonly ValidatorIndex[];
    }
  /** Build a proposal on an executed parent; `empty` forbids transactions. Not before `notBeforeMs` on the same clock as `atMs`. */
  | {
      readonly type: 'build';
      readonly view: View;
      readonly parentDigest: Hash;
      readonly empty: boolean;
      readonly notBeforeMs: number;
    }
  | { readonly type: 'finalize'; readonly digest: Hash; readonly certificate: Certificate<FinalizeStatement> }
  /** Ask for certificates that this member lacks (parents' notarizations, nullifications of [fromView, toView]). */
  | {
      readonly type: 'fetchCertificates';
      readonly fromView: View;
      readonly toView: View;
      readonly preferred: ValidatorIndex;
    }
  /** A finalized block cannot be reached by executing what is held: import the blocks up to it, then feed in `applied`. Repeated while it lasts. */
  | {
      readonly type: 'behind';
      readonly certificate: Certificate<FinalizeStatement>;
      readonly preferred: ValidatorIndex;
    }
  /** Two votes of one validator that no honest one signs both: proof for anybody who knows the set (rule V1). Once per signer, view and kind. */
  | { readonly type: 'evidence'; readonly first: Vote; readonly second: Vote }
  | { readonly type: 'wakeAt'; readonly atMs: number }
  | { readonly type: 'enteredView'; readonly view: View }
  /** A conflict that must stop this member from voting (divergence), or that a person should know. */
  | { readonly type: 'alarm'; readonly kind: AlarmKind; readonly detail: string; readonly stop: boolean };

export type AlarmKind =
  /** A vote signed with this member's key came back that its log lacks. */
  | 'amnesia'
  | 'divergence'
  | 'conflicting-certificates'
  | 'equivocation'
  | 'conflicting-results'
  | 'no-result-can-reach-quorum'
  | 'invalid-certified-proposal';

export type { Certificate, FinalizeStatement, NotarizeStatement, NullifyStatement };
