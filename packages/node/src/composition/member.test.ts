import {
  type Address,
  emptyHashes,
  emptyTrieRoot,
  encodeAccount,
  type Hash,
  type SignedTransaction,
  type Suite,
} from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { testAccount, testTransaction } from '../execution/testing/executionFixture.ts';
import { StateKeys } from '../storage/stateKeys.ts';
import { MemberCluster } from './testing/memberCluster.ts';

const RECEIVER: Address = `0x${'ec'.repeat(20)}`;
const payment = (account: number, nonce: number, data = 0): SignedTransaction =>
  testTransaction(
    { nonce: BigInt(nonce), to: RECEIVER, gasLimit: 100_000n, data: new Uint8Array(data) },
    testAccount(account),
  );

const emptyAccount = (suite: Suite) => ({ codeHash: emptyHashes(suite).code, storageRoot: emptyTrieRoot(suite) });

const isFinal = (cluster: MemberCluster, index: number, hash: Hash): boolean =>
  cluster.members[index]!.running?.reader.findTransaction(hash) !== undefined;
async function submitSilently(cluster: MemberCluster, index: number, { raw }: SignedTransaction): Promise<void> {
  expect(await cluster.running(index).member.intake.submitOne(raw)).toMatchObject({ ok: true });
}
const isFinalEverywhere = (cluster: MemberCluster, hash: Hash): boolean =>
  cluster.members.every(({ index }) => isFinal(cluster, index, hash));

describe('a member', () => {
  it('says so and stops to import when its own execution differs from what a quorum certified', async () => {
    const cluster = await MemberCluster.create({ seed: 3 });
    await cluster.startAll();
    await cluster.running(0).member.submit(payment(20, 0).raw);
    await cluster.run(1_000, () => isFinalEverywhere(cluster, payment(20, 0).hash));
    cluster.kill(3);
    const { address } = testAccount(20);
    const keys = new StateKeys(cluster.suite);
    const damaged = { nonce: 1n, balance: 5n, ...emptyAccount(cluster.suite) };
    cluster.members[3]!.database.open().transaction((batch) => {
      batch.put('accounts', keys.ofAddress(address).bytes, encodeAccount(damaged));
    });
    for (let nonce = 1; nonce <= 6; nonce++) {
      await cluster.running(0).member.submit(payment(20, nonce).raw);
      await cluster.run(5_000, () => isFinal(cluster, 0, payment(20, nonce).hash));
    }
    await cluster.start(3);
    let imports = 0;
    const { ledger } = cluster.running(3);
    const importBlocks = ledger.importBlocks.bind(ledger);
    ledger.importBlocks = (blocks) => {
      imports += 1;
      return importBlocks(blocks);
    };
    await cluster.run(20_000);
    expect(imports).toBe(1);
    const alarms = cluster.members[3]!.alarms;
    expect(alarms.filter((alarm) => /^import-failed: .*Divergence/.test(alarm))).toHaveLength(1);
    expect(cluster.members[3]!.running?.reader.headHeight()).toBe(1);
    expect(cluster.forks()).toEqual([]);
    // The others do not need it.
    await cluster.running(1).member.submit(payment(20, 7).raw);
    await cluster.run(10_000, () => isFinal(cluster, 2, payment(20, 7).hash));
    expect(isFinal(cluster, 2, payment(20, 7).hash)).toBe(true);
    await cluster.close();
  });
});

describe('members', () => {
  it('make a transaction final that one of them took, and no block without one', async () => {
    const cluster = await MemberCluster.create();
    await cluster.startAll();
    await cluster.run(3_000);
    expect(cluster.heights()).toEqual([0, 0, 0, 0]);
    for (const index of [0, 1, 2, 3]) {
      const transaction = payment(20 + index, 0);
      await cluster.running(index).member.submit(transaction.raw);
      await cluster.run(500, () => isFinalEverywhere(cluster, transaction.hash));
      expect(isFinalEverywhere(cluster, transaction.hash)).toBe(true);
    }
    expect(cluster.members.flatMap(({ alarms }) => alarms)).toEqual([]);
    expect(cluster.forks()).toEqual([]);
    await cluster.close();
  });

  it('make a transaction final that gossip told nobody, whoever leads, also when the leader is gone', async () => {
    const cluster = await MemberCluster.create();
    await cluster.startAll();
    await cluster.run(2_000);
    for (const [nonce, knower] of [0, 1, 2, 3].entries()) {
      const transaction = payment(20, nonce);
      // Into the pool without a word to the others.
      await submitSilently(cluster, knower, transaction);
      await cluster.run(10_000, () => isFinalEverywhere(cluster, transaction.hash));
      expect(isFinalEverywhere(cluster, transaction.hash)).toBe(true);
    }
    const leader = cluster.running(0).member.engine.state().leader;
    cluster.kill(leader);
    const last = payment(20, 4);
    await submitSilently(cluster, (leader + 1) % 4, last);
    const others = [1, 2, 3].map((step) => (leader + step) % 4);
    await cluster.run(20_000, () => others.every((index) => isFinal(cluster, index, last.hash)));
    expect(others.map((index) => isFinal(cluster, index, last.hash))).toEqual([true, true, true]);
    await cluster.close();
  });

  it('settle on one of two transactions of the same nonce, and go on with what follows', async () => {
    const cluster = await MemberCluster.create();
    await cluster.startAll();
    await cluster.run(2_000);
    const other = testTransaction({ nonce: 0n, to: RECEIVER, gasLimit: 50_000n }, testAccount(21));
    const conflicting = testTransaction({ nonce: 0n, to: RECEIVER, gasLimit: 60_000n }, testAccount(21));
    // Two members hold different transactions of one nonce; each has a successor that only it holds.
    const successor = payment(21, 1);
    await submitSilently(cluster, 0, other);
    await submitSilently(cluster, 1, conflicting);
    await submitSilently(cluster, 1, successor);
    await submitSilently(cluster, 2, conflicting);
    await cluster.run(20_000, () => isFinalEverywhere(cluster, successor.hash));
    expect(isFinalEverywhere(cluster, successor.hash)).toBe(true);
    expect(isFinal(cluster, 3, other.hash)).not.toBe(isFinal(cluster, 3, conflicting.hash));
    await cluster.run(5_000);
    expect(cluster.members.map(({ running }) => running!.member.pool.size)).toEqual([0, 0, 0, 0]);
    expect(cluster.members.flatMap(({ alarms }) => alarms)).toEqual([]);
    await cluster.close();
  });

  // SEEDS and FIRST make it a longer campaign.
  const { SEEDS = '2', FIRST = '1' } = process.env;
  it.each(
    Array.from({ length: Number(SEEDS) }, (_, index) => index + Number(FIRST)),
  )('lose nothing that was final and agree, whatever is killed when (seed %i)', async (seed) => {
    const cluster = await MemberCluster.create({ seed, ledgerDelayMs: 15 });
    await cluster.startAll();
    const sent: SignedTransaction[] = [];
    const nonces = new Map<number, number>();
    const send = async (): Promise<void> => {
      const account = 20 + cluster.random(6);
      const index = cluster.random(4);
      const { running } = cluster.members[index]!;
      if (running === undefined) return;
      const nonce = nonces.get(account) ?? 0;
      const transaction = payment(account, nonce, cluster.random(10) === 0 ? 2_000 : 0);
      // It takes as long as the answer needs.
      let ok: boolean | undefined;
      void running.member.submit(transaction.raw).then((result) => {
        ok = result.ok;
      });
      await cluster.run(20, () => ok !== undefined);
      if (ok !== true) return;
      nonces.set(account, nonce + 1);
      sent.push(transaction);
    };
    for (let step = 0; step < 60; step++) {
      const dice = cluster.random(10);
      if (dice < 6) for (let count = cluster.random(4); count >= 0; count--) await send();
      else if (dice < 8) {
        const victims = cluster.random(5) === 0 ? [0, 1, 2, 3] : [cluster.random(4)];
        for (const victim of victims) cluster.kill(victim, cluster.random(3) === 0 ? cluster.random(300) : 0);
      } else {
        for (const { index, running } of cluster.members) if (running === undefined) await cluster.start(index);
      }
      await cluster.run(cluster.random(4) === 0 ? cluster.random(3_000) : cluster.random(120));
    }
    for (const { index, running } of cluster.members) if (running === undefined) await cluster.start(index);
    const final = new Map<Hash, number>();
    for (const { running } of cluster.members) {
      for (const { hash } of sent) {
        const place = running!.reader.findTransaction(hash);
        if (place !== undefined) final.set(hash, place.height);
      }
    }
    // A client repeats what it has not seen final, to everybody, in order.
    for (const { raw } of sent) for (const { running } of cluster.members) void running!.member.submit(raw);
    const all = (): boolean => sent.every(({ hash }) => isFinalEverywhere(cluster, hash));
    await cluster.run(120_000, all);
    expect({ forks: cluster.forks(), alarms: cluster.members.flatMap(({ alarms }) => alarms) }).toEqual({
      forks: [],
      alarms: [],
    });
    expect(sent.filter(({ hash }) => !isFinalEverywhere(cluster, hash)).length).toBe(0);
    for (const [hash, height] of final)
      for (const { running } of cluster.members) expect(running!.reader.findTransaction(hash)?.height).toBe(height);
    await cluster.run(5_000);
    expect(new Set(cluster.heights()).size).toBe(1);
    await cluster.close();
  }, 120_000);
});
