import { membersAbi, membersAddress } from '@hanse/modules';
import {
  type Address,
  Epoch,
  type Hash,
  Height,
  hexToBytes,
  type Statement,
  signTransaction,
  statementBytes,
  View,
} from '@hanse/protocol';
import { encodeFunctionData } from 'viem';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedCluster } from '../../simulator/testing/scriptedCluster.ts';
import { splitEpoch, withEpoch } from '../engine/index.ts';
import { encodeHashes as encodeBodyRequest, encodeStatus, encodeVotes, messageKinds } from '../engine/messages.ts';
import { testAccount, testTransaction } from '../execution/testing/executionFixture.ts';
import { decodeEnvelope, type Envelope, encodeEnvelope } from '../network/envelope.ts';
import { encodeHello, PROTOCOL_VERSION } from '../network/hello.ts';
import { MessageKind } from '../network/messageKinds.ts';
import type { PeerStatus } from '../network/peer.ts';
import { encodeBlockRange } from '../network/syncWire.ts';
import { encodeHashes, encodeTransactions } from '../network/transactionWire.ts';
import type { Connection, Network } from '../runtime/network.ts';

const RECEIVER: Address = `0x${'ec'.repeat(20)}`;
const MiB = 1024 * 1024;
/** Holds the keys of the fourth member, which does not run. */
const ATTACKER = 3;
const STEP_MS = 100;
const engineKind = (kind: number): number => MessageKind.engineFirst + kind;
const hashOf = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`;

/** What a member may keep of what three others send it, whatever they send. */
const BOUNDS: Readonly<Record<string, number>> = {
  views: 100,
  blockFacts: 1_024,
  proposals: 60,
  proposalBytes: 48 * MiB,
  verifiedSignatures: 16_384,
  verifiedCertificates: 1_024,
  rememberedVotes: 12,
  earlyMessages: 3 * 128,
  earlyBytes: 3 * 4 * MiB,
  proposalBodies: 16 * 4_096,
  proposalBodyBytes: 32 * MiB,
  unprocessedTransactions: 3 * 8_192,
  wantedTransactions: 16_384,
  knownHashes: 3 * 16_384,
  heldBlocks: 1_100,
  heldBlockBytes: 40 * MiB,
  queuedBytes: 3 * 16 * MiB,
  waitingBytes: 3 * 17 * MiB,
};

let cluster: ScriptedCluster;
let nonce: number;

beforeEach(async () => {
  cluster = await ScriptedCluster.create();
  for (const index of [0, 1, 2]) await cluster.start(index);
  await cluster.run(2_000);
  nonce = 0;
});

afterEach(async () => {
  cluster.close();
});

const victim = () => cluster.running(0).member;
const attackerAsSeen = (): PeerStatus =>
  victim()
    .peers.peers()
    .find(({ name }) => name === 'member-3')!;

/** One who speaks the protocol by hand, comes back whenever it may, and sends as much as is taken. */
class Attacker {
  readonly reasons: string[] = [];
  refused = 0;
  /** Answers to its requests, and refusals. */
  readonly answers = { response: 0, refusal: 0 };
  /** Messages in which it was told how epoch 0 ended. */
  toldOfEnd = 0;
  connection: Connection | undefined;
  #dialling = false;
  #left = 0;
  #frame: () => Uint8Array = () => new Uint8Array(0);
  readonly #deaf: boolean;
  readonly #network: Network;

  constructor(deaf: boolean) {
    this.#deaf = deaf;
    this.#network = cluster.world.networkOf(cluster.machine(ATTACKER));
  }

  dial(): void {
    if (this.connection !== undefined || this.#dialling) return;
    this.#dialling = true;
    this.#network
      .dial('authority:1', cluster.setup.transportKeys[0]!)
      .then((connection) => this.#connected(connection))
      .catch(() => {
        this.refused++;
      })
      .finally(() => {
        this.#dialling = false;
      });
  }

  /** Sends so many frames from now on, as fast as the connection takes them. */
  send(count: number, frame: () => Uint8Array): void {
    this.#left = count;
    this.#frame = frame;
    this.#pump();
  }

  #pump(): void {
    while (this.#left > 0 && this.connection !== undefined) {
      this.#left--;
      if (!this.connection.send(this.#frame())) return;
    }
  }

  #connected(connection: Connection): void {
    this.connection = connection;
    connection.onDrain(() => this.#pump());
    connection.onClose((reason) => {
      this.reasons.push(reason);
      this.connection = undefined;
    });
    let greeted = false;
    connection.onFrame((frame) => {
      const envelope = greeted ? decodeEnvelope(frame) : undefined;
      greeted = true;
      if (envelope?.type === 'response' || envelope?.type === 'refusal') this.answers[envelope.type]++;
      const isCertificates = envelope?.type === 'message' && envelope.kind === engineKind(messageKinds.certificates);
      if (isCertificates && splitEpoch(envelope.payload).epoch === 0) this.toldOfEnd++;
    });
    if (this.#deaf) connection.pause();
    connection.send(
      encodeHello({
        minVersion: PROTOCOL_VERSION,
        version: PROTOCOL_VERSION,
        genesisHash: cluster.setup.genesisHash,
        chainId: 1234,
        memberName: 'member-3',
        headHeight: 0,
        instance: '0x0102030405060708',
      }),
    );
  }
}

/** A payment enters and is final at all three who run. */
async function expectProgress(): Promise<void> {
  const transaction = testTransaction({ nonce: BigInt(nonce++), to: RECEIVER, gasLimit: 100_000n }, testAccount(20));
  await cluster.running(nonce % 3).member.submit(transaction.raw);
  const isFinal = (index: number): boolean =>
    cluster.running(index).reader.findTransaction(transaction.hash) !== undefined;
  await cluster.run(5_000, () => [0, 1, 2].every(isFinal));
  expect([0, 1, 2].map(isFinal)).toEqual([true, true, true]);
}

/**
 * Floods for some seconds, with up to `perStep` frames each tenth of a second, while payments go on. Gives the most that was retained of each kind.
 */
async function flood(
  attacker: Attacker,
  seconds: number,
  perStep: number,
  frame: (number: number) => Uint8Array,
): Promise<Record<string, number>> {
  const most: Record<string, number> = {};
  let sent = 0;
  for (let step = 0; step < seconds * 10; step++) {
    attacker.dial();
    attacker.send(perStep, () => frame(sent++));
    if (step % 20 === 19) await expectProgress();
    await cluster.run(STEP_MS);
    for (const [what, size] of Object.entries(victim().retained())) most[what] = Math.max(most[what] ?? 0, size);
  }
  for (const [what, bound] of Object.entries(BOUNDS))
    expect([what, most[what]! <= bound ? bound : most[what]]).toEqual([what, bound]);
  expect(Object.keys(most).sort()).toEqual(Object.keys(BOUNDS).sort());
  // Nobody honest is taken for the attacker.
  for (const index of [0, 1, 2])
    for (const { name, counters } of cluster.running(index).member.peers.peers())
      if (name !== 'member-3') expect([name, counters.offences]).toEqual([name, 0]);
  return most;
}

function vote(view: number) {
  const statement: Statement = { kind: 'nullify', epoch: Epoch(0), view: View(view) };
  const message = statementBytes(cluster.setup.genesisHash, statement);
  return {
    statement,
    signer: ATTACKER,
    signature: cluster.setup.suite.sign(cluster.setup.voteKeys[ATTACKER]!, message),
  };
}

const message = (kind: number, payload: Uint8Array): Envelope => ({ type: 'message', kind, payload });
const consensus = (kind: number, payload: Uint8Array, epoch = 0): Envelope =>
  message(engineKind(kind), withEpoch(Epoch(epoch), payload));

/** The bank replaces its vote key, so that an epoch ends and the next one begins. */
async function endEpoch(): Promise<void> {
  const { voteKeys } = cluster.machine(1);
  const { privateKey } = testAccount(60);
  voteKeys.push(privateKey);
  const args = [cluster.setup.suite.publicKey(privateKey)] as const;
  const data = hexToBytes(encodeFunctionData({ abi: membersAbi, functionName: 'rotateVoteKey', args }));
  const fields = { nonce: 0n, to: membersAddress, gasLimit: 4_000_000n, data };
  await cluster.running(1).member.submit(testTransaction(fields, testAccount(2)).raw);
  const epochs = (): readonly number[] => [0, 1, 2].map((index) => cluster.running(index).member.engine.state().epoch);
  await cluster.run(5_000, () => epochs().every((epoch) => epoch === 1));
  expect(epochs()).toEqual([1, 1, 1]);
  await expectProgress();
}

describe('a member that floods another', { timeout: 180_000 }, () => {
  it.each<[string, number, () => (number: number) => Envelope, RegExp]>([
    [
      'messages without a meaning',
      3_000,
      () => () => message(0x7777, new Uint8Array(0)),
      /over its budget of messages/,
    ],
    ['bytes without a meaning', 60, () => () => message(0x7777, new Uint8Array(MiB)), /over its budget of bytes/],
    [
      'votes that everybody has',
      100,
      () => {
        const payload = encodeVotes(Array.from({ length: 256 }, () => vote(1)));
        return () => consensus(messageKinds.votes, payload);
      },
      /over its budget of items/,
    ],
    [
      'votes for views far ahead',
      100,
      () => {
        const payloads = Array.from({ length: 40 }, (_, index) =>
          encodeVotes(Array.from({ length: 50 }, (_, at) => vote(10_000 + 50 * index + at))),
        );
        return (number) => consensus(messageKinds.votes, payloads[number % payloads.length]!);
      },
      /over its budget of items/,
    ],
    [
      'reports of where it is',
      100,
      () => {
        const payload = encodeStatus({
          epoch: Epoch(0),
          view: View(1),
          finalizedHeight: Height(0),
          finalizedView: View(0),
          certificates: [],
          yourVotes: [],
        });
        return () => consensus(messageKinds.status, payload);
      },
      /over its budget of statuses/,
    ],
    [
      'heights that rise with every ping',
      100,
      () => (number) => ({ type: 'ping', id: number, headHeight: 1_000_000 + number }),
      /over its budget of pings/,
    ],
    [
      'hashes of transactions that do not exist',
      20,
      () => (number) =>
        message(
          MessageKind.transactionHashes,
          encodeHashes(Array.from({ length: 4_000 }, (_, index) => hashOf(number * 4_000 + index))),
        ),
      /it passed on far more than it may/,
    ],
    [
      'transactions that cannot be paid for',
      40,
      () => {
        const { raw } = signTransaction(
          {
            type: 2,
            chainId: 1234n,
            nonce: 0n,
            gasLimit: 100_000n,
            maxFeePerGas: 0n,
            maxPriorityFeePerGas: 0n,
            to: RECEIVER,
            value: 10n ** 30n,
            data: new Uint8Array(0),
            accessList: [],
          },
          testAccount(99).privateKey,
          cluster.setup.suite,
        );
        const payload = encodeTransactions(Array.from({ length: 1_000 }, () => raw));
        return () => message(MessageKind.transactions, payload);
      },
      /it passed on (too many transactions that are refused|far more than it may)/,
    ],
    [
      'requests without a meaning',
      1_000,
      () => (id) => ({ type: 'request', kind: 0x7777, id, payload: new Uint8Array(0) }),
      /over its budget of requests/,
    ],
  ])('with %s is cut off and kept away, longer each time, and costs the others nothing', async (_, perStep, make, reason) => {
    const attacker = new Attacker(false);
    const frame = make();
    const beganMs = cluster.world.clock.monotonicMs();
    await flood(attacker, 16, perStep, (number) => encodeEnvelope(frame(number)));
    expect(attacker.reasons.length).toBeGreaterThan(0);
    for (const text of attacker.reasons) expect(text).toMatch(reason);
    // Every time it was kept away twice as long: 1, 2, 4, 8, 16 s.
    expect(attackerAsSeen().counters.offences).toBe(attacker.reasons.length);
    const seconds = (cluster.world.clock.monotonicMs() - beganMs) / 1_000;
    expect(attacker.reasons.length).toBeLessThanOrEqual(1 + Math.floor(Math.log2(1 + seconds)));
    expect(attacker.refused).toBeGreaterThan(0);
  });

  it.each<[string, number, (id: number) => Envelope]>([
    [
      'blocks',
      20,
      (id) => ({
        type: 'request',
        kind: MessageKind.blockRange,
        id,
        payload: encodeBlockRange({ from: 1, maxCount: 512, maxBytes: 4 * MiB }),
      }),
    ],
    [
      'bodies of proposals',
      5,
      (id) => ({
        type: 'request',
        kind: engineKind(messageKinds.requestBodies),
        id,
        payload: withEpoch(Epoch(0), encodeBodyRequest(Array.from({ length: 4_096 }, (_, index) => hashOf(index)))),
      }),
    ],
    [
      'transactions',
      5,
      (id) => ({
        type: 'request',
        kind: MessageKind.fetchTransactions,
        id,
        payload: encodeHashes(Array.from({ length: 4_000 }, (_, index) => hashOf(index))),
      }),
    ],
  ])('with requests for %s whose answers it does not read fills no queue', async (_, perStep, request) => {
    const attacker = new Attacker(true);
    const most = await flood(attacker, 16, perStep, (number) => encodeEnvelope(request(number + 1)));
    expect(most.queuedBytes).toBeLessThanOrEqual(16 * MiB);
  });

  it.each<[string, number, number, RegExp, number, number]>([
    ['small', 3_000, 100, /over its budget of messages/, 128, 128 * 100],
    ['large', 60, MiB - 4, /over its budget of bytes/, 4, 4 * MiB - 16],
  ])('with %s messages of the next epoch fills only its own share of what waits for that, until it begins', async (_, perStep, bytes, reason, messages, held) => {
    const attacker = new Attacker(false);
    const frame = encodeEnvelope(consensus(messageKinds.votes, new Uint8Array(bytes), 1));
    const most = await flood(attacker, 16, perStep, () => frame);
    expect(attacker.reasons.length).toBeGreaterThan(0);
    for (const text of attacker.reasons) expect(text).toMatch(reason);
    expect(most).toMatchObject({ earlyMessages: messages, earlyBytes: held });
    await endEpoch();
    expect(victim().retained()).toMatchObject({ earlyMessages: 0, earlyBytes: 0 });
  });

  it('with messages of epochs far ahead is cut off for their number, and nothing is kept', async () => {
    const attacker = new Attacker(false);
    const frame = encodeEnvelope(consensus(messageKinds.votes, new Uint8Array(100), 7));
    const most = await flood(attacker, 16, 3_000, () => frame);
    for (const text of attacker.reasons) expect(text).toMatch(/over its budget of messages/);
    expect(attacker.reasons.length).toBeGreaterThan(0);
    expect(most).toMatchObject({ earlyMessages: 0, earlyBytes: 0 });
  });

  it('with messages of an epoch that is over is told once a second how that ended, and cut off for their number', async () => {
    await endEpoch();
    const attacker = new Attacker(false);
    const frame = encodeEnvelope(consensus(messageKinds.votes, new Uint8Array(100), 0));
    const beganMs = cluster.world.clock.monotonicMs();
    const most = await flood(attacker, 16, 3_000, () => frame);
    expect(attacker.toldOfEnd).toBeGreaterThan(0);
    expect(attacker.toldOfEnd).toBeLessThanOrEqual(1 + (cluster.world.clock.monotonicMs() - beganMs) / 1_000);
    for (const text of attacker.reasons) expect(text).toMatch(/over its budget of messages/);
    expect(attacker.reasons.length).toBeGreaterThan(0);
    expect(most).toMatchObject({ earlyMessages: 0 });
  });

  it('with requests of an epoch that is over gets only so many answers, whatever it asks for', async () => {
    await endEpoch();
    const attacker = new Attacker(false);
    const kinds = [messageKinds.requestCertificates, messageKinds.requestProposal, messageKinds.requestStatus];
    await flood(attacker, 16, 10, (id) => {
      const kind = engineKind(kinds[id % kinds.length]!);
      return encodeEnvelope({ type: 'request', kind, id, payload: withEpoch(Epoch(0), new Uint8Array(0)) });
    });
    expect(attacker.reasons).toEqual([]);
    // 64 at once and 8 a second, for 16 s and the time that the payments take.
    expect(attacker.answers.response).toBeGreaterThanOrEqual(64 + 8 * 15);
    expect(attacker.answers.response).toBeLessThan(64 + 8 * 32);
    expect(attacker.answers.refusal).toBeGreaterThan(1_000);
    expect(victim().engine.load().worstUse.pastRequests).toBe(1);
  });

  it('by coming back all the time is let in only so often', async () => {
    const attacker = new Attacker(false);
    let connects = 0;
    for (let step = 0; step < 600; step++) {
      attacker.dial();
      await cluster.run(20);
      if (attacker.connection !== undefined) {
        connects++;
        attacker.connection.close('again');
      }
      if (step % 100 === 99) await expectProgress();
    }
    // 16 at once, and one in two seconds.
    expect(connects).toBeLessThanOrEqual(16 + 20);
    expect(attacker.refused).toBeGreaterThan(100);
    expect(attackerAsSeen().counters).toMatchObject({ offences: 0 });
  });
});
