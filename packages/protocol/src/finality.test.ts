import { describe, expect, it } from 'vitest';
import { certify, testValidators } from '../test/validators.ts';
import type { Header } from './block.ts';
import { bytesToHex, ZERO_ADDRESS, ZERO_HASH } from './bytes.ts';
import { type Certificate, encodeCertificate, headerExtraData, validatorSetHash } from './consensus.ts';
import { type FinalityProof, MAX_FINALITY_HEADERS, verifyFinality } from './finality.ts';
import { constantHeaderFields, emptyHashes, encodeHeader, headerHash } from './header.ts';
import { createInternationalSuite } from './internationalSuite.ts';
import { portablePrimitives } from './portablePrimitives.ts';
import { Epoch, type Hash, Height, View } from './types.ts';

const suite = createInternationalSuite(portablePrimitives);
const genesisHash: Hash = `0x${'47'.repeat(32)}`;
const digest: Hash = `0x${'d1'.repeat(32)}`;
const validators = testValidators(suite, 4);
const nextSetHash = validatorSetHash(suite, validators.set);

function headerAt(height: number, parentHash: Hash): Header {
  const { trieRoot } = emptyHashes(suite);
  return {
    ...constantHeaderFields(suite),
    parentHash,
    beneficiary: ZERO_ADDRESS,
    stateRoot: trieRoot,
    transactionsRoot: trieRoot,
    receiptsRoot: trieRoot,
    logsBloom: `0x${'00'.repeat(256)}`,
    number: Height(height),
    gasLimit: 60_000_000n,
    gasUsed: 0n,
    timestamp: 1_700_000_000 + height,
    extraData: headerExtraData(suite, digest, Epoch(0), nextSetHash),
    mixHash: parentHash,
    baseFeePerGas: 0n,
  };
}

function chain(from: number, length: number): Header[] {
  const headers: Header[] = [];
  for (let i = 0; i < length; i++) {
    const parent = headers.at(-1);
    headers.push(headerAt(from + i, parent === undefined ? ZERO_HASH : headerHash(suite, parent)));
  }
  return headers;
}

function statementFor(header: Header) {
  const blockHash = headerHash(suite, header);
  return { kind: 'finalize', epoch: Epoch(0), view: View(9), digest, height: header.number, blockHash } as const;
}

function proofOf(headers: readonly Header[], certificate?: Certificate): FinalityProof {
  const certified = certificate ?? certify(suite, genesisHash, validators, statementFor(headers.at(-1)!));
  return {
    headers: headers.map((header) => bytesToHex(encodeHeader(header))),
    certificate: bytesToHex(encodeCertificate(certified)),
    nextSetHash,
  };
}

const verify = (proof: FinalityProof) => verifyFinality(suite, genesisHash, validators.set, proof);

describe('finality proofs', () => {
  it('prove a certified block, and one below it by the headers between', () => {
    for (const length of [1, 2, 5]) {
      const headers = chain(10, length);
      const verified = verify(proofOf(headers));
      expect(verified.hash).toBe(headerHash(suite, headers[0]!));
      expect(verified.header).toEqual(headers[0]);
      expect(verified.certifiedHeader).toEqual(headers.at(-1));
      expect(verified.nextSetHash).toBe(nextSetHash);
    }
  });

  it('are refused where headers do not link by parentHash and number', () => {
    const [a, b, c] = chain(10, 3) as [Header, Header, Header];
    expect(() => verify(proofOf([a, c]))).toThrow('does not follow');
    expect(() => verify(proofOf([b, a]))).toThrow('does not follow');
    expect(() => verify(proofOf([{ ...a, gasUsed: 1n }, b, c]))).toThrow('does not follow');
    const jumped = { ...headerAt(12, headerHash(suite, a)) };
    expect(() => verify(proofOf([a, jumped]))).toThrow('does not follow');
  });

  it('are refused with a certificate of another block, height, kind, epoch or of too few', () => {
    const headers = chain(10, 2);
    const statement = statementFor(headers[1]!);
    const withStatement = (changed: Parameters<typeof certify>[3], signers?: number[]) =>
      proofOf(headers, certify(suite, genesisHash, validators, changed, signers));
    expect(() => verify(withStatement(statementFor(headers[0]!)))).toThrow('another block');
    expect(() => verify(withStatement({ ...statement, height: Height(12) }))).toThrow('another height');
    expect(() => verify(withStatement({ kind: 'nullify', epoch: Epoch(0), view: View(9) }))).toThrow('says nullify');
    expect(() => verify(withStatement({ ...statement, epoch: Epoch(1) }))).toThrow('epoch 1 instead of 0');
    expect(() => verify(withStatement(statement, [0, 1]))).toThrow('2 signatures instead of 3');
    const foreign = proofOf(headers, certify(suite, `0x${'48'.repeat(32)}`, validators, statement));
    expect(() => verify(foreign)).toThrow('is wrong');
  });

  it('are refused where extraData does not bind the certified proposal and the next set', () => {
    const headers = chain(10, 1);
    expect(() => verify({ ...proofOf(headers), nextSetHash: digest })).toThrow('extraData');
    const other = certify(suite, genesisHash, validators, { ...statementFor(headers[0]!), digest: ZERO_HASH });
    expect(() => verify(proofOf(headers, other))).toThrow('extraData');
    expect(() => verify({ ...proofOf(headers), nextSetHash: '0x' })).toThrow('nextSetHash is not a hash');
  });

  it('are bounded, and refused with a ProtocolError whatever is in them', () => {
    const good = proofOf(chain(10, 1));
    const header = good.headers[0]!;
    expect(() => verify({ ...good, headers: [] })).toThrow('1 to 1025 headers');
    const tooMany = Array.from({ length: MAX_FINALITY_HEADERS + 2 }, () => header);
    expect(() => verify({ ...good, headers: tooMany })).toThrow('1 to 1025 headers');
    const malformed = [
      { ...good, headers: ['0x'] },
      { ...good, headers: [5] },
      { ...good, headers: [header.toUpperCase()] },
      { ...good, headers: [`0x${'00'.repeat(2000)}`] },
      { ...good, headers: 'x' },
      { ...good, certificate: '0x' },
      { ...good, certificate: `0x${'c0'.repeat(5000)}` },
      { ...good, certificate: undefined },
    ];
    for (const proof of malformed) {
      expect(() => verify(proof as FinalityProof)).toThrow(expect.objectContaining({ name: 'ProtocolError' }));
    }
  });
});
