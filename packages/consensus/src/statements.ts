import type { FinalizeStatement, NotarizeStatement, Statement, ValidatorIndex } from '@hanse/protocol';
import { alarm, blockOf, type ConsensusState, type Round } from './state.ts';
import type { Effect } from './types.ts';

/** Whether two statements say the same, field by field. */
export function sameStatement(a: Statement, b: Statement): boolean {
  if (a.kind !== b.kind || a.epoch !== b.epoch || a.view !== b.view) return false;
  switch (a.kind) {
    case 'nullify':
      return true;
    case 'notarize': {
      const other = b as NotarizeStatement;
      return a.parentView === other.parentView && a.digest === other.digest;
    }
    case 'finalize': {
      const other = b as FinalizeStatement;
      return a.digest === other.digest && a.height === other.height && a.blockHash === other.blockHash;
    }
  }
}

/** Marks a vote as decided, so that no other one of its kind and view can be. */
export function recallVote(state: ConsensusState, round: Round, statement: Statement): void {
  switch (statement.kind) {
    case 'notarize':
      round.sentNotarize = statement;
      return;
    case 'nullify':
      round.sentNullify = true;
      return;
    case 'finalize':
      round.sentFinalize = statement;
      blockOf(state, statement.digest, statement.view).signedResult = statement.blockHash;
  }
}

/** Whether this member decided this very statement (before a restart or since). */
export function isOwnDecision(round: Round, statement: Statement): boolean {
  switch (statement.kind) {
    case 'notarize':
      return round.sentNotarize !== undefined && sameStatement(round.sentNotarize, statement);
    case 'nullify':
      return round.sentNullify;
    case 'finalize':
      return round.sentFinalize !== undefined && sameStatement(round.sentFinalize, statement);
  }
}

/** Names what a validator is accused of in a view: two different statements of a kind. */
export function equivocationOf(signer: ValidatorIndex, kind: Statement['kind']): string {
  return `${signer}:${kind}`;
}

/** Whether the alarm was raised that a validator signed two different statements of a kind in a view. */
export function isCaught(round: Round, signer: ValidatorIndex, kind: Statement['kind']): boolean {
  return round.alarmed.has(`equivocation:${equivocationOf(signer, kind)}`);
}

/** A verified vote of this member's key that the log lacks: the log was lost, or the key is used twice (spec.md, "Amnesia"). */
export function raiseAmnesia(state: ConsensusState, out: Effect[], statement: Statement): void {
  const detail = `a ${statement.kind} vote of this member's key for view ${statement.view} is not in its log`;
  alarm(state, out, 'amnesia', detail, true);
}
