import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAmount, parseAmount } from './amount.ts';

describe('parseAmount', () => {
  it.each([
    ['12.50', 2, 1250n],
    ['12.5', 2, 1250n],
    ['12', 2, 1200n],
    ['0.01', 2, 1n],
    ['1,234,567.8', 2, 123_456_780n],
    ['007', 0, 7n],
    [' 3 ', 18, 3_000_000_000_000_000_000n],
    ['0', 2, 0n],
  ])('reads %s with %i decimals as %s units', (text, decimals, units) => {
    expect(parseAmount(text, decimals)).toBe(units);
  });

  it.each([
    '',
    '-1',
    '+1',
    '1.',
    '.5',
    '1e3',
    '0x10',
    '1,23',
    '12,34.5',
    '1 000',
    '1.2.3',
    'ten',
    '١٢',
    '1,2345',
  ])('refuses %j, which is no amount', (text) => {
    expect(() => parseAmount(text, 2)).toThrow(RangeError);
  });

  it('refuses more decimals than the currency has instead of rounding money', () => {
    expect(() => parseAmount('1.005', 2)).toThrow('"1.005" has more than 2 decimals');
    expect(() => parseAmount('1.0', 0)).toThrow('more than 0 decimals');
  });
});

describe('formatAmount', () => {
  it.each([
    [123_450n, 2, '1,234.50'],
    [5n, 2, '0.05'],
    [0n, 2, '0.00'],
    [-5n, 2, '-0.05'],
    [-123_456_789n, 2, '-1,234,567.89'],
    [1000n, 0, '1,000'],
    [999n, 0, '999'],
    [1n, 18, '0.000000000000000001'],
  ])('writes %s units with %i decimals as %s', (units, decimals, text) => {
    expect(formatAmount(units, decimals)).toBe(text);
  });

  it('is undone by parseAmount, whatever the amount and the decimals', () => {
    const property = fc.property(fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }), fc.nat(18), (units, decimals) => {
      expect(parseAmount(formatAmount(units, decimals), decimals)).toBe(units);
    });
    fc.assert(property, { seed: 20_260_101, numRuns: 200 });
  });
});
