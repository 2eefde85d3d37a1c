import type { Hex, Suite } from '@hanse/protocol';

/** Whatever holds the member's vote key: a key in memory, or a device that never gives it away. */
export interface Signer {
  /** The compressed vote key that the signatures verify by. */
  readonly publicKey: Hex;
  /** Signs a message as `Suite.sign` does: 64 bytes, low s. Rejects if the holder of the key cannot be reached. */
  sign(message: Uint8Array): Promise<Uint8Array>;
  /** Kept with the key and not with the member's data: tells a key that was never used from one whose log is gone. */
  readonly usage?: KeyUsage;
}

/** Whether a log of votes was ever begun for a key. */
export interface KeyUsage {
  wasUsed(): Promise<boolean>;
  /** Durable when it resolves. */
  markUsed(): Promise<void>;
}

/** Signs with a private key that was read from a file. */
export function createKeySigner(suite: Suite, privateKey: Uint8Array, usage?: KeyUsage): Signer {
  return {
    publicKey: suite.publicKey(privateKey),
    sign: async (message) => suite.sign(privateKey, message),
    ...(usage === undefined ? {} : { usage }),
  };
}
