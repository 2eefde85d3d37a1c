import type { RevertSignal } from '../runtime/signals.ts';
import type { Context, Reading } from './membersContext.ts';
import type { MembersReader } from './membership.ts';

/** What can be ruled in versions: `protocol`, `gas-schedule`, `module:currency` and so on. */
const FEATURE_NAME = /^[a-z][a-z0-9:-]{0,40}$/;

/**
 * So many blocks lie between a decision and the height from which it counts: twice the 16 that may be unfinalized, so every member
 * knows the rule from a finalized state before it meets the first block under it.
 */
export const RULE_NOTICE_BLOCKS = 32;

/** Rules whose height is still to come; each new one may have to be put before all of them. */
const MAX_COMING_RULES = 64;

/** No rule lies further ahead: later versions may not come before it, so a slip of the pen would bind a feature for ever. */
export const RULE_HORIZON_BLOCKS = 100_000_000;

/** A version of a feature and the height from which it is in force. */
export interface ScheduledRule {
  readonly feature: string;
  readonly version: number;
  readonly height: number;
}

/** The newest version of a feature that is scheduled, and its height. */
function newestVersion(members: MembersReader, name: string): { readonly version: number; readonly height: number } {
  const feature = members.features.at(name);
  const version = feature.version.get();
  return version === 0 ? { version: 1, height: 0 } : { version, height: feature.height.get() };
}

/** Why a rule cannot be scheduled now. */
export function ruleRefusal(context: Context, rule: ScheduledRule): RevertSignal | undefined {
  const { storage, block } = context;
  if (!FEATURE_NAME.test(rule.feature)) return context.error('InvalidFeature', {});
  const newest = newestVersion(storage, rule.feature);
  if (rule.version !== newest.version + 1) return context.error('WrongVersion', { next: newest.version + 1 });
  const lowest = Math.max(block.height + RULE_NOTICE_BLOCKS, newest.height);
  if (rule.height < lowest) return context.error('HeightTooLow', { lowest });
  const highest = block.height + RULE_HORIZON_BLOCKS;
  if (rule.height > highest) return context.error('HeightTooHigh', { highest });
  const count = storage.ruleCount.get();
  const isFull = count >= MAX_COMING_RULES && storage.rules.at(count - MAX_COMING_RULES).height.get() > block.height;
  return isFull ? context.error('TooManyRules', { limit: BigInt(MAX_COMING_RULES) }) : undefined;
}

/** Schedules a rule that is not refused, in its place by height. */
export function scheduleRule(context: Context, { feature, version, height }: ScheduledRule): void {
  const { rules, ruleCount, features } = context.storage;
  let place = ruleCount.get();
  ruleCount.set(place + 1);
  // Only rules to come have greater heights, and of these there are few.
  for (; place > 0 && rules.at(place - 1).height.get() > height; place--) {
    const from = rules.at(place - 1);
    writeRule(rules.at(place), { feature: from.feature.get(), version: from.version.get(), height: from.height.get() });
  }
  writeRule(rules.at(place), { feature, version, height });
  const newest = features.at(feature);
  newest.version.set(version);
  newest.height.set(height);
  context.emit('RuleScheduled', { feature, version, height });
}

function writeRule(record: ReturnType<Context['storage']['rules']['at']>, rule: ScheduledRule): void {
  record.version.set(rule.version);
  record.height.set(rule.height);
  record.feature.set(rule.feature);
}

/** All scheduled rules, ascending by height. */
export function readRules({ ruleCount, rules }: MembersReader): readonly ScheduledRule[] {
  return Array.from({ length: ruleCount.get() }, (_, index) => {
    const rule = rules.at(index);
    return { feature: rule.feature.get(), version: rule.version.get(), height: rule.height.get() };
  });
}

export const scheduledRules = ({ storage }: Reading): readonly ScheduledRule[] => readRules(storage);
