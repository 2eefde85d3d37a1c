import { expect, it } from 'vitest';
import { OneVote } from '../../simulator/checkers/oneVote.ts';
import { Alliance } from '../../simulator/testing/alliance.ts';
import { testAccount } from '../execution/testing/executionFixture.ts';

it('a member that lost its ledger and kept its log signs nothing in views whose votes were cut off the log', async () => {
  const alliance = await Alliance.start({ logSegmentBytes: 1_000 });
  const { cluster } = alliance;
  const violations: string[] = [];
  const checker = new OneVote({ cluster: cluster.world, report: (violation) => violations.push(violation) });
  cluster.world.observe(checker);
  const rotate = async (member: number, key: Uint8Array): Promise<void> => {
    cluster.machine(member).voteKeys.push(key);
    const publicKey = cluster.setup.suite.publicKey(key);
    expect(await alliance.call(member + 1, 'rotateVoteKey', [publicKey], member)).toBe('done');
    await cluster.run(2_000);
  };
  await rotate(2, testAccount(60).privateKey);
  for (let count = 0; count < 4; count++) await alliance.block();
  await cluster.run(2_000);
  // One goes away in epoch 1; the others go on in it, and into epoch 2.
  cluster.cutPower(0);
  for (let count = 0; count < 8; count++) await alliance.block(1);
  await rotate(1, testAccount(61).privateKey);
  for (let count = 0; count < 8; count++) await alliance.block(1);
  expect(alliance.epoch(3)).toBe(2);
  // The log begins behind all that member 3 signed in epoch 1.
  for (const member of [1, 2, 3]) cluster.cutPower(member);
  cluster.machine(3).loseLedger();
  await cluster.start(0);
  await cluster.start(3);
  await cluster.run(20_000, () => cluster.heights()[0] === cluster.heights()[3]);
  // The one who was away leads it back into epoch 1, and there is work.
  await alliance.submit(41, 'vote', [1n, true], 3);
  await cluster.run(60_000);
  expect([alliance.epoch(3), alliance.voting(3), violations]).toEqual([1, 'waiting', []]);
  // With the others it comes to where it was, and votes again.
  for (const member of [1, 2]) await cluster.start(member);
  await cluster.run(20_000, () => alliance.epoch(3) === 2);
  cluster.cutPower(0);
  await alliance.block(3);
  expect([alliance.voting(3), violations]).toEqual(['voting', []]);
  await alliance.expectAgreement([1, 2, 3]);
  cluster.close();
});
