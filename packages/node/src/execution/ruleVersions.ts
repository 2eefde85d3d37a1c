import { nativeModules, type ScheduledRule } from '@hanse/modules';
import type { RuleVersions } from '@hanse/protocol';

/** What the network's rules are divided into; each part has versions from 1 on, which governance schedules by height. */
export type RuleFeature = string;

/** The newest version of each feature that this program runs. What is not listed it does not know at all. */
export type SupportedRules = Readonly<Record<RuleFeature, number>>;

/**
 * `protocol`: proposals, static checks, headers. `gas-schedule`: 1 is Ethereum's (Prague); 2 prices the precompiles by the time that they take here
 * (precompileWork.ts). `module:NAME`: the code of a native module.
 */
export const supportedRules: SupportedRules = {
  protocol: 1,
  'gas-schedule': 2,
  ...newestModules(),
};

function newestModules(): Record<string, number> {
  const newest: Record<string, number> = {};
  for (const { name, version } of nativeModules) {
    newest[`module:${name}`] = Math.max(version, newest[`module:${name}`] ?? 0);
  }
  return newest;
}

/** The versions in force at a height, by a state's schedule (ascending by height). */
export function rulesAt(schedule: readonly ScheduledRule[], height: number): RuleVersions {
  const versions = new Map<RuleFeature, number>();
  for (const rule of schedule) if (rule.height <= height) versions.set(rule.feature, rule.version);
  return { of: (feature) => versions.get(feature) ?? 1 };
}

/** The first scheduled rule that counts at a height and that this program lacks. */
export function missingRule(
  schedule: readonly ScheduledRule[],
  height: number,
  supported: SupportedRules,
): ScheduledRule | undefined {
  return schedule.find((rule) => rule.height <= height && rule.version > (supported[rule.feature] ?? 0));
}

/** The chain goes on by a rule that this program lacks: it must not go past the block before. */
export class UnsupportedRuleError extends Error {
  override readonly name = 'UnsupportedRuleError';

  constructor(rule: ScheduledRule, supported: SupportedRules) {
    const known = supported[rule.feature];
    const has = known === undefined ? 'does not know it' : `has version ${known}`;
    super(
      `From block ${rule.height} on the network runs version ${rule.version} of the rule "${rule.feature}", and this program ${has}. ` +
        'The member stops before that block; nothing is lost. Install the version of Hanse that has the rule, and start it again.',
    );
  }
}
