import { type Hex, ZERO_ADDRESS } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { Alliance } from '../../simulator/testing/alliance.ts';
import { supportedRules } from '../execution/ruleVersions.ts';
import { testAccount } from '../execution/testing/executionFixture.ts';
import { pendingIntroductions } from './reachableMembers.ts';

describe('an observer', () => {
  it('follows without a vote, is promoted when it declares that it is ready, and votes from the next block on', async () => {
    const alliance = await Alliance.start({ observers: 1 });
    await alliance.block();
    await alliance.expectAgreement([0, 1, 2, 3, 4]);
    expect(alliance.voting(4)).toBe('observer');
    await alliance.promote(4, 5, [0, 1, 2, 3]);
    await alliance.cluster.run(2_000);
    expect([0, 1, 2, 3, 4].map((index) => alliance.epoch(index))).toEqual([1, 1, 1, 1, 1]);
    expect(alliance.validators()).toEqual(alliance.names.slice(0, 5));
    expect(alliance.voting(4)).toBe('voting');
    const votes = (): number => alliance.cluster.running(4).member.engine.metrics.finalizeVotes;
    const before = votes();
    await alliance.block();
    expect(votes()).toBeGreaterThan(before);
    // With the fifth there is no quorum without one of the others: it truly counts.
    alliance.cluster.cutPower(0);
    await alliance.block(1);
    await alliance.expectAgreement([1, 2, 3, 4]);
    alliance.cluster.close();
  });
});

describe('members come and go', () => {
  it('from 4 to 7 and back to 4, joining under load from nothing', async () => {
    const alliance = await Alliance.start({ applicants: 3 });
    const all = [0, 1, 2, 3, 4, 5, 6];
    for (const index of [4, 5, 6]) {
      await alliance.decide('proposeMember', alliance.newMember(index), [0, 1, 2, 3]);
      await alliance.cluster.run(20_000, () => alliance.cluster.heights()[index] === alliance.cluster.heights()[0]);
      await alliance.promote(index, index + 1, all.slice(0, index));
      await alliance.block(index);
    }
    expect(alliance.validators()).toEqual(alliance.names.slice(0, 7));
    await alliance.expectAgreement(all);
    expect(all.map((index) => alliance.voting(index))).toEqual(all.map(() => 'voting'));
    for (const index of [4, 5, 6]) {
      await alliance.decide('proposeDemotion', [index + 1], all);
      await alliance.block();
    }
    expect(alliance.validators()).toEqual(alliance.names.slice(0, 4));
    await alliance.expectAgreement(all);
    expect(alliance.epoch(6)).toBe(6);
    expect(alliance.voting(6)).toBe('observer');
    alliance.cluster.close();
  });

  it('all four original validators are replaced one by one, and a removed one is cut off', async () => {
    const alliance = await Alliance.start({ applicants: 4 });
    // The other authority must be there before the first may go.
    for (const index of [4, 5, 6, 7]) {
      await alliance.decide('proposeMember', alliance.newMember(index, index === 4 ? 1 : 3), [0, 1, 2, 3]);
    }
    await alliance.cluster.run(20_000, () => new Set(alliance.cluster.heights()).size === 1);
    let members = [0, 1, 2, 3, 4, 5, 6, 7];
    for (const old of [0, 1, 2, 3]) {
      const next = old + 4;
      const voters = members.filter((index) => index !== old).sort((a, b) => b - a);
      // An authority's account proposes and approves first.
      const authority = members.includes(4) && old === 0 ? 4 : (members.find((index) => index === 4) ?? 0);
      const order = [authority, ...voters.filter((index) => index !== authority)];
      await alliance.promote(next, next + 1, old === 0 ? members : order);
      await alliance.decide('proposeRemoval', [old + 1], order);
      members = members.filter((index) => index !== old);
      await alliance.block(next);
      await alliance.block(next);
    }
    expect(alliance.validators(4)).toEqual(alliance.names.slice(4, 8));
    await alliance.expectAgreement([4, 5, 6, 7]);
    const height = alliance.cluster.heights()[0];
    await alliance.block(5);
    expect(
      alliance.cluster
        .running(4)
        .member.peers.peers()
        .map(({ name }) => name),
    ).toEqual(alliance.names.slice(5, 8));
    expect(alliance.cluster.heights()[0]).toBe(height);
    alliance.cluster.close();
  });
});

describe('keys rotate on the chain', () => {
  it('a vote key and a transport key are replaced while the member runs, and after a restart', async () => {
    const alliance = await Alliance.start();
    alliance.cluster.machine(3).voteKeys.push(testAccount(60).privateKey);
    expect(
      await alliance.call(4, 'rotateVoteKey', [alliance.cluster.setup.suite.publicKey(testAccount(60).privateKey)], 3),
    ).toBe('done');
    await alliance.cluster.run(2_000);
    expect(alliance.voting(3)).toBe('voting');
    // Three of four, among them the one with the new key.
    alliance.cluster.cutPower(0);
    await alliance.block(3);
    alliance.cluster.cutPower(3);
    await alliance.cluster.start(0);
    await alliance.cluster.start(3);
    alliance.cluster.cutPower(1);
    await alliance.block(3);
    expect(alliance.voting(3)).toBe('voting');
    await alliance.cluster.start(1);
    const { network } = alliance.cluster.world;
    const [first, renewed]: readonly [Hex, Hex] = [network.keyOf(3), `0x${'7a'.repeat(32)}`];
    network.addKey(3, renewed);
    expect(await alliance.call(4, 'rotateTransportKey', [renewed], 3)).toBe('done');
    network.dropKey(3, first);
    await alliance.cluster.run(5_000);
    expect(alliance.cluster.running(3).member.peers.connected()).toEqual(alliance.names.slice(0, 3));
    alliance.cluster.cutPower(2);
    await alliance.block(3);
    await alliance.cluster.start(2);
    await alliance.expectAgreement([0, 1, 2, 3]);
    alliance.cluster.close();
  });
});

describe('a transport key that changed', () => {
  const renewed: Hex = `0x${'7a'.repeat(32)}`;

  it('while its member was down, which does not know it, is found among the keys of the folder', async () => {
    const alliance = await Alliance.start();
    const { cluster } = alliance;
    const { network } = cluster.world;
    network.addKey(3, renewed);
    cluster.cutPower(3);
    expect(await alliance.call(4, 'rotateTransportKey', [renewed], 0)).toBe('done');
    await cluster.start(3);
    await cluster.run(60_000, () => cluster.running(3).member.peers.connected().length === 3);
    expect(network.keyOf(3)).toBe(renewed);
    await alliance.expectAgreement([0, 1, 2, 3]);
    cluster.close();
  });

  it('is kept by a member that lost its ledger while it reads of the key before it', async () => {
    const alliance = await Alliance.start();
    const { cluster } = alliance;
    const { network } = cluster.world;
    const first = network.keyOf(3);
    network.addKey(3, renewed);
    await alliance.block(0);
    expect(await alliance.call(4, 'rotateTransportKey', [renewed], 0)).toBe('done');
    await cluster.run(5_000);
    cluster.cutPower(3);
    cluster.machine(3).loseLedger();
    network.useKey(3, first);
    await cluster.start(3);
    const proved = new Set<Hex>();
    await cluster.run(60_000, () => {
      proved.add(network.keyOf(3));
      return cluster.heights()[3] === cluster.heights()[0] && cluster.running(3).member.peers.connected().length === 3;
    });
    // Once each: the one that the genesis has, and the one that the others expect.
    expect([...proved]).toEqual([first, renewed]);
    expect(network.keyOf(3)).toBe(renewed);
    expect(cluster.running(3).member.peers.connected()).toEqual(alliance.names.slice(0, 3));
    cluster.close();
  });
});

describe('a newcomer', () => {
  it('is introduced to members whose keys at the genesis are gone, and follows the chain from there on', async () => {
    const alliance = await Alliance.start({ applicants: 1 });
    const { cluster } = alliance;
    cluster.cutPower(4);
    const renewed = [0, 1, 2, 3].map((index): Hex => `0x${`a${index}`.repeat(32)}`);
    const { network } = cluster.world;
    for (const [index, key] of renewed.entries()) {
      const first = network.keyOf(index);
      network.addKey(index, key);
      expect(await alliance.call(index + 1, 'rotateTransportKey', [key], index)).toBe('done');
      network.dropKey(index, first);
    }
    await alliance.decide('proposeMember', alliance.newMember(4), [0, 1, 2, 3]);
    await cluster.start(4);
    await cluster.run(20_000);
    expect(cluster.heights()[4]).toBe(0);
    cluster.cutPower(4);
    const introduced = [0, 1].map((index) => ({
      name: alliance.names[index]!,
      transportKey: renewed[index]!,
      endpoints: [`${alliance.names[index]}:1`],
    }));
    cluster.machine(4).introduced = introduced;
    await cluster.start(4);
    await cluster.run(20_000, () => cluster.heights()[4] === cluster.heights()[0]);
    await cluster.run(20_000, () => cluster.running(4).member.peers.connected().length === 4);
    expect(cluster.running(4).member.peers.connected()).toEqual(alliance.names.slice(0, 4));
    const { member, reader } = cluster.running(4);
    expect(
      pendingIntroductions({ name: alliance.names[4]!, known: {}, introduced }, member.readers, reader.state()),
    ).toEqual([]);
    await alliance.block(4);
    await alliance.expectAgreement([0, 1, 2, 3, 4]);
    cluster.close();
  });
});

describe('a member whose lost vote key the others replaced', () => {
  it('says so while it lacks the new one, and votes with it after a restart', async () => {
    const alliance = await Alliance.start();
    const { cluster } = alliance;
    const replaced = cluster.setup.suite.publicKey(testAccount(61).privateKey);
    await alliance.decide('proposeKeys', [4, ZERO_ADDRESS, replaced, '0x'], [0, 1, 2]);
    await alliance.block();
    expect(alliance.voting(3)).toBe('observer');
    expect(cluster.alarms[3]!).toEqual([expect.stringMatching(/^vote-key-missing: /)]);
    cluster.cutPower(3);
    cluster.machine(3).voteKeys.push(testAccount(61).privateKey);
    cluster.alarms[3]!.length = 0;
    await cluster.start(3);
    // Whether the key signed before, elsewhere, nobody knows: the rule of amnesia decides from when on it may.
    for (let blocks = 0; blocks < 4; blocks++) await alliance.block(3);
    expect(alliance.voting(3)).toBe('voting');
    expect(cluster.alarms[3]!.splice(0)).toEqual([expect.stringMatching(/^amnesia: /)]);
    // What it told of is over, and nobody has to restart it for that.
    expect(cluster.running(3).member.alarms.describe()).toBe('none');
    cluster.cutPower(0);
    await alliance.block(3);
    await alliance.expectAgreement([1, 2, 3]);
    cluster.close();
  });
});

describe('a member that was away', () => {
  it('comes back through several epochs, by import, and votes in the present one', async () => {
    const alliance = await Alliance.start({ observers: 2 });
    alliance.cluster.cutPower(3);
    await alliance.promote(4, 5, [0, 1, 2, 4, 5]);
    await alliance.promote(5, 6, [0, 1, 2, 4, 5]);
    for (let count = 0; count < 3; count++) await alliance.block(4);
    expect(alliance.epoch(0)).toBe(2);
    await alliance.cluster.start(3);
    await alliance.cluster.run(20_000, () => alliance.cluster.heights()[3] === alliance.cluster.heights()[0]);
    await alliance.block(3);
    expect(alliance.epoch(3)).toBe(2);
    expect(alliance.voting(3)).toBe('voting');
    // Six validators, q = 5: it is needed now.
    alliance.cluster.cutPower(0);
    await alliance.block(3);
    await alliance.expectAgreement([1, 2, 3, 4, 5]);
    alliance.cluster.close();
  });
});

describe('rules change at a height', () => {
  it('a member that lacks the new rule stops before that height with the reason, and the others go on', async () => {
    const lacks = { ...supportedRules, 'gas-schedule': 1 };
    const alliance = await Alliance.start({ supported: (index) => (index === 3 ? lacks : supportedRules) });
    const height = alliance.cluster.heights()[0]! + 40;
    await alliance.decide('proposeRule', ['gas-schedule', 2, height], [0, 1, 2, 3]);
    for (let at = alliance.cluster.heights()[0]!; at < height + 3; at = alliance.cluster.heights()[0]!) {
      await alliance.block();
    }
    await alliance.cluster.run(5_000);
    expect(alliance.cluster.heights()[3]).toBe(height - 1);
    expect(alliance.cluster.outdated.get(3)).toContain(`From block ${height} on the network runs version 2`);
    expect(alliance.cluster.log.join()).toContain('upgrade this member');
    // With the program that has the rule it comes back by itself.
    alliance.cluster.cutPower(3);
    alliance.cluster.alarms[3]!.length = 0;
    alliance.cluster.machine(3).supported = supportedRules;
    await alliance.cluster.start(3);
    await alliance.cluster.run(20_000, () => alliance.cluster.heights()[3] === alliance.cluster.heights()[0]);
    await alliance.block(3);
    await alliance.expectAgreement([0, 1, 2, 3]);
    alliance.cluster.close();
  });
});
