import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { RecoverableSignature, SuitePrimitives } from './suite.ts';

const Point = secp256k1.Point;

/** Pure JavaScript primitives that run everywhere, browsers on plain HTTP included. */
export const portablePrimitives: SuitePrimitives = {
  implementation: { secp256k1: 'javascript (@noble/curves)', keccak256: 'javascript (@noble/hashes)' },
  keccak256: (data) => keccak_256(data),
  sha256: (data) => sha256(data),

  secp256k1Sign(hash, privateKey): RecoverableSignature {
    const recovered = secp256k1.sign(hash, privateKey, { prehash: false, lowS: true, format: 'recovered' });
    const recovery = recovered[0]!;
    // 2 and 3 mean that the nonce's point has an x beyond the group's order, which happens once in 2^127 signatures.
    if (recovery !== 0 && recovery !== 1) throw new Error(`signature with recovery id ${recovery}`);
    return { signature: recovered.slice(1), recovery };
  },

  secp256k1Verify(hash, signature, publicKey) {
    if (hash.length !== 32 || signature.length !== 64) return false;
    try {
      return secp256k1.verify(signature, hash, publicKey, { prehash: false, lowS: true, format: 'compact' });
    } catch {
      return false;
    }
  },

  secp256k1Recover(hash, signature, recovery) {
    if (hash.length !== 32 || signature.length !== 64) return undefined;
    if (recovery !== 0 && recovery !== 1) return undefined;
    try {
      const parsed = secp256k1.Signature.fromBytes(signature, 'compact').addRecoveryBit(recovery);
      return parsed.recoverPublicKey(hash).toBytes(false);
    } catch {
      return undefined;
    }
  },

  secp256k1PublicKey: (privateKey, compressed) => secp256k1.getPublicKey(privateKey, compressed),

  secp256k1ExpandPublicKey(publicKey) {
    try {
      return Point.fromBytes(publicKey).toBytes(false);
    } catch {
      return undefined;
    }
  },

  secp256k1IsPrivateKey: (privateKey) => privateKey.length === 32 && secp256k1.utils.isValidSecretKey(privateKey),
};
