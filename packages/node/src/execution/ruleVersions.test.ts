import { nativeModules } from '@hanse/modules';
import { describe, expect, it } from 'vitest';
import { missingRule, rulesAt, supportedRules, UnsupportedRuleError } from './ruleVersions.ts';

const schedule = [
  { feature: 'gas-schedule', version: 2, height: 100 },
  { feature: 'module:currency', version: 2, height: 150 },
  { feature: 'gas-schedule', version: 3, height: 200 },
];

describe('the rules of a height', () => {
  it('are the newest that were scheduled for it or before, and version 1 otherwise', () => {
    const versions = (height: number) =>
      ['gas-schedule', 'module:currency', 'protocol'].map((feature) => rulesAt(schedule, height).of(feature));
    expect(versions(99)).toEqual([1, 1, 1]);
    expect(versions(100)).toEqual([2, 1, 1]);
    expect(versions(199)).toEqual([2, 2, 1]);
    expect(versions(200)).toEqual([3, 2, 1]);
  });

  it('are all there until the first that this program lacks', () => {
    const supported = { 'gas-schedule': 2, 'module:currency': 1 };
    expect(missingRule(schedule, 149, supported)).toBeUndefined();
    expect(missingRule(schedule, 150, supported)).toEqual(schedule[1]);
    expect(missingRule(schedule, 150, { 'gas-schedule': 2, 'module:currency': 2 })).toBeUndefined();
    expect(missingRule(schedule, 1_000, { 'gas-schedule': 2, 'module:currency': 2 })).toEqual(schedule[2]);
    expect(missingRule([{ feature: 'elsewhere', version: 2, height: 1 }], 1, supportedRules)?.feature).toBe(
      'elsewhere',
    );
  });

  it('are named in what a person reads, with the height and what to do', () => {
    const { message } = new UnsupportedRuleError(schedule[2]!, { 'gas-schedule': 2 });
    expect(message).toBe(
      'From block 200 on the network runs version 3 of the rule "gas-schedule", and this program has version 2. ' +
        'The member stops before that block; nothing is lost. Install the version of Hanse that has the rule, and start it again.',
    );
    expect(new UnsupportedRuleError(schedule[1]!, {}).message).toContain('this program does not know it');
  });

  it('hold every native module in its newest version', () => {
    for (const { name, version } of nativeModules)
      expect(supportedRules[`module:${name}`]).toBeGreaterThanOrEqual(version);
  });
});
