import type { Hex, Suite } from '@hanse/protocol';

/** Whatever holds the member's vote key: a key in memory, or a device that never gives it away. */
export interface Signer {
  /** The compressed vote key that the signatures verify by. */
  readonly publicKey: Hex;
  /** Signs a message as `Suite.sign` does: 64 bytes, low s. Rejects if the holder of the key cannot be reached. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** Signs with a private key that was read from a file. */
export function createKeySigner(suite: Suite, privateKey: Uint8Array): Signer {
  return {
    publicKey: suite.publicKey(privateKey),
    sign: async (message) => suite.sign(privateKey, message),
  };
}
