import {
  type Certificate,
  createInternationalSuite,
  Epoch,
  Height,
  type NotarizeStatement,
  type Proposal,
  portablePrimitives,
  proposalDigest,
  type Statement,
  type Suite,
  statementBytes,
  type ValidatorSet,
  View,
  type Vote,
} from '@hanse/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { testGenesisHash } from './testing/engineCluster.ts';
import { MemberBudgets, ValidatorBudgets } from './validatorBudgets.ts';
import { Verifier } from './verification.ts';

const real = createInternationalSuite(portablePrimitives);
const keys = [1, 2, 3, 4].map((byte) => new Uint8Array(32).fill(byte));
const validators: ValidatorSet = {
  epoch: Epoch(0),
  validators: keys.map((key, index) => ({
    name: `m${index}`,
    address: `0x${'00'.repeat(20)}`,
    voteKey: real.publicKey(key),
  })),
};

let verifications = 0;
let nowMs = 0;
const counting: Suite = {
  ...real,
  verify: (...args) => {
    verifications++;
    return real.verify(...args);
  },
};

function verifier(remembered: { rememberedSignatures?: number } = {}, burst?: number): Verifier {
  const limits = burst === undefined ? {} : { signatures: { perSecond: 1, burst } };
  const budgets = new ValidatorBudgets(new MemberBudgets(() => nowMs, limits), String);
  return new Verifier({ suite: counting, genesisHash: testGenesisHash, validators, budgets, ...remembered });
}

function sign(statement: Statement, signer: number, genesisHash = testGenesisHash): Vote {
  return { statement, signer, signature: real.sign(keys[signer]!, statementBytes(genesisHash, statement)) };
}

function certify(statement: Statement, signers: readonly number[]): Certificate {
  return { statement, signatures: signers.map((signer) => ({ signer, signature: sign(statement, signer).signature })) };
}

const nullify = (view: number, epoch = 0): Statement => ({ kind: 'nullify', epoch: Epoch(epoch), view: View(view) });
const proposal: Proposal = {
  epoch: Epoch(0),
  view: View(5),
  leader: 1,
  parentDigest: `0x${'aa'.repeat(32)}`,
  height: Height(3),
  timeMs: 1,
  transactionHashes: [],
};
const digest = proposalDigest(real, testGenesisHash, proposal);
const notarize: NotarizeStatement = { kind: 'notarize', epoch: Epoch(0), view: View(5), parentView: View(3), digest };
const proposed = () => ({
  proposal,
  digest,
  leaderVote: sign(notarize, 1) as Vote<NotarizeStatement>,
  justification: [certify(nullify(4), [0, 2, 3])],
});

beforeEach(() => {
  verifications = 0;
  nowMs = 0;
});

describe('verification', () => {
  it('takes a good vote, and refuses a wrong signature, signer or network', () => {
    const good = sign(nullify(3), 2);
    expect(verifier().vote(2, good).verdict).toBe('good');
    const flipped = good.signature.slice();
    flipped[10]! ^= 1;
    expect(verifier().vote(2, { ...good, signature: flipped }).verdict).toBe('bad');
    expect(verifier().vote(2, { ...good, signer: 1 }).verdict).toBe('bad');
    expect(verifier().vote(2, { ...good, signer: 4 }).verdict).toBe('bad');
    expect(verifier().vote(2, sign(nullify(3), 2, `0x${'99'.repeat(32)}`)).verdict).toBe('bad');
  });

  it('ignores other epochs without blame', () => {
    expect(verifier().vote(2, sign(nullify(3, 1), 2)).verdict).toBe('ignored');
    expect(verifier().certificate(2, certify(nullify(3, 1), [0, 1, 2])).verdict).toBe('ignored');
  });

  it('spends nothing on a certificate of votes that it verified before', () => {
    const checker = verifier();
    for (const signer of [0, 1, 2]) checker.vote(signer, sign(nullify(3), signer));
    expect(verifications).toBe(3);
    expect(checker.certificate(3, certify(nullify(3), [0, 1, 2])).verdict).toBe('good');
    expect(verifications).toBe(3);
    // Another quorum for the same statement proves nothing new.
    expect(checker.certificate(3, certify(nullify(3), [1, 2, 3])).verdict).toBe('good');
    expect(verifications).toBe(3);
    expect(checker.canonical(certify(nullify(3), [1, 2, 3])).signatures.map(({ signer }) => signer)).toEqual([0, 1, 2]);
  });

  it('does not let a known good signature stand for a forged one of the same statement', () => {
    const checker = verifier();
    checker.vote(0, sign(nullify(3), 0));
    const forged = certify(nullify(3), [0, 1, 2]);
    const signatures = forged.signatures.map((entry, index) =>
      index === 0 ? { ...entry, signature: new Uint8Array(64).fill(1) } : entry,
    );
    expect(checker.certificate(3, { ...forged, signatures }).verdict).toBe('bad');
  });

  it('refuses certificates of too few, too many, repeated, unsorted or unknown signers', () => {
    const statement = nullify(3);
    const good = certify(statement, [0, 1, 2]).signatures;
    const cases = [
      good.slice(0, 2),
      [...good, good[0]!],
      [good[0]!, good[0]!, good[1]!],
      [good[1]!, good[0]!, good[2]!],
    ];
    for (const signatures of cases) expect(verifier().certificate(1, { statement, signatures }).verdict).toBe('bad');
    const unknown = [good[0]!, good[1]!, { signer: 7, signature: good[2]!.signature }];
    expect(verifier().certificate(1, { statement, signatures: unknown }).verdict).toBe('bad');
    expect(verifications).toBe(0);
  });

  it('takes a proposal of its leader, and refuses one of anybody else or for another digest', () => {
    const good = proposed();
    expect(verifier().proposal(1, good).verdict).toBe('good');
    const bad = [
      { ...good, leaderVote: sign(notarize, 2) as Vote<NotarizeStatement> },
      { ...good, digest: `0x${'01'.repeat(32)}` as const },
      { ...good, proposal: { ...proposal, leader: 2 } },
      { ...good, leaderVote: sign({ ...notarize, parentView: View(5) }, 1) as Vote<NotarizeStatement> },
      { ...good, justification: [certify(nullify(4), [0, 2])] },
    ];
    for (const message of bad) expect(verifier().proposal(1, message).verdict).toBe('bad');
  });

  it('takes a peer that exceeds its budget for a flood, verifies no more for it, and goes on for the others', () => {
    const checker = verifier({}, 3);
    for (const view of [1, 2, 3]) expect(checker.vote(2, sign(nullify(view), 2)).verdict).toBe('good');
    expect(checker.vote(2, sign(nullify(4), 2))).toEqual({
      verdict: 'bad',
      reason: 'more signatures than a member needs to have verified',
    });
    expect(verifications).toBe(3);
    expect(checker.vote(1, sign(nullify(4), 1)).verdict).toBe('good');
    nowMs = 1_000;
    expect(checker.vote(2, sign(nullify(4), 2)).verdict).toBe('good');
  });
});
