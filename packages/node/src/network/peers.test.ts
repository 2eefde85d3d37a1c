import { ProtocolError } from '@hanse/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import type { Connection } from '../runtime/network.ts';
import { encodeEnvelope } from './envelope.ts';
import { encodeHello, type Hello, MIN_PROTOCOL_VERSION, PROTOCOL_VERSION } from './hello.ts';
import { DEFAULT_PEER_LIMITS, type PeerLimits } from './peerLimits.ts';
import { RequestRefusal } from './requestError.ts';
import { GENESIS_HASH, keyOf, memberOf, PeerCluster } from './testing/peerCluster.ts';

const clusters: PeerCluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

function newCluster(): PeerCluster {
  const cluster = new PeerCluster();
  clusters.push(cluster);
  return cluster;
}

const KIND = 0x0101;
const URGENT = { priority: 'consensus', droppable: true } as const;

/** Member 9: speaks the protocol by hand, as an attacker that holds a member's key would. */
async function intruder(
  cluster: PeerCluster,
  more: Partial<Hello> = {},
): Promise<{ connection: Connection; closed: string[] }> {
  const connection = await cluster.hub.network(keyOf(9)).dial('host-1:1', keyOf(1));
  const closed: string[] = [];
  connection.onFrame(() => undefined);
  connection.onClose((reason) => closed.push(reason));
  const hello: Hello = {
    minVersion: MIN_PROTOCOL_VERSION,
    version: PROTOCOL_VERSION,
    genesisHash: GENESIS_HASH,
    chainId: 7,
    memberName: 'member-9',
    headHeight: 0,
    instance: '0x0102030405060708',
    ...more,
  };
  connection.send(encodeHello(hello));
  await cluster.settle();
  return { connection, closed };
}

const withNine = [memberOf(1), memberOf(2), { ...memberOf(9), endpoints: [] }];

describe('members find each other', () => {
  it('keeps one connection to every other member and tells it by its name', async () => {
    const cluster = newCluster();
    const members = [1, 2, 3, 4].map((number) => cluster.create(number, 4, { headHeight: number * 10 }));
    const received: string[] = [];
    members[3]!.peers.onMessage(KIND, (peer, payload) => received.push(`${peer}: ${payload.join()}`));
    await cluster.start(members);
    for (const { peers } of members) {
      expect(peers.connected()).toHaveLength(3);
      expect(peers.peers().map(({ counters }) => counters.connects)).toEqual([1, 1, 1]);
    }
    expect(members[0]!.peers.peers().map(({ headHeight }) => headHeight)).toEqual([20, 30, 40]);
    members[0]!.peers.broadcast(KIND, Uint8Array.of(1), URGENT);
    members[1]!.peers.send('member-4', KIND, Uint8Array.of(2), URGENT);
    await cluster.settle();
    expect(received).toEqual(['member-1: 1', 'member-2: 2']);
  });

  it('keeps the connection that the smaller key dialled when both dial at once', async () => {
    const cluster = newCluster();
    const limits = { dialCourtesyMs: 0 };
    const [one, two] = [cluster.create(1, 2, { limits }), cluster.create(2, 2, { limits })];
    const events: string[] = [];
    one.peers.onConnected((peer) => events.push(`connected ${peer}`));
    one.peers.onDisconnected((peer) => events.push(`disconnected ${peer}`));
    await cluster.start([one, two]);
    expect(one.peers.peers()[0]).toMatchObject({ state: 'connected', direction: 'outbound' });
    expect(two.peers.peers()[0]).toMatchObject({ state: 'connected', direction: 'inbound' });
    expect(events).toEqual(['connected member-2']);
  });

  it('loses no message when a duplicate connection is given up', async () => {
    const cluster = newCluster();
    const limits = { dialCourtesyMs: 0 };
    const [one, two] = [cluster.create(1, 2, { limits }), cluster.create(2, 2, { limits })];
    const received: number[] = [];
    two.peers.onMessage(KIND, (_peer, payload) => received.push(payload[0]!));
    let count = 0;
    one.peers.onConnected(() => {
      for (; count < 20; count++) one.peers.send('member-2', KIND, Uint8Array.of(count), URGENT);
    });
    await cluster.start([one, two]);
    expect(received.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  it('says on both sides why members of different networks do not talk', async () => {
    const cluster = newCluster();
    const [one, two] = [cluster.create(1, 2), cluster.create(2, 2, { genesisHash: `0x${'cd'.repeat(32)}` })];
    await cluster.start([one, two]);
    for (const { peers, log } of [one, two]) {
      expect(peers.connected()).toEqual([]);
      expect(peers.peers()[0]!.lastError).toMatch(/^wrong network: genesis 0x.* chain 7 met genesis 0x.* chain 7$/);
      expect(log.filter((line) => line.includes('wrong network')).length).toBeGreaterThan(0);
    }
    await cluster.pass(60_000);
    // Two wordings at most (each side's view of it), not one line an attempt.
    expect(one.log.filter((line) => line.includes('wrong network')).length).toBeLessThan(12);
  });

  it('refuses a member whose protocol versions have nothing in common', async () => {
    const cluster = newCluster();
    const one = cluster.create(1, 1, { members: withNine });
    await cluster.start([one]);
    const { closed } = await intruder(cluster, { minVersion: 3, version: 4 });
    expect(closed).toEqual(['no common protocol version: 2 to 2 met 3 to 4']);
  });

  it('dials again with growing pauses until the other side is there', async () => {
    const cluster = newCluster();
    const [one, two] = [cluster.create(1, 2), cluster.create(2, 2)];
    await cluster.start([one]);
    await cluster.pass(60_000);
    const { dialFailures } = one.peers.peers()[0]!.counters;
    expect(dialFailures).toBeGreaterThan(10);
    expect(dialFailures).toBeLessThan(30);
    expect(one.log.filter((line) => line.includes('ECONNREFUSED'))).toHaveLength(1);
    await two.peers.start();
    await cluster.pass(8_000);
    expect(one.peers.connected()).toEqual(['member-2']);
  });

  it("tries all of a member's endpoints", async () => {
    const cluster = newCluster();
    const two = { ...memberOf(2), endpoints: ['old-host:1', 'older-host:1', 'host-2:1'] };
    const [one, other] = [
      cluster.create(1, 2, { members: [two] }),
      cluster.create(2, 2, { members: [{ ...memberOf(1), endpoints: [] }] }),
    ];
    await cluster.start([one, other]);
    await cluster.pass(2_000);
    expect(one.peers.connected()).toEqual(['member-2']);
  });

  it('takes a peer that restarted for a new connection at once', async () => {
    const cluster = newCluster();
    const [one, two] = [cluster.create(1, 2), cluster.create(2, 2)];
    const events: string[] = [];
    one.peers.onConnected((peer) => events.push(`connected ${peer}`));
    one.peers.onDisconnected((_peer, reason) => events.push(reason));
    await cluster.start([one, two]);
    // The process dies without a word, as when its machine lost power.
    cluster.hub.cut(keyOf(1), keyOf(2));
    await two.peers.close();
    cluster.hub.heal(keyOf(1), keyOf(2));
    const again = cluster.create(2, 2);
    await cluster.start([again]);
    expect(events).toEqual(['connected member-2', 'the peer restarted', 'connected member-2']);
    expect(again.peers.connected()).toEqual(['member-1']);
  });

  it('notices a connection that silently died, and comes back when it can', async () => {
    const cluster = newCluster();
    const [one, two] = [cluster.create(1, 2), cluster.create(2, 2)];
    await cluster.start([one, two]);
    cluster.hub.cut(keyOf(1), keyOf(2));
    await cluster.pass(25_000);
    expect(one.peers.connected()).toEqual([]);
    expect(one.log.some((line) => line.includes('silent for'))).toBe(true);
    cluster.hub.heal(keyOf(1), keyOf(2));
    await cluster.pass(8_000);
    expect([one.peers.connected(), two.peers.connected()]).toEqual([['member-2'], ['member-1']]);
  });

  it('follows changes of the list of members', async () => {
    const cluster = newCluster();
    const members = [1, 2, 3].map((number) => cluster.create(number, 2));
    await cluster.start(members);
    const [one, two, three] = members;
    expect(three!.peers.connected()).toEqual([]);
    const { log } = three!;
    expect(log.some((line) => line.includes('the key is no member of this network'))).toBe(true);
    for (const { peers } of [one!, three!]) peers.setMembers([memberOf(1), memberOf(3)]);
    await cluster.pass(6_000);
    expect(one!.peers.connected()).toEqual(['member-3']);
    expect(two!.peers.peers()[0]!.lastError).toMatch(/no longer a member|no member of this network/);
  });

  it('tells peers of its height with pings', async () => {
    const cluster = newCluster();
    const [one, two] = [cluster.create(1, 2), cluster.create(2, 2)];
    const heads: number[] = [];
    two.peers.onHead((_peer, height) => heads.push(height));
    await cluster.start([one, two]);
    one.peers.setHead(5);
    await cluster.pass(5_000);
    expect(heads).toEqual([0, 5]);
    expect(one.peers.peers()[0]!.rttMs).toBe(0);
  });
});

describe('requests', () => {
  it('bring the answer, the refusal, or an error that says why there is none', async () => {
    const cluster = newCluster();
    const [one, two] = [cluster.create(1, 2), cluster.create(2, 2)];
    two.peers.onRequest(KIND, async (peer, payload) => Uint8Array.of(Number(peer.slice(-1)), ...payload), 'consensus');
    two.peers.onRequest(KIND + 1, () => Promise.reject(new RequestRefusal('that was pruned')), 'consensus');
    two.peers.onRequest(KIND + 2, () => Promise.reject(new Error('a secret of the machine')), 'consensus');
    const throwing = (): never => {
      throw new RangeError('a defect that throws at once');
    };
    two.peers.onRequest(KIND + 4, throwing, 'consensus');
    await cluster.start([one, two]);
    const ask = (kind: number) => one.peers.request('member-2', kind, Uint8Array.of(5), 1_000, 'consensus');
    expect(await ask(KIND)).toEqual(Uint8Array.of(1, 5));
    await expect(ask(KIND + 1)).rejects.toMatchObject({
      code: 'refused',
      message: 'member-2 refused: that was pruned',
    });
    await expect(ask(KIND + 2)).rejects.toMatchObject({ code: 'refused', message: 'member-2 refused: internal error' });
    await expect(ask(KIND + 4)).rejects.toMatchObject({ code: 'refused', message: 'member-2 refused: internal error' });
    await expect(ask(KIND + 3)).rejects.toMatchObject({
      code: 'refused',
      message: 'member-2 refused: unknown kind of request',
    });
    await expect(one.peers.request('nobody', KIND, Uint8Array.of(), 1_000, 'consensus')).rejects.toMatchObject({
      code: 'not-connected',
    });
  });

  it('time out on the clock, and a late answer is passed over', async () => {
    const cluster = newCluster();
    const [one, two] = [cluster.create(1, 2), cluster.create(2, 2)];
    let answer = (_payload: Uint8Array): void => undefined;
    two.peers.onRequest(KIND, () => new Promise((resolve) => (answer = resolve)), 'consensus');
    await cluster.start([one, two]);
    const request = one.peers.request('member-2', KIND, Uint8Array.of(), 1_000, 'consensus');
    let settled = false;
    const outcome = request.catch((error: unknown) => error).finally(() => (settled = true));
    await cluster.settle();
    cluster.clock.advance(999);
    await cluster.settle();
    expect(settled).toBe(false);
    cluster.clock.advance(1);
    expect(await outcome).toMatchObject({ code: 'timeout' });
    answer(Uint8Array.of(1));
    await cluster.settle();
    expect(one.peers.connected()).toEqual(['member-2']);
    expect(one.peers.peers()[0]!.counters.requestsTimedOut).toBe(1);
  });

  it('fail when the connection does', async () => {
    const cluster = newCluster();
    const [one, two] = [cluster.create(1, 2), cluster.create(2, 2)];
    two.peers.onRequest(KIND, () => new Promise(() => undefined), 'consensus');
    await cluster.start([one, two]);
    const request = one.peers.request('member-2', KIND, Uint8Array.of(), 1_000, 'consensus');
    const failed = expect(request).rejects.toMatchObject({ code: 'disconnected' });
    await cluster.settle();
    await two.peers.close();
    await failed;
  });

  it('beyond the number that may run are refused as busy', async () => {
    const cluster = newCluster();
    const [one, two] = [cluster.create(1, 2), cluster.create(2, 2, { limits: { maxInboundRequests: 2 } })];
    const finish: (() => void)[] = [];
    two.peers.onRequest(
      KIND,
      () => new Promise((resolve) => finish.push(() => resolve(Uint8Array.of(1)))),
      'consensus',
    );
    await cluster.start([one, two]);
    const requests = [1, 2, 3].map(() => one.peers.request('member-2', KIND, Uint8Array.of(), 1_000, 'consensus'));
    await expect(requests[2]).rejects.toMatchObject({ code: 'refused', message: 'member-2 refused: busy' });
    for (const done of finish) done();
    expect(await Promise.all(requests.slice(0, 2))).toHaveLength(2);
  });
});

describe('a peer that misbehaves', () => {
  it('is dropped when it floods, while round trips with another one go on', async () => {
    const cluster = newCluster();
    const limits = { messagesPerSecond: 100, messagesBurst: 1_000 };
    const [one, two] = [cluster.create(1, 2, { members: withNine, limits }), cluster.create(2, 2)];
    one.peers.onRequest(KIND, async (_peer, payload) => payload, 'consensus');
    let handled = 0;
    one.peers.onMessage(KIND, () => handled++);
    await cluster.start([one, two]);
    const { connection, closed } = await intruder(cluster);
    const flood = encodeEnvelope({ type: 'message', kind: KIND, payload: new Uint8Array(20) });
    const answers: number[] = [];
    for (let round = 0; round < 30; round++) {
      for (let count = 0; count < 50; count++) connection.send(flood);
      const answer = await two.peers.request('member-1', KIND, Uint8Array.of(round), 1_000, 'consensus');
      answers.push(answer[0]!);
      cluster.clock.advance(0);
    }
    expect(answers).toEqual(Array.from({ length: 30 }, (_, round) => round));
    expect(closed).toEqual(['over its budget of messages']);
    expect(handled).toBeLessThanOrEqual(1_000);
    expect(one.peers.connected()).toEqual(['member-2']);
    expect(one.peers.peers().find(({ name }) => name === 'member-9')).toMatchObject({
      state: 'penalized',
      counters: { offences: 1 },
    });
  });

  it('is dropped when it sends more bytes than its budget, but not for answers that were asked for', async () => {
    const cluster = newCluster();
    const limits = { bytesPerSecond: 1, bytesBurst: 10_000 };
    const [one, two] = [cluster.create(1, 2, { limits }), cluster.create(2, 2)];
    two.peers.onRequest(KIND, async () => new Uint8Array(9_000), 'sync');
    await cluster.start([one, two]);
    for (let count = 0; count < 5; count++) {
      expect(await one.peers.request('member-2', KIND, Uint8Array.of(), 1_000, 'sync')).toHaveLength(9_000);
    }
    two.peers.send('member-1', KIND, new Uint8Array(9_000), URGENT);
    two.peers.send('member-1', KIND, new Uint8Array(9_000), URGENT);
    await cluster.settle();
    expect(one.peers.peers()[0]).toMatchObject({ state: 'penalized', lastError: 'over its budget of bytes' });
  });

  it('is kept away for twice as long with every offence', async () => {
    const cluster = newCluster();
    const [one, two] = [cluster.create(1, 2), cluster.create(2, 2)];
    await cluster.start([one, two]);
    for (const backoffMs of [1_000, 2_000, 4_000]) {
      // What is found in what it sent before it was cut off counts as the same offence.
      for (let found = 0; found < 3; found++) one.peers.penalize('member-2', 'it lied');
      await cluster.pass(backoffMs - 100);
      expect(one.peers.connected()).toEqual([]);
      expect(two.peers.peers()[0]!.lastError).toMatch(/it lied/);
      await cluster.pass(6_000);
      expect(one.peers.connected()).toEqual(['member-2']);
    }
    await cluster.pass(DEFAULT_PEER_LIMITS.penaltyMemoryMs);
    one.peers.penalize('member-2', 'it lied again');
    await cluster.pass(2_000);
    expect(one.peers.connected()).toEqual(['member-2']);
  });

  it.each([
    ['garbage in the place of a hello', Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7), 'hello: this is none'],
    [
      'a message before its hello',
      encodeEnvelope({ type: 'message', kind: KIND, payload: new Uint8Array(3) }),
      'hello: this is none',
    ],
  ])('is penalized for %s', async (_case, frame, reason) => {
    const cluster = newCluster();
    const one = cluster.create(1, 1, { members: withNine });
    await cluster.start([one]);
    const connection = await cluster.hub.network(keyOf(9)).dial('host-1:1', keyOf(1));
    const closed: string[] = [];
    connection.onClose((text) => closed.push(text));
    connection.send(frame);
    await cluster.settle();
    expect(closed).toEqual([reason]);
    await expect(cluster.hub.network(keyOf(9)).dial('host-1:1', keyOf(1))).rejects.toThrow(
      /not before a while, after an offence/,
    );
  });

  it('is penalized for a frame that is no envelope and for a payload that its handler finds malformed', async () => {
    const cluster = newCluster();
    const one = cluster.create(1, 1, { members: withNine });
    one.peers.onMessage(KIND, () => {
      throw new ProtocolError('invalid-message', 'a vote of nobody');
    });
    await cluster.start([one]);
    const first = await intruder(cluster);
    first.connection.send(Uint8Array.of(77));
    await cluster.settle();
    await cluster.pass(1_100);
    const second = await intruder(cluster);
    second.connection.send(encodeEnvelope({ type: 'message', kind: KIND, payload: new Uint8Array(0) }));
    await cluster.settle();
    expect([first.closed, second.closed]).toEqual([
      ['envelope: its type is unknown or out of place'],
      ['a vote of nobody'],
    ]);
  });

  it('loses its connection when it says no hello in time', async () => {
    const cluster = newCluster();
    const one = cluster.create(1, 1, { members: withNine });
    await cluster.start([one]);
    const connection = await cluster.hub.network(keyOf(9)).dial('host-1:1', keyOf(1));
    const closed: string[] = [];
    connection.onClose((reason) => closed.push(reason));
    await cluster.pass(5_000);
    expect(closed).toEqual(['no hello in time']);
  });

  it.each([
    ['number of frames', { framesPerTurn: 4 }, 1],
    ['number of bytes', { bytesPerTurn: 4_000 }, 900],
  ])('has a bounded %s handled before the others have their turn', async (_, limits, size) => {
    const cluster = newCluster();
    const [one, two] = [cluster.create(1, 2, { members: withNine, limits }), cluster.create(2, 2)];
    const order: string[] = [];
    one.peers.onMessage(KIND, (peer) => order.push(peer.slice(-1)));
    await cluster.start([one, two]);
    const { connection } = await intruder(cluster);
    cluster.clock.advance(0);
    for (let count = 0; count < 12; count++)
      connection.send(encodeEnvelope({ type: 'message', kind: KIND, payload: new Uint8Array(size) }));
    for (let count = 0; count < 2; count++) two.peers.send('member-1', KIND, Uint8Array.of(1), URGENT);
    await cluster.settle();
    expect(order.join('')).toBe('999922');
    for (let turn = 0; turn < 4; turn++) cluster.clock.advance(0);
    expect(order.join('')).toBe('99992299999999');
  });

  it('may send one frame that is larger than what a turn may take', async () => {
    const cluster = newCluster();
    const one = cluster.create(1, 1, { members: withNine, limits: { bytesPerTurn: 100 } });
    const sizes: number[] = [];
    one.peers.onMessage(KIND, (_, payload) => sizes.push(payload.length));
    await cluster.start([one]);
    const { connection } = await intruder(cluster);
    cluster.clock.advance(0);
    for (const size of [500, 600])
      connection.send(encodeEnvelope({ type: 'message', kind: KIND, payload: new Uint8Array(size) }));
    await cluster.settle();
    expect(sizes).toEqual([500]);
    cluster.clock.advance(0);
    expect(sizes).toEqual([500, 600]);
  });

  it.each<[string, Uint8Array, Partial<PeerLimits>]>([
    [
      'messages',
      encodeEnvelope({ type: 'message', kind: 0x7777, payload: new Uint8Array(5) }),
      { messagesPerSecond: 1, messagesBurst: 100 },
    ],
    [
      'bytes',
      encodeEnvelope({ type: 'message', kind: 0x7777, payload: new Uint8Array(97) }),
      { bytesPerSecond: 1, bytesBurst: 10_000 },
    ],
    [
      'requests',
      encodeEnvelope({ type: 'request', kind: 0x7777, id: 1, payload: new Uint8Array(0) }),
      { requestsPerSecond: 1, requestsBurst: 100 },
    ],
    ['pings', encodeEnvelope({ type: 'ping', id: 1, headHeight: 1 }), { pingsPerSecond: 1, pingsBurst: 100 }],
  ])('has one budget of %s over all its connections', async (what, frame, limits) => {
    const cluster = newCluster();
    const one = cluster.create(1, 1, { members: withNine, limits });
    await cluster.start([one]);
    for (const [sent, expected] of [
      [60, []],
      [60, [`over its budget of ${what}`]],
    ] as const) {
      const { connection, closed } = await intruder(cluster);
      for (let count = 0; count < sent; count++) connection.send(frame);
      await cluster.settle();
      expect(closed).toEqual(expected);
      connection.close('again');
      await cluster.settle();
    }
    expect(one.peers.peers().find(({ name }) => name === 'member-9')).toMatchObject({
      state: 'penalized',
      counters: { offences: 1, connects: 2 },
    });
  });

  it('is let in only so often, without being punished for it', async () => {
    const cluster = newCluster();
    const one = cluster.create(1, 1, { members: withNine });
    await cluster.start([one]);
    const connect = async (): Promise<boolean> => {
      try {
        const { connection } = await intruder(cluster);
        connection.close('again');
        await cluster.settle();
        return true;
      } catch (error) {
        expect(String(error)).toMatch(/not before a while, it connects too often/);
        return false;
      }
    };
    let admitted = 0;
    for (let attempt = 0; attempt < 100; attempt++) if (await connect()) admitted++;
    expect(admitted).toBe(DEFAULT_PEER_LIMITS.connectsBurst);
    cluster.clock.advance(2_000);
    expect([await connect(), await connect()]).toEqual([true, false]);
    const { counters } = one.peers.peers().find(({ name }) => name === 'member-9')!;
    expect(counters).toMatchObject({ offences: 0, connectsRefused: 85 });
  });

  it('is not dialled in a circle when it ends every connection as soon as it is made', async () => {
    const cluster = newCluster();
    let accepted = 0;
    await cluster.hub.network(keyOf(2)).listen('host-2:1', {
      refusal: () => undefined,
      accepted: (connection) => {
        accepted++;
        connection.onFrame(() => connection.close('bye'));
        connection.send(
          encodeHello({
            minVersion: MIN_PROTOCOL_VERSION,
            version: PROTOCOL_VERSION,
            genesisHash: GENESIS_HASH,
            chainId: 7,
            memberName: 'member-2',
            headHeight: 0,
            instance: '0x0102030405060708',
          }),
        );
      },
    });
    const one = cluster.create(1, 2);
    await cluster.start([one]);
    await cluster.pass(60_000);
    expect(accepted).toBeGreaterThan(5);
    expect(accepted).toBeLessThan(40);
  });

  it('loses its connection when it answers no ping, however much it sends', async () => {
    const cluster = newCluster();
    const one = cluster.create(1, 1, { members: withNine });
    await cluster.start([one]);
    const { connection, closed } = await intruder(cluster);
    const frame = encodeEnvelope({ type: 'message', kind: KIND, payload: new Uint8Array(1) });
    for (let second = 0; second < 60 && closed.length === 0; second++) {
      connection.send(frame);
      await cluster.pass(1_000);
    }
    expect(closed).toEqual(['no ping was answered for 30000 ms']);
  });

  it('breaks nothing with a request whose handler throws, nor fills the log', async () => {
    const cluster = newCluster();
    const one = cluster.create(1, 1, { members: withNine });
    one.peers.onRequest(
      KIND,
      () => {
        throw new RangeError('the handler has a bug');
      },
      'consensus',
    );
    await cluster.start([one]);
    const { connection, closed } = await intruder(cluster);
    const answers: Uint8Array[] = [];
    connection.onFrame((frame) => answers.push(frame));
    for (let id = 1; id <= 100; id++)
      connection.send(encodeEnvelope({ type: 'request', kind: KIND, id, payload: new Uint8Array(0) }));
    await cluster.settle();
    for (let turn = 0; turn < 10; turn++) {
      cluster.clock.advance(0);
      await cluster.settle();
    }
    expect(closed).toEqual([]);
    // 16 run at once; whatever comes beside them is refused as busy.
    const refusals = answers.map((frame) => new TextDecoder().decode(frame.subarray(5)));
    expect(refusals.filter((reason) => reason === 'internal error').length).toBeGreaterThanOrEqual(16);
    expect(refusals.filter((reason) => reason === 'internal error' || reason === 'busy')).toHaveLength(100);
    expect(one.log.filter((line) => line.includes('the handler has a bug')).length).toBe(5);
  });
});
