import { describe, expect, it } from 'vitest';
import { TestAlliance } from '../testing/testAlliance.ts';
import { testAccounts } from '../testing/testChain.ts';
import { RULE_HORIZON_BLOCKS, RULE_NOTICE_BLOCKS } from './rules.ts';

const { stranger } = testAccounts;

function start() {
  const alliance = new TestAlliance();
  const propose = (feature: string, version: number, height: number) =>
    alliance.call(alliance.account(1), 'proposeRule', feature, version, height);
  return {
    alliance,
    propose,
    schedule: (feature: string, version: number, height: number) =>
      alliance.approve(propose(feature, version, height), 2, 3),
    scheduled: () => alliance.chain.readers.readScheduledRules(alliance.chain.state),
  };
}

describe('a rule', () => {
  it('is scheduled for a height, and all are listed by it', () => {
    const { alliance, schedule, scheduled } = start();
    expect(scheduled()).toEqual([]);
    expect(schedule('protocol', 2, 1_000)).toBe(3);
    expect(alliance.eventsNamed('RuleScheduled')).toEqual([{ feature: 'protocol', version: 2, height: 1_000 }]);
    schedule('module:currency', 2, 100);
    schedule('gas-schedule', 2, 500);
    schedule('module:currency', 3, 500);
    schedule('protocol', 3, 1_000);
    const expected = [
      { feature: 'module:currency', version: 2, height: 100 },
      { feature: 'gas-schedule', version: 2, height: 500 },
      { feature: 'module:currency', version: 3, height: 500 },
      { feature: 'protocol', version: 2, height: 1_000 },
      { feature: 'protocol', version: 3, height: 1_000 },
    ];
    expect(scheduled()).toEqual(expected);
    expect(alliance.call(stranger, 'scheduledRules')).toEqual(expected);
  });

  it('has the next version of its feature and 32 blocks of notice, when it is proposed and when it is enacted', () => {
    const { alliance, propose, schedule, scheduled } = start();
    const { chain, call } = alliance;
    chain.height = 10;
    for (const version of [0, 1, 3]) expect(() => propose('protocol', version, 1_000)).toThrow('WrongVersion(2)');
    expect(() => propose('protocol', 2, 10 + RULE_NOTICE_BLOCKS - 1)).toThrow('HeightTooLow(42)');
    expect(() => propose('protocol', 2, 10 + RULE_HORIZON_BLOCKS + 1)).toThrow('HeightTooHigh(100000010)');
    const [prompt, late] = [propose('protocol', 2, 42), propose('protocol', 2, 42)];
    alliance.approve(prompt, 2, 3);
    expect(alliance.approve(late, 2, 3)).toBe(2);
    expect(() => call(alliance.account(1), 'enact', late)).toThrow('WrongVersion(3)');
    const slow = propose('gas-schedule', 2, 42);
    chain.height = 11;
    expect(alliance.approve(slow, 2, 3)).toBe(2);
    expect(() => call(alliance.account(1), 'enact', slow)).toThrow('HeightTooLow(43)');
    // No version comes before the one before it.
    schedule('protocol', 3, 5_000);
    expect(() => propose('protocol', 4, 4_999)).toThrow('HeightTooLow(5000)');
    expect(schedule('protocol', 4, 5_000)).toBe(3);
    expect(scheduled().map(({ version }) => version)).toEqual([2, 3, 4]);
  });

  it('names a feature in small letters, digits, colons and hyphens', () => {
    const { propose } = start();
    const astral = `x${'🙂'.repeat(40)}`;
    for (const feature of ['', 'Protocol', '1a', 'a b', ':a', 'a_b', `a${'b'.repeat(41)}`, 'a\n', astral]) {
      expect(() => propose(feature, 2, 1_000)).toThrow('InvalidFeature()');
    }
    for (const feature of ['a', 'module:currency-factory', `a${'b'.repeat(40)}`]) {
      expect(propose(feature, 2, 1_000)).toBeGreaterThan(0);
    }
  });

  it('is one of 64 to come; those that count already are not limited', () => {
    const { alliance, propose, schedule, scheduled } = start();
    // Each later one comes before all others, the dearest order.
    for (let index = 0; index < 64; index++) expect(schedule(`module:m${index}`, 2, 1_000 - index)).toBe(3);
    expect(alliance.chain.lastGasUsed).toBeLessThan(3_000_000n);
    expect(() => propose('protocol', 2, 2_000)).toThrow('TooManyRules(64)');
    alliance.chain.height = 937;
    expect(schedule('protocol', 2, 2_000)).toBe(3);
    expect(() => propose('gas-schedule', 2, 2_000)).toThrow('TooManyRules(64)');
    const heights = scheduled().map(({ height }) => height);
    expect(heights).toEqual([...heights].sort((a, b) => a - b));
    expect(heights).toHaveLength(65);
  });
});
