import type { SuitePrimitives } from '@hanse/protocol';
import { MixedHash } from './mixedHash.ts';

/** Domains, so that no hash of one use is one of another. */
const DATA = 0x5bd1e995;
const KEY = 0x27d4eb2f;
const SIGNATURE = 0x165667b1;

/**
 * Primitives for simulation alone: a hash of some 200 ns for 200 bytes, and "signatures" that anybody could make who wanted to.
 * The Byzantine members of a simulation sign with their own key only, so what matters holds: a signature fits one key and one message,
 * everything is deterministic, and no two inputs of a campaign collide. The suite above is the real one.
 *
 * The x of a public key is a hash of the private key below 2^255, so that it may stand for r; s is a hash of x and the message below 2^254, so
 * that it is low. Recovering a sender is then reading r and checking s.
 */
export const fastPrimitives: SuitePrimitives = {
  implementation: { secp256k1: 'simulated', keccak256: 'simulated' },
  keccak256: (data) => hashOf(DATA, data),
  sha256: (data) => hashOf(DATA, data),

  secp256k1Sign(hash, privateKey) {
    if (!isPrivateKey(privateKey)) throw new RangeError('not a private key');
    const signature = new Uint8Array(64);
    const x = xOf(privateKey);
    signature.set(x, 0);
    signature.set(secondHalf(x, hash), 32);
    return { signature, recovery: 0 };
  },

  secp256k1Verify(hash, signature, publicKey) {
    if (hash.length !== 32 || signature.length !== 64 || !hasKeyForm(publicKey)) return false;
    const x = publicKey.subarray(1, 33);
    return equal(signature, 0, x) && equal(signature, 32, secondHalf(x, hash));
  },

  secp256k1Recover(hash, signature, recovery) {
    if (hash.length !== 32 || signature.length !== 64 || recovery !== 0) return undefined;
    const x = signature.subarray(0, 32);
    return equal(signature, 32, secondHalf(x, hash)) ? uncompressed(x) : undefined;
  },

  secp256k1PublicKey(privateKey, compressed) {
    if (!isPrivateKey(privateKey)) throw new RangeError('not a private key');
    const x = xOf(privateKey);
    return compressed ? Uint8Array.of(2, ...x) : uncompressed(x);
  },

  secp256k1ExpandPublicKey: (publicKey) =>
    hasKeyForm(publicKey) ? uncompressed(publicKey.subarray(1, 33)) : undefined,

  secp256k1IsPrivateKey: isPrivateKey,
};

function hashOf(domain: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = new MixedHash(domain);
  for (const part of parts) hash.bytes(part);
  return hash.digest();
}

function isPrivateKey(key: Uint8Array): boolean {
  return key.length === 32 && key.some((byte) => byte !== 0);
}

function xOf(privateKey: Uint8Array): Uint8Array {
  const x = hashOf(KEY, privateKey);
  x[0]! &= 0x7f;
  return x;
}

function secondHalf(x: Uint8Array, hash: Uint8Array): Uint8Array {
  const s = hashOf(SIGNATURE, x, hash);
  s[0]! &= 0x3f;
  return s;
}

/** 65 bytes; y is x once more, because the address needs something in its place. */
function uncompressed(x: Uint8Array): Uint8Array {
  const key = new Uint8Array(65);
  key[0] = 4;
  key.set(x, 1);
  key.set(x, 33);
  return key;
}

function hasKeyForm(key: Uint8Array): boolean {
  return (key.length === 33 && key[0] === 2) || (key.length === 65 && key[0] === 4);
}

function equal(bytes: Uint8Array, offset: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index++) if (bytes[offset + index] !== expected[index]) return false;
  return true;
}
