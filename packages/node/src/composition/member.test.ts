import {
  type Address,
  emptyHashes,
  emptyTrieRoot,
  encodeAccount,
  type Hash,
  type SignedTransaction,
  type Suite,
} from '@hanse/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { ScriptedCluster } from '../../simulator/testing/scriptedCluster.ts';
import { testAccount, testTransaction } from '../execution/testing/executionFixture.ts';
import { StateKeys } from '../storage/stateKeys.ts';

const RECEIVER: Address = `0x${'ec'.repeat(20)}`;
const payment = (account: number, nonce: number, data = 0): SignedTransaction =>
  testTransaction(
    { nonce: BigInt(nonce), to: RECEIVER, gasLimit: 100_000n, data: new Uint8Array(data) },
    testAccount(account),
  );

const emptyAccount = (suite: Suite) => ({ codeHash: emptyHashes(suite).code, storageRoot: emptyTrieRoot(suite) });

const clusters: ScriptedCluster[] = [];
afterEach(() => {
  for (const cluster of clusters.splice(0)) cluster.close();
});

/** Four members that run. */
async function fourMembers(seed = 1): Promise<ScriptedCluster> {
  const cluster = await ScriptedCluster.start({ seed });
  clusters.push(cluster);
  return cluster;
}

const isFinal = (cluster: ScriptedCluster, index: number, hash: Hash): boolean =>
  cluster.machine(index).process?.reader?.findTransaction(hash) !== undefined;
async function submitSilently(cluster: ScriptedCluster, index: number, { raw }: SignedTransaction): Promise<void> {
  expect(await cluster.running(index).member.intake.submitOne(raw)).toMatchObject({ ok: true });
}
const isFinalEverywhere = (cluster: ScriptedCluster, hash: Hash): boolean =>
  [0, 1, 2, 3].every((member) => isFinal(cluster, member, hash));

describe('a member', () => {
  it('says so and stops to import when its own execution differs from what a quorum certified', async () => {
    const cluster = await fourMembers(3);
    await cluster.running(0).member.submit(payment(20, 0).raw);
    await cluster.run(1_000, () => isFinalEverywhere(cluster, payment(20, 0).hash));
    cluster.cutPower(3);
    const { address } = testAccount(20);
    const keys = new StateKeys(cluster.setup.suite);
    const damaged = { nonce: 1n, balance: 5n, ...emptyAccount(cluster.setup.suite) };
    cluster
      .machine(3)
      .database.open()
      .transaction((batch) => {
        batch.put('accounts', keys.ofAddress(address).bytes, encodeAccount(damaged));
      });
    for (let nonce = 1; nonce <= 6; nonce++) {
      await cluster.running(0).member.submit(payment(20, nonce).raw);
      await cluster.run(5_000, () => isFinal(cluster, 0, payment(20, nonce).hash));
    }
    cluster.world.start(cluster.machine(3));
    await cluster.run(5_000, () => cluster.machine(3).process?.ledger !== undefined);
    let imports = 0;
    const ledger = cluster.machine(3).process!.ledger!;
    const importBlocks = ledger.importBlocks.bind(ledger);
    ledger.importBlocks = (blocks) => {
      imports += 1;
      return importBlocks(blocks);
    };
    await cluster.run(20_000);
    expect(imports).toBe(1);
    expect(cluster.alarms[3]!.filter((alarm) => /^import-failed: .*Divergence/.test(alarm))).toHaveLength(1);
    expect(cluster.running(3).reader.headHeight()).toBe(1);
    expect(cluster.forks).toEqual([]);
    // The others do not need it.
    await cluster.running(1).member.submit(payment(20, 7).raw);
    await cluster.run(10_000, () => isFinal(cluster, 2, payment(20, 7).hash));
    expect(isFinal(cluster, 2, payment(20, 7).hash)).toBe(true);
  });
});

describe('members', () => {
  it('make a transaction final that one of them took, and no block without one', async () => {
    const cluster = await fourMembers();
    await cluster.run(3_000);
    expect(cluster.heights()).toEqual([0, 0, 0, 0]);
    for (const index of [0, 1, 2, 3]) {
      const transaction = payment(20 + index, 0);
      await cluster.running(index).member.submit(transaction.raw);
      await cluster.run(500, () => isFinalEverywhere(cluster, transaction.hash));
      expect(isFinalEverywhere(cluster, transaction.hash)).toBe(true);
    }
    expect(cluster.alarms.flat()).toEqual([]);
    expect(cluster.forks).toEqual([]);
  });

  it('make a transaction final that gossip told nobody, whoever leads, also when the leader is gone', async () => {
    const cluster = await fourMembers();
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
  });

  it('settle on one of two transactions of the same nonce, and go on with what follows', async () => {
    const cluster = await fourMembers();
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
    expect([0, 1, 2, 3].map((index) => cluster.running(index).member.pool.size)).toEqual([0, 0, 0, 0]);
    expect(cluster.alarms.flat()).toEqual([]);
  });
});
