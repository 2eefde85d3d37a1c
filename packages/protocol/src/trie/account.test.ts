import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bigintToBytes, bytesToHex, hexToBytes } from '../bytes.ts';
import { ProtocolError } from '../errors.ts';
import { encodeRlp } from '../rlp.ts';
import type { Account } from '../state.ts';
import { decodeAccount, decodeStorageWord, encodeAccount, encodeStorageWord } from './account.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex);
const word = fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, (1n << 256n) - 1n));
const account: fc.Arbitrary<Account> = fc.record({
  nonce: fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, (1n << 64n) - 1n)),
  balance: word,
  storageRoot: hash,
  codeHash: hash,
});

const generic = ({ nonce, balance, storageRoot, codeHash }: Account): Uint8Array =>
  encodeRlp([bigintToBytes(nonce), bigintToBytes(balance), hexToBytes(storageRoot), hexToBytes(codeHash)]);

describe('accounts', () => {
  it('encode as RLP of their four fields, and back', () => {
    fc.assert(
      fc.property(account, (given) => {
        const encoded = encodeAccount(given);
        expect(encoded).toEqual(generic(given));
        expect(decodeAccount(encoded)).toEqual(given);
      }),
      { seed: 20261, numRuns: 300 },
    );
  });

  it('decode only what they encode to, whatever byte is wrong, missing or too many', () => {
    fc.assert(
      fc.property(account, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, place, difference) => {
        const encoded = encodeAccount(given);
        const wrong = encoded.slice();
        wrong[place % encoded.length]! ^= difference;
        const longer = new Uint8Array(encoded.length + 1);
        longer.set(encoded);
        for (const bytes of [wrong, longer, encoded.subarray(0, place % encoded.length)]) {
          try {
            expect(encodeAccount(decodeAccount(bytes))).toEqual(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        }
      }),
      { seed: 20262, numRuns: 500 },
    );
  });
});

describe('storage words', () => {
  it('encode as RLP of their significant bytes, and back', () => {
    fc.assert(
      fc.property(word, (given) => {
        const encoded = encodeStorageWord(given);
        expect(encoded).toEqual(encodeRlp(bigintToBytes(given)));
        if (given > 0n) expect(decodeStorageWord(encoded)).toBe(given);
      }),
      { seed: 20263, numRuns: 200 },
    );
  });

  it('refuse zero, leading zeros, more than 32 bytes, and lists', () => {
    for (const bytes of [[0x80], [0x00], [0x82, 0x00, 0x01], [0xa1, ...new Array(33).fill(1)], [0xc0]]) {
      expect(() => decodeStorageWord(Uint8Array.from(bytes))).toThrow(ProtocolError);
    }
  });
});
