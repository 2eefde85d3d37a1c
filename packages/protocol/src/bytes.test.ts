import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bigintToBytes,
  bigintToFixedBytes,
  bytesToBigint,
  bytesToHex,
  bytesToNumber,
  bytesToUtf8,
  compareBytes,
  concatBytes,
  equalBytes,
  hexToBytes,
  isAddress,
  isHash,
  isHex,
  numberToBytes,
  numberToFixedBytes,
  utf8ToBytes,
} from './bytes.ts';

const budget = { seed: 1, numRuns: 300 };

describe('bytes', () => {
  it('writes hexadecimal as Buffer does, and reads it back in either case', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const hex = bytesToHex(bytes);
        expect(hex).toBe(`0x${Buffer.from(bytes).toString('hex')}`);
        expect(hexToBytes(hex)).toEqual(bytes);
        expect(hexToBytes(`0x${hex.slice(2).toUpperCase()}`)).toEqual(bytes);
      }),
      budget,
    );
  });

  it('refuses what is no hexadecimal bytes', () => {
    for (const bad of [
      '',
      '0',
      '00',
      '0X00',
      '0x0',
      '0x0g',
      '0xg0',
      '0x00 ',
      '0x\u{1F600}',
      '0x０0',
      '0x0\u0130',
      '0x-1',
    ]) {
      expect(() => hexToBytes(bad), bad).toThrow(expect.objectContaining({ code: 'invalid-hex' }));
    }
  });

  it('knows the form of hexadecimal inside the program: lower case, whole bytes', () => {
    expect(isHex('0x')).toBe(true);
    expect(isHex('0xab', 1)).toBe(true);
    for (const bad of ['0xAB', '0xa', 'ab', '0xag', '0xab\n', 5, null, undefined, ['0xab']])
      expect(isHex(bad)).toBe(false);
    expect(isHex('0xab', 2)).toBe(false);
    expect(isAddress(`0x${'a'.repeat(40)}`)).toBe(true);
    expect(isAddress(`0x${'a'.repeat(39)}\n`)).toBe(false);
    expect(isHash(`0x${'a'.repeat(64)}`)).toBe(true);
  });

  it('writes integers without leading zeros and reads them back', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.bigInt({ min: 0n, max: 1n << 64n }), fc.bigInt({ min: 0n, max: 1n << 256n })),
        (value) => {
          const bytes = bigintToBytes(value);
          expect(bytes[0]).not.toBe(0);
          expect(bytesToBigint(bytes)).toBe(value);
          expect(bytesToBigint(bigintToFixedBytes(value, 40))).toBe(value);
        },
      ),
      budget,
    );
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(numberToBytes(value)).toEqual(bigintToBytes(BigInt(value)));
        expect(bytesToNumber(numberToFixedBytes(value, 8))).toBe(value);
      }),
      budget,
    );
    expect(bigintToBytes(0n)).toEqual(new Uint8Array(0));
    expect(numberToBytes(256)).toEqual(Uint8Array.of(1, 0));
  });

  it('throws where an integer has no such bytes', () => {
    expect(() => bigintToBytes(-1n)).toThrow(RangeError);
    expect(() => bigintToFixedBytes(-1n, 4)).toThrow(RangeError);
    expect(() => bigintToFixedBytes(256n, 1)).toThrow(RangeError);
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => numberToBytes(bad)).toThrow(RangeError);
    expect(() => numberToFixedBytes(256, 1)).toThrow(RangeError);
    const tooLarge = bigintToBytes(2n ** 53n);
    expect(() => bytesToNumber(tooLarge)).toThrow(expect.objectContaining({ code: 'invalid-number' }));
    expect(bytesToNumber(bigintToBytes(2n ** 53n - 1n))).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('orders and compares as unsigned bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
        expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
        expect(concatBytes(a, b)).toEqual(new Uint8Array(Buffer.concat([a, b])));
      }),
      budget,
    );
  });

  it('reads UTF-8 strictly', () => {
    expect(bytesToUtf8(utf8ToBytes('数字人民币 €'))).toBe('数字人民币 €');
    expect(bytesToUtf8(utf8ToBytes('\ufeffx'))).toBe('\ufeffx');
    expect(() => bytesToUtf8(Uint8Array.of(0xff))).toThrow(expect.objectContaining({ code: 'invalid-utf8' }));
  });
});
