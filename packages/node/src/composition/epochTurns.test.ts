import { Epoch } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { Alliance } from '../../simulator/testing/alliance.ts';
import { messageKinds } from '../engine/messages.ts';
import { testAccount } from '../execution/testing/executionFixture.ts';

const RENEWED = testAccount(60).privateKey;

/** The epoch of a member's storage, whether its program has heard of it or not. */
function storedEpoch({ cluster }: Alliance, index: number): number {
  const { member, reader } = cluster.running(index);
  reader.refresh();
  return member.readers.readEpoch(reader.state());
}

describe('a power cut in the very moment in which a new vote key comes to reign', () => {
  it('does not make the key one whose log was lost, if its block was agreed on here', async () => {
    const alliance = await Alliance.start();
    const { cluster } = alliance;
    cluster.machine(3).voteKeys.push(RENEWED);
    await alliance.submit(4, 'rotateVoteKey', [cluster.setup.suite.publicKey(RENEWED)], 3);
    await cluster.run(60_000, () => storedEpoch(alliance, 3) === 1);
    await expectVoteAfterPowerCut(alliance);
  });

  it('nor if its block was imported', async () => {
    const alliance = await Alliance.start();
    const { cluster } = alliance;
    cluster.cutPower(3);
    await alliance.call(4, 'rotateVoteKey', [cluster.setup.suite.publicKey(RENEWED)]);
    await cluster.start(3);
    cluster.machine(3).voteKeys.push(RENEWED);
    expect(storedEpoch(alliance, 3)).toBe(0);
    await cluster.run(60_000, () => storedEpoch(alliance, 3) === 1);
    await expectVoteAfterPowerCut(alliance);
  });

  async function expectVoteAfterPowerCut(alliance: Alliance): Promise<void> {
    const { cluster } = alliance;
    cluster.cutPower(3);
    await cluster.start(3);
    cluster.cutPower(0);
    // Three of four: without its vote there is no block.
    await alliance.block(3);
    expect(alliance.voting(3)).toBe('voting');
    await alliance.expectAgreement([1, 2, 3]);
    cluster.close();
  }
});

describe('messages of an epoch that was over before this member entered it', () => {
  it('are not taken for messages of the present one', async () => {
    const alliance = await Alliance.start({ observers: 2 });
    const { cluster } = alliance;
    cluster.cutPower(3);
    await alliance.promote(4, 5, [0, 1, 2, 4, 5]);
    await alliance.promote(5, 6, [0, 1, 2, 4, 5]);
    await cluster.start(3);
    const { member } = cluster.running(3);
    expect(storedEpoch(alliance, 3)).toBe(0);
    // What makes no sense in any epoch would be held against whoever sent it.
    member.engine.receive('bank', Epoch(1), messageKinds.votes, new Uint8Array([1, 2, 3]));
    await cluster.run(20_000, () => alliance.epoch(3) === 2);
    await alliance.block(3);
    expect(cluster.log.filter((line) => line.includes('penalized'))).toEqual([]);
    await alliance.expectAgreement([0, 1, 2, 3, 4, 5]);
    cluster.close();
  });
});
