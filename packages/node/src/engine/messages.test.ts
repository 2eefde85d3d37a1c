import { createHash } from 'node:crypto';
import {
  type Certificate,
  Epoch,
  type FinalizeStatement,
  Height,
  type NotarizeStatement,
  type Proposal,
  ProtocolError,
  View,
  type Vote,
} from '@hanse/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeList, encodeList } from './boundedList.ts';
import { decodeEngineRecord, type EngineRecord, encodeBinding, encodeEngineRecord } from './logRecords.ts';
import {
  decodeCertificateRequest,
  decodeCertificates,
  decodeHashes,
  decodeProposalAnswer,
  decodeProposalEnvelope,
  decodeStatus,
  decodeTransactions,
  decodeVotes,
  encodeCertificateRequest,
  encodeCertificates,
  encodeHashes,
  encodeProposalAnswer,
  encodeProposalEnvelope,
  encodeStatus,
  encodeTransactions,
  encodeVotes,
  messageKinds,
  messageLimits,
} from './messages.ts';

const hash = (byte: string) => `0x${byte.repeat(32)}` as const;
const signature = (byte: number) => new Uint8Array(64).fill(byte);
const statement: NotarizeStatement = {
  kind: 'notarize',
  epoch: Epoch(0),
  view: View(7),
  parentView: View(5),
  digest: hash('d1'),
};
const vote: Vote<NotarizeStatement> = { statement, signer: 3, signature: signature(9) };
const nullification: Certificate = {
  statement: { kind: 'nullify', epoch: Epoch(0), view: View(6) },
  signatures: [0, 1, 3].map((signer) => ({ signer, signature: signature(signer + 1) })),
};
const finalization: Certificate<FinalizeStatement> = {
  statement: {
    kind: 'finalize',
    epoch: Epoch(0),
    view: View(5),
    digest: hash('aa'),
    height: Height(4),
    blockHash: hash('bb'),
  },
  signatures: [0, 1, 2].map((signer) => ({ signer, signature: signature(signer + 4) })),
};
const proposal: Proposal = {
  epoch: Epoch(0),
  view: View(7),
  leader: 3,
  parentDigest: hash('aa'),
  height: Height(5),
  timeMs: 1_700_000_000_123,
  transactionHashes: [hash('01'), hash('02')],
};
const raws = [new Uint8Array([1, 2, 3]), new Uint8Array(300).fill(7)];
const message = { proposal, digest: hash('d1'), leaderVote: vote, justification: [finalization, nullification] };
const envelope = { message, inline: raws };
const status = {
  epoch: Epoch(0),
  view: View(7),
  finalizedHeight: Height(4),
  finalizedView: View(5),
  certificates: [finalization, nullification],
  yourVotes: [vote],
};
const digestOf = () => hash('d1');

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('messages', () => {
  it('come back as they were sent', () => {
    expect(decodeProposalEnvelope(encodeProposalEnvelope(envelope), digestOf)).toEqual(envelope);
    expect(decodeVotes(encodeVotes([vote, vote]))).toEqual([vote, vote]);
    expect(decodeCertificates(encodeCertificates([nullification, finalization]))).toEqual([
      nullification,
      finalization,
    ]);
    expect(decodeStatus(encodeStatus(status))).toEqual(status);
    expect(decodeHashes(encodeHashes([hash('01'), hash('02')]))).toEqual([hash('01'), hash('02')]);
    expect(decodeTransactions(encodeTransactions(raws))).toEqual(raws);
    const request = { epoch: Epoch(0), fromView: View(3), toView: View(300) };
    expect(decodeCertificateRequest(encodeCertificateRequest(request))).toEqual(request);
    for (const answer of [
      { finalizedHeight: Height(4), envelope },
      { finalizedHeight: Height(0), envelope: undefined },
    ]) {
      expect(decodeProposalAnswer(encodeProposalAnswer(answer), digestOf)).toEqual(answer);
    }
  });

  it('keep their encodings', () => {
    expect(messageKinds).toMatchInlineSnapshot(`
      {
        "certificates": 3,
        "proposal": 1,
        "requestBodies": 16,
        "requestCertificates": 18,
        "requestProposal": 17,
        "requestStatus": 19,
        "status": 4,
        "votes": 2,
      }
    `);
    const hashes = {
      proposal: sha256(encodeProposalEnvelope(envelope)),
      votes: sha256(encodeVotes([vote])),
      certificates: sha256(encodeCertificates([nullification, finalization])),
      status: sha256(encodeStatus(status)),
      hashes: sha256(encodeHashes([hash('01'), hash('02')])),
      transactions: sha256(encodeTransactions(raws)),
      proposalAnswer: sha256(encodeProposalAnswer({ finalizedHeight: Height(4), envelope })),
      certificateRequest: sha256(encodeCertificateRequest({ epoch: Epoch(0), fromView: View(3), toView: View(300) })),
    };
    expect(hashes).toMatchInlineSnapshot(`
      {
        "certificateRequest": "9fe5597b1938525cd79a0c4f2cec3dbebdc191b4194d50e819e28a2ab37a0081",
        "certificates": "a880308023dafb97eaa1e09003cd0cf93ccd63ee2103fad4856da1685072b9d0",
        "hashes": "da2b0a7d87b6fe137acf852c952e7982c3a1de12439fcf3524f7dfb66ef8f2c3",
        "proposal": "ab95004df0f76f1590be943cdc15c22de517267462a58bff839e02fd18e21233",
        "proposalAnswer": "f01b4638952cfa7127c8d2979736dd84f8e70185b481355ee0c34ded88ced29c",
        "status": "13e24343319076a290a71d984a83400eb805f76fe7f56494c54f0b89b51d774b",
        "transactions": "9dee5d275de99bd3cd885c50be222e9e026951f7dcace0ec9095d3e0686d425f",
        "votes": "fdcff460fc12a5aa8ff54dd7c9b8a4cbbc985a17e2a45e35d78cbdc51fca833a",
      }
    `);
  });

  it('are refused before parsing when they are too large or too many', () => {
    const tooLarge = (work: () => unknown) => expect(work).toThrow(expect.objectContaining({ code: 'too-large' }));
    tooLarge(() => decodeProposalEnvelope(new Uint8Array(messageLimits.proposal + 1), digestOf));
    tooLarge(() => decodeVotes(new Uint8Array(messageLimits.votes + 1)));
    tooLarge(() => decodeCertificates(new Uint8Array(messageLimits.certificates + 1)));
    tooLarge(() => decodeStatus(new Uint8Array(messageLimits.status + 1)));
    tooLarge(() => decodeHashes(new Uint8Array(messageLimits.requestBodies + 1)));
    tooLarge(() => decodeTransactions(new Uint8Array(messageLimits.bodies + 1)));
    tooLarge(() => decodeTransactions(encodeTransactions(Array.from({ length: 4_097 }, () => new Uint8Array(1)))));
    tooLarge(() => decodeTransactions(encodeTransactions([new Uint8Array(128 * 1024 + 1)])));
    tooLarge(() => decodeStatus(encodeStatus({ ...status, yourVotes: [vote, vote, vote, vote, vote] })));
    tooLarge(() => decodeVotes(encodeVotes(Array.from({ length: 257 }, () => vote))));
  });

  it('of random bytes give a protocol error, never anything else (property)', () => {
    const good = [
      encodeProposalEnvelope(envelope),
      encodeStatus(status),
      encodeCertificates([finalization]),
      encodeVotes([vote]),
    ];
    const decoders = [
      (bytes: Uint8Array) => decodeProposalEnvelope(bytes, digestOf),
      decodeStatus,
      decodeCertificates,
      (bytes: Uint8Array) => decodeVotes(bytes),
      decodeHashes,
      decodeTransactions,
      decodeCertificateRequest,
      (bytes: Uint8Array) => decodeProposalAnswer(bytes, digestOf),
    ];
    const damaged = fc.tuple(fc.nat(good.length - 1), fc.nat(1_000), fc.nat(255)).map(([which, at, value]) => {
      const bytes = good[which]!.slice();
      bytes[at % bytes.length] = value;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), fc.nat(decoders.length - 1), (bytes, which) => {
        try {
          decoders[which]!(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { seed: 11, numRuns: 2_000 },
    );
  });

  it('lists are canonical: whatever decodes encodes to the same bytes (property)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        let items: Uint8Array[];
        try {
          items = decodeList(bytes, 100);
        } catch {
          return;
        }
        expect(encodeList(items)).toEqual(bytes);
      }),
      { seed: 12, numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 10 }), (items) => {
        expect(decodeList(encodeList(items), 10)).toEqual(items);
      }),
      { seed: 13, numRuns: 300 },
    );
  });
});

describe('log records', () => {
  const records: EngineRecord[] = [
    { kind: 'vote', vote },
    { kind: 'certificate', certificate: finalization },
    { kind: 'proposal', message, transactions: raws },
    { kind: 'amnesia', epoch: 0, over: false },
    { kind: 'amnesia', epoch: 0, over: true },
    { kind: 'recovery', epoch: 1, recovery: hash('52') },
  ];

  it('come back as they were written, at the position that decides how long they are kept', () => {
    for (const record of records) expect(decodeEngineRecord(encodeEngineRecord(record), digestOf)).toEqual(record);
    expect(encodeEngineRecord(records[0]!)).toMatchObject({ epoch: 0, view: 7 });
    expect(encodeEngineRecord(records[1]!)).toMatchObject({ epoch: 0, view: 5 });
    expect(encodeEngineRecord(records[2]!)).toMatchObject({ epoch: 0, view: 7 });
    expect(encodeEngineRecord(records[5]!)).toMatchObject({ epoch: 1, view: 0 });
  });

  it('keep their encodings', () => {
    const hashes = records.map((record) => {
      const { type, payload } = encodeEngineRecord(record);
      return `${record.kind} ${type} ${sha256(payload)}`;
    });
    hashes.push(`binding ${sha256(encodeBinding(hash('47'), `0x02${'11'.repeat(32)}`))}`);
    expect(hashes).toMatchInlineSnapshot(`
      [
        "vote 2 5d2009db9b5cebc1ad06fb6e0c49cb712ddfce79ab97a9861107d4976e08c825",
        "certificate 3 c95be4bb1c0c4e4f5ee80dd41b8dd16eeaa31fd57d9a577a15b2043fa20d6dfd",
        "proposal 4 ab95004df0f76f1590be943cdc15c22de517267462a58bff839e02fd18e21233",
        "amnesia 5 2e00ff7d4b4193305853c206e9325854955caa4cacdda8c11ed09d4fbe27413e",
        "amnesia 5 1db187d362e3a997787a2cf79571fd434f09f589ee5620fb85a8dc51f8a0d921",
        "recovery 6 8fc00af257c5a16a6508620348eb7a602efdfc5e662e9911a62399c6d0b6217b",
        "binding 09089255dd01e1e097405a8fd96ccf916b605d4c878322a239c32984a4e25896",
      ]
    `);
  });
});
