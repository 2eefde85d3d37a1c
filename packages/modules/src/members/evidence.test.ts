import { bytesToHex, Epoch, type Hash, Height, type Hex, type Statement, statementBytes, View } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { TestAlliance, testKeys } from '../testing/testAlliance.ts';
import { testAccounts, testGenesisHash, testSuite } from '../testing/testChain.ts';
import { MAX_EVIDENCE_PER_SIGNER } from './evidence.ts';

const { stranger } = testAccounts;
const hash = (byte: number): Hash => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`;

const notarize = (digest: number, view = 7, epoch = 0, parentView = 5): Statement => ({
  kind: 'notarize',
  epoch: Epoch(epoch),
  view: View(view),
  parentView: View(parentView),
  digest: hash(digest),
});
const nullify = (view = 7, epoch = 0): Statement => ({ kind: 'nullify', epoch: Epoch(epoch), view: View(view) });
const finalize = (digest: number, result = 1, view = 7): Statement => ({
  kind: 'finalize',
  epoch: Epoch(0),
  view: View(view),
  digest: hash(digest),
  height: Height(3),
  blockHash: hash(result),
});

/** A statement as it is signed and the signature with the vote key of this number. */
function signed(statement: Statement, key: number, genesisHash = testGenesisHash): readonly [Hex, Hex] {
  const bytes = statementBytes(genesisHash, statement);
  return [bytesToHex(bytes), bytesToHex(testSuite.sign(testKeys(key).votePrivateKey, bytes))];
}

function start() {
  const alliance = new TestAlliance();
  const { call } = alliance;
  return {
    alliance,
    call,
    report: (a: Statement, b: Statement, signer = 1, key = signer + 1) =>
      call(stranger, 'reportDoubleVote', ...signed(a, key), ...signed(b, key), signer),
  };
}

describe('a double vote', () => {
  it('is recorded with who, where, what and by whom it was reported', () => {
    const { alliance, call, report } = start();
    alliance.nextBlock(40);
    expect(call(stranger, 'evidenceCount')).toBe(0n);
    report(notarize(1), notarize(2));
    const values = { member: 2, epoch: 0n, viewNumber: 7n, signer: 1, index: 0n, reporter: stranger };
    expect(alliance.eventsNamed('DoubleVoteReported')).toEqual([values]);
    expect(call(stranger, 'evidenceCount')).toBe(1n);
    expect(call(stranger, 'getEvidence', 0n)).toEqual({
      member: 2,
      signer: 1,
      epoch: 0n,
      viewNumber: 7n,
      kindA: 1,
      kindB: 1,
      hashA: testSuite.hashHex(statementBytes(testGenesisHash, notarize(1))),
      hashB: testSuite.hashHex(statementBytes(testGenesisHash, notarize(2))),
      height: 41,
      reporter: stranger,
    });
    expect(() => call(stranger, 'getEvidence', 1n)).toThrow('UnknownEvidence(1)');
    expect(alliance.chain.lastGasUsed).toBeLessThan(20_000n);
  });

  it.each([
    ['two notarizes of different blocks', notarize(1), notarize(2)],
    ['two notarizes on different parents', notarize(1), notarize(1, 7, 0, 6)],
    ['two finalizes of different blocks', finalize(1), finalize(2)],
    ['two finalizes with different results', finalize(1, 1), finalize(1, 2)],
    ['a nullify and a finalize', nullify(), finalize(1)],
    ['a finalize and a nullify', finalize(1), nullify()],
  ])('is %s', (_, a, b) => {
    const { call, report } = start();
    report(a, b);
    expect(call(stranger, 'evidenceCount')).toBe(1n);
  });

  it.each([
    ['one statement twice', notarize(1), notarize(1)],
    ['one nullify twice', nullify(), nullify()],
    ['a notarize and a nullify', notarize(1), nullify()],
    ['a notarize and a finalize of another block', notarize(1), finalize(2)],
    ['votes of two views', notarize(1, 7), notarize(2, 8)],
    ['votes of two epochs', notarize(1, 7, 0), notarize(2, 7, 1)],
  ])('is not %s', (_, a, b) => {
    const { report } = start();
    expect(() => report(a, b)).toThrow('NotContradictory()');
  });

  it('is recorded once, in whatever order and by whatever votes', () => {
    const { call, report } = start();
    report(notarize(1), notarize(2));
    expect(() => report(notarize(1), notarize(2))).toThrow('EvidenceKnown(0)');
    expect(() => report(notarize(2), notarize(1))).toThrow('EvidenceKnown(0)');
    expect(() => report(nullify(), finalize(3))).toThrow('EvidenceKnown(0)');
    report(notarize(1), notarize(2), 2);
    report(notarize(1, 8), notarize(2, 8));
    expect(() => report(notarize(1, 8), notarize(2, 8))).toThrow('EvidenceKnown(2)');
    expect(call(stranger, 'evidenceCount')).toBe(3n);
  });

  it('needs votes of this network', () => {
    const { call } = start();
    const [good, bad] = [signed(notarize(1), 2), signed(notarize(2), 2, hash(9))];
    expect(() => call(stranger, 'reportDoubleVote', ...good, ...bad, 1)).toThrow('OtherNetwork(1)');
    expect(() => call(stranger, 'reportDoubleVote', ...bad, ...good, 1)).toThrow('OtherNetwork(0)');
  });

  it('needs the signatures of the validator that the epoch has at that place', () => {
    const { alliance, call, report } = start();
    expect(() => report(notarize(1), notarize(2), 1, 3)).toThrow('WrongSignature(0)');
    const [good, other] = [signed(notarize(1), 2), signed(notarize(2), 3)];
    expect(() => call(stranger, 'reportDoubleVote', ...good, ...other, 1)).toThrow('WrongSignature(1)');
    expect(() => call(stranger, 'reportDoubleVote', ...good, other[0], '0x', 1)).toThrow('WrongSignature(1)');
    expect(() => call(stranger, 'reportDoubleVote', ...good, other[0], `${good[1]}00`, 1)).toThrow('WrongSignature(1)');
    expect(() => report(notarize(1), notarize(2), 4)).toThrow('UnknownSigner(0, 4)');
    expect(() => report(notarize(1, 7, 1), notarize(2, 7, 1))).toThrow('UnknownSigner(1, 1)');
    // The key of now does not sign for an epoch in which the member had another.
    call(alliance.account(2), 'rotateVoteKey', testKeys(20).voteKey);
    expect(() => report(notarize(1), notarize(2), 1, 20)).toThrow('WrongSignature(0)');
    report(notarize(1, 7, 1), notarize(2, 7, 1), 1, 20);
    report(notarize(1), notarize(2));
    expect(call(stranger, 'evidenceCount')).toBe(2n);
  });

  it('stays provable when the member has left', () => {
    const { alliance, call, report } = start();
    alliance.approve(call(alliance.account(1), 'proposeRemoval', 2), 3, 4);
    report(notarize(1), notarize(2));
    expect(call(stranger, 'getEvidence', 0n).member).toBe(2);
  });

  it('needs statements in their signed form', () => {
    const { call } = start();
    const good = signed(notarize(1), 2);
    const { votePrivateKey } = testKeys(2);
    const bad: Hex[] = ['0x', '0xc0', `${good[0]}00`, good[0].slice(0, -2) as Hex, `0x${'00'.repeat(300)}`];
    for (const statement of bad) {
      const signature = bytesToHex(testSuite.sign(votePrivateKey, new Uint8Array(1)));
      expect(() => call(stranger, 'reportDoubleVote', ...good, statement, signature, 1)).toThrow('InvalidStatement(1)');
      expect(() => call(stranger, 'reportDoubleVote', statement, signature, ...good, 1)).toThrow('InvalidStatement(0)');
    }
  });

  it('is kept sixteen times for a validator and an epoch', () => {
    const { call, report } = start();
    for (let view = 1; view <= MAX_EVIDENCE_PER_SIGNER; view++) report(notarize(1, view), notarize(2, view));
    expect(() => report(notarize(1, 99), notarize(2, 99))).toThrow('TooMuchEvidence(0, 1)');
    report(notarize(1, 99), notarize(2, 99), 2);
    expect(call(stranger, 'evidenceCount')).toBe(17n);
  });
});
