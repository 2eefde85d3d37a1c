import type { Address, Hash, Hex } from './types.ts';

/** The two cryptographic suites; a network names one at genesis. */
export type SuiteId = 'international' | 'commercial';

/** An ECDSA signature over secp256k1: 64 bytes r || s with low s, and the recovery bit. */
export interface RecoverableSignature {
  readonly signature: Uint8Array;
  readonly recovery: 0 | 1;
}

/**
 * The raw algorithms a suite is built from. A Node.js program injects native or WebAssembly ones, a browser
 * the portable ones of `portablePrimitives`; every implementation passes the same contract suite.
 * All functions are synchronous and total: a malformed signature or key gives `false` or `undefined`, never a throw,
 * except signing with an invalid private key, which is a programming error and throws.
 */
export interface SuitePrimitives {
  /** Which implementation answers, for `hanse status` and `doctor`: for example `native`, `wasm`, `javascript`. */
  readonly implementation: { readonly secp256k1: string; readonly keccak256: string };
  keccak256(data: Uint8Array): Uint8Array;
  sha256(data: Uint8Array): Uint8Array;
  /** Signs a 32-byte hash, deterministically (RFC 6979), low s. */
  secp256k1Sign(hash: Uint8Array, privateKey: Uint8Array): RecoverableSignature;
  /** Verifies a 64-byte low-s signature of a 32-byte hash; a high-s signature is false. `publicKey` is 33 or 65 bytes. */
  secp256k1Verify(hash: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean;
  /**
   * The 65-byte uncompressed public key that made the signature, or undefined. Accepts high s (the caller decides). A
   * recovery id other than 0 and 1 gives undefined: Ethereum has no word for 2 and 3, and libraries disagree about them.
   */
  secp256k1Recover(hash: Uint8Array, signature: Uint8Array, recovery: number): Uint8Array | undefined;
  /** The public key of a private key: 33 bytes compressed or 65 uncompressed. */
  secp256k1PublicKey(privateKey: Uint8Array, compressed: boolean): Uint8Array;
  /** The 65-byte form of a public key given in 33 or 65 bytes, or undefined if it is no point of the curve. */
  secp256k1ExpandPublicKey(publicKey: Uint8Array): Uint8Array | undefined;
  secp256k1IsPrivateKey(privateKey: Uint8Array): boolean;
}

/**
 * Everything that differs between the suites. `hash` serves blocks, transactions, proposals and tries;
 * `keccak256` stays Keccak in both, for selectors, topics, module slots and CREATE addresses.
 */
export interface Suite {
  readonly id: SuiteId;
  readonly primitives: SuitePrimitives;
  /** The suite's 32-byte hash. */
  hash(data: Uint8Array): Uint8Array;
  /** The same as lower-case hexadecimal. */
  hashHex(data: Uint8Array): Hash;
  keccak256(data: Uint8Array): Uint8Array;
  /** The transaction envelope types that a network of this suite accepts; 0 stands for legacy. */
  readonly transactionTypes: ReadonlySet<number>;
  /** A new private key from 32 bytes or more of good randomness; throws if too few bytes. */
  privateKeyFrom(entropy: Uint8Array): Uint8Array;
  /** The compressed public key (33 bytes in both suites) as hexadecimal. */
  publicKey(privateKey: Uint8Array): Hex;
  /** The account address of a public key (compressed or uncompressed), or undefined if it is no point of the curve. */
  addressOf(publicKey: Uint8Array): Address | undefined;
  /** Signs a message (hashed by the suite): 64 bytes, deterministic, low s. Used for votes and certificates. */
  sign(privateKey: Uint8Array, message: Uint8Array): Uint8Array;
  /** Verifies a 64-byte signature of a message by a compressed public key. Never throws. */
  verify(publicKey: Hex, message: Uint8Array, signature: Uint8Array): boolean;
}
