import {
  type Address,
  type Certificate,
  decodeTransaction,
  type Hash,
  recoverSender,
  type Suite,
  type ValidatorSet,
  verifyCertificate,
} from '@hanse/protocol';

/**
 * Finds out who signed; the most expensive part of taking a transaction or a block of another member, so it runs on a worker of its own.
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

  /** For each certificate, whether it is one of this set, with every signature verified. */
  async verifyCertificates(
    genesisHash: Hash,
    validators: ValidatorSet,
    certificates: readonly Certificate[],
  ): Promise<readonly boolean[]> {
    return certificates.map(
      (certificate) => verifyCertificate(this.#suite, genesisHash, validators, certificate) === undefined,
    );
  }

  async close(): Promise<void> {}
}
