import type { Header } from './block.ts';
import { hexToBytes, isHash, isHex } from './bytes.ts';
import {
  type Certificate,
  decodeCertificate,
  type FinalizeStatement,
  headerExtraData,
  MAX_CERTIFICATE_BYTES,
  type ValidatorSet,
  verifyCertificate,
} from './consensus.ts';
import { ProtocolError } from './errors.ts';
import { decodeHeader, MAX_HEADER_BYTES } from './header.ts';
import type { Suite } from './suite.ts';
import type { Hash, Hex } from './types.ts';

/** packages/consensus/spec.md, "Light client": an uncertified target is at most so many headers below its certified descendant. */
export const MAX_FINALITY_HEADERS = 1024;

/** What `hanse_getFinality` answers: all that a client needs, besides the epoch's validator set, to believe a block. */
export interface FinalityProof {
  /** RLP of headers in height order: the block asked for first, its certified descendant (or itself) last. */
  readonly headers: readonly Hex[];
  /** `encodeCertificate` of the finalization of the last header's block. */
  readonly certificate: Hex;
  /** Of the set that decides the block after the certified one; with the certificate it opens `extraData`. */
  readonly nextSetHash: Hash;
}

/** A block that was proved final. */
export interface VerifiedFinality {
  readonly header: Header;
  readonly hash: Hash;
  readonly certifiedHeader: Header;
  readonly certificate: Certificate<FinalizeStatement>;
  /** Proved by the certified header's `extraData`; differs from the hash of `set` only where an epoch closes. */
  readonly nextSetHash: Hash;
}

/**
 * Verifies a finality proof against the set of its epoch: headers linked by parentHash and number, the last one
 * certified by exactly q validators, its `extraData` binding the certified proposal. Whoever asked for a certain block
 * still compares `hash` or `header.number`. Throws a ProtocolError (`invalid-proof`, or that of the part that is malformed).
 */
export function verifyFinality(
  suite: Suite,
  genesisHash: Hash,
  set: ValidatorSet,
  proof: FinalityProof,
): VerifiedFinality {
  const { headers, hashes } = readChain(suite, proof.headers);
  const certifiedHeader = headers.at(-1)!;
  const certificate = readFinalization(proof.certificate);
  const reason = verifyCertificate(suite, genesisHash, set, certificate);
  if (reason !== undefined) throw invalid(`the certificate is not valid: ${reason}`);
  const { statement } = certificate;
  if (statement.blockHash !== hashes.at(-1)) throw invalid('the certificate is for another block than the last header');
  if (statement.height !== certifiedHeader.number)
    throw invalid('the certificate names another height than its header');
  if (!isHash(proof.nextSetHash)) throw invalid('nextSetHash is not a hash');
  if (headerExtraData(suite, statement.digest, statement.epoch, proof.nextSetHash) !== certifiedHeader.extraData) {
    throw invalid('extraData of the certified header does not bind its proposal and next set');
  }
  return {
    header: headers[0]!,
    hash: hashes[0]!,
    certifiedHeader,
    certificate,
    nextSetHash: proof.nextSetHash,
  };
}

function readChain(suite: Suite, encoded: readonly Hex[]): { headers: Header[]; hashes: Hash[] } {
  if (!Array.isArray(encoded) || encoded.length < 1 || encoded.length > MAX_FINALITY_HEADERS + 1) {
    throw invalid(`there must be 1 to ${MAX_FINALITY_HEADERS + 1} headers`);
  }
  const headers: Header[] = [];
  const hashes: Hash[] = [];
  for (const hex of encoded) {
    const bytes = boundedBytes(hex, MAX_HEADER_BYTES, 'a header');
    const header = decodeHeader(bytes);
    const parent = headers.at(-1);
    if (parent !== undefined && (header.parentHash !== hashes.at(-1) || header.number !== parent.number + 1)) {
      throw invalid(`the header of height ${header.number} does not follow the one before it`);
    }
    headers.push(header);
    hashes.push(suite.hashHex(bytes));
  }
  return { headers, hashes };
}

function readFinalization(hex: Hex): Certificate<FinalizeStatement> {
  const { statement, signatures } = decodeCertificate(boundedBytes(hex, MAX_CERTIFICATE_BYTES, 'the certificate'));
  if (statement.kind !== 'finalize') throw invalid(`the certificate says ${statement.kind}, not finalize`);
  return { statement, signatures };
}

function boundedBytes(hex: Hex, maximum: number, what: string): Uint8Array {
  if (typeof hex !== 'string' || hex.length > 2 + 2 * maximum) throw invalid(`${what} is longer than ${maximum} bytes`);
  if (!isHex(hex)) throw invalid(`${what} is not lower-case hexadecimal`);
  return hexToBytes(hex);
}

function invalid(reason: string): ProtocolError {
  return new ProtocolError('invalid-proof', `finality proof: ${reason}`);
}
