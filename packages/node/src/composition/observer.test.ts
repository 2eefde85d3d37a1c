import type { Address } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { testAccount, testTransaction } from '../execution/testing/executionFixture.ts';
import { MemberCluster } from './testing/memberCluster.ts';

const RECEIVER: Address = `0x${'ec'.repeat(20)}`;

describe('a member that is no validator', { timeout: 120_000 }, () => {
  it('follows the chain and passes on transactions, and its questions trouble nobody', async () => {
    const cluster = await MemberCluster.create({ size: 5, validators: 4 });
    await cluster.startAll();
    const observer = 4;
    for (let nonce = 0; nonce < 6; nonce++) {
      const transaction = testTransaction({ nonce: BigInt(nonce), to: RECEIVER, gasLimit: 100_000n }, testAccount(20));
      await cluster.running(observer).member.submit(transaction.raw);
      await cluster.run(10_000, () =>
        cluster.members.every(({ running }) => running!.reader.findTransaction(transaction.hash) !== undefined),
      );
      expect(cluster.running(observer).reader.findTransaction(transaction.hash)).toBeDefined();
    }
    for (const { running, alarms } of cluster.members) {
      expect(running!.member.peers.connected()).toHaveLength(4);
      expect(running!.member.peers.peers().map(({ counters }) => counters.offences)).toEqual([0, 0, 0, 0]);
      expect(alarms).toEqual([]);
    }
    expect(cluster.log.filter((line) => line.includes('answering a request failed'))).toEqual([]);
    await cluster.close();
  });
});
