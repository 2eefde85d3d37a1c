import { Epoch, type Hash, Height, ProtocolError, View } from '@hanse/protocol';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { FinalizedBlock, ImportResult, SyncBlock } from '../chain/ledger.ts';
import { createSilentLogger } from '../runtime/consoleLogger.ts';
import { ManualClock } from '../runtime/manualClock.ts';
import { requestBlockRange, serveBlockRanges } from './blockRanges.ts';
import { SyncDriver, type SyncOptions } from './sync.ts';
import {
  type BlockRange,
  decodeBlockRange,
  decodeSyncBlocks,
  encodeBlockRange,
  encodeSyncBlocks,
  MAX_RANGE_BYTES,
} from './syncWire.ts';
import { PeerCluster } from './testing/peerCluster.ts';

const hashOf = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`;

/** Block `height` of a chain; another `fork` is another chain. Certified unless said otherwise. */
function block(height: number, { fork = 0, certified = true, bytes = 10 } = {}): SyncBlock {
  const proposal = {
    epoch: Epoch(0),
    view: View(height),
    leader: 0,
    parentDigest: hashOf(fork * 1_000_000 + height - 1),
    height: Height(height),
    timeMs: height,
    transactionHashes: [hashOf(7)],
  };
  const transactions = [new Uint8Array(bytes).fill(height)];
  if (!certified) return { proposal, transactions };
  const statement = {
    kind: 'finalize',
    epoch: Epoch(0),
    view: View(height),
    digest: hashOf(fork * 1_000_000 + height),
    height: Height(height),
    blockHash: hashOf(fork),
  } as const;
  return {
    proposal,
    transactions,
    certificate: { statement, signatures: [{ signer: 0, signature: new Uint8Array(64) }] },
  };
}

interface FakePeer {
  head: number;
  answer: (range: BlockRange) => Promise<readonly SyncBlock[]>;
}

const honest = (head: number): FakePeer => ({
  head,
  answer: async ({ from, maxCount }) =>
    Array.from({ length: Math.max(0, Math.min(maxCount, head - from + 1)) }, (_, index) => block(from + index)),
});

/** A driver over peers and a ledger that a test controls: the ledger takes blocks of fork 0 that follow its head. */
function driver(peers: Record<string, FakePeer>, options: Partial<SyncOptions> = {}) {
  const clock = new ManualClock();
  const state = {
    head: 0,
    imports: [] as number[],
    asked: [] as string[],
    penalized: [] as string[],
    caughtUp: [] as number[],
  };
  const importBlocks = async (blocks: readonly SyncBlock[]): Promise<ImportResult> => {
    const imported: FinalizedBlock[] = [];
    expect(blocks.at(-1)?.certificate).toBeDefined();
    const wrong = blocks.find(
      ({ proposal }, index) =>
        proposal.parentDigest !== hashOf(state.head + index) || proposal.height !== state.head + index + 1,
    );
    const bad =
      blocks.find(({ certificate }) => certificate !== undefined && certificate.statement.blockHash !== hashOf(0)) ??
      wrong;
    const good = bad === undefined ? blocks : [];
    state.head += good.length;
    state.imports.push(good.length);
    return bad === undefined
      ? { imported }
      : { imported, rejected: { height: bad.proposal.height, reason: 'wrong block' } };
  };
  const sync = new SyncDriver(
    { rangeBlocks: 10, windowRanges: 4, ...options },
    {
      peers: () => Object.entries(peers).map(([name, { head }]) => ({ name, headHeight: head })),
      getRange: (peer, range) => {
        state.asked.push(`${peer} ${range.from}+${range.maxCount}`);
        return peers[peer]!.answer(range);
      },
      head: async () => state.head,
      importBlocks,
      penalize: (peer, reason) => {
        state.penalized.push(`${peer}: ${reason}`);
        delete peers[peer];
      },
      clock,
      logger: createSilentLogger(),
    },
  );
  sync.onCaughtUp((height) => state.caughtUp.push(height));
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { sync, state, clock, settle };
}

describe('catching up', () => {
  it('imports every block once, from several peers at a time, and stops', async () => {
    const { sync, state, settle } = driver({ a: honest(205), b: honest(205), c: honest(205) });
    sync.behind(205);
    await settle();
    expect(state.head).toBe(205);
    expect(state.caughtUp).toEqual([205]);
    expect(state.imports.reduce((sum, count) => sum + count, 0)).toBe(205);
    expect(state.asked.slice(0, 3)).toEqual(['a 1+10', 'b 11+10', 'c 21+10']);
    expect(sync.status).toMatchObject({ active: false, height: 205 });
  });

  it('does nothing when the block is here already', async () => {
    const { sync, state, settle } = driver({ a: honest(5) });
    state.head = 5;
    sync.behind(5);
    await settle();
    expect([state.asked, state.caughtUp]).toEqual([[], []]);
  });

  it('goes on at the head of the ledger, wherever it was left', async () => {
    const { sync, state, settle } = driver({ a: honest(30) });
    state.head = 17;
    sync.behind(30);
    await settle();
    expect(state.asked).toEqual(['a 18+10', 'a 28+3']);
    expect(state.head).toBe(30);
  });

  it('joins answers that are shorter than asked, and waits for the certificate that covers a block', async () => {
    const certified = (height: number): boolean => height % 7 === 0 || height === 40;
    const short: FakePeer = {
      head: 40,
      answer: async ({ from }) =>
        [from, from + 1, from + 2]
          .filter((height) => height <= 40)
          .map((height) => block(height, { certified: certified(height) })),
    };
    const { sync, state, settle } = driver({ a: short, b: short });
    sync.behind(40);
    await settle();
    expect(state.head).toBe(40);
    expect(state.penalized).toEqual([]);
  });

  it('asks others for what a peer fails to deliver, and that peer again after a while', async () => {
    const broken: FakePeer = { head: 50, answer: () => Promise.reject(new Error('a did not answer in 5000 ms')) };
    const peers: Record<string, FakePeer> = { a: broken, b: honest(50) };
    const { sync, state, settle, clock } = driver(peers);
    sync.behind(50);
    await settle();
    expect(state.head).toBe(50);
    expect(state.asked.filter((text) => text.startsWith('a'))).toHaveLength(1);
    expect(state.penalized).toEqual([]);
    delete peers.b;
    peers.a = { ...broken, head: 60 };
    sync.behind(60);
    await settle();
    peers.a = honest(60);
    clock.advance(3_000);
    await settle();
    expect(state.head).toBe(60);
  });

  it('penalizes a peer whose blocks are wrong and finishes with the others', async () => {
    const liar: FakePeer = {
      head: 60,
      answer: async ({ from, maxCount }) =>
        Array.from({ length: maxCount }, (_, index) => block(from + index, { fork: 1 })),
    };
    const { sync, state, settle } = driver({ liar, b: honest(60) });
    sync.behind(60);
    await settle();
    expect(state.head).toBe(60);
    expect(state.penalized).toHaveLength(1);
    expect(state.penalized[0]).toMatch(/^liar: it sent wrong blocks: block \d+: wrong block$/);
  });

  it('does not blame an honest peer for the uncertified lies of another', async () => {
    // The liar's blocks carry no certificate, so they are only found wrong together with the honest peer's certified ones.
    const liar: FakePeer = {
      head: 60,
      answer: async ({ from, maxCount }) =>
        Array.from({ length: maxCount }, (_, index) => block(from + index, { fork: 1, certified: false })),
    };
    const { sync, state, settle, clock } = driver({ liar, honest: honest(60) });
    sync.behind(60);
    for (let round = 0; round < 10; round++) {
      await settle();
      clock.advance(3_000);
    }
    expect(state.head).toBe(60);
    expect(state.penalized.filter((text) => text.startsWith('honest'))).toEqual([]);
  });

  it('does not blame an honest peer whose uncertified blocks came before a lie', async () => {
    const certified = (height: number): boolean => height % 15 === 0;
    const sparse: FakePeer = {
      head: 60,
      answer: async ({ from, maxCount }) =>
        Array.from({ length: maxCount }, (_, index) => block(from + index, { certified: certified(from + index) })),
    };
    const liar: FakePeer = {
      head: 60,
      answer: async ({ from, maxCount }) =>
        Array.from({ length: maxCount }, (_, index) => block(from + index, { fork: 1 })),
    };
    const { sync, state, settle, clock } = driver({ sparse, liar });
    sync.behind(60);
    for (let round = 0; round < 10; round++) {
      await settle();
      clock.advance(3_000);
    }
    expect(state.head).toBe(60);
    expect(state.penalized.filter((text) => text.startsWith('sparse'))).toEqual([]);
  });

  it('penalizes a peer whose answer breaks the form', async () => {
    const garbled: FakePeer = {
      head: 20,
      answer: () => Promise.reject(new ProtocolError('invalid-message', 'blocks: it ends too early')),
    };
    const { sync, state, settle } = driver({ garbled, b: honest(20) });
    sync.behind(20);
    await settle();
    expect([state.head, state.penalized]).toEqual([20, ['garbled: blocks: it ends too early']]);
  });

  it('ends although a peer boasts of blocks that it does not have', async () => {
    const boaster: FakePeer = { ...honest(20), head: 1_000_000 };
    const { sync, state, settle } = driver({ boaster, b: honest(20) });
    sync.behind(1_000_000);
    await settle();
    expect([state.head, state.caughtUp, sync.status.active]).toEqual([20, [20], false]);
  });

  it('waits for a peer when there is none', async () => {
    const peers: Record<string, FakePeer> = {};
    const { sync, state, settle } = driver(peers);
    sync.behind(10);
    await settle();
    expect(sync.status).toEqual({ active: true, height: 0, target: 10, startHeight: 0 });
    peers.a = honest(10);
    sync.peersChanged();
    await settle();
    expect(state.head).toBe(10);
  });

  it('blames nobody when consensus was faster with the same blocks', async () => {
    const peers = { a: honest(30) };
    const { sync, state, settle } = driver(peers);
    // While the first range travels, consensus brings the ledger far beyond it.
    peers.a = {
      head: 30,
      answer: async (range) => {
        if (range.from === 1) state.head = 25;
        return honest(30).answer(range);
      },
    };
    sync.behind(30);
    await settle();
    expect([state.head, state.penalized]).toEqual([30, []]);
    expect(state.asked).toEqual(['a 1+10', 'a 11+10', 'a 26+5']);
  });

  it('holds no more than its window ahead of the import', async () => {
    const waiting: (() => void)[] = [];
    const slowFirst: FakePeer = {
      head: 1_000,
      answer: (range) =>
        range.from === 1
          ? new Promise((resolve) => waiting.push(() => void honest(1_000).answer(range).then(resolve)))
          : honest(1_000).answer(range),
    };
    const { sync, state, settle } = driver({ a: slowFirst, b: honest(1_000) });
    sync.behind(1_000);
    await settle();
    expect(state.asked).toEqual(['a 1+10', 'b 11+10', 'b 21+10', 'b 31+10']);
    for (const go of waiting) go();
    for (let round = 0; round < 5; round++) await settle();
    expect(state.head).toBe(1_000);
  });
});

describe('the wire format of ranges', () => {
  it('gives back what was sent, within the asked bytes', () => {
    const range: BlockRange = { from: 3, maxCount: 5, maxBytes: 1_000 };
    expect(decodeBlockRange(encodeBlockRange(range))).toEqual(range);
    const blocks = [3, 4, 5, 6].map((height) => block(height, { certified: height !== 4, bytes: 200 }));
    const sent = decodeSyncBlocks(encodeSyncBlocks(blocks, range), range);
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.length).toBeLessThan(4);
    expect(sent).toEqual(blocks.slice(0, sent.length));
    expect(encodeSyncBlocks(blocks, range).length).toBeLessThanOrEqual(1_000);
    expect(decodeSyncBlocks(encodeSyncBlocks(blocks, { ...range, maxBytes: 1 }), range)).toEqual(blocks.slice(0, 1));
  });

  it('refuses ranges out of bounds and answers to another question', () => {
    for (const wrong of [{ from: 0 }, { maxCount: 0 }, { maxCount: 513 }, { maxBytes: MAX_RANGE_BYTES + 1 }]) {
      const payload = encodeBlockRange({ from: 1, maxCount: 1, maxBytes: 1, ...wrong });
      expect(() => decodeBlockRange(payload)).toThrow(ProtocolError);
    }
    const range: BlockRange = { from: 3, maxCount: 2, maxBytes: 10_000 };
    const answer = (...blocks: SyncBlock[]) => encodeSyncBlocks(blocks, { ...range, maxCount: 10 });
    expect(() => decodeSyncBlocks(answer(block(4)), range)).toThrow(/height 4 in the place of 3/);
    expect(() => decodeSyncBlocks(answer(block(3), block(4), block(5)), range)).toThrow(/3 where at most 2/);
    expect(() => decodeSyncBlocks(answer({ ...block(3), transactions: [] }), range)).toThrow(/a body does not fit/);
  });

  it('never throws anything but a ProtocolError, whatever comes', () => {
    const range: BlockRange = { from: 3, maxCount: 5, maxBytes: 10_000 };
    const good = encodeSyncBlocks([block(3), block(4)], range);
    const mutated = fc.tuple(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length)).map(([at, value, length]) => {
      const bytes = good.slice(0, length);
      if (at < bytes.length) bytes[at] = value;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        try {
          decodeSyncBlocks(bytes, range);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { seed: 20_231_201, numRuns: 500 },
    );
  });

  const clusters: PeerCluster[] = [];
  afterEach(async () => {
    for (const cluster of clusters.splice(0)) await cluster.close();
  });

  it('carries blocks from member to member', async () => {
    const cluster = new PeerCluster();
    clusters.push(cluster);
    const [one, two] = [cluster.create(1, 2), cluster.create(2, 2)];
    serveBlockRanges(
      two.peers,
      async ({ from, maxCount }) => Array.from({ length: maxCount }, (_, index) => block(from + index)),
      cluster.clock,
    );
    await cluster.start([one, two]);
    const range: BlockRange = { from: 5, maxCount: 3, maxBytes: 10_000 };
    expect(await requestBlockRange(one.peers, 'member-2', range, 1_000)).toEqual([block(5), block(6), block(7)]);
  });
});
