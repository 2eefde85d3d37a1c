import { Epoch, encodeCertificate, encodeProposal, type Hash, Height, ProtocolError, View } from '@hanse/protocol';
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
    prepared: 0,
    mostHeld: 0,
    /** Called before each import. */
    beforeImport: async (): Promise<void> => {},
  };
  const importBlocks = async (blocks: readonly SyncBlock[]): Promise<ImportResult> => {
    await state.beforeImport();
    expect(blocks.at(-1)?.certificate).toBeDefined();
    state.mostHeld = Math.max(state.mostHeld, sync.held.blocks);
    const imported: FinalizedBlock[] = [];
    let run: SyncBlock[] = [];
    const before = state.head;
    for (const block of blocks) {
      if (block.proposal.height <= state.head) continue;
      run.push(block);
      if (block.certificate === undefined) continue;
      // As the real import does: from the certified block downwards, the first that is not of the chain is wrong.
      const wrong = run.findLast(({ proposal }) => proposal.parentDigest !== hashOf(proposal.height - 1));
      const { height } = (wrong ?? block).proposal;
      state.imports.push(state.head - before);
      if (wrong !== undefined) return { imported, rejected: { height, reason: 'not of the chain' } };
      expect(run[0]?.proposal.height).toBe(state.head + 1);
      state.head = height;
      run = [];
    }
    return { imported };
  };
  const sync: SyncDriver = new SyncDriver(
    { rangeBlocks: 10, windowRanges: 4, ...options },
    {
      peers: () => Object.entries(peers).map(([name, { head }]) => ({ name, headHeight: head })),
      getRange: (peer, range) => {
        state.asked.push(`${peer} ${range.from}+${range.maxCount}`);
        return peers[peer]!.answer(range);
      },
      prepare: async (blocks) => {
        state.prepared += blocks.length;
        return blocks;
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

const never = (): Promise<never> => new Promise(() => {});

/** What a peer says that makes up blocks from some height on. */
const lying = (head: number, certified: boolean): FakePeer => ({
  head,
  answer: async ({ from, maxCount }) =>
    Array.from({ length: maxCount }, (_, index) => block(from + index, { fork: 1, certified })),
});

describe('catching up', () => {
  it('imports every block once, from several peers at a time, and stops', async () => {
    const { sync, state, settle } = driver({ a: honest(205), b: honest(205), c: honest(205) });
    sync.behind(205, 'a');
    await settle();
    expect(state.head).toBe(205);
    expect(state.caughtUp).toEqual([205]);
    expect(state.prepared).toBe(205);
    expect(state.asked.slice(0, 3)).toEqual(['a 1+10', 'b 11+10', 'c 21+10']);
    expect(sync.status).toMatchObject({ active: false, height: 205 });
    expect(sync.held).toEqual({ blocks: 0, bytes: 0 });
  });

  it('does nothing when the block is here already', async () => {
    const { sync, state, settle } = driver({ a: honest(5) });
    state.head = 5;
    sync.behind(5, 'a');
    await settle();
    expect([state.asked, state.caughtUp]).toEqual([[], []]);
  });

  it('goes on at the head of the ledger, wherever it was left', async () => {
    const { sync, state, settle } = driver({ a: honest(30) });
    state.head = 17;
    sync.behind(30, 'a');
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
    sync.behind(40, 'a');
    await settle();
    expect(state.head).toBe(40);
    expect(state.penalized).toEqual([]);
  });

  it('asks others for what a peer fails to deliver, and that peer again after a while, longer each time', async () => {
    const broken: FakePeer = { head: 50, answer: () => Promise.reject(new Error('a did not answer in 5000 ms')) };
    const peers: Record<string, FakePeer> = { a: broken, b: honest(50) };
    const { sync, state, settle, clock } = driver(peers);
    sync.behind(50, 'b');
    await settle();
    expect(state.head).toBe(50);
    const asked = (): number => state.asked.filter((text) => text.startsWith('a')).length;
    expect([asked(), state.penalized]).toEqual([1, []]);
    delete peers.b;
    peers.a = { ...broken, head: 60 };
    sync.behind(60, 'a');
    await settle();
    const times: number[] = [];
    for (let second = 1; second <= 100; second++) {
      const before = asked();
      clock.advance(1_000);
      await settle();
      if (asked() > before) times.push(second);
    }
    expect(times).toEqual([3, 9, 21, 45, 93]);
    peers.a = honest(60);
    for (let second = 1; second <= 60; second++) {
      clock.advance(1_000);
      await settle();
    }
    expect(state.head).toBe(60);
  });

  it('goes on with others at once when a peer vanishes in the middle of its range', async () => {
    const peers: Record<string, FakePeer> = { b: honest(100), c: honest(100) };
    let vanish = (): void => {};
    peers.a = {
      head: 100,
      answer: () =>
        new Promise((_, reject) => {
          vanish = () => reject(new Error('a was disconnected'));
        }),
    };
    const { sync, state, settle } = driver(peers);
    sync.behind(100, 'b');
    await settle();
    delete peers.a;
    vanish();
    sync.peersChanged();
    await settle();
    expect([state.head, state.caughtUp, state.penalized]).toEqual([100, [100], []]);
  });

  it('does not wait for a peer that neither answers nor goes', async () => {
    const { sync, state, settle, clock } = driver({ mute: { head: 500, answer: never }, b: honest(500) });
    sync.behind(500, 'b');
    await settle();
    // The window is full behind the range that the mute one has.
    expect(state.asked.at(0)).toBe('mute 1+10');
    expect(state.head).toBe(0);
    clock.advance(2_000);
    await settle();
    expect(state.head).toBe(500);
    expect(state.asked.filter((text) => text.startsWith('mute'))).toHaveLength(1);
  });

  it('penalizes a peer whose blocks are wrong and finishes with the others', async () => {
    const { sync, state, settle } = driver({ liar: lying(60, true), b: honest(60) });
    sync.behind(60, 'b');
    await settle();
    expect(state.head).toBe(60);
    expect(state.penalized).toEqual(['liar: it sent a wrong block 1: not of the chain']);
  });

  it('does not blame an honest peer for the uncertified lies of another, and keeps what the honest one sent', async () => {
    // The liar's blocks carry no certificate, so they are only found wrong together with the honest peer's certified ones.
    const { sync, state, settle } = driver({ liar: lying(60, false), honest: honest(60) });
    sync.behind(60, 'honest');
    await settle();
    expect(state.head).toBe(60);
    expect(state.penalized).toEqual(['liar: it sent a wrong block 10: not of the chain']);
    const honestly = state.asked.filter((text) => text.startsWith('honest'));
    expect(new Set(honestly).size).toBe(honestly.length);
  });

  it('does not blame an honest peer whose uncertified blocks came before a lie', async () => {
    const certified = (height: number): boolean => height % 15 === 0;
    const sparse: FakePeer = {
      head: 60,
      answer: async ({ from, maxCount }) =>
        Array.from({ length: maxCount }, (_, index) => block(from + index, { certified: certified(from + index) })),
    };
    const { sync, state, settle } = driver({ sparse, liar: lying(60, true) });
    sync.behind(60, 'sparse');
    await settle();
    expect(state.head).toBe(60);
    expect(state.penalized.map((text) => text.split(':')[0])).toEqual(['liar']);
  });

  it('penalizes a peer whose answer breaks the form', async () => {
    const garbled: FakePeer = {
      head: 20,
      answer: () => Promise.reject(new ProtocolError('invalid-message', 'blocks: it ends too early')),
    };
    const { sync, state, settle } = driver({ garbled, b: honest(20) });
    sync.behind(20, 'b');
    await settle();
    expect([state.head, state.penalized]).toEqual([20, ['garbled: blocks: it ends too early']]);
  });

  it('ends although a peer boasts of blocks that it does not have', async () => {
    const boaster: FakePeer = { ...honest(20), head: 1_000_000 };
    const { sync, state, settle } = driver({ boaster, b: honest(20) });
    sync.behind(1_000_000, 'boaster');
    await settle();
    expect([state.head, state.caughtUp, sync.status.active]).toEqual([20, [20], false]);
    expect(state.asked.filter((text) => text.startsWith('b ')).every((text) => !/ (2[1-9]|[3-9]\d)\+/.test(text))).toBe(
      true,
    );
  });

  it('catches up with what others have while a peer boasts and never answers', async () => {
    const peers: Record<string, FakePeer> = { boaster: { head: 2 ** 40, answer: never }, b: honest(20) };
    const { sync, state, settle, clock } = driver(peers);
    sync.behind(2 ** 40, 'boaster');
    await settle();
    clock.advance(2_000);
    await settle();
    expect(state.head).toBe(20);
    // Long after, what the honest peer has grows, and the boaster still keeps the driver waiting for more.
    for (const head of [25, 400]) {
      peers.b = honest(head);
      sync.peersChanged();
      for (let round = 0; round < 3; round++) {
        await settle();
        clock.advance(2_000);
      }
      expect(state.head).toBe(head);
    }
    expect(state.penalized).toEqual([]);
  });

  it('waits for a peer when there is none', async () => {
    const peers: Record<string, FakePeer> = {};
    const { sync, state, settle } = driver(peers);
    sync.behind(10, 'a');
    await settle();
    expect(sync.status).toMatchObject({ active: true, height: 0, target: 10, startHeight: 0 });
    peers.a = honest(10);
    sync.peersChanged();
    await settle();
    expect(state.head).toBe(10);
  });

  it('follows a target that moves while it runs', async () => {
    const peers: Record<string, FakePeer> = { a: honest(30), b: honest(30) };
    const { sync, state, settle } = driver(peers);
    let head = 30;
    state.beforeImport = async () => {
      if (head >= 300) return;
      head += 10;
      peers.a = honest(head);
      peers.b = honest(head);
      sync.behind(head, 'a');
    };
    sync.behind(30, 'a');
    await settle();
    expect([state.head, state.caughtUp]).toEqual([300, [300]]);
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
    sync.behind(30, 'a');
    await settle();
    expect([state.head, state.penalized]).toEqual([30, []]);
    expect(state.asked).toEqual(['a 1+10', 'a 11+10', 'a 26+5']);
  });

  it('holds no more than its window ahead of the import, in blocks and in bytes', async () => {
    const MiB = 1024 * 1024;
    for (const [bytes, expected] of [
      [10, ['a 1+10', 'b 11+10', 'b 21+10', 'b 31+10']],
      [2 * MiB, ['a 1+10', 'b 11+10', 'b 21+10']],
    ] as const) {
      const full = (range: BlockRange): readonly SyncBlock[] =>
        Array.from({ length: range.maxCount }, (_, index) => block(range.from + index, { bytes }));
      let go = (): void => {};
      const slowFirst: FakePeer = {
        head: 100,
        answer: (range) =>
          range.from === 1
            ? new Promise((resolve) => {
                go = () => resolve(full(range));
              })
            : Promise.resolve(full(range)),
      };
      const { sync, state, settle } = driver({ a: slowFirst, b: { head: 100, answer: async (range) => full(range) } });
      sync.behind(100, 'a');
      await settle();
      expect(state.asked).toEqual(expected);
      go();
      for (let round = 0; round < 5; round++) await settle();
      expect(state.head).toBe(100);
      expect(state.mostHeld).toBeLessThanOrEqual(40);
    }
  });

  it('imports so few blocks at a time that others have their turn, but a run at least', async () => {
    const sparse: FakePeer = {
      head: 400,
      answer: async ({ from, maxCount }) =>
        Array.from({ length: Math.min(maxCount, 400 - from + 1) }, (_, index) =>
          block(from + index, { certified: (from + index) % 5 === 0 && (from + index <= 200 || from + index === 400) }),
        ),
    };
    const sizes: number[] = [];
    const { sync, state, settle } = driver({ sparse }, { rangeBlocks: 50 });
    let before = 0;
    state.beforeImport = async () => {
      sizes.push(state.head - before);
      before = state.head;
    };
    sync.behind(400, 'sparse');
    for (let round = 0; round < 5; round++) await settle();
    expect(state.head).toBe(400);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(64);
    // The last 200 blocks are covered by one certificate.
    expect(state.head - before).toBe(200);
  });

  it('asks others again when one peer left out the certificates of all that there is', async () => {
    const bare: FakePeer = {
      head: 30,
      answer: async ({ from, maxCount }) =>
        Array.from({ length: maxCount }, (_, index) => block(from + index, { certified: false })),
    };
    const peers: Record<string, FakePeer> = { bare };
    const { sync, state, settle, clock } = driver(peers);
    sync.behind(30, 'bare');
    await settle();
    expect([state.head, sync.held.blocks]).toEqual([0, 0]);
    peers.b = honest(30);
    sync.peersChanged();
    await settle();
    clock.advance(1_000);
    await settle();
    expect([state.head, state.penalized]).toEqual([30, []]);
  });

  it('does not wait for ever for a certificate that nobody sends', async () => {
    const bare: FakePeer = {
      head: 5_000,
      answer: async ({ from, maxCount }) =>
        Array.from({ length: maxCount }, (_, index) => block(from + index, { certified: false })),
    };
    const peers: Record<string, FakePeer> = { bare };
    const { sync, state, settle, clock } = driver(peers, { rangeBlocks: 100 });
    sync.behind(5_000, 'bare');
    for (let round = 0; round < 10; round++) await settle();
    expect(sync.held.blocks).toBe(0);
    expect(state.asked.at(-1)).toBe('bare 1001+100');
    // It may be honest: nobody is penalized, and others are asked for the same.
    expect(state.penalized).toEqual([]);
    peers.b = honest(5_000);
    for (let round = 0; round < 100 && state.head < 5_000; round++) {
      sync.peersChanged();
      await settle();
      clock.advance(3_000);
    }
    expect(state.head).toBe(5_000);
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
      (height) => {
        const { proposal, transactions, certificate } = block(height);
        return {
          proposal: encodeProposal(proposal),
          transactions,
          certificate: certificate && encodeCertificate(certificate),
        };
      },
      cluster.clock,
    );
    await cluster.start([one, two]);
    const range: BlockRange = { from: 5, maxCount: 3, maxBytes: 10_000 };
    expect(await requestBlockRange(one.peers, 'member-2', range, 1_000)).toEqual([block(5), block(6), block(7)]);
  });
});
