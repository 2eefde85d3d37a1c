import {
  type Address,
  Epoch,
  type Hash,
  Height,
  type Statement,
  signTransaction,
  statementBytes,
  View,
} from '@hanse/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeHashes as encodeBodyRequest, encodeStatus, encodeVotes, messageKinds } from '../engine/messages.ts';
import { testAccount, testTransaction } from '../execution/testing/executionFixture.ts';
import { type Envelope, encodeEnvelope } from '../network/envelope.ts';
import { encodeHello } from '../network/hello.ts';
import { MessageKind } from '../network/messageKinds.ts';
import type { PeerStatus } from '../network/peer.ts';
import { encodeBlockRange } from '../network/syncWire.ts';
import { encodeHashes, encodeTransactions } from '../network/transactionWire.ts';
import type { Connection } from '../runtime/network.ts';
import { MemberCluster, transportKey } from './testing/memberCluster.ts';

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

let cluster: MemberCluster;
let nonce: number;

beforeEach(async () => {
  cluster = await MemberCluster.create();
  for (const index of [0, 1, 2]) await cluster.start(index);
  await cluster.run(2_000);
  nonce = 0;
});

afterEach(async () => {
  await cluster.close();
});

const victim = () => cluster.running(0).member;
const attackerAsSeen = (): PeerStatus =>
  victim()
    .peers.peers()
    .find(({ name }) => name === 'market')!;

/** One who speaks the protocol by hand, comes back whenever it may, and sends as much as is taken. */
class Attacker {
  readonly reasons: string[] = [];
  refused = 0;
  connection: Connection | undefined;
  #dialling = false;
  readonly #deaf: boolean;

  constructor(deaf: boolean) {
    this.#deaf = deaf;
  }

  dial(): void {
    if (this.connection !== undefined || this.#dialling) return;
    this.#dialling = true;
    cluster.hub
      .network(transportKey(ATTACKER))
      .dial('authority:1', transportKey(0))
      .then((connection) => this.#connected(connection))
      .catch(() => {
        this.refused++;
      })
      .finally(() => {
        this.#dialling = false;
      });
  }

  #connected(connection: Connection): void {
    this.connection = connection;
    connection.onClose((reason) => {
      this.reasons.push(reason);
      this.connection = undefined;
    });
    connection.onFrame(() => undefined);
    if (this.#deaf) connection.pause();
    connection.send(
      encodeHello({
        minVersion: 1,
        version: 1,
        genesisHash: cluster.genesisHash,
        chainId: 1234,
        memberName: 'market',
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
    for (let count = 0; count < perStep && attacker.connection !== undefined; count++)
      if (!attacker.connection.send(frame(sent++))) break;
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
      if (name !== 'market') expect([name, counters.offences]).toEqual([name, 0]);
  return most;
}

function vote(view: number) {
  const statement: Statement = { kind: 'nullify', epoch: Epoch(0), view: View(view) };
  const message = statementBytes(cluster.genesisHash, statement);
  return {
    statement,
    signer: ATTACKER,
    signature: cluster.suite.sign(testAccount(ATTACKER + 1).privateKey, message),
  };
}

const message = (kind: number, payload: Uint8Array): Envelope => ({ type: 'message', kind, payload });

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
        return () => message(engineKind(messageKinds.votes), payload);
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
        return (number) => message(engineKind(messageKinds.votes), payloads[number % payloads.length]!);
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
        return () => message(engineKind(messageKinds.status), payload);
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
          cluster.suite,
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
    await flood(attacker, 16, perStep, (number) => encodeEnvelope(frame(number)));
    expect(attacker.reasons.length).toBeGreaterThan(0);
    for (const text of attacker.reasons) expect(text).toMatch(reason);
    // Every time it was kept away twice as long: 1, 2, 4, 8 s.
    expect(attackerAsSeen().counters.offences).toBe(attacker.reasons.length);
    expect(attacker.reasons.length).toBeLessThanOrEqual(4);
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
      20,
      (id) => ({
        type: 'request',
        kind: engineKind(messageKinds.requestBodies),
        id,
        payload: encodeBodyRequest(Array.from({ length: 4_096 }, (_, index) => hashOf(index))),
      }),
    ],
    [
      'transactions',
      20,
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
