import { Agreement } from './agreement.ts';
import { CertificateValidity } from './certificateValidity.ts';
import { ChainRules } from './chainRules.ts';
import type { Checker, CheckerContext } from './checker.ts';
import { Composure } from './composure.ts';
import { Durability } from './durability.ts';
import { ExecutionDeterminism } from './executionDeterminism.ts';
import { FlushBeforeSend } from './flushBeforeSend.ts';
import { OneVote } from './oneVote.ts';
import { Supply } from './supply.ts';

/** Everything that every run is held to; liveness is judged where the run is led. */
export function createCheckers(context: CheckerContext): readonly Checker[] {
  return [
    new Agreement(context),
    new CertificateValidity(context),
    new ExecutionDeterminism(context),
    new ChainRules(context),
    new OneVote(context),
    new FlushBeforeSend(context),
    new Supply(context),
    new Durability(context),
    new Composure(context),
  ];
}
