import type { Hash } from '@hanse/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SyncBlock } from './ledger.ts';
import { bodyOf, LedgerFixture } from './testing/ledgerFixture.ts';

describe('the ledger', () => {
  let fixture: LedgerFixture;
  let root: Hash;

  beforeEach(async () => {
    fixture = new LedgerFixture();
    root = (await fixture.ledger.finalizedHead()).digest;
  });

  it('starts at the genesis with the set that decides the first block', async () => {
    const head = await fixture.ledger.finalizedHead();
    expect([head.height, head.view, head.blockHash, head.certificate]).toEqual([0, 0, fixture.genesisHash, undefined]);
    expect(head.validators.validators.map(({ name }) => name)).toEqual(['authority', 'bank', 'farm', 'market']);
  });

  it('builds, executes and finalizes a chain, and finds it again after a restart', async () => {
    const first = await fixture.extend(root, 1, [fixture.transaction(1, 0)]);
    const second = await fixture.extend(first.digest, 2, [fixture.transaction(1, 1)]);
    const final = await fixture.ledger.finalize(second.digest, fixture.certify(second, 2));
    expect(final.map(({ height, blockHash }) => [height, blockHash])).toEqual([
      [1, first.blockHash],
      [2, second.blockHash],
    ]);
    const reopened = new LedgerFixture(fixture.database);
    const head = await reopened.ledger.finalizedHead();
    expect([head.height, head.digest, head.blockHash, head.view]).toEqual([2, second.digest, second.blockHash, 2]);
    const third = await reopened.extend(head.digest, 3, [reopened.transaction(1, 2)]);
    expect(third.header.parentHash).toBe(second.blockHash);
    expect(reopened.store.findTransaction(fixture.transaction(1, 1).hash)).toEqual({ height: 2, index: 0 });
  });

  it('gives every member the same block for the same proposal', async () => {
    const other = new LedgerFixture();
    const transactions = [fixture.transaction(1, 0), fixture.transaction(2, 0)];
    const { built, blockHash, header } = await fixture.extend(root, 1, transactions);
    expect(await other.ledger.check(built.proposal, transactions.map(bodyOf))).toEqual({ verdict: 'valid' });
    const result = await other.ledger.execute(built.digest);
    expect(result.blockHash).toBe(blockHash);
    expect(result.header).toEqual(header);
    // Once more gives the same, without executing it again.
    expect(await other.ledger.execute(built.digest)).toEqual(result);
  });

  it('leaves out of a block what cannot stand in it, and says what never can', async () => {
    const stranger = { ...fixture.transaction(1, 0), sender: `0x${'99'.repeat(20)}` as const };
    const [used, good, gap] = [fixture.transaction(1, 0), fixture.transaction(2, 0), fixture.transaction(2, 5)];
    const first = await fixture.extend(root, 1, [used]);
    const { built } = await fixture.extend(first.digest, 2, [used, stranger, good, gap]);
    expect(built.transactions.map(({ hash }) => hash)).toEqual([good.hash]);
    expect(built.rejected.map(({ hash }) => hash)).toEqual([used.hash, stranger.hash]);
  });

  it('finds a proposal invalid that breaks a rule, whatever the rule', async () => {
    const transactions = [fixture.transaction(1, 0), fixture.transaction(1, 1)];
    const { proposal } = (await fixture.extend(root, 1, transactions)).built;
    const other = new LedgerFixture();
    const bodies = transactions.map(bodyOf);
    const verdict = async (changes: Partial<typeof proposal>, held = bodies): Promise<string> => {
      const answer = await other.ledger.check({ ...proposal, ...changes }, held);
      return answer.verdict === 'invalid' ? answer.reason : answer.verdict;
    };
    expect(await verdict({ height: 2 as typeof proposal.height })).toMatch(/height 2/);
    expect(await verdict({ timeMs: 1_000_000 })).toMatch(/not after the parent's/);
    expect(await verdict({}, bodies.slice(1))).toMatch(/not those of the proposal/);
    expect(await verdict({}, [...bodies].reverse())).toMatch(/is not the one that the proposal names/);
    expect(
      await verdict({ transactionHashes: [...proposal.transactionHashes].reverse() }, [...bodies].reverse()),
    ).toMatch(/nonce too high/);
    expect(await verdict({ parentDigest: `0x${'12'.repeat(32)}` })).toBe('parent-not-executed');
    expect(await verdict({})).toBe('valid');
  });

  it('keeps branches apart until one is final, and then drops the others', async () => {
    const left = await fixture.extend(root, 1, [fixture.transaction(1, 0)]);
    const right = await fixture.extend(root, 2, [fixture.transaction(2, 0)]);
    const child = await fixture.extend(right.digest, 3, [fixture.transaction(2, 1)]);
    await fixture.ledger.finalize(right.digest, fixture.certify(right, 2));
    await expect(fixture.ledger.execute(left.digest)).rejects.toThrow(/neither built nor found valid/);
    await expect(fixture.extend(left.digest, 4)).rejects.toThrow(/not executed here/);
    // The child stood on an overlay and stands on storage now.
    const grandchild = await fixture.extend(child.digest, 4, [fixture.transaction(1, 0)]);
    const final = await fixture.ledger.finalize(grandchild.digest, fixture.certify(grandchild, 4));
    expect(final.map(({ height }) => height)).toEqual([2, 3]);
    expect(fixture.store.headHeight()).toBe(3);
  });

  it('stores nothing when the certificate names another result than its own', async () => {
    const first = await fixture.extend(root, 1);
    const second = await fixture.extend(first.digest, 2, [fixture.transaction(1, 0)]);
    const foreign = fixture.certify({ ...second, blockHash: `0x${'ee'.repeat(32)}` }, 2);
    await expect(fixture.ledger.finalize(second.digest, foreign)).rejects.toThrow(/certified as 0xeeee/);
    expect(fixture.store.headHeight()).toBe(0);
  });

  it('takes finalizing a final block for done, and one off the chain for an error', async () => {
    const first = await fixture.extend(root, 1);
    const certificate = fixture.certify(first, 1);
    await fixture.ledger.finalize(first.digest, certificate);
    expect(await fixture.ledger.finalize(first.digest, certificate)).toEqual([]);
    const lost = fixture.certify({ ...first, digest: `0x${'dd'.repeat(32)}` }, 1);
    await expect(fixture.ledger.finalize(lost.statement.digest, lost)).rejects.toThrow(/does not stand on/);
  });
});

describe('importing blocks', () => {
  let source: LedgerFixture;
  let target: LedgerFixture;
  let blocks: SyncBlock[];

  beforeEach(async () => {
    source = new LedgerFixture();
    target = new LedgerFixture();
    blocks = [];
    let parent = (await source.ledger.finalizedHead()).digest;
    for (let view = 1; view <= 6; view++) {
      const transactions = [source.transaction(1, view - 1), source.transaction(2, view - 1)];
      const result = await source.extend(parent, view, transactions);
      // Every second block was certified itself; the others by the one after them.
      const certified = view % 2 === 0 ? { certificate: source.certify(result, view) } : {};
      blocks.push({ proposal: result.built.proposal, transactions: transactions.map(({ raw }) => raw), ...certified });
      parent = result.digest;
    }
  });

  it('takes certified runs and gives the same chain', async () => {
    const result = await target.ledger.importBlocks(blocks);
    expect('rejected' in result).toBe(false);
    expect(result.imported.map(({ height }) => height)).toEqual([1, 2, 3, 4, 5, 6]);
    const head = await target.ledger.finalizedHead();
    expect(head.blockHash).toBe(blocks[5]?.certificate?.statement.blockHash);
  });

  it('skips what is final here already, and goes on behind it', async () => {
    await target.ledger.importBlocks(blocks.slice(0, 2));
    const result = await target.ledger.importBlocks(blocks);
    expect(result.imported.map(({ height }) => height)).toEqual([3, 4, 5, 6]);
  });

  it('goes on from a head that consensus moved, over blocks that it executed already', async () => {
    const { proposal, transactions } = blocks[0] as SyncBlock;
    const bodies = [target.transaction(1, 0), target.transaction(2, 0)].map(bodyOf);
    expect(bodies.map(({ raw }) => raw)).toEqual(transactions);
    await target.ledger.check(proposal, bodies);
    const result = await target.ledger.importBlocks(blocks);
    expect(result.imported).toHaveLength(6);
  });

  it.each([
    ['a missing block', () => blocks.splice(2, 1), 2, /does not follow/],
    [
      'another transaction',
      () => alter(2, { transactions: [source.transaction(1, 2).raw, source.transaction(3, 0).raw] }),
      2,
      /not the one that the proposal names/,
    ],
    [
      'a transaction less',
      () => alter(3, { transactions: [source.transaction(1, 3).raw] }),
      2,
      /not those of the proposal/,
    ],
    [
      'garbage for a transaction',
      () => alter(2, { transactions: [new Uint8Array([1, 2, 3]), new Uint8Array([4])] }),
      2,
      /transaction 0/,
    ],
    [
      'a changed time',
      () => alter(2, { proposal: { ...(blocks[2] as SyncBlock).proposal, timeMs: 9_999_999 } }),
      2,
      /does not follow|another block/,
    ],
    [
      'a certificate of another block',
      () => alter(3, { certificate: (blocks[1] as SyncBlock).certificate as NonNullable<SyncBlock['certificate']> }),
      2,
      /another block/,
    ],
    ['a signature too few', () => alter(3, { certificate: withoutSignature() }), 2, /2 signatures instead of 3/],
    ['a forged signature', () => alter(3, { certificate: withForgedSignature() }), 2, /signature of/],
  ])('refuses %s and keeps only the certified runs before it', async (_name, damage, kept, reason) => {
    damage();
    const result = await target.ledger.importBlocks(blocks);
    expect(result.imported.map(({ height }) => height)).toEqual(Array.from({ length: kept }, (_, index) => index + 1));
    expect('rejected' in result && result.rejected.reason).toMatch(reason);
    expect(target.store.headHeight()).toBe(kept);
  });

  it('refuses an end without a certificate', async () => {
    const result = await target.ledger.importBlocks(blocks.slice(0, 5));
    expect('rejected' in result && result.rejected).toEqual({ height: 5, reason: 'no certificate covers this block' });
    expect(target.store.headHeight()).toBe(4);
  });

  it('stops at a certified result that differs from its own: that is a divergence, not a lie', async () => {
    const last = blocks[1] as SyncBlock;
    const { digest, height } = (last.certificate as NonNullable<SyncBlock['certificate']>).statement;
    alter(1, { certificate: source.certify({ digest, height, blockHash: `0x${'ab'.repeat(32)}` }, 2) });
    await expect(target.ledger.importBlocks(blocks)).rejects.toThrow(/Divergence/);
    expect(target.store.headHeight()).toBe(0);
  });

  function alter(index: number, changes: Partial<SyncBlock>): void {
    blocks[index] = { ...(blocks[index] as SyncBlock), ...changes };
  }

  function certificateOf(index: number): NonNullable<SyncBlock['certificate']> {
    return (blocks[index] as SyncBlock).certificate as NonNullable<SyncBlock['certificate']>;
  }

  function withoutSignature(): NonNullable<SyncBlock['certificate']> {
    const certificate = certificateOf(3);
    return { ...certificate, signatures: certificate.signatures.slice(1) };
  }

  function withForgedSignature(): NonNullable<SyncBlock['certificate']> {
    const certificate = certificateOf(3);
    const [first, ...others] = certificate.signatures;
    const signature = Uint8Array.from(first?.signature ?? []);
    signature[5] = (signature[5] ?? 0) ^ 1;
    return { ...certificate, signatures: [{ signer: 0, signature }, ...others] };
  }
});
