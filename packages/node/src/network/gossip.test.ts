import { createHash } from 'node:crypto';
import { bytesToHex, type Hash } from '@hanse/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { createSilentLogger } from '../runtime/consoleLogger.ts';
import { type GossipOptions, type GossipTransaction, TransactionGossip } from './gossip.ts';
import { KnownHashes } from './knownHashes.ts';
import { MessageKind } from './messageKinds.ts';
import { keyOf, PeerCluster } from './testing/peerCluster.ts';
import { encodeHashes, encodeTransactions } from './transactionWire.ts';

const hash = (raw: Uint8Array): Hash => bytesToHex(createHash('sha256').update(raw).digest());
const transaction = (number: number, size = 100): GossipTransaction => {
  const raw = new Uint8Array(size);
  new DataView(raw.buffer).setUint32(0, number);
  return { hash: hash(raw), raw };
};
const numberOf = ({ raw }: { readonly raw: Uint8Array }): number =>
  new DataView(raw.buffer, raw.byteOffset).getUint32(0);

const clusters: PeerCluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

/** Members whose pool takes everything and announces it on, as the real one does. */
async function network(count: number, options: Partial<GossipOptions> = {}) {
  const cluster = new PeerCluster();
  clusters.push(cluster);
  const members = Array.from({ length: count }, (_, index) => {
    const { peers } = cluster.create(index + 1, count);
    const pool = new Map<Hash, Uint8Array>();
    const received: string[] = [];
    const batches: number[] = [];
    const processing: { wait: Promise<void> | undefined } = { wait: undefined };
    const gossip: TransactionGossip = new TransactionGossip(options, {
      network: peers,
      clock: cluster.clock,
      logger: createSilentLogger(),
      hash,
      pool: {
        onTransactions: (peer, transactions) => {
          batches.push(transactions.length);
          for (const one of transactions) {
            pool.set(one.hash, one.raw);
            received.push(`${peer.slice(-1)}:${numberOf(one)}`);
          }
          gossip.announce(transactions, peer);
          return processing.wait;
        },
        has: (wanted) => pool.has(wanted),
        get: (wanted) => pool.get(wanted),
        pending: () => pool.keys(),
      },
    });
    const submit = (...transactions: GossipTransaction[]): void => {
      for (const one of transactions) pool.set(one.hash, one.raw);
      gossip.announce(transactions);
    };
    return { peers, gossip, pool, received, batches, submit, processing };
  });
  await cluster.start(members.map(({ peers }) => ({ peers, log: [] })));
  return { cluster, members };
}

describe('transaction gossip', () => {
  it('brings a transaction to every member once, at once, and shows everybody who has it', async () => {
    const { cluster, members } = await network(4);
    const one = transaction(1);
    members[0]!.submit(one);
    await cluster.settle();
    expect(members.map(({ received }) => received)).toEqual([[], ['1:1'], ['1:1'], ['1:1']]);
    await cluster.pass(100);
    expect(members.map(({ received }) => received)).toEqual([[], ['1:1'], ['1:1'], ['1:1']]);
    for (const { peers, gossip } of members) {
      expect(peers.connected().map((peer) => gossip.knownTo(peer, one.hash))).toEqual([true, true, true]);
    }
  });

  it('gathers what follows within the batch time, and sends early what fills a batch', async () => {
    const { cluster, members } = await network(2, { batchMs: 3, batchBytes: 450 });
    const [one, two] = members;
    one!.submit(transaction(1));
    one!.submit(transaction(2));
    one!.submit(transaction(3));
    await cluster.settle();
    expect(two!.batches).toEqual([1]);
    one!.submit(...[4, 5, 6, 7].map((number) => transaction(number)));
    await cluster.settle();
    expect(two!.batches).toEqual([1, 4]);
    cluster.clock.advance(3);
    await cluster.settle();
    expect(two!.batches).toEqual([1, 4, 2]);
    expect(two!.received).toEqual([1, 2, 3, 4, 5, 6, 7].map((number) => `1:${number}`));
  });

  it('sends nothing back to where it came from, and no second copy to anybody', async () => {
    const { cluster, members } = await network(3);
    members[0]!.submit(transaction(1));
    await cluster.pass(1_000);
    const framesOut = () => members.map(({ peers }) => peers.peers().map(({ counters }) => counters.framesOut));
    const before = framesOut();
    members[0]!.submit(transaction(2));
    await cluster.pass(1_000);
    // Two full copies from the first; from the others at most the hash, to each other only.
    const after = framesOut().map((row, index) => row.map((count, peer) => count - before[index]![peer]!));
    expect(after[0]).toEqual([1, 1]);
    expect(after[1]![0]).toBe(0);
    expect(after[2]![0]).toBe(0);
    expect(after[1]![1]! + after[2]![1]!).toBeGreaterThan(0);
  });

  it('takes note of who gave a transaction in another way, for example with a proposal', async () => {
    const { cluster, members } = await network(2);
    const [one, two] = [transaction(1), transaction(2)];
    members[0]!.gossip.announce([one], 'member-2');
    members[0]!.gossip.markKnown('member-2', [two.hash]);
    members[0]!.submit(two);
    await cluster.pass(1_000);
    expect(members[0]!.gossip.knownTo('member-2', one.hash)).toBe(true);
    expect(members[1]!.received).toEqual([]);
  });

  it('reaches a member whose link to the origin is down', async () => {
    const { cluster, members } = await network(3);
    cluster.hub.cut(keyOf(1), keyOf(3));
    members[0]!.submit(transaction(1));
    await cluster.pass(1_000);
    expect(members[2]!.received).toEqual(['2:1']);
  });

  it('offers what waits to a peer that connects, which fetches what it lacks', async () => {
    const { cluster, members } = await network(2);
    const [one, two] = members;
    const all = Array.from({ length: 600 }, (_, index) => transaction(index));
    one!.peers.penalize('member-2', 'a while without');
    await cluster.settle();
    one!.submit(...all);
    two!.pool.set(all[0]!.hash, all[0]!.raw);
    await cluster.pass(10_000);
    expect(two!.pool.size).toBe(600);
    expect(two!.received).toHaveLength(599);
    expect(one!.gossip.knownTo('member-2', all[0]!.hash)).toBe(true);
  });

  it('drops what comes faster than its rate or than the pool works, and the member stays', async () => {
    const { cluster, members } = await network(2, {
      transactionsPerSecond: 1,
      transactionsBurst: 10,
      maxUnprocessed: 6,
    });
    const [one, two] = members;
    let release = (): void => undefined;
    two!.processing.wait = new Promise<void>((resolve) => (release = resolve));
    one!.submit(...[1, 2, 3, 4, 5].map((number) => transaction(number)));
    await cluster.settle();
    expect(two!.received).toHaveLength(5);
    cluster.clock.advance(3);
    one!.submit(...[6, 7].map((number) => transaction(number)));
    await cluster.settle();
    expect([two!.received.length, two!.gossip.dropped]).toEqual([5, 2]);
    release();
    await cluster.settle();
    cluster.clock.advance(3);
    one!.submit(...[8, 9, 10, 11, 12, 13].map((number) => transaction(number)));
    await cluster.settle();
    expect(two!.gossip.dropped).toBe(8);
    expect(two!.peers.connected()).toEqual(['member-1']);
  });

  it.each([
    ['a count without transactions', Uint8Array.of(0, 9)],
    ['bytes behind the last one', Uint8Array.of(0, 0, 1)],
    ['too many', Uint8Array.of(0xff, 0xff)],
    ['one that is too large', encodeTransactions([new Uint8Array(140_000)])],
  ])('penalizes a peer for a malformed batch: %s', async (_case, payload) => {
    const { cluster, members } = await network(2);
    members[0]!.peers.send('member-2', MessageKind.transactions, payload, {
      priority: 'transactions',
      droppable: false,
    });
    await cluster.settle();
    expect(members[1]!.peers.peers()[0]!.state).toBe('penalized');
    expect(members[1]!.received).toEqual([]);
  });
});

describe('a peer that floods', () => {
  const options = { priority: 'transactions', droppable: false } as const;

  it.each<[string, number, () => Uint8Array]>([
    [
      'transactions',
      MessageKind.transactions,
      () => encodeTransactions(Array.from({ length: 10 }, (_, index) => transaction(index).raw)),
    ],
    [
      'hashes',
      MessageKind.transactionHashes,
      () => encodeHashes(Array.from({ length: 10 }, (_, index) => transaction(index).hash)),
    ],
  ])('with %s is passed over at first, and cut off far above its budget, over all its connections', async (_, kind, payload) => {
    const { cluster, members } = await network(2, {
      transactionsPerSecond: 1,
      transactionsBurst: 100,
      hashesPerSecond: 1,
      hashesBurst: 100,
    });
    const [one, two] = members;
    const flood = async (count: number): Promise<void> => {
      for (let sent = 0; sent < count; sent++) one!.peers.send('member-2', kind, payload(), options);
      await cluster.settle();
    };
    await flood(20);
    expect(two!.gossip.dropped).toBeGreaterThan(0);
    expect(two!.peers.peers()[0]).toMatchObject({ state: 'connected', counters: { offences: 0 } });
    // A new connection brings no new budget.
    cluster.hub.cut(keyOf(1), keyOf(2));
    await cluster.pass(25_000);
    cluster.hub.heal(keyOf(1), keyOf(2));
    await cluster.pass(8_000);
    expect(two!.peers.connected()).toEqual(['member-1']);
    await flood(20);
    expect(two!.peers.peers()[0]).toMatchObject({
      state: 'penalized',
      lastError: 'it passed on far more than it may',
    });
  });

  it('with requests is refused, and answered again later', async () => {
    const { cluster, members } = await network(3, { answerBytesPerSecond: 200_000, answerBytesBurst: 400_000 });
    const [one, two, three] = members;
    const large = Array.from({ length: 100 }, (_, index) => transaction(index, 1_000));
    for (const { hash, raw } of large) one!.pool.set(hash, raw);
    const payload = encodeHashes(large.map(({ hash }) => hash));
    const ask = (member: typeof two) =>
      member!.peers.request('member-1', MessageKind.fetchTransactions, payload, 1_000, 'transactions').then(
        (answer) => answer.length,
        (error: Error) => error.message,
      );
    /** Turn after turn, without time passing. */
    const outcome = async <T>(pending: Promise<T>): Promise<T> => {
      for (let turn = 0; turn < 20; turn++) {
        await cluster.settle();
        cluster.clock.advance(0);
      }
      return await pending;
    };
    const answers = await outcome(Promise.all([1, 2, 3, 4, 5].map(() => ask(two))));
    expect(answers.filter((answer) => typeof answer === 'number')).toHaveLength(3);
    expect(answers.at(-1)).toMatch(/too many transactions were asked for, try again later/);
    expect(await outcome(ask(three))).toBeGreaterThan(100_000);
    await cluster.pass(1_000);
    expect(await outcome(ask(two))).toBeGreaterThan(100_000);
    expect(one!.peers.peers().map(({ counters }) => counters.offences)).toEqual([0, 0]);
  });
});

describe('known hashes', () => {
  it('forget the one that was not seen for the longest', () => {
    const known = new KnownHashes(2);
    for (const name of ['0x01', '0x02', '0x01', '0x03'] as const) known.add(name);
    expect([known.has('0x01'), known.has('0x02'), known.has('0x03'), known.size]).toEqual([true, false, true, 2]);
  });

  it('passes over the hashes of a peer that tells of more than its budget, and hears it again later', async () => {
    const { cluster, members } = await network(2, { hashesPerSecond: 10, hashesBurst: 20, fetchDelayMs: 100 });
    const [one, two] = members;
    const tell = (from: number, count: number): void => {
      const hashes = Array.from({ length: count }, (_, index) => transaction(from + index).hash);
      const options = { priority: 'transactions', droppable: false } as const;
      one!.peers.send(one!.peers.connected()[0]!, MessageKind.transactionHashes, encodeHashes(hashes), options);
    };
    tell(0, 20);
    tell(100, 10);
    await cluster.settle();
    const knows = (number: number) => two!.gossip.knownTo(two!.peers.connected()[0]!, transaction(number).hash);
    expect([knows(0), knows(19), knows(100)]).toEqual([true, true, false]);
    expect(two!.gossip.dropped).toBe(10);
    await cluster.pass(1_000);
    tell(100, 10);
    await cluster.settle();
    expect(knows(100)).toBe(true);
  });
});
