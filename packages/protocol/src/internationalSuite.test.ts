import { describe, expect, it } from 'vitest';
import { bigintToFixedBytes, bytesToBigint, bytesToHex, hexToBytes, utf8ToBytes } from './bytes.ts';
import { createInternationalSuite, SECP256K1_ORDER } from './internationalSuite.ts';
import { portablePrimitives } from './portablePrimitives.ts';
import type { Hex } from './types.ts';

const suite = createInternationalSuite(portablePrimitives);

describe('the international suite', () => {
  it('derives the address of a key as Ethereum does', () => {
    const key = hexToBytes(`0x${'00'.repeat(31)}01`);
    const compressed = hexToBytes(suite.publicKey(key));
    expect(compressed).toHaveLength(33);
    expect(suite.addressOf(compressed)).toBe('0x7e5f4552091a69125d5dfcb7b8c2659029395bdf');
    expect(suite.addressOf(portablePrimitives.secp256k1PublicKey(key, false))).toBe(suite.addressOf(compressed));
    expect(suite.addressOf(new Uint8Array(33))).toBeUndefined();
    expect(suite.addressOf(new Uint8Array(0))).toBeUndefined();
  });

  it('signs messages that verify by this key, message and signature alone', () => {
    const key = new Uint8Array(32).fill(5);
    const message = utf8ToBytes('a vote');
    const signature = suite.sign(key, message);
    const publicKey = suite.publicKey(key);
    expect(suite.sign(key, message)).toEqual(signature);
    expect(suite.verify(publicKey, message, signature)).toBe(true);
    expect(suite.verify(publicKey, utf8ToBytes('another'), signature)).toBe(false);
    expect(suite.verify(suite.publicKey(new Uint8Array(32).fill(6)), message, signature)).toBe(false);
    const high = signature.slice();
    high.set(bigintToFixedBytes(SECP256K1_ORDER - bytesToBigint(signature.subarray(32)), 32), 32);
    expect(suite.verify(publicKey, message, high)).toBe(false);
    for (const bad of ['0x', `${publicKey}00`, publicKey.toUpperCase(), bytesToHex(new Uint8Array(33)), 'x']) {
      expect(suite.verify(bad as Hex, message, signature)).toBe(false);
    }
  });

  it('makes a valid private key from any 32 bytes or more', () => {
    for (const entropy of [new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(64).fill(255)]) {
      expect(portablePrimitives.secp256k1IsPrivateKey(suite.privateKeyFrom(entropy))).toBe(true);
    }
    const almost = bigintToFixedBytes(SECP256K1_ORDER - 2n, 32);
    expect(bytesToBigint(suite.privateKeyFrom(almost))).toBe(SECP256K1_ORDER - 1n);
    expect(() => suite.privateKeyFrom(new Uint8Array(31))).toThrow('32 bytes');
  });
});
