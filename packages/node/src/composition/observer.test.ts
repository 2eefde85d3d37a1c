import type { Address } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { ScriptedCluster } from '../../simulator/testing/scriptedCluster.ts';
import { testAccount, testTransaction } from '../execution/testing/executionFixture.ts';

const RECEIVER: Address = `0x${'ec'.repeat(20)}`;

describe('a member that is no validator', { timeout: 120_000 }, () => {
  it('follows the chain and passes on transactions, and its questions trouble nobody', async () => {
    const cluster = await ScriptedCluster.start({ observers: 1 });
    const members = [0, 1, 2, 3, 4];
    const observer = 4;
    for (let nonce = 0; nonce < 6; nonce++) {
      const transaction = testTransaction({ nonce: BigInt(nonce), to: RECEIVER, gasLimit: 100_000n }, testAccount(20));
      await cluster.running(observer).member.submit(transaction.raw);
      await cluster.run(10_000, () =>
        members.every((index) => cluster.running(index).reader.findTransaction(transaction.hash) !== undefined),
      );
      expect(cluster.running(observer).reader.findTransaction(transaction.hash)).toBeDefined();
    }
    for (const index of members) {
      const { peers } = cluster.running(index).member;
      expect(peers.connected()).toHaveLength(4);
      expect(peers.peers().map(({ counters }) => counters.offences)).toEqual([0, 0, 0, 0]);
      expect(cluster.alarms[index]).toEqual([]);
    }
    expect(cluster.log.filter((line) => line.includes('answering a request failed'))).toEqual([]);
    cluster.close();
  });
});
