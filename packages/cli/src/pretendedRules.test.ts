import { describe, expect, it } from 'vitest';
import { readPretendedRules } from './pretendedRules.ts';

describe('rules that a node pretends to lack', () => {
  it('are none unless somebody says so', () => {
    expect(readPretendedRules(undefined)).toBeUndefined();
    expect(readPretendedRules('')).toBeUndefined();
  });

  it('are taken away from what the program has', () => {
    expect(readPretendedRules('gas-schedule=1, module:currency=0')).toEqual({
      'gas-schedule': 1,
      'module:currency': 0,
    });
  });

  it.each([
    'gas-schedule=99',
    'gas-schedules=1',
    'gas-schedule',
    'gas-schedule=-1',
    'gas-schedule=1.5',
  ])('never add one: %s', (text) => {
    expect(() => readPretendedRules(text)).toThrow(`HANSE_PRETEND_RULES: "${text}" takes no rule away`);
  });
});
