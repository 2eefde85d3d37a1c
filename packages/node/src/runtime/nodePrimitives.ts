import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { portablePrimitives, type SuitePrimitives } from '@hanse/protocol';
import { createKeccak } from 'hash-wasm';
import type * as NativeSecp256k1 from 'secp256k1';

/** The curve's part of the primitives, and what `hanse status` says about it. */
export type Secp256k1Primitives = Pick<
  SuitePrimitives,
  | 'secp256k1Sign'
  | 'secp256k1Verify'
  | 'secp256k1Recover'
  | 'secp256k1PublicKey'
  | 'secp256k1ExpandPublicKey'
  | 'secp256k1IsPrivateKey'
> & { readonly implementation: string };

/**
 * The fastest primitives that this machine runs. Measured on one core of a small server with Node.js 20, in microseconds:
 * recovering a sender takes 60 with the native addon, 260 with WebAssembly, 1,500 with JavaScript; Keccak of 110
 * bytes takes 0.8 with hash-wasm, 3.5 with js-sha3, 6.8 with @noble/hashes. `implementation` says which ones answer.
 */
export async function loadNodePrimitives(): Promise<SuitePrimitives> {
  const curve = loadNativeSecp256k1() ?? (await loadWasmSecp256k1());
  const { implementation, ...functions } = curve;
  const keccak = await loadKeccak256();
  return {
    ...functions,
    implementation: { secp256k1: implementation, keccak256: keccak.implementation },
    keccak256: keccak.keccak256,
    sha256: (data) => new Uint8Array(createHash('sha256').update(data).digest()),
  };
}

/**
 * libsecp256k1 as a native addon. The package's main entry falls back to slow JavaScript without a word, so the addon's
 * own entry is loaded: undefined where no prebuilt addon fits the platform.
 */
export function loadNativeSecp256k1(): Secp256k1Primitives | undefined {
  let native: typeof NativeSecp256k1;
  try {
    native = createRequire(import.meta.url)('secp256k1/bindings.js');
  } catch {
    return undefined;
  }
  return {
    implementation: 'native (libsecp256k1)',

    secp256k1Sign(hash, privateKey) {
      const { signature, recid } = native.ecdsaSign(hash, privateKey);
      return { signature, recovery: recoveryBit(recid) };
    },

    secp256k1Verify(hash, signature, publicKey) {
      if (hash.length !== 32 || signature.length !== 64 || !hasKeyForm(publicKey)) return false;
      return attempt(() => native.ecdsaVerify(signature, hash, publicKey)) ?? false;
    },

    secp256k1Recover(hash, signature, recovery) {
      if (hash.length !== 32 || signature.length !== 64 || !isRecoveryId(recovery)) return undefined;
      return attempt(() => native.ecdsaRecover(signature, recovery, hash, false));
    },

    secp256k1PublicKey: (privateKey, compressed) => native.publicKeyCreate(privateKey, compressed),

    secp256k1ExpandPublicKey(publicKey) {
      if (!hasKeyForm(publicKey)) return undefined;
      return attempt(() => native.publicKeyConvert(publicKey, false));
    },

    secp256k1IsPrivateKey: (privateKey) => privateKey.length === 32 && native.privateKeyVerify(privateKey),
  };
}

/** libsecp256k1 as WebAssembly, for every platform; about four times slower than native. */
export async function loadWasmSecp256k1(): Promise<Secp256k1Primitives> {
  const wasm = await import('tiny-secp256k1');
  const isPrivate = (key: Uint8Array) => key.length === 32 && wasm.isPrivate(key);
  return {
    implementation: 'WebAssembly (tiny-secp256k1)',

    secp256k1Sign(hash, privateKey) {
      const { signature, recoveryId } = wasm.signRecoverable(hash, privateKey);
      return { signature, recovery: recoveryBit(recoveryId) };
    },

    secp256k1Verify(hash, signature, publicKey) {
      if (hash.length !== 32 || signature.length !== 64 || !hasKeyForm(publicKey)) return false;
      return attempt(() => wasm.verify(hash, publicKey, signature, true)) ?? false;
    },

    secp256k1Recover(hash, signature, recovery) {
      if (hash.length !== 32 || signature.length !== 64 || !isRecoveryId(recovery)) return undefined;
      return attempt(() => wasm.recover(hash, signature, recovery, false) ?? undefined);
    },

    secp256k1PublicKey(privateKey, compressed) {
      if (!isPrivate(privateKey)) throw new RangeError('not a private key of secp256k1');
      return wasm.pointFromScalar(privateKey, compressed)!;
    },

    secp256k1ExpandPublicKey(publicKey) {
      if (!hasKeyForm(publicKey)) return undefined;
      return attempt(() => wasm.pointCompress(publicKey, false));
    },

    secp256k1IsPrivateKey: isPrivate,
  };
}

async function loadKeccak256(): Promise<{ implementation: string; keccak256: SuitePrimitives['keccak256'] }> {
  try {
    const hasher = await createKeccak(256);
    return {
      implementation: 'WebAssembly (hash-wasm)',
      keccak256: (data) => hasher.init().update(data).digest('binary'),
    };
  } catch {
    // WebAssembly can be switched off (a jitless V8). `implementation` tells it, so it is not silent.
    return {
      implementation: portablePrimitives.implementation.keccak256,
      keccak256: portablePrimitives.keccak256,
    };
  }
}

/** 2 and 3 mean an x beyond the group's order, which happens once in 2^127 signatures. */
function recoveryBit(recoveryId: number): 0 | 1 {
  if (recoveryId !== 0 && recoveryId !== 1) throw new Error(`signature with recovery id ${recoveryId}`);
  return recoveryId;
}

function isRecoveryId(value: number): value is 0 | 1 {
  return value === 0 || value === 1;
}

/** libsecp256k1 also reads the hybrid forms 06 and 07 (SEC 1), which the other implementations refuse: only 02, 03, 04 pass. */
function hasKeyForm(key: Uint8Array): boolean {
  if (key.length === 33) return key[0] === 2 || key[0] === 3;
  return key.length === 65 && key[0] === 4;
}

/** The libraries throw on malformed input, for which the interface has `undefined`. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
