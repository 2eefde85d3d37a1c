import type { Certificate, Hash, Proposal, Statement, ValidatorIndex, ValidatorSet, Vote } from '@hanse/protocol';
import { Epoch } from '@hanse/protocol';

/** A 32-byte name of a text: FNV-1a from four starting points. No cryptography: tests only. */
export function fakeHash(text: string): Hash {
  let words = '';
  for (let lane = 0; lane < 4; lane++) {
    let word = (0x811c9dc5 ^ Math.imul(lane + 1, 0x9e3779b1)) >>> 0;
    for (let index = 0; index < text.length; index++) word = Math.imul(word ^ text.charCodeAt(index), 0x01000193) >>> 0;
    word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d) >>> 0;
    words += word.toString(16).padStart(8, '0');
  }
  return `0x${words}${words}`;
}

export function fakeDigest(proposal: Proposal): Hash {
  const { epoch, view, leader, parentDigest, height, timeMs, transactionHashes } = proposal;
  return fakeHash(`${epoch}|${view}|${leader}|${parentDigest}|${height}|${timeMs}|${transactionHashes.join()}`);
}

/** A statement as one line of text, equal exactly for equal statements. */
export function statementText(statement: Statement): string {
  const { epoch, view } = statement;
  switch (statement.kind) {
    case 'notarize':
      return `notarize|${epoch}|${view}|${statement.parentView}|${statement.digest}`;
    case 'nullify':
      return `nullify|${epoch}|${view}`;
    case 'finalize':
      return `finalize|${epoch}|${view}|${statement.digest}|${statement.height}|${statement.blockHash}`;
  }
}

function signatureOf(statement: Statement, signer: ValidatorIndex): Uint8Array {
  let word = Math.imul(signer + 1, 0x9e3779b1) >>> 0;
  const text = statementText(statement);
  for (let index = 0; index < text.length; index++) word = Math.imul(word ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return Uint8Array.of(signer, word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255);
}

export function fakeVote<S extends Statement>(statement: S, signer: ValidatorIndex): Vote<S> {
  return { statement, signer, signature: signatureOf(statement, signer) };
}

export function fakeCertificate<S extends Statement>(statement: S, signers: readonly ValidatorIndex[]): Certificate<S> {
  return { statement, signatures: signers.map((signer) => ({ signer, signature: signatureOf(statement, signer) })) };
}

export function isGoodVote(vote: Vote, validators: number): boolean {
  const expected = signatureOf(vote.statement, vote.signer);
  return vote.signer >= 0 && vote.signer < validators && sameBytes(expected, vote.signature);
}

export function isGoodCertificate(certificate: Certificate, quorum: number, validators: number): boolean {
  if (certificate.signatures.length !== quorum) return false;
  let last = -1;
  for (const { signer, signature } of certificate.signatures) {
    if (signer <= last || !isGoodVote({ statement: certificate.statement, signer, signature }, validators))
      return false;
    last = signer;
  }
  return true;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** A set of n validators of epoch 0 with names and nothing else that matters here. */
export function fakeValidators(n: number): ValidatorSet {
  return {
    epoch: Epoch(0),
    validators: Array.from({ length: n }, (_, index) => ({
      name: `v${index}`,
      address: `0x${index.toString(16).padStart(40, '0')}`,
      voteKey: `0x02${index.toString(16).padStart(64, '0')}`,
    })),
  };
}
