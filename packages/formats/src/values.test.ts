import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseDateTimeStamp } from './dateTimeStamp.ts';
import { normaliseDecimal } from './decimal.ts';
import { compareCodePoints, encodeUtf8 } from './text.ts';

describe('decimals', () => {
  it.each([
    ['1.0', '1'],
    ['0.3434000', '0.3434'],
    ['007', '7'],
    ['-0.0', '0'],
    ['+5', '5'],
    ['-12.50', '-12.5'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['1e3', '1000'],
    ['1.25E-3', '0.00125'],
    ['120e-1', '12'],
    ['0e99', '0'],
    ['100', '100'],
    ['123456789012345678901234567890.5', '123456789012345678901234567890.5'],
  ])('%s is %s', (text, expected) => {
    expect(normaliseDecimal(text)).toBe(expected);
  });

  it.each([
    '',
    '.',
    '-',
    'e5',
    '1e',
    '0x10',
    '1 ',
    'NaN',
    '1e400',
    '1e-999999999',
    '1e9999999999',
    '9'.repeat(401),
  ])('%s is none, or too long', (text) => {
    expect(normaliseDecimal(text)).toBeUndefined();
  });

  it('keeps the value of every whole number of hundredths', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (hundredths) => {
        const digits = (hundredths < 0n ? -hundredths : hundredths).toString().padStart(3, '0');
        const text = `${hundredths < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
        expect(normaliseDecimal(`${hundredths}e-2`)).toBe(normaliseDecimal(text));
      }),
      { seed: 7 },
    );
  });
});

describe('times', () => {
  it.each([
    ['2020-03-04T11:00:30.000+01:00', '2020-03-04T10:00:30.000Z'],
    ['2020-03-04T11:00:30Z', '2020-03-04T11:00:30.000Z'],
    ['2023-02-02T11:04:03.1415Z', '2023-02-02T11:04:03.142Z'],
    ['2023-02-02T11:04:03.1414999Z', '2023-02-02T11:04:03.141Z'],
    ['2022-09-05T19:04:37.5450000+00:00', '2022-09-05T19:04:37.545Z'],
    ['2023-12-31T23:59:59.9995Z', '2024-01-01T00:00:00.000Z'],
    ['2024-02-28T24:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['2024-03-01T00:30:00+14:00', '2024-02-29T10:30:00.000Z'],
    ['1999-12-31T20:00:00-06:00', '2000-01-01T02:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(normaliseDateTimeStamp(text)).toBe(expected);
  });

  it.each([
    '2020-03-04T11:00:30',
    '2020-03-04',
    '2020-13-04T11:00:30Z',
    '2021-02-29T11:00:30Z',
    '1900-02-29T11:00:30Z',
    '2020-04-31T11:00:30Z',
    '2020-03-04T24:00:01Z',
    '2020-03-04T11:60:30Z',
    '2020-03-04T11:00:60Z',
    '2020-03-04T11:00:30+14:01',
    '2020-03-04t11:00:30z',
    '2020-03-04 11:00:30Z',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59.9999Z',
    '22-07-2026',
  ])('%s is none', (text) => {
    expect(normaliseDateTimeStamp(text)).toBeUndefined();
  });

  it('agrees with the calendar of Date', () => {
    const moments = fc.date({
      min: new Date('0001-01-02T00:00:00Z'),
      max: new Date('9999-12-30T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(moments, fc.integer({ min: -840, max: 840 }), (moment, offset) => {
        const local = new Date(moment.getTime() + offset * 60_000).toISOString().slice(0, -1);
        const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
        const text = `${local}${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
        expect(normaliseDateTimeStamp(text)).toBe(moment.toISOString());
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});

describe('text', () => {
  it('encodes UTF-8 and orders by it', () => {
    const text = fc.string({ unit: 'binary', maxLength: 8 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Buffer.from(encodeUtf8(a)).equals(Buffer.from(a, 'utf8'))).toBe(true);
        expect(Math.sign(compareCodePoints(a, b))).toBe(Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8')));
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});
