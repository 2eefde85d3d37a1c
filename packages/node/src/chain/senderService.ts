import { type Address, decodeTransaction, recoverSender, type Suite } from '@hanse/protocol';

/**
 * Finds out who signed transactions; the most expensive part of taking one, so it runs on a worker of its own.
 */
export class SenderService {
  readonly #suite: Suite;

  constructor(suite: Suite) {
    this.#suite = suite;
  }

  /** One answer for each encoding: the sender, or undefined where the encoding or the signature is wrong. */
  async recover(raws: readonly Uint8Array[]): Promise<readonly (Address | undefined)[]> {
    return raws.map((raw) => {
      try {
        return recoverSender(decodeTransaction(raw, this.#suite), this.#suite);
      } catch {
        return undefined;
      }
    });
  }

  async close(): Promise<void> {}
}
