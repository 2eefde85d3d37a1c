import { Agreement } from './agreement.ts';
import { CertificateValidity } from './certificateValidity.ts';
import { ChainRules } from './chainRules.ts';
import type { Checker, CheckerContext } from './checker.ts';
import { Composure } from './composure.ts';
import { Durability } from './durability.ts';
import { ExecutionDeterminism } from './executionDeterminism.ts';
import { FlushBeforeSend } from './flushBeforeSend.ts';
import { NotarizedParents } from './notarizedParents.ts';
import { OneVote } from './oneVote.ts';
import { Supply } from './supply.ts';

const KINDS: readonly (new (context: CheckerContext) => Checker)[] = [
  Agreement,
  CertificateValidity,
  ExecutionDeterminism,
  ChainRules,
  OneVote,
  NotarizedParents,
  FlushBeforeSend,
  Supply,
  Durability,
  Composure,
];

/** Everything that every run is held to, each naming itself in what it reports; liveness is judged where the run is led. */
export function createCheckers({ cluster, report }: CheckerContext): readonly Checker[] {
  return KINDS.map((Kind) => {
    const checker: Checker = new Kind({
      cluster,
      report: (violation) => report(`${checker.name}: ${violation}`),
    });
    return checker;
  });
}
