import {
  type Certificate,
  createInternationalSuite,
  Epoch,
  type Hash,
  Height,
  type NotarizeStatement,
  type Proposal,
  proposalDigest,
  type Statement,
  statementBytes,
  View,
  type Vote,
} from '@hanse/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadNodePrimitives } from '../runtime/nodePrimitives.ts';
import {
  encodeCertificateRequest,
  encodeCertificates,
  encodeHashes,
  encodeProposalEnvelope,
  encodeStatus,
  encodeVotes,
  messageKinds,
} from './messages.ts';
import { EngineCluster, testGenesisHash } from './testing/engineCluster.ts';

const suite = createInternationalSuite(await loadNodePrimitives());
const epoch = Epoch(0);
/** Holds a validator's key and a connection, and is nobody's engine. */
const ATTACKER = 3;
const key = new Uint8Array(32).fill(ATTACKER + 1);
const hashOf = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`;

let cluster: EngineCluster;

beforeEach(async () => {
  cluster = new EngineCluster(suite, 4);
  for (const index of [0, 1, 2]) await cluster.start(index);
  await cluster.run(2_000);
});

afterEach(() => {
  for (const { engine } of cluster.members) void engine?.close();
});

const victim = () => cluster.member(0);
const retained = (): Readonly<Record<string, number>> => victim().engine!.load().retained;
const view = (): number => victim().engine!.state().view;

function sign<S extends Statement>(statement: S): Vote<S> {
  return { statement, signer: ATTACKER, signature: suite.sign(key, statementBytes(testGenesisHash, statement)) };
}

const nullify = (at: number) => sign({ kind: 'nullify', epoch, view: View(at) });
const notarize = (at: number, digest: Hash) =>
  sign({ kind: 'notarize', epoch, view: View(at), parentView: View(0), digest });
const finalize = (at: number, digest: Hash) =>
  sign({ kind: 'finalize', epoch, view: View(at), digest, height: Height(at), blockHash: digest });

/** A proposal that the attacker may make, in a view that it leads, with so many transactions of so many bytes, attached as `inline` says. */
function propose(at: number, number: number, count = 0, bytes = 0, inline: 'own' | 'foreign' = 'own'): Uint8Array {
  const raws = Array.from({ length: count }, (_, index) => {
    const raw = new Uint8Array(bytes);
    new DataView(raw.buffer).setUint32(0, number * 10_000 + index);
    return raw;
  });
  const proposal: Proposal = {
    epoch,
    view: View(at),
    leader: ATTACKER,
    parentDigest: hashOf(1),
    height: Height(1),
    timeMs: number + 1,
    transactionHashes: inline === 'own' ? raws.map((raw) => suite.hashHex(raw)) : [hashOf(number)],
  };
  const digest = proposalDigest(suite, testGenesisHash, proposal);
  const statement: NotarizeStatement = { kind: 'notarize', epoch, view: View(at), parentView: View(at - 1), digest };
  return encodeProposalEnvelope({
    message: { proposal, digest, leaderVote: sign(statement), justification: [] },
    inline: raws,
  });
}

/** The first view after `from` that the attacker leads. */
const ledView = (from: number): number => from + ((ATTACKER - (from % 4) + 4) % 4 || 4);

const send = (kind: number, payload: Uint8Array): void => victim().engine!.receive(ATTACKER, kind, payload);

/** Sends until the victim wants its connection ended; gives how many messages that took. */
function sendUntilBlamed(kind: number, payload: (index: number) => Uint8Array, most: number): number {
  for (let count = 1; count <= most; count++) {
    send(kind, payload(count));
    if (victim().blamed.length > 0) return count;
  }
  return Number.POSITIVE_INFINITY;
}

/** The honest ones agree on a transaction within a few seconds, and hold nobody honest to blame. */
async function expectProgress(): Promise<void> {
  const hash = cluster.submit(`still works ${cluster.clock.nowMs()}`, [0, 1, 2]);
  await cluster.run(8_000, () => [0, 1, 2].every((index) => cluster.member(index).pool.included.has(hash)));
  for (const index of [0, 1, 2]) {
    expect(cluster.member(index).pool.included.has(hash)).toBe(true);
    expect(cluster.member(index).blamed.filter((text) => !text.startsWith(`${ATTACKER}: `))).toEqual([]);
  }
}

describe('a validator that floods', () => {
  it('makes nobody keep votes for views far ahead, however many it signs', async () => {
    const votes = Array.from({ length: 2_000 }, (_, index) => nullify(view() + 65 + index));
    for (let start = 0; start < votes.length; start += 200)
      send(messageKinds.votes, encodeVotes(votes.slice(start, start + 200)));
    expect(victim().blamed).toEqual([]);
    expect(retained()).toMatchObject({ rememberedVotes: 4 });
    expect(retained().views).toBeLessThanOrEqual(4);
    // A few are verified a second: they might show that this member is behind.
    expect(retained().verifiedSignatures).toBeLessThan(100);
    await expectProgress();
  });

  it('makes nobody keep more than two votes of a kind and view, nor verify a third', async () => {
    const before = retained().verifiedSignatures!;
    const votes: Vote[] = [];
    for (let ahead = 1; ahead <= 64; ahead++) {
      votes.push(nullify(view() + ahead));
      for (let number = 0; number < 8; number++)
        votes.push(notarize(view() + ahead, hashOf(number)), finalize(view() + ahead, hashOf(number)));
    }
    for (let start = 0; start < votes.length; start += 200)
      send(messageKinds.votes, encodeVotes(votes.slice(start, start + 200)));
    expect(victim().blamed).toEqual([]);
    expect(retained().views).toBeLessThanOrEqual(70);
    expect(retained().verifiedSignatures! - before).toBe(64 * 5);
    expect(victim().alarms.filter((alarm) => alarm.startsWith('equivocation'))).toHaveLength(64 * 3);
    await expectProgress();
  });

  it('is cut off for repeating votes, although they cost no verification', async () => {
    const payload = encodeVotes(Array.from({ length: 256 }, () => nullify(view() + 1)));
    expect(sendUntilBlamed(messageKinds.votes, () => payload, 1_000)).toBe(257);
    expect(victim().blamed).toEqual(['3: over its budget of items']);
    await expectProgress();
  });

  it('is cut off for repeating certificates that everybody has', async () => {
    await expectProgress();
    const known = victim().ledger.head.certificate as Certificate;
    const payload = encodeCertificates(Array.from({ length: 256 }, () => known));
    const before = retained().verifiedSignatures;
    expect(sendUntilBlamed(messageKinds.certificates, () => payload, 1_000)).toBeLessThan(100);
    expect(victim().blamed[0]).toBe('3: over its budget of items');
    expect(retained().verifiedSignatures).toBe(before);
    await expectProgress();
  });

  it('makes nobody keep its proposals for views far ahead, nor more than two for a view', async () => {
    const before = retained();
    const far = ledView(view() + 8);
    for (let number = 0; number < 200; number++)
      send(messageKinds.proposal, propose(far + 4 * number, number, 20, 5_000));
    expect(retained()).toMatchObject({ proposals: before.proposals, proposalBytes: before.proposalBytes });
    const near = ledView(view());
    for (let number = 0; number < 100; number++) send(messageKinds.proposal, propose(near, number, 20, 5_000));
    await cluster.run(0);
    expect(victim().blamed).toEqual([]);
    expect(retained().proposals! - before.proposals!).toBeLessThanOrEqual(2);
    await expectProgress();
  });

  it('makes nobody keep more than a bounded number of bytes of its proposals, whatever their size', async () => {
    const MiB = 1024 * 1024;
    for (let round = 0; round < 15; round++) {
      const led = ledView(view() - 1);
      for (let number = 0; number < 3; number++)
        send(messageKinds.proposal, propose(led, round * 10 + number, 15, 128 * 1024));
      cluster.submit(`round ${round}`, [0, 1, 2]);
      await cluster.run(300);
      expect(retained().proposalBytes!).toBeLessThan(12 * MiB);
    }
    expect(victim().blamed).toEqual([]);
    await expectProgress();
  });

  it('is cut off for a proposal with transactions that are not its own, before any sender is looked for', async () => {
    let accepted = 0;
    const accept = victim().pool.accept.bind(victim().pool);
    victim().pool.accept = (raws) => {
      accepted += raws.length;
      return accept(raws);
    };
    send(messageKinds.proposal, propose(ledView(view()), 1, 500, 2_000, 'foreign'));
    await cluster.run(0);
    expect([accepted, victim().blamed]).toEqual([0, ['3: a proposal with transactions that are not its own']]);
    await expectProgress();
  });

  it('makes nobody look for the senders of more transactions than its budget has', async () => {
    let accepted = 0;
    const accept = victim().pool.accept.bind(victim().pool);
    victim().pool.accept = (raws) => {
      accepted += raws.length;
      return accept(raws);
    };
    // In one and the same moment, for every view that is near enough, as often as it likes.
    for (let number = 0; number < 50; number++)
      for (let ahead = 0; ahead < 9; ahead++)
        send(messageKinds.proposal, propose(ledView(view() + ahead), number, 1_000, 100));
    await cluster.run(0);
    expect(accepted).toBeLessThanOrEqual(1_000);
    await expectProgress();
  });

  it('is cut off for telling and asking where members are more often than that can change', async () => {
    const status = encodeStatus({
      epoch,
      view: View(1),
      finalizedHeight: Height(0),
      finalizedView: View(0),
      certificates: [],
      yourVotes: [],
    });
    const sentTo: number[] = [];
    cluster.onSend = ({ from, to, request }) => {
      if (from === 0 && to === ATTACKER && !request) sentTo.push(to);
    };
    await expectProgress();
    sentTo.length = 0;
    expect(sendUntilBlamed(messageKinds.status, () => status, 1_000)).toBeLessThanOrEqual(66);
    // Each is answered with at most two messages.
    expect(sentTo.length).toBeLessThanOrEqual(2 * 66);
    expect(victim().blamed).toEqual(['3: over its budget of statuses']);
    await expect(victim().engine!.serve(ATTACKER, messageKinds.requestStatus, status)).rejects.toThrow('statuses');
    await expectProgress();
  });

  it.each<[string, number, () => Uint8Array, number]>([
    [
      'bodies that nobody has',
      messageKinds.requestBodies,
      () => encodeHashes(Array.from({ length: 4_096 }, (_, index) => hashOf(index))),
      40,
    ],
    ['proposals that nobody has', messageKinds.requestProposal, () => encodeHashes([hashOf(7)]), 20_000],
    [
      'certificates',
      messageKinds.requestCertificates,
      () => encodeCertificateRequest({ epoch, fromView: View(1), toView: View(1_000_000) }),
      20_000,
    ],
  ])('is refused when it asks too often for %s, others are not, and nobody is blamed', async (_, kind, request, most) => {
    await expectProgress();
    const payload = request();
    const ask = async (from: number): Promise<string> =>
      await victim()
        .engine!.serve(from, kind, payload)
        .then(
          () => 'answered',
          (error: Error) => error.message,
        );
    let answered = 0;
    while (answered <= most && (await ask(ATTACKER)) === 'answered') answered++;
    expect(answered).toBeGreaterThan(10);
    expect(answered).toBeLessThanOrEqual(most);
    expect(await ask(ATTACKER)).toBe('too many large requests, try again later');
    expect(await ask(1)).toBe('answered');
    await cluster.run(1_000);
    expect(await ask(ATTACKER)).toBe('answered');
    expect(victim().blamed).toEqual([]);
    await expectProgress();
  });
});
