import {
  type Certificate,
  Epoch,
  type Hash,
  hexToBytes,
  quorum,
  type Statement,
  type Suite,
  statementBytes,
  type ValidatorSet,
  type Vote,
} from '../src/index.ts';

/** A validator set whose private keys are known, for tests. */
export interface TestValidators {
  readonly set: ValidatorSet;
  readonly keys: readonly Uint8Array[];
}

/** The same keys on every run: the private key of validator i is 32 bytes of i + 1. */
export function testValidators(suite: Suite, count: number, epoch = Epoch(0)): TestValidators {
  const keys = Array.from({ length: count }, (_, index) => new Uint8Array(32).fill(index + 1));
  const validators = keys.map((key, index) => {
    const voteKey = suite.publicKey(key);
    return { name: `member-${index}`, address: suite.addressOf(hexToBytes(voteKey))!, voteKey };
  });
  return { set: { epoch, validators }, keys };
}

export function signVote<S extends Statement>(
  suite: Suite,
  genesisHash: Hash,
  validators: TestValidators,
  signer: number,
  statement: S,
): Vote<S> {
  return { statement, signer, signature: suite.sign(validators.keys[signer]!, statementBytes(genesisHash, statement)) };
}

/** A certificate by the given signers, else by the first q. */
export function certify<S extends Statement>(
  suite: Suite,
  genesisHash: Hash,
  validators: TestValidators,
  statement: S,
  signers = Array.from({ length: quorum(validators.keys.length) }, (_, index) => index),
): Certificate<S> {
  const signatures = signers.map((signer) => {
    const vote = signVote(suite, genesisHash, validators, signer, statement);
    return { signer, signature: vote.signature };
  });
  return { statement, signatures };
}
