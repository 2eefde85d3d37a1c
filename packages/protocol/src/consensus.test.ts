import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certify, signVote, testValidators } from '../test/validators.ts';
import { bytesToHex } from './bytes.ts';
import {
  type Certificate,
  decodeCertificate,
  decodeProposal,
  decodeStatementBytes,
  decodeVote,
  encodeCertificate,
  encodeProposal,
  encodeVote,
  type FinalizeStatement,
  faultBound,
  genesisDigest,
  headerExtraData,
  MAX_CERTIFICATE_BYTES,
  MAX_PROPOSAL_BYTES,
  MAX_PROPOSAL_TRANSACTIONS,
  MAX_VOTE_BYTES,
  type Proposal,
  proposalDigest,
  quorum,
  type Statement,
  statementBytes,
  validatorSetHash,
  verifyCertificate,
  verifyVote,
} from './consensus.ts';
import { createInternationalSuite } from './internationalSuite.ts';
import { portablePrimitives } from './portablePrimitives.ts';
import { decodeRlp, encodeRlp, type RlpItem } from './rlp.ts';
import { Epoch, type Hash, Height, View } from './types.ts';

const suite = createInternationalSuite(portablePrimitives);
const hash = (byte: number): Hash => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`;
const genesisHash = hash(0x47);
const four = testValidators(suite, 4);

const notarize = {
  kind: 'notarize',
  epoch: Epoch(0),
  view: View(7),
  parentView: View(5),
  digest: hash(0xd1),
} as const satisfies Statement;
const nullify = { kind: 'nullify', epoch: Epoch(0), view: View(7) } as const satisfies Statement;
const finalize = {
  kind: 'finalize',
  epoch: Epoch(0),
  view: View(7),
  digest: hash(0xd1),
  height: Height(300),
  blockHash: hash(0xb1),
} as const satisfies FinalizeStatement;

const proposal: Proposal = {
  epoch: Epoch(0),
  view: View(7),
  leader: 3,
  parentDigest: hash(0xd0),
  height: Height(300),
  timeMs: 1_700_000_000_123,
  transactionHashes: [hash(1), hash(2)],
};

describe('quorum', () => {
  it('is n - floor((n - 1) / 3), so that two quorums share an honest validator', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 10, 31].map(quorum)).toEqual([1, 2, 3, 3, 4, 5, 5, 7, 21]);
    for (let n = 1; n <= 31; n++) {
      expect(2 * quorum(n) - n).toBeGreaterThan(faultBound(n));
      expect(n - faultBound(n)).toBeGreaterThanOrEqual(quorum(n));
    }
  });
});

describe('consensus encodings', () => {
  it('are frozen: a change of any of these is another protocol', () => {
    const hashes = {
      notarize: suite.hashHex(statementBytes(genesisHash, notarize)),
      nullify: suite.hashHex(statementBytes(genesisHash, nullify)),
      finalize: suite.hashHex(statementBytes(genesisHash, finalize)),
      proposalDigest: proposalDigest(suite, genesisHash, proposal),
      genesisDigest: genesisDigest(suite, genesisHash),
      validatorSet: validatorSetHash(suite, four.set),
      extraData: headerExtraData(suite, hash(0xd1), Epoch(0), hash(0x5e)),
      encodedProposal: suite.hashHex(encodeProposal(proposal)),
      encodedVote: suite.hashHex(encodeVote(signVote(suite, genesisHash, four, 2, notarize))),
      encodedCertificate: suite.hashHex(encodeCertificate(certify(suite, genesisHash, four, finalize))),
      encodedNullification: suite.hashHex(encodeCertificate(certify(suite, genesisHash, four, nullify))),
    };
    expect(hashes).toMatchInlineSnapshot(`
      {
        "encodedCertificate": "0x178f4976c708c018f76275ee798af6ba2ceb525b41ec086289f7a42538defed3",
        "encodedNullification": "0xfb46c7d7ab410c3dd6e4dae263382b6d2a0fd87f5319c2f546a11510d4157a07",
        "encodedProposal": "0xdce9baa716ee3fb96828ac845e1f50c2ed4ab39cee2d1d6ef4a2870c977ff4fb",
        "encodedVote": "0x4ac036735dd6d764f98e5caa8ab8dfea040e7aebccfd07e6654d9ad6dc369813",
        "extraData": "0xb4fb530eae755cb08fa370e7834d0f3d9ba27a09b74820baef501a57ead2f34f",
        "finalize": "0x3cbd092c04f4018096ac067bed17d2264a4c6212ce176d461c9578019c75bd0b",
        "genesisDigest": "0x019854b20d2bf038f6592c44752098d277ed7f96f9fe6e52d5d77a99e31379cb",
        "notarize": "0x46708c41465e3fdb095e87c5c594cadab70e0be7fd2918cb163c2c68ac2810d8",
        "nullify": "0xcb1f04f334ecf09f31041af4d3deb1ccf8b8a7f54d76402c013d53038335b2db",
        "proposalDigest": "0xebb1648c582cc02eca06aef509cca83ac9d6b603a003f940027dd0e804a5db48",
        "validatorSet": "0x0f0ae410c1122259ff69dcfdfdd90bbb4e22965eccca10b40a077acc15f2146c",
      }
    `);
  });

  it('begin every preimage with its tag, the genesis hash, epoch and view', () => {
    for (const statement of [notarize, nullify, finalize]) {
      const items = decodeRlp(statementBytes(genesisHash, statement)) as readonly Uint8Array[];
      expect(new TextDecoder().decode(items[0])).toBe(`hanse/${statement.kind}/1`);
      expect(bytesToHex(items[1]!)).toBe(genesisHash);
      expect(items.slice(2, 4)).toEqual([new Uint8Array(0), Uint8Array.of(7)]);
    }
  });

  it('differ whenever any field of what is signed differs', () => {
    const variants: Statement[] = [
      notarize,
      { ...notarize, epoch: Epoch(1) },
      { ...notarize, view: View(8) },
      { ...notarize, parentView: View(6) },
      { ...notarize, digest: hash(0xd2) },
      nullify,
      { ...nullify, epoch: Epoch(1) },
      { ...nullify, view: View(8) },
      finalize,
      { ...finalize, epoch: Epoch(1) },
      { ...finalize, view: View(8) },
      { ...finalize, digest: hash(0xd2) },
      { ...finalize, height: Height(301) },
      { ...finalize, blockHash: hash(0xb2) },
    ];
    const preimages = variants.map((statement) => bytesToHex(statementBytes(genesisHash, statement)));
    preimages.push(...variants.map((statement) => bytesToHex(statementBytes(hash(0x48), statement))));
    expect(new Set(preimages).size).toBe(2 * variants.length);
    const proposals: Proposal[] = [
      proposal,
      { ...proposal, epoch: Epoch(1) },
      { ...proposal, view: View(8) },
      { ...proposal, leader: 2 },
      { ...proposal, parentDigest: hash(0xd2) },
      { ...proposal, height: Height(301) },
      { ...proposal, timeMs: proposal.timeMs + 1 },
      { ...proposal, transactionHashes: [hash(2), hash(1)] },
      { ...proposal, transactionHashes: [] },
    ];
    expect(new Set(proposals.map((one) => proposalDigest(suite, genesisHash, one))).size).toBe(proposals.length);
    expect(proposalDigest(suite, hash(0x48), proposal)).not.toBe(proposalDigest(suite, genesisHash, proposal));
  });

  it('decode to what was encoded', () => {
    expect(decodeProposal(encodeProposal(proposal))).toEqual(proposal);
    for (const statement of [notarize, nullify, finalize]) {
      const vote = signVote(suite, genesisHash, four, 2, statement);
      expect(decodeVote(encodeVote(vote))).toEqual(vote);
      const certificate = certify(suite, genesisHash, four, statement);
      expect(decodeCertificate(encodeCertificate(certificate))).toEqual(certificate);
      expect(decodeStatementBytes(statementBytes(genesisHash, statement))).toEqual({ genesisHash, statement });
    }
  });

  it('accept only what they would write themselves, whatever bytes change', () => {
    const subjects: readonly (readonly [Uint8Array, (bytes: Uint8Array) => Uint8Array])[] = [
      [encodeProposal(proposal), (bytes) => encodeProposal(decodeProposal(bytes))],
      [encodeVote(signVote(suite, genesisHash, four, 2, finalize)), (bytes) => encodeVote(decodeVote(bytes))],
      [
        encodeCertificate(certify(suite, genesisHash, four, notarize)),
        (bytes) => encodeCertificate(decodeCertificate(bytes)),
      ],
      ...[notarize, nullify, finalize].map((statement): readonly [Uint8Array, (bytes: Uint8Array) => Uint8Array] => [
        statementBytes(genesisHash, statement),
        (bytes) => {
          const read = decodeStatementBytes(bytes);
          return statementBytes(read.genesisHash, read.statement);
        },
      ]),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...subjects),
        fc.nat(),
        fc.nat(255),
        fc.boolean(),
        ([bytes, again], at, value, cuts) => {
          const changed = cuts ? bytes.slice(0, at % bytes.length) : bytes.slice();
          if (!cuts) changed[at % bytes.length] = value;
          try {
            expect(again(changed)).toEqual(changed);
          } catch (error) {
            expect((error as Error).name).toBe('ProtocolError');
          }
        },
      ),
      { seed: 4, numRuns: 3000 },
    );
  });

  it('are bounded before they are parsed, and hold what the largest network needs', () => {
    const full = { ...proposal, transactionHashes: Array.from({ length: MAX_PROPOSAL_TRANSACTIONS }, () => hash(9)) };
    expect(decodeProposal(encodeProposal(full))).toEqual(full);
    const beyond = { ...full, transactionHashes: [...full.transactionHashes, hash(9)] };
    expect(() => decodeProposal(encodeProposal(beyond))).toThrow('transactionHashes');
    const large = testValidators(suite, 31);
    const certificate = certify(suite, genesisHash, large, finalize);
    expect(decodeCertificate(encodeCertificate(certificate))).toEqual(certificate);
    const tooLarge = expect.objectContaining({ code: 'too-large' });
    expect(() => decodeProposal(new Uint8Array(MAX_PROPOSAL_BYTES + 1))).toThrow(tooLarge);
    expect(() => decodeCertificate(new Uint8Array(MAX_CERTIFICATE_BYTES + 1))).toThrow(tooLarge);
    expect(() => decodeVote(new Uint8Array(MAX_VOTE_BYTES + 1))).toThrow(tooLarge);
    expect(() => decodeStatementBytes(new Uint8Array(MAX_VOTE_BYTES + 1))).toThrow(tooLarge);
  });

  it('refuse unknown kinds, signers beyond the largest set, and wrong counts of fields', () => {
    const malformed = expect.objectContaining({ code: 'invalid-message' });
    const signature = new Uint8Array(64);
    const vote = (statement: RlpItem, signer: RlpItem = Uint8Array.of(1), sig: RlpItem = signature) =>
      encodeRlp([statement, signer, sig]);
    const view = Uint8Array.of(1);
    const nothing = new Uint8Array(0);
    expect(() => decodeVote(vote([Uint8Array.of(2), nothing, view]))).not.toThrow();
    expect(() => decodeVote(vote([Uint8Array.of(4), nothing, view]))).toThrow(malformed);
    expect(() => decodeVote(vote([nothing, nothing, view]))).toThrow(malformed);
    expect(() => decodeVote(vote([Uint8Array.of(2), nothing, view, view]))).toThrow(malformed);
    expect(() => decodeVote(vote([Uint8Array.of(1), nothing, view]))).toThrow(malformed);
    expect(() => decodeVote(vote([Uint8Array.of(3), nothing, view]))).toThrow(malformed);
    expect(() => decodeVote(vote([Uint8Array.of(2), nothing, view], Uint8Array.of(31)))).toThrow(malformed);
    expect(() => decodeVote(vote([Uint8Array.of(2), nothing, view], view, new Uint8Array(63)))).toThrow(malformed);
    const entries = (...signers: number[]) => signers.map((signer) => [Uint8Array.of(signer), signature]);
    const certificate = (list: RlpItem) => encodeRlp([[Uint8Array.of(2), nothing, view], list]);
    expect(() => decodeCertificate(certificate(entries(1, 2)))).not.toThrow();
    expect(() => decodeCertificate(certificate(entries(2, 1)))).toThrow(malformed);
    expect(() => decodeCertificate(certificate(entries(1, 1)))).toThrow(malformed);
    expect(() => decodeProposal(encodeRlp([nothing]))).toThrow(malformed);
  });

  it('are read from the signed form of votes alone', () => {
    const malformed = expect.objectContaining({ code: 'invalid-message' });
    const [tag, genesis, ...rest] = decodeRlp(statementBytes(genesisHash, nullify)) as readonly Uint8Array[];
    const read = (...items: RlpItem[]) => decodeStatementBytes(encodeRlp(items));
    expect(read(tag!, genesis!, ...rest)).toEqual({ genesisHash, statement: nullify });
    const proposalTag = new TextEncoder().encode('hanse/proposal/1');
    for (const other of [proposalTag, Uint8Array.of(2), new Uint8Array(0), [tag!]]) {
      expect(() => read(other, genesis!, ...rest)).toThrow(malformed);
    }
    expect(() => read(tag!, genesis!.subarray(1), ...rest)).toThrow(malformed);
    expect(() => read(tag!, genesis!, ...rest, Uint8Array.of(1))).toThrow(malformed);
    expect(() => read(tag!, genesis!, rest[0]!)).toThrow(malformed);
    expect(() => read(tag!)).toThrow(malformed);
    expect(() => decodeStatementBytes(encodeVote(signVote(suite, genesisHash, four, 2, nullify)))).toThrow(malformed);
    expect(() => decodeStatementBytes(new Uint8Array(0))).toThrow(expect.objectContaining({ code: 'invalid-rlp' }));
  });
});

describe('certificates', () => {
  const verify = (certificate: Certificate) => verifyCertificate(suite, genesisHash, four.set, certificate);

  it('are good with exactly q valid signatures of the set, whoever they are', () => {
    for (const statement of [notarize, nullify, finalize]) {
      expect(verify(certify(suite, genesisHash, four, statement))).toBeUndefined();
      expect(verify(certify(suite, genesisHash, four, statement, [0, 2, 3]))).toBeUndefined();
    }
    const one = testValidators(suite, 1);
    expect(verifyCertificate(suite, genesisHash, one.set, certify(suite, genesisHash, one, nullify))).toBeUndefined();
  });

  it('are refused with a signature too few or too many', () => {
    expect(verify(certify(suite, genesisHash, four, finalize, [0, 1]))).toContain('2 signatures instead of 3');
    expect(verify(certify(suite, genesisHash, four, finalize, [0, 1, 2, 3]))).toContain('4 signatures instead of 3');
    expect(verify({ statement: finalize, signatures: [] })).toContain('0 signatures');
  });

  it('are refused with a signer twice, out of order, or outside the set', () => {
    expect(verify(certify(suite, genesisHash, four, finalize, [0, 1, 1]))).toContain('ascending');
    expect(verify(certify(suite, genesisHash, four, finalize, [1, 0, 2]))).toContain('ascending');
    const good = certify(suite, genesisHash, four, finalize);
    const outside = good.signatures.map((entry, index) => (index === 2 ? { ...entry, signer: 4 } : entry));
    expect(verify({ ...good, signatures: outside })).toContain('signer 4 is not in the set');
    const fraction = good.signatures.map((entry, index) => (index === 2 ? { ...entry, signer: 2.5 } : entry));
    expect(verify({ ...good, signatures: fraction })).toContain('ascending');
  });

  it('are refused for another epoch, statement, network or signer', () => {
    expect(verify(certify(suite, genesisHash, four, { ...finalize, epoch: Epoch(1) }))).toContain(
      'epoch 1 instead of 0',
    );
    const good = certify(suite, genesisHash, four, finalize);
    expect(verify({ ...good, statement: { ...finalize, height: Height(301) } })).toContain('member-0 is wrong');
    expect(verify(certify(suite, hash(0x48), four, finalize))).toContain('is wrong');
    const [first, second, third] = good.signatures;
    const swapped = [first!, { signer: 1, signature: third!.signature }, { signer: 2, signature: second!.signature }];
    expect(verify({ ...good, signatures: swapped })).toContain('member-1 is wrong');
  });

  it('are refused with a last signature that is wrong or malformed', () => {
    const good = certify(suite, genesisHash, four, finalize);
    for (const signature of [new Uint8Array(64), new Uint8Array(0), new Uint8Array(65)]) {
      const signatures = [...good.signatures.slice(0, 2), { signer: 2, signature }];
      expect(verify({ ...good, signatures })).toContain('member-2 is wrong');
    }
  });
});

describe('votes', () => {
  it('verify by their signer, epoch and network alone', () => {
    const vote = signVote(suite, genesisHash, four, 2, notarize);
    const verify = (changes: Partial<typeof vote>) => verifyVote(suite, genesisHash, four.set, { ...vote, ...changes });
    expect(verify({})).toBeUndefined();
    expect(verify({ signer: 1 })).toContain('member-1 is wrong');
    expect(verify({ signer: 4 })).toContain('not in the set');
    expect(verify({ signer: -1 })).toContain('not in the set');
    expect(verify({ statement: { ...notarize, parentView: View(4) } })).toContain('is wrong');
    expect(verify({ statement: { ...notarize, epoch: Epoch(2) } })).toContain('epoch 2');
    expect(verifyVote(suite, hash(0x48), four.set, vote)).toContain('is wrong');
  });
});
