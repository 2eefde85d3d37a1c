import type { Address, Certificate, FinalizeStatement, Hash, SignedTransaction } from '@hanse/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { testAccount, testTransaction } from '../execution/testing/executionFixture.ts';
import { SeededRandom } from '../runtime/seededRandom.ts';
import type { KeyValueStore } from '../storage/keyValueStore.ts';
import type { SyncBlock, TransactionBody } from './ledger.ts';
import {
  certifyBlock,
  ledgerGenesisHash,
  type MadeBlock,
  makeBlock,
  rootDigest,
  TestLedger,
} from './testing/ledgerFixture.ts';

const RECEIVER: Address = `0x${'ec'.repeat(20)}`;
const sender = (index: number): ReturnType<typeof testAccount> => testAccount(11 + index);
const payment = (index: number, nonce: number, value = 1n): SignedTransaction =>
  testTransaction({ nonce: BigInt(nonce), to: RECEIVER, value, gasLimit: 21_000n }, sender(index));
const bodies = (transactions: readonly TransactionBody[]): readonly TransactionBody[] =>
  transactions.map(({ hash, raw, sender: from }) => ({ hash, raw, sender: from }));

let ledger: TestLedger;
beforeEach(() => {
  ledger = new TestLedger();
});

const received = (at = ledger): bigint => at.store.state().account(RECEIVER)?.balance ?? 0n;

/** Has another ledger check and execute a block as a proposal that arrived. */
async function accept(at: TestLedger, { proposal, transactions, digest }: MadeBlock): Promise<void> {
  expect(await at.service.check(proposal, bodies(transactions))).toEqual({ verdict: 'valid' });
  await at.service.execute(digest);
}

describe('the ledger', () => {
  it('makes a block final with its ancestors, and drops the branches that it excludes', async () => {
    const a = await makeBlock(ledger.service, 1, rootDigest, [payment(0, 0)]);
    const b = await makeBlock(ledger.service, 2, a.digest, [payment(0, 1)]);
    const c = await makeBlock(ledger.service, 3, b.digest, [payment(0, 2)]);
    const other = await makeBlock(ledger.service, 4, a.digest, [payment(1, 0, 50n)]);
    const otherChild = await makeBlock(ledger.service, 5, other.digest, [payment(1, 1, 50n)]);
    const blocks = await ledger.service.finalize(b.digest, b.certificate);
    expect(blocks.map(({ digest }) => digest)).toEqual([a.digest, b.digest]);
    expect(blocks.flatMap(({ senders }) => senders)).toEqual([sender(0).address, sender(0).address]);
    expect(received()).toBe(2n);
    await expect(ledger.service.execute(otherChild.digest)).rejects.toThrow(/neither built nor found valid/);
    expect(await ledger.service.check(otherChild.proposal, bodies(otherChild.transactions))).toEqual({
      verdict: 'parent-not-executed',
    });
    // The descendant stays, with the result that it had, and its state now stands on storage.
    expect(await ledger.service.execute(c.digest)).toEqual(c.result);
    const d = await makeBlock(ledger.service, 6, c.digest, [payment(0, 3)]);
    await ledger.service.finalize(d.digest, d.certificate);
    expect(received()).toBe(4n);
  });

  it('holds branches apart: each sees its own ancestors and no other', async () => {
    const a = await makeBlock(ledger.service, 1, rootDigest, [payment(0, 0, 7n)]);
    const left = await makeBlock(ledger.service, 2, a.digest, [payment(0, 1), payment(1, 0)]);
    const right = await makeBlock(ledger.service, 3, a.digest, [payment(1, 0)]);
    // The same transaction may stand on two branches, and its nonce is used on both.
    expect(left.transactions.map(({ hash }) => hash)).toContain(payment(1, 0).hash);
    expect(right.transactions.map(({ hash }) => hash)).toEqual([payment(1, 0).hash]);
    const again = await makeBlock(ledger.service, 4, right.digest, [payment(1, 0), payment(0, 1)]);
    expect(again.transactions.map(({ hash }) => hash)).toEqual([payment(0, 1).hash]);
    expect(again.rejected.map(({ hash }) => hash)).toEqual([payment(1, 0).hash]);
    // Both ways give the same accounts, and so the same root.
    expect(again.result.header.stateRoot).toBe(left.result.header.stateRoot);
  });

  it('finds a proposal invalid whose rules are broken, and never takes what is missing for invalid', async () => {
    const maker = new TestLedger();
    const a = await makeBlock(maker.service, 1, rootDigest, [payment(0, 0), payment(0, 1)]);
    const b = await makeBlock(maker.service, 2, a.digest, [payment(0, 2)]);
    const { proposal, transactions } = a;
    const verdict = async (changes: Partial<typeof proposal>, given = bodies(transactions)) =>
      (await ledger.service.check({ ...proposal, ...changes }, given)).verdict;
    expect(await ledger.service.check(b.proposal, bodies(b.transactions))).toEqual({ verdict: 'parent-not-executed' });
    expect(await verdict({ height: 2 as typeof proposal.height })).toBe('invalid');
    expect(await verdict({ timeMs: 1_700_000_000_000 })).toBe('invalid');
    expect(await verdict({}, bodies(transactions).slice(1))).toBe('invalid');
    expect(await verdict({}, bodies([...transactions].reverse()))).toBe('invalid');
    const twice = [...transactions, transactions[0]!];
    expect(await verdict({ transactionHashes: twice.map(({ hash }) => hash) }, bodies(twice))).toBe('invalid');
    const gap = [transactions[1]!];
    expect(await verdict({ transactionHashes: gap.map(({ hash }) => hash) }, bodies(gap))).toBe('invalid');
    expect(await verdict({})).toBe('valid');
  });

  it('refuses to execute what it never checked, and to make final what does not stand on its head', async () => {
    const maker = new TestLedger();
    const a = await makeBlock(maker.service, 1, rootDigest, [payment(0, 0)]);
    await expect(ledger.service.execute(a.digest)).rejects.toThrow();
    await expect(ledger.service.finalize(a.digest, a.certificate)).rejects.toThrow(/does not stand on/);
    expect(await ledger.service.check(a.proposal, bodies(a.transactions))).toEqual({ verdict: 'valid' });
    // Valid, but not executed: nothing may be stored.
    await expect(ledger.service.finalize(a.digest, a.certificate)).rejects.toThrow(/no result/);
    expect(ledger.store.headHeight()).toBe(0);
  });

  it('stores nothing under a certificate of another result or of another block', async () => {
    const a = await makeBlock(ledger.service, 1, rootDigest, [payment(0, 0)]);
    const b = await makeBlock(ledger.service, 2, a.digest, [payment(0, 1)]);
    const wrong = certifyBlock(2, { ...b.result, blockHash: a.result.blockHash });
    await expect(ledger.service.finalize(b.digest, wrong)).rejects.toThrow(/certified as/);
    await expect(ledger.service.finalize(b.digest, a.certificate)).rejects.toThrow(/certificate/);
    expect(ledger.store.headHeight()).toBe(0);
    expect((await ledger.service.finalize(b.digest, b.certificate)).length).toBe(2);
  });

  it('answers a second finalization of the same block with nothing', async () => {
    const a = await makeBlock(ledger.service, 1, rootDigest, [payment(0, 0)]);
    const b = await makeBlock(ledger.service, 2, a.digest, []);
    await ledger.service.finalize(b.digest, b.certificate);
    expect(await ledger.service.finalize(b.digest, b.certificate)).toEqual([]);
    expect(await ledger.service.finalize(a.digest, a.certificate)).toEqual([]);
  });

  it('continues from storage after a restart, and gives the same results again', async () => {
    const a = await makeBlock(ledger.service, 1, rootDigest, [payment(0, 0)]);
    const b = await makeBlock(ledger.service, 2, a.digest, [payment(0, 1), payment(1, 0)]);
    await ledger.service.finalize(a.digest, a.certificate);
    ledger.restart();
    expect(await ledger.service.finalizedHead()).toMatchObject({
      height: 1,
      digest: a.digest,
      blockHash: a.result.blockHash,
      view: 1,
      timeMs: a.proposal.timeMs,
    });
    expect((await ledger.service.execute(a.digest)).blockHash).toBe(a.result.blockHash);
    await accept(ledger, b);
    expect((await ledger.service.execute(b.digest)).blockHash).toBe(b.result.blockHash);
    await ledger.service.finalize(b.digest, b.certificate);
    expect(ledger.store.header(2 as never)?.hash).toBe(b.result.blockHash);
  });

  it('stores all of a path or nothing, and takes up again one that storage failed at, with and without a restart', async () => {
    for (const restarts of [false, true]) {
      const disk = failingDisk();
      ledger = new TestLedger();
      ledger.wrap = disk.wrap;
      ledger.restart();
      const a = await makeBlock(ledger.service, 1, rootDigest, [payment(0, 0)]);
      const aside = await makeBlock(ledger.service, 2, rootDigest, [payment(2, 0)]);
      const b = await makeBlock(ledger.service, 3, a.digest, [payment(0, 1)]);
      const c = await makeBlock(ledger.service, 4, b.digest, [payment(0, 2)]);
      const d = await makeBlock(ledger.service, 5, c.digest, [payment(0, 3)]);
      disk.failAfter(0);
      await expect(ledger.service.finalize(c.digest, c.certificate)).rejects.toThrow('the disk is full');
      disk.failAfter(Number.POSITIVE_INFINITY);
      expect(ledger.store.headHeight()).toBe(0);
      expect(received()).toBe(0n);
      if (restarts) {
        ledger.restart();
        for (const block of [a, b, c, d]) await accept(ledger, block);
      }
      const all = await ledger.service.finalize(c.digest, c.certificate);
      expect(all.map(({ digest }) => digest)).toEqual([a.digest, b.digest, c.digest]);
      await expect(ledger.service.execute(aside.digest)).rejects.toThrow();
      expect(ledger.store.certificate(1 as never)).toBeUndefined();
      expect(await ledger.service.execute(d.digest)).toMatchObject({ blockHash: d.result.blockHash });
      await ledger.service.finalize(d.digest, d.certificate);
      expect(received()).toBe(4n);
    }
  });
});

/** A store whose transactions fail after some. */
function failingDisk(): { readonly wrap: (store: KeyValueStore) => KeyValueStore; failAfter(count: number): void } {
  let left = Number.POSITIVE_INFINITY;
  return {
    failAfter: (count) => {
      left = count;
    },
    wrap: (store) => ({
      get: (table, key) => store.get(table, key),
      range: (table, options) => store.range(table, options),
      refresh: () => store.refresh(),
      close: () => store.close(),
      transaction: (write) => {
        if (left-- <= 0) throw new Error('the disk is full');
        store.transaction(write);
      },
    }),
  };
}

describe('the import of finalized blocks', () => {
  let maker: TestLedger;
  let chain: MadeBlock[];

  /** A chain of six blocks at another member; certified are those whose numbers are given. */
  async function sync(certified: readonly number[]): Promise<readonly SyncBlock[]> {
    maker = new TestLedger();
    chain = [];
    let parent: Hash = rootDigest;
    for (let height = 1; height <= 6; height++) {
      const made = await makeBlock(maker.service, height, parent, [payment(0, height - 1), payment(1, height - 1)]);
      chain.push(made);
      parent = made.digest;
    }
    return chain.map(({ syncBlock: { certificate, ...block } }, index) =>
      certified.includes(index + 1) ? { ...block, certificate: certificate as Certificate<FinalizeStatement> } : block,
    );
  }

  it('takes runs that end in a certificate, and stores nothing of one that does not', async () => {
    const blocks = await sync([2, 5]);
    const result = await ledger.service.importBlocks(blocks);
    expect(result.imported.map(({ height }) => height)).toEqual([1, 2, 3, 4, 5]);
    expect(result).toMatchObject({ rejected: { height: 6, reason: expect.stringMatching(/no certificate/) } });
    expect(received()).toBe(10n);
    expect(ledger.store.header(5 as never)?.hash).toBe(chain[4]!.result.blockHash);
  });

  it('stores nothing of a run that was tampered with anywhere, and names the very block that is wrong', async () => {
    const blocks = await sync([6]);
    const changed = (index: number, change: (block: SyncBlock) => SyncBlock): readonly SyncBlock[] =>
      blocks.map((block, place) => (place === index ? change(block) : block));
    const unsigned = { ...chain[5]!.certificate, signatures: chain[5]!.certificate.signatures.slice(1) };
    const tampered: readonly (readonly [number, readonly SyncBlock[]])[] = [
      [4, changed(3, (block) => ({ ...block, transactions: [...block.transactions].reverse() }))],
      [4, changed(3, (block) => ({ ...block, transactions: block.transactions.slice(1) }))],
      [4, changed(3, (block) => ({ ...block, transactions: [block.transactions[0]!, new Uint8Array(9)] }))],
      // The block above it is innocent, although the two do not fit.
      [4, changed(3, (block) => ({ ...block, proposal: { ...block.proposal, timeMs: block.proposal.timeMs + 1 } }))],
      [1, changed(0, (block) => ({ ...block, proposal: { ...block.proposal, parentDigest: chain[1]!.digest } }))],
      [6, changed(5, (block) => ({ ...block, proposal: { ...block.proposal, timeMs: block.proposal.timeMs + 1 } }))],
      [6, changed(5, (block) => ({ ...block, certificate: chain[4]!.certificate }))],
      [6, changed(5, (block) => ({ ...block, certificate: unsigned }))],
      [2, [...blocks.slice(0, 2), ...blocks.slice(3)]],
      [2, blocks.slice(1)],
    ];
    for (const [height, wrong] of tampered) {
      const result = await ledger.service.importBlocks(wrong);
      expect(result).toMatchObject({ imported: [], rejected: { height } });
      expect(ledger.store.headHeight()).toBe(0);
    }
    expect((await ledger.service.importBlocks(blocks)).imported).toHaveLength(6);
  });

  it('takes the senders that its caller recovered, and finds a transaction without one wrong', async () => {
    const blocks = await sync([6]);
    const senders = chain.map(({ transactions }) => transactions.map(({ sender }) => sender));
    const given = blocks.map((block, index) => ({ ...block, senders: senders[index]! }));
    const without = given.map((block, index) => (index === 2 ? { ...block, senders: [undefined, undefined] } : block));
    expect(await ledger.service.importBlocks(without)).toMatchObject({
      imported: [],
      rejected: { height: 3, reason: 'transaction 0 has no valid signature' },
    });
    expect((await ledger.service.importBlocks(given)).imported.map((block) => block.senders)).toEqual(senders);
  });

  it('stores many certified runs with one commit, each with its certificate, and those before a wrong one', async () => {
    const blocks = await sync([1, 2, 3, 4, 5, 6]);
    const disk = failingDisk();
    ledger.wrap = disk.wrap;
    ledger.restart();
    disk.failAfter(0);
    await expect(ledger.service.importBlocks(blocks)).rejects.toThrow('the disk is full');
    expect(ledger.store.headHeight()).toBe(0);
    disk.failAfter(1);
    const wrong = blocks.map((block, index) => (index === 4 ? { ...block, transactions: [] } : block));
    const result = await ledger.service.importBlocks(wrong);
    expect(result).toMatchObject({ rejected: { height: 5 } });
    expect(result.imported.map(({ height }) => height)).toEqual([1, 2, 3, 4]);
    expect([1, 2, 3, 4].map((height) => ledger.store.certificate(height as never))).toEqual(
      chain.slice(0, 4).map(({ certificate }) => certificate),
    );
    expect(received()).toBe(8n);
  });

  it('stops with a divergence when a quorum certified a chain on another block than its own', async () => {
    const blocks = await sync([1, 2, 3, 4, 5, 6]);
    const own = await makeBlock(ledger.service, 1, rootDigest, [payment(2, 0)]);
    await ledger.service.finalize(own.digest, own.certificate);
    await expect(ledger.service.importBlocks(blocks)).rejects.toThrow(/Divergence: a quorum certified block 2 on/);
    expect(ledger.store.headHeight()).toBe(1);
  });

  it('stops with a divergence when a quorum certified another result, and stores nothing', async () => {
    const blocks = await sync([]);
    const { result } = chain[5]!;
    const certificate = certifyBlock(6, { ...result, blockHash: ledgerGenesisHash });
    const diverging = [...blocks.slice(0, 5), { ...blocks[5]!, certificate }];
    await expect(ledger.service.importBlocks(diverging)).rejects.toThrow(/Divergence/);
    expect(ledger.store.headHeight()).toBe(0);
  });

  it('agrees with consensus whatever the order of checks, executions, finalizations, imports and restarts', async () => {
    const blocks = await sync([1, 2, 3, 4, 5, 6]);
    for (let seed = 1; seed <= 10; seed++) {
      const random = new SeededRandom(seed);
      const member = new TestLedger();
      const pick = (bound: number): number => random.bytes(1)[0]! % bound;
      const work: Promise<unknown>[] = [];
      for (let step = 0; step < 40; step++) {
        const block = chain[pick(6)]!;
        const dice = pick(20);
        const from = pick(6);
        // Any of these may come too early or too late; what is refused must change nothing.
        if (dice < 6)
          work.push(member.service.check(block.proposal, bodies(block.transactions)).catch(() => undefined));
        else if (dice < 12) work.push(member.service.execute(block.digest).catch(() => undefined));
        else if (dice < 15) work.push(member.service.finalize(block.digest, block.certificate).catch(() => undefined));
        else if (dice < 18) work.push(member.service.importBlocks(blocks.slice(from, from + 1 + pick(3))));
        else if (dice < 19) await Promise.all(work);
        else {
          await Promise.all(work);
          member.restart();
        }
      }
      await Promise.all(work);
      const head = member.store.headHeight();
      for (let height = 1; height <= head; height++)
        expect(member.store.header(height as never)?.hash).toBe(chain[height - 1]!.result.blockHash);
      // Whatever came before, the rest can be had.
      await member.service.importBlocks(blocks);
      expect(member.store.headHeight()).toBe(6);
      expect(received(member)).toBe(12n);
      member.restart();
      expect((await member.service.finalizedHead()).blockHash).toBe(chain[5]!.result.blockHash);
    }
  });
});
