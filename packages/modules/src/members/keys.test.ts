import { type Hex, ZERO_ADDRESS } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { membersAddress } from '../abi/addresses.ts';
import { TestAlliance, testKeys } from '../testing/testAlliance.ts';
import { testAccounts } from '../testing/testChain.ts';
import { ROTATION_INTERVAL_SECONDS } from './keys.ts';

const { stranger, alice } = testAccounts;

describe("a member's own account", () => {
  it('changes its vote key at once, which begins an epoch for a validator', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    const { voteKey } = testKeys(20);
    call(alliance.account(2), 'rotateVoteKey', voteKey);
    expect(alliance.events).toEqual(['VoteKeyChanged', 'ValidatorSetChanged']);
    expect(alliance.eventsNamed('VoteKeyChanged')).toEqual([{ member: 2, voteKey }]);
    expect(call(stranger, 'getMember', 2).voteKey).toBe(voteKey);
    expect(alliance.validators()[1]!.voteKey).toBe(voteKey);
    expect(call(stranger, 'validatorSet', 0n)[1]!.voteKey).toBe(testKeys(2).voteKey);
  });

  it('changes its transport key, which is no matter of the set', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    const { transportKey } = testKeys(20);
    call(alliance.account(2), 'rotateTransportKey', transportKey);
    expect(alliance.events).toEqual(['TransportKeyChanged']);
    expect(call(stranger, 'getMember', 2).transportKey).toBe(transportKey);
    expect(call(stranger, 'epoch')).toBe(0n);
  });

  it('never takes a key that any member has or had', () => {
    const alliance = new TestAlliance();
    const { call, chain } = alliance;
    const rotateVote = (member: number, key: Hex) => call(alliance.account(member), 'rotateVoteKey', key);
    const rotateTransport = (member: number, key: Hex) => call(alliance.account(member), 'rotateTransportKey', key);
    for (const member of [2, 3]) {
      expect(() => rotateVote(2, testKeys(member).voteKey)).toThrow(`KeyUsed(${member})`);
      expect(() => rotateTransport(2, testKeys(member).transportKey)).toThrow(`KeyUsed(${member})`);
    }
    rotateVote(2, testKeys(20).voteKey);
    rotateTransport(2, testKeys(20).transportKey);
    chain.extraSeconds += ROTATION_INTERVAL_SECONDS;
    for (const member of [2, 3]) {
      // What the member left behind comes back neither to it nor to another.
      expect(() => rotateVote(member, testKeys(2).voteKey)).toThrow('KeyUsed(2)');
      expect(() => rotateTransport(member, testKeys(2).transportKey)).toThrow('KeyUsed(2)');
    }
    const offCurve: Hex = `0x03${'00'.repeat(31)}05`;
    for (const key of ['0x', offCurve, `${testKeys(21).voteKey}00`] as const) {
      expect(() => rotateVote(2, key)).toThrow('InvalidVoteKey()');
    }
    for (const key of ['0x', `0x${'ab'.repeat(33)}`] as const) {
      expect(() => rotateTransport(2, key)).toThrow('InvalidTransportKey()');
    }
    expect(() => call(stranger, 'rotateVoteKey', testKeys(21).voteKey)).toThrow('NotMember');
    expect(() => call(stranger, 'rotateTransportKey', testKeys(21).transportKey)).toThrow('NotMember');
    expect(() => call(stranger, 'rotateAccount', alice)).toThrow('NotMember');
  });

  it('changes each kind of key once in ten minutes, so that it cannot close an epoch with every block', () => {
    const alliance = new TestAlliance();
    const { call, chain } = alliance;
    const own = () => alliance.account(2);
    const free = chain.timestamp + ROTATION_INTERVAL_SECONDS;
    call(own(), 'rotateVoteKey', testKeys(20).voteKey);
    call(own(), 'rotateTransportKey', testKeys(20).transportKey);
    call(own(), 'rotateAccount', testKeys(20).account);
    chain.extraSeconds = ROTATION_INTERVAL_SECONDS - 1;
    expect(() => call(own(), 'rotateVoteKey', testKeys(21).voteKey)).toThrow(`TooSoon(2, ${free})`);
    expect(() => call(own(), 'rotateTransportKey', testKeys(21).transportKey)).toThrow(`TooSoon(2, ${free})`);
    expect(() => call(own(), 'rotateAccount', testKeys(21).account)).toThrow(`TooSoon(2, ${free})`);
    call(alliance.account(3), 'rotateVoteKey', testKeys(30).voteKey);
    // The others can help at any time.
    const keys = call(alliance.account(1), 'proposeKeys', 2, ZERO_ADDRESS, testKeys(22).voteKey, '0x');
    alliance.approve(keys, 3, 4);
    chain.extraSeconds = ROTATION_INTERVAL_SECONDS;
    call(own(), 'rotateVoteKey', testKeys(21).voteKey);
    call(own(), 'rotateTransportKey', testKeys(21).transportKey);
    call(own(), 'rotateAccount', testKeys(21).account);
  });

  it('hands over to an account that is free or its own', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    const previous = testKeys(2).account;
    expect(() => call(previous, 'rotateAccount', previous)).toThrow('NothingChanges()');
    expect(() => call(previous, 'rotateAccount', ZERO_ADDRESS)).toThrow('InvalidAccount');
    expect(() => call(previous, 'rotateAccount', membersAddress)).toThrow('InvalidAccount');
    expect(() => call(previous, 'rotateAccount', testKeys(3).account)).toThrow('AccountTaken');
    call(alliance.account(3), 'registerAccount', alice, false);
    expect(() => call(previous, 'rotateAccount', alice)).toThrow(`AccountTaken(${alice}, 3)`);
    call(previous, 'registerAccount', stranger, false);
    call(alliance.account(1), 'setMayTransact', stranger, false);
    expect(() => call(previous, 'rotateAccount', stranger)).toThrow(`AccountBarred(${stranger})`);
    call(alliance.account(1), 'setMayTransact', stranger, true);
    call(previous, 'rotateAccount', stranger);
    expect(alliance.events).toEqual([
      'AccountRemoved',
      'AccountPermissionsChanged',
      'MemberAccountChanged',
      'ValidatorSetChanged',
    ]);
    expect(alliance.eventsNamed('MemberAccountChanged')).toEqual([{ member: 2, previous, account: stranger }]);
    expect(call(alice, 'accountsOf', 2, 0n, 9n)).toEqual([stranger]);
    expect(call(alice, 'permissionsOf', stranger)).toEqual([true, true]);
    expect(call(alice, 'permissionsOf', previous)).toEqual([false, false]);
    expect(() => call(previous, 'setEndpoints', ['a:1'])).toThrow(`NotMember(${previous})`);
    call(stranger, 'setEndpoints', ['a:1']);
    // The account that was left is free for anybody.
    call(alliance.account(4), 'registerAccount', previous, false);
    expect(alliance.validators()[1]!.address).toBe(stranger);
  });

  it('does not shake off what the authority barred', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    const { account } = testKeys(20);
    call(alliance.account(1), 'setMayDeploy', alliance.account(2), false);
    call(alliance.account(2), 'rotateAccount', account);
    expect(call(stranger, 'getAccount', account)).toMatchObject({
      member: 2,
      mayTransact: true,
      mayDeploy: false,
      deployBarred: true,
    });
    expect(() => call(account, 'setMayDeploy', account, true)).toThrow('DeployNotGranted');
    const replacement = call(alliance.account(1), 'proposeKeys', 2, testKeys(21).account, '0x', '0x');
    alliance.approve(replacement, 3, 4);
    expect(call(stranger, 'getAccount', testKeys(21).account)).toMatchObject({ mayDeploy: false, deployBarred: true });
  });
});
