import { Epoch, type Recovery, type RecoveryPlan } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { Alliance } from '../../simulator/testing/alliance.ts';
import { testAccount } from '../execution/testing/executionFixture.ts';
import { recoveryDetail } from './memberStatus.ts';

/** An alliance of ten of which four are left, with the plan by which those go on. */
async function tenOfWhomFourAreLeft(): Promise<{ alliance: Alliance; plan: RecoveryPlan }> {
  const alliance = await Alliance.start({ validators: 10 });
  const { cluster, names } = alliance;
  for (let count = 0; count < 2; count++) await alliance.block();
  await cluster.run(2_000);
  for (const gone of LOST) cluster.cutPower(gone);
  await cluster.run(5_000);
  return { alliance, plan: alliance.plan({ validators: names.slice(0, 4), removed: names.slice(4, 10) }) };
}

const LOST = [4, 5, 6, 7, 8, 9];

/** Four validators and an observer, of whom members 2 and 3 are lost; the others run. */
async function burn(): Promise<Alliance> {
  const alliance = await Alliance.start({ observers: 1 });
  for (let count = 0; count < 3; count++) await alliance.block();
  alliance.cluster.cutPower(2);
  alliance.cluster.cutPower(3);
  const height = alliance.cluster.heights()[0];
  await alliance.cluster.run(10_000);
  expect(alliance.cluster.heights()[0]).toBe(height);
  return alliance;
}

/** Stops members, has them sign, and starts them with the complete document, as the guide says. */
async function recover(alliance: Alliance, plan: RecoveryPlan, members: readonly number[]): Promise<Recovery> {
  for (const index of members) alliance.cluster.cutPower(index);
  await alliance.promise(plan, members);
  const recovery = alliance.recoveryOf(plan, members);
  await alliance.restartWith(recovery, members);
  return recovery;
}

describe('an alliance that lost its quorum for good', () => {
  it('goes on from the last final block with those that are left, whom all must have signed', async () => {
    const alliance = await burn();
    await recover(alliance, alliance.plan(), [0, 1, 4]);
    await alliance.cluster.run(5_000);
    await alliance.block();
    expect(alliance.validators()).toEqual(alliance.names.slice(0, 2));
    await alliance.expectAgreement([0, 1, 4]);
    // The state itself says so from the first block on: members are changed as ever.
    await alliance.promote(4, 5, [0, 1, 4]);
    await alliance.block(4);
    expect([alliance.epoch(4), alliance.validators(4)]).toEqual([
      2,
      [alliance.names[0], alliance.names[1], alliance.names[4]],
    ]);
    // Who left is talked to no more, and a newcomer needs the document as it needs the genesis.
    alliance.cluster.machine(2).recoveries.push(...alliance.cluster.machine(0).recoveries);
    await alliance.cluster.start(2);
    await alliance.cluster.run(5_000);
    expect(alliance.cluster.running(2).member.peers.connected()).toEqual([]);
    await alliance.expectAgreement([0, 1, 4]);
    alliance.cluster.close();
  });

  it('a member that is behind the block of the document signs nothing before it has that block', async () => {
    const alliance = await Alliance.start({ observers: 1 });
    const { cluster } = alliance;
    await alliance.block();
    cluster.cutPower(1);
    await alliance.block();
    await cluster.run(1_000);
    for (const gone of [2, 3, 4]) cluster.cutPower(gone);
    const recovery = alliance.recoveryOf(alliance.plan(), [0, 1, 4]);
    cluster.cutPower(0);
    await alliance.restartWith(recovery, [1]);
    expect(cluster.heights()[1]).toBeLessThan(recovery.height);
    expect(alliance.voting(1)).toBe('recovery');
    await alliance.restartWith(recovery, [0]);
    await cluster.run(10_000, () => alliance.epoch(1) === 1);
    await alliance.block(1);
    expect(alliance.voting(1)).toBe('voting');
    await alliance.expectAgreement([0, 1]);
    cluster.close();
  });

  it('a member that returns without the document neither follows nor leads anybody astray', async () => {
    const alliance = await burn();
    const plan = alliance.plan();
    for (const index of [0, 1, 4]) alliance.cluster.cutPower(index);
    await alliance.promise(plan, [0, 1, 4]);
    await alliance.restartWith(alliance.recoveryOf(plan, [0, 1, 4]), [0, 1]);
    await alliance.cluster.run(3_000);
    await alliance.block();
    const height = alliance.cluster.heights()[0]!;
    await alliance.cluster.start(2);
    await alliance.cluster.start(3);
    await alliance.cluster.run(20_000);
    expect(alliance.cluster.heights()[3]).toBeLessThan(height);
    await alliance.block();
    expect(alliance.cluster.forks).toEqual([]);
    alliance.cluster.close();
  });

  it('refuses a document that is not signed by all, keeps too few, or is of another block', async () => {
    const alliance = await burn();
    const refusal = async (changes: Partial<RecoveryPlan>, signers: readonly number[]): Promise<string> =>
      refused(alliance.recoveryOf(alliance.plan(changes), signers));
    const refused = async (recovery: Recovery): Promise<string> => {
      alliance.cluster.cutPower(1);
      const { recoveries } = alliance.cluster.machine(1);
      recoveries.push(recovery);
      const reason = await alliance.cluster.start(1).then(
        () => 'started',
        (error: Error) => error.message,
      );
      recoveries.length = 0;
      return reason;
    };
    expect(await refusal({}, [0])).toContain('bank has not signed it');
    const { signatures } = alliance.recoveryOf(alliance.plan({ reason: 'another reason' }), [0, 1]);
    expect(await refused({ ...alliance.plan(), signatures })).toContain('the signature of authority is wrong');
    const [first, ...others] = alliance.names.slice(0, 4);
    const alone = await refusal({ validators: [first!], removed: others }, [0, 4]);
    expect(alone).toContain('1 of the validators before remain, but at least 2');
    expect(await refusal({}, [0, 1])).toContain('observer-4 has not signed it');
    expect(await refusal({ blockHash: `0x${'5b'.repeat(32)}` }, [0, 1])).toContain('but here that block is');
    expect(await refusal({ epoch: Epoch(0) }, [0, 1])).toContain('begins epoch 0');
    const unknown = await refusal({ validators: ['authority', 'bank', 'nobody'] }, [0, 1]);
    expect(unknown).toContain('nobody is no active member');
    alliance.cluster.close();
  });
});

describe('a member that signed a recovery', () => {
  it('votes no more in the old epoch, so that those who come back and it are no quorum while others went on', async () => {
    const { alliance, plan } = await tenOfWhomFourAreLeft();
    const { cluster } = alliance;
    for (const index of [0, 1, 2, 3]) cluster.cutPower(index);
    await alliance.promise(plan, [0, 1, 2, 3]);
    await alliance.restartWith(alliance.recoveryOf(plan, [0, 1, 2, 3]), [0, 1, 2]);
    // The last one has not put the document in place, and meets the six that were taken for lost: seven of ten.
    for (const index of [3, ...LOST]) await cluster.start(index);
    await alliance.submit(41, 'vote', [1n, true], 5);
    await cluster.run(30_000);
    expect(cluster.heights()[5]).toBe(plan.height);
    const { engine, alarms } = cluster.running(3).member;
    expect(recoveryDetail(engine.state())).toContain(`waits for the recovery of block ${plan.height} to be completed`);
    expect([alliance.voting(3), alarms.describe()]).toEqual(['recovery', 'none']);
    await alliance.block(0);
    expect(cluster.heights()[0]).toBeGreaterThan(plan.height);
    // A restart with the document is all that it waits for.
    cluster.cutPower(3);
    await alliance.restartWith(alliance.recoveryOf(plan, [0, 1, 2, 3]), [3]);
    await cluster.run(10_000, () => alliance.voting(3) === 'voting');
    await alliance.expectAgreement([0, 1, 2, 3]);
    cluster.close();
  });

  it('follows the old epoch where that goes on without it, and votes again once the signature was taken back', async () => {
    const { alliance, plan } = await tenOfWhomFourAreLeft();
    const { cluster } = alliance;
    for (const index of [0, 1, 2]) cluster.cutPower(index);
    await alliance.promise(plan, [0, 1, 2]);
    // Member 3 never signs: with the six it is a quorum.
    for (const index of [0, 1, 2, ...LOST]) await cluster.start(index);
    await alliance.block(3);
    await cluster.run(5_000, () => cluster.heights()[0]! === cluster.heights()[3]!);
    const { engine } = cluster.running(0).member;
    expect(cluster.heights()[0]).toBeGreaterThan(plan.height);
    expect(recoveryDetail(engine.state())).toContain('hanse recovery withdraw');
    // Even an epoch that the chain entered by itself does not free it: the document may still be completed.
    const { privateKey } = testAccount(61);
    cluster.machine(9).voteKeys.push(privateKey);
    expect(await alliance.call(10, 'rotateVoteKey', [cluster.setup.suite.publicKey(privateKey)], 9)).toBe('done');
    await alliance.block(3);
    await cluster.run(5_000);
    expect([alliance.epoch(0), alliance.voting(0)]).toEqual([1, 'recovery']);
    for (const index of [0, 1, 2]) {
      cluster.cutPower(index);
      cluster.machine(index).promises.length = 0;
      await cluster.start(index);
    }
    await alliance.block(0);
    await cluster.run(5_000);
    expect([0, 1, 2].map((index) => alliance.voting(index))).toEqual(['voting', 'voting', 'voting']);
    await alliance.expectAgreement([0, 1, 2, 3, ...LOST]);
    cluster.close();
  });
});

describe('a recovery that came to nothing', () => {
  it('is superseded by another one from the same block, which all who are left sign', async () => {
    const alliance = await Alliance.start({ validators: 7 });
    const { cluster, names } = alliance;
    for (let count = 0; count < 2; count++) await alliance.block();
    await cluster.run(2_000);
    for (const gone of [4, 5, 6]) cluster.cutPower(gone);
    const four = [0, 1, 2, 3];
    const first = alliance.plan({ validators: names.slice(0, 4), removed: names.slice(4, 7) });
    await recover(alliance, first, four);
    // Two of the four are gone before their first block.
    cluster.cutPower(2);
    cluster.cutPower(3);
    await cluster.run(5_000);
    const second = alliance.plan({ epoch: Epoch(2), validators: names.slice(0, 2), removed: names.slice(2, 4) });
    expect(second.height).toBe(first.height);
    const recovery = await recover(alliance, second, [0, 1]);
    await alliance.block(0);
    expect([alliance.epoch(0), alliance.validators()]).toEqual([2, names.slice(0, 2)]);
    // A later start finds both documents below its head, of which the second one counts.
    cluster.cutPower(0);
    await cluster.start(0);
    await alliance.block(0);
    // The lost ones come back with the first document, and are no quorum.
    await cluster.start(2);
    await cluster.start(3);
    await cluster.run(20_000);
    expect(cluster.heights()[2]).toBe(first.height);
    // Both documents lead a member that has nothing through.
    cluster.cutPower(1);
    cluster.machine(1).loseLedger();
    await cluster.start(1);
    await cluster.run(20_000, () => cluster.heights()[1] === cluster.heights()[0]);
    await alliance.block(1);
    expect(cluster.forks).toEqual([]);
    // What was removed by either is removed.
    const members = cluster.running(0).member.readers.readMembers(cluster.running(0).reader.state());
    expect(members.filter(({ active }) => active).map(({ name }) => name)).toEqual(names.slice(0, 2));
    expect(recovery.epoch).toBe(2);
    cluster.close();
  });
});

describe('a lost log of votes', () => {
  /** All run; the last validator has lost its log, and no block is made. */
  async function lostLog(validators: number): Promise<Alliance> {
    const alliance = await Alliance.start({ validators, logSegmentBytes: 1_000 });
    const { cluster } = alliance;
    for (let count = 0; count < 2; count++) await alliance.block();
    await cluster.run(2_000);
    cluster.cutPower(validators - 1);
    cluster.machine(validators - 1).disk.deleteFolder('log');
    await cluster.start(validators - 1);
    await cluster.run(10_000);
    return alliance;
  }

  it.each([1, 2, 3])('of one of %i validators is mended by a document that removes nobody', async (validators) => {
    const alliance = await lostLog(validators);
    const { cluster, names } = alliance;
    const last = validators - 1;
    const all = [...names.keys()];
    const plan = alliance.plan({ validators: names, removed: [] });
    await alliance.submit(41, 'vote', [1n, true], 0);
    await cluster.run(60_000);
    expect([cluster.heights()[0], alliance.voting(last)]).toEqual([plan.height, 'amnesia']);
    await recover(alliance, plan, all);
    for (let count = 0; count < 6; count++) await alliance.block(last);
    expect(all.map((index) => alliance.voting(index))).toEqual(all.map(() => 'voting'));
    // It stays mended in later lives: the log says so also when what it noted before the signature was cut off.
    cluster.cutPower(last);
    await cluster.start(last);
    await cluster.run(5_000);
    await alliance.block(last);
    expect(alliance.voting(last)).toBe('voting');
    expect(cluster.forks).toEqual([]);
    cluster.close();
  });

  it('of one of two that are left of four is mended by the document that removes the others', async () => {
    const alliance = await burn();
    const { cluster } = alliance;
    const plan = alliance.plan();
    for (const index of [0, 1, 4]) cluster.cutPower(index);
    cluster.machine(1).disk.deleteFolder('log');
    await alliance.promise(plan, [0, 1, 4]);
    await alliance.restartWith(alliance.recoveryOf(plan, [0, 1, 4]), [0, 1, 4]);
    await alliance.block();
    expect([alliance.epoch(1), alliance.voting(1)]).toEqual([1, 'voting']);
    await alliance.expectAgreement([0, 1, 4]);
    cluster.close();
  });

  it('is lost again if it is lost after the recovery, whatever was voted in between', async () => {
    const alliance = await lostLog(2);
    const { cluster, names } = alliance;
    const plan = alliance.plan({ validators: names, removed: [] });
    await recover(alliance, plan, [0, 1]);
    // Before the first block of the new epoch too: it has voted for one.
    cluster.cutPower(1);
    cluster.machine(1).disk.deleteFolder('log');
    await cluster.start(1);
    await cluster.run(10_000);
    expect([cluster.heights()[1], alliance.voting(1)]).toEqual([plan.height, 'amnesia']);
    cluster.close();
  });
});
