import {
  type Genesis,
  parseGenesis,
  parseRecovery,
  type Recovery,
  type RecoveryPlan,
  type Suite,
} from '@hanse/protocol';
import { createSuite } from '../config/createSuite.ts';
import type { SupportedRules } from '../execution/ruleVersions.ts';
import type { ServiceContext } from '../runtime/services.ts';

/** What every service of a member is started with; structured-clonable. */
export interface MemberServiceOptions {
  /** The network's genesis document, parsed before. */
  readonly genesis: Genesis;
  /** The folder of the LMDB environment. */
  readonly ledgerFolder: string;
  /** Recovery documents that the operator confirmed, parsed before. */
  readonly recoveries: readonly Recovery[];
  /** The plans of recoveries that the member signed, parsed before. */
  readonly promises: readonly RecoveryPlan[];
  /** The rules that the program takes itself to run; absent: all that it does. */
  readonly supported?: SupportedRules;
}

/** The options, checked again on this side of the thread, with the thread's own suite. */
export function readServiceOptions(
  options: unknown,
  context: ServiceContext,
): MemberServiceOptions & { readonly suite: Suite } {
  const { genesis, recoveries, ...others } = options as MemberServiceOptions;
  const parsed = parseGenesis(genesis);
  return {
    ...others,
    genesis: parsed,
    recoveries: recoveries.map(parseRecovery),
    suite: createSuite(parsed.suite, context.primitives),
  };
}
