import { bigintToFixedBytes, bytesToBigint, bytesToHex, hexToBytes } from './bytes.ts';
import type { Suite, SuitePrimitives } from './suite.ts';

/** The order of secp256k1's group (SEC 2, section 2.4.1). */
export const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** Ethereum's own algorithms: secp256k1 and Keccak-256. */
export function createInternationalSuite(primitives: SuitePrimitives): Suite {
  const hash = (data: Uint8Array) => primitives.keccak256(data);
  return {
    id: 'international',
    primitives,
    hash,
    hashHex: (data) => bytesToHex(primitives.keccak256(data)),
    keccak256: hash,
    transactionTypes: new Set([0, 1, 2]),

    privateKeyFrom(entropy) {
      if (entropy.length < 32) throw new RangeError('a private key needs at least 32 bytes of randomness');
      // The order is so close to 2^256 that the bias of this reduction is below 2^-127, even with 32 bytes.
      return bigintToFixedBytes((bytesToBigint(entropy) % (SECP256K1_ORDER - 1n)) + 1n, 32);
    },

    publicKey: (privateKey) => bytesToHex(primitives.secp256k1PublicKey(privateKey, true)),

    addressOf(publicKey) {
      const expanded = primitives.secp256k1ExpandPublicKey(publicKey);
      if (expanded === undefined) return undefined;
      return bytesToHex(primitives.keccak256(expanded.subarray(1)).subarray(12));
    },

    sign: (privateKey, message) => primitives.secp256k1Sign(hash(message), privateKey).signature,

    verify(publicKey, message, signature) {
      // Keys come from validated sets; a malformed one must give false all the same.
      if (!/^0x0[23][0-9a-f]{64}$/.test(publicKey)) return false;
      return primitives.secp256k1Verify(hash(message), signature, hexToBytes(publicKey));
    },
  };
}
