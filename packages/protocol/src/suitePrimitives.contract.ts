import { bigintToFixedBytes, bytesToBigint, bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from './bytes.ts';
import { SECP256K1_ORDER } from './internationalSuite.ts';
import type { SuitePrimitives } from './suite.ts';

/** The order of the field that the curve's coordinates live in (SEC 2, section 2.4.1). */
const FIELD_ORDER = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2fn;

/** One duty of every implementation; `check` throws an Error that says what is wrong. */
export interface ContractCase {
  readonly name: string;
  /** `reference` is another implementation, whose answers must be the same. */
  check(subject: SuitePrimitives, reference: SuitePrimitives): void;
}

/**
 * What every implementation of `SuitePrimitives` keeps, run by the tests of each. It needs no test framework, so that a
 * program (`hanse doctor`, a browser) can run it too.
 */
export const suitePrimitivesContract: readonly ContractCase[] = [
  {
    name: 'hashes as published',
    check({ keccak256, sha256 }) {
      const empty = new Uint8Array(0);
      equal(
        keccak256(empty),
        '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470',
        'Keccak of nothing',
      );
      equal(
        keccak256(utf8ToBytes('abc')),
        '0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45',
        'Keccak of abc',
      );
      equal(sha256(empty), '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'SHA-256 of nothing');
      equal(
        sha256(utf8ToBytes('abc')),
        '0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
        'SHA-256 of abc',
      );
    },
  },
  {
    name: 'hashes every length around the block sizes like the reference, and returns a copy of its own',
    check(subject, reference) {
      const lengths = [
        1, 31, 32, 55, 56, 63, 64, 65, 110, 127, 135, 136, 137, 271, 272, 273, 4096, 16_384, 16_385, 40_000,
      ];
      for (const length of lengths) {
        const data = pseudoRandom(length, length);
        equal(subject.keccak256(data), bytesToHex(reference.keccak256(data)), `Keccak of ${length} bytes`);
        equal(subject.sha256(data), bytesToHex(reference.sha256(data)), `SHA-256 of ${length} bytes`);
      }
      const first = subject.keccak256(Uint8Array.of(1));
      const before = bytesToHex(first);
      subject.keccak256(Uint8Array.of(2));
      equal(first, before, 'a hash after another one was computed');
      if (Object.getPrototypeOf(first) !== Uint8Array.prototype) throw new Error('a hash must be a plain Uint8Array');
      if (Object.getPrototypeOf(subject.sha256(first)) !== Uint8Array.prototype) throw new Error('so must SHA-256');
    },
  },
  {
    name: 'signs deterministically as RFC 6979 says, with low s',
    check(subject) {
      // Known from the test vectors that Bitcoin libraries share: key 1, SHA-256 of the text.
      const hash = subject.sha256(utf8ToBytes('Satoshi Nakamoto'));
      const { signature } = subject.secp256k1Sign(hash, scalar(1n));
      equal(
        signature,
        '0x934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
        'the signature',
      );
    },
  },
  {
    name: 'signs, verifies and recovers like the reference',
    check(subject, reference) {
      for (let seed = 1; seed <= 8; seed++) {
        const key = pseudoRandom(32, seed);
        // The fixed hashes are those whose value is zero or beyond the order of the group.
        const hash =
          seed === 1 ? new Uint8Array(32) : seed === 2 ? new Uint8Array(32).fill(255) : pseudoRandom(32, seed + 99);
        const mine = subject.secp256k1Sign(hash, key);
        const theirs = reference.secp256k1Sign(hash, key);
        // RFC 6979 reduces a hash beyond the order before it makes the nonce, libsecp256k1 does not. Both signatures are
        // good, no rule compares signatures, and such a hash comes once in 2^128.
        if (bytesToBigint(hash) < SECP256K1_ORDER) {
          equal(mine.signature, bytesToHex(theirs.signature), 'the signature');
          same(mine.recovery, theirs.recovery, 'the recovery bit');
        }
        if (bytesToBigint(mine.signature.subarray(32)) > SECP256K1_ORDER / 2n) throw new Error('s must be low');
        const compressed = subject.secp256k1PublicKey(key, true);
        const expanded = subject.secp256k1PublicKey(key, false);
        equal(compressed, bytesToHex(reference.secp256k1PublicKey(key, true)), 'the compressed key');
        equal(expanded, bytesToHex(reference.secp256k1PublicKey(key, false)), 'the uncompressed key');
        same(subject.secp256k1Verify(hash, mine.signature, compressed), true, 'verifying with the compressed key');
        same(subject.secp256k1Verify(hash, mine.signature, expanded), true, 'verifying with the uncompressed key');
        same(subject.secp256k1Verify(hash, theirs.signature, compressed), true, "verifying the reference's signature");
        same(reference.secp256k1Verify(hash, mine.signature, compressed), true, 'verifying by the reference');
        const recovered = subject.secp256k1Recover(hash, mine.signature, mine.recovery);
        same(hexOf(recovered), bytesToHex(expanded), 'the recovered key');
        const otherHash = pseudoRandom(32, seed + 500);
        same(subject.secp256k1Verify(otherHash, mine.signature, compressed), false, 'another hash');
      }
    },
  },
  {
    name: 'refuses a high s when verifying and accepts it when recovering',
    check(subject, reference) {
      const key = pseudoRandom(32, 21);
      const hash = pseudoRandom(32, 22);
      const { signature, recovery } = subject.secp256k1Sign(hash, key);
      const high = concatBytes(
        signature.subarray(0, 32),
        scalar(SECP256K1_ORDER - bytesToBigint(signature.subarray(32))),
      );
      const publicKey = subject.secp256k1PublicKey(key, false);
      same(subject.secp256k1Verify(hash, high, publicKey), false, 'a high s');
      same(hexOf(subject.secp256k1Recover(hash, high, 1 - recovery)), bytesToHex(publicKey), 'recovery with high s');
      same(hexOf(reference.secp256k1Recover(hash, high, 1 - recovery)), bytesToHex(publicKey), 'the reference too');
    },
  },
  {
    name: 'refuses r and s of zero, of the order and beyond',
    check(subject) {
      const key = pseudoRandom(32, 31);
      const hash = pseudoRandom(32, 32);
      const publicKey = subject.secp256k1PublicKey(key, true);
      const { signature } = subject.secp256k1Sign(hash, key);
      const r = signature.subarray(0, 32);
      const s = signature.subarray(32);
      for (const wrong of [0n, SECP256K1_ORDER, SECP256K1_ORDER + 1n, FIELD_ORDER, (1n << 256n) - 1n]) {
        for (const bad of [
          concatBytes(scalar(wrong), s),
          concatBytes(r, scalar(wrong)),
          concatBytes(scalar(wrong), scalar(wrong)),
        ]) {
          same(subject.secp256k1Verify(hash, bad, publicKey), false, `verifying with ${wrong}`);
          for (const id of [0, 1, 2, 3])
            same(subject.secp256k1Recover(hash, bad, id), undefined, `recovering with ${wrong}`);
        }
      }
    },
  },
  {
    name: 'recovers small r like the reference, and nothing with an id other than 0 and 1',
    check(subject, reference) {
      const hash = pseudoRandom(32, 41);
      // Small r are those whose r + n is a coordinate too, so that ids 2 and 3 would name points.
      for (let r = 1n; r <= 8n; r++) {
        const signature = concatBytes(scalar(r), scalar(12_345n));
        for (const id of [0, 1]) {
          const theirs = reference.secp256k1Recover(hash, signature, id);
          same(hexOf(subject.secp256k1Recover(hash, signature, id)), hexOf(theirs), `r ${r}, id ${id}`);
        }
        for (const id of [-1, 2, 3, 4, 27, 28, 0.5, Number.NaN]) {
          same(subject.secp256k1Recover(hash, signature, id), undefined, `r ${r}, id ${id}`);
        }
      }
    },
  },
  {
    name: 'recovers nothing where the key would be the point at infinity',
    check(subject) {
      // Q = r^-1 (s R - z G). With R = G and s = z, Q is infinity.
      const generatorX = subject.secp256k1PublicKey(scalar(1n), true).subarray(1);
      const isOdd = subject.secp256k1PublicKey(scalar(1n), true)[0] === 3;
      const hash = scalar(7n);
      same(subject.secp256k1Recover(hash, concatBytes(generatorX, scalar(7n)), isOdd ? 1 : 0), undefined, 'infinity');
    },
  },
  {
    name: 'refuses malformed hashes, signatures and public keys without a throw',
    check(subject) {
      const key = pseudoRandom(32, 51);
      const hash = pseudoRandom(32, 52);
      const { signature, recovery } = subject.secp256k1Sign(hash, key);
      const compressed = subject.secp256k1PublicKey(key, true);
      const expanded = subject.secp256k1PublicKey(key, false);
      const hybrid = expanded.slice();
      hybrid[0] = 6 + (expanded[64]! & 1);
      const offCurve = expanded.slice();
      offCurve[64] = offCurve[64]! ^ 1;
      const wrongPrefix = compressed.slice();
      wrongPrefix[0] = 5;
      const noPoint = concatBytes(Uint8Array.of(2), scalar(5n)); // 5^3 + 7 is no square in the field.
      const tooLarge = concatBytes(Uint8Array.of(2), scalar(FIELD_ORDER + 1n));
      const short = compressed.subarray(0, 32);
      for (const bad of [
        new Uint8Array(0),
        short,
        hybrid,
        offCurve,
        wrongPrefix,
        noPoint,
        tooLarge,
        new Uint8Array(65),
        new Uint8Array(33),
      ]) {
        same(subject.secp256k1Verify(hash, signature, bad), false, `the key ${bytesToHex(bad)}`);
        same(subject.secp256k1ExpandPublicKey(bad), undefined, `expanding ${bytesToHex(bad)}`);
      }
      for (const bad of [new Uint8Array(0), hash.subarray(1), concatBytes(hash, hash)]) {
        same(subject.secp256k1Verify(bad, signature, compressed), false, 'a hash of another length');
        same(subject.secp256k1Recover(bad, signature, recovery), undefined, 'recovering with a hash of another length');
      }
      for (const bad of [new Uint8Array(0), signature.subarray(1), concatBytes(signature, Uint8Array.of(0))]) {
        same(subject.secp256k1Verify(hash, bad, compressed), false, 'a signature of another length');
        same(subject.secp256k1Recover(hash, bad, recovery), undefined, 'recovering with a signature of another length');
      }
      same(hexOf(subject.secp256k1ExpandPublicKey(compressed)), bytesToHex(expanded), 'expanding the compressed key');
      same(hexOf(subject.secp256k1ExpandPublicKey(expanded)), bytesToHex(expanded), 'expanding the uncompressed key');
    },
  },
  {
    name: 'knows a private key, and throws when it should use another',
    check(subject) {
      for (const good of [1n, SECP256K1_ORDER - 1n])
        same(subject.secp256k1IsPrivateKey(scalar(good)), true, `key ${good}`);
      const bad = [
        scalar(0n),
        scalar(SECP256K1_ORDER),
        scalar((1n << 256n) - 1n),
        new Uint8Array(31).fill(1),
        new Uint8Array(33).fill(1),
      ];
      for (const key of bad) {
        same(subject.secp256k1IsPrivateKey(key), false, `the key ${bytesToHex(key)}`);
        throws(() => subject.secp256k1Sign(new Uint8Array(32).fill(1), key), 'signing with an invalid key');
        throws(() => subject.secp256k1PublicKey(key, true), 'the public key of an invalid key');
      }
    },
  },
  {
    name: 'does not change its inputs and accepts views into larger buffers',
    check(subject) {
      const buffer = pseudoRandom(200, 61);
      const before = bytesToHex(buffer);
      const hash = buffer.subarray(3, 35);
      const key = buffer.subarray(40, 72);
      const { signature, recovery } = subject.secp256k1Sign(hash, key);
      subject.secp256k1Verify(hash, signature, subject.secp256k1PublicKey(key, true));
      subject.secp256k1Recover(hash, signature, recovery);
      equal(subject.keccak256(hash), bytesToHex(subject.keccak256(hash.slice())), 'Keccak of a view');
      equal(subject.sha256(hash), bytesToHex(subject.sha256(hash.slice())), 'SHA-256 of a view');
      equal(buffer, before, 'the buffer afterwards');
    },
  },
];

const scalar = (value: bigint): Uint8Array => bigintToFixedBytes(value, 32);

/** Bytes that look random and are the same everywhere: a linear congruential generator (Numerical Recipes). */
function pseudoRandom(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const hexOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : bytesToHex(bytes);

function equal(actual: Uint8Array, expected: string, what: string): void {
  same(bytesToHex(actual), bytesToHex(hexToBytes(expected)), what);
}

function same(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)} instead of ${String(expected)}`);
}

function throws(run: () => unknown, what: string): void {
  let thrown = false;
  try {
    run();
  } catch {
    thrown = true;
  }
  if (!thrown) throw new Error(`${what} must throw`);
}
