import { type Address, type Hex, MAX_MEMBERS, MAX_VALIDATORS, type MemberRole, ZERO_ADDRESS } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { membersAddress } from '../abi/addresses.ts';
import { proposalStates } from '../abi/memberCodes.ts';
import { TestAlliance, testKeys, testMember } from '../testing/testAlliance.ts';
import { testAccounts } from '../testing/testChain.ts';

const { passed, enacted } = proposalStates;
const { stranger } = testAccounts;

describe('adding a member', () => {
  it('gives it a number, its account and its keys', () => {
    const alliance = new TestAlliance();
    const { call, chain } = alliance;
    const id = alliance.propose(1, testMember(40, 'bank'));
    alliance.approve(id, 2, 3);
    const { name, account, voteKey, transportKey } = testMember(40);
    const endpoints = ['member-40.example:9000'];
    expect(alliance.eventsNamed('MemberAdded')).toEqual([{ member: 5, name, role: 2, account }]);
    expect(chain.readers.readMembers(chain.state)[4]).toEqual({
      id: 5,
      name,
      role: 'bank',
      active: true,
      address: account,
      validator: false,
      order: 0,
      voteKey,
      transportKey,
      endpoints,
    });
    expect(call(stranger, 'permissionsOf', account)).toEqual([true, true]);
    expect(call(stranger, 'memberByName', name)).toBe(5);
    expect(call(stranger, 'accountsOf', 5, 0n, 9n)).toEqual([account]);
    expect(call(account, 'proposeDemotion', 4)).toBe(2);
  });

  it('is refused for what cannot be a member', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    const own = alliance.account(1);
    const good = testMember(40);
    const propose = (changes: {
      readonly name?: string;
      readonly role?: number;
      readonly account?: Address;
      readonly voteKey?: Hex;
      readonly transportKey?: Hex;
      readonly endpoints?: readonly string[];
    }) => {
      const all = { ...good, role: 3, endpoints: ['a.example:1'], ...changes };
      return call(own, 'proposeMember', all.name, all.role, all.account, all.voteKey, all.transportKey, all.endpoints);
    };
    for (const name of ['', 'Bank', '1a', 'a b', 'a'.repeat(32), `x${'🙂'.repeat(40)}`]) {
      expect(() => propose({ name })).toThrow('InvalidName');
    }
    expect(() => propose({ name: 'member-2' })).toThrow('NameTaken(member-2, 2)');
    for (const role of [0, 4]) expect(() => propose({ role })).toThrow(`InvalidRole(${role})`);
    for (const account of [ZERO_ADDRESS, membersAddress]) {
      expect(() => propose({ account })).toThrow(`InvalidAccount(${account})`);
    }
    expect(() => propose({ account: testKeys(3).account })).toThrow(`AccountTaken(${testKeys(3).account}, 3)`);
    call(alliance.account(2), 'registerAccount', stranger, false);
    expect(() => propose({ account: stranger })).toThrow(`AccountTaken(${stranger}, 2)`);
    call(own, 'setMayTransact', stranger, false);
    call(own, 'removeAccount', stranger);
    expect(() => propose({ account: stranger })).toThrow(`AccountBarred(${stranger})`);
    const offCurve: Hex = `0x02${'00'.repeat(31)}05`;
    for (const voteKey of ['0x', offCurve, `${good.voteKey}00`, '0x02', `0x04${'11'.repeat(64)}`] as const) {
      expect(() => propose({ voteKey })).toThrow('InvalidVoteKey()');
    }
    expect(() => propose({ voteKey: testKeys(2).voteKey })).toThrow('KeyUsed(2)');
    // The negative of a point has the same private key but for its sign.
    const negative = testKeys(2).voteKey.replace(/^0x0./, (head) => (head === '0x02' ? '0x03' : '0x02')) as Hex;
    expect(() => propose({ voteKey: negative })).toThrow('KeyUsed(2)');
    for (const transportKey of ['0x', `0x${'11'.repeat(31)}`, `0x${'11'.repeat(33)}`] as const) {
      expect(() => propose({ transportKey })).toThrow('InvalidTransportKey()');
    }
    expect(() => propose({ transportKey: testKeys(3).transportKey })).toThrow('KeyUsed(3)');
    expect(() => propose({ endpoints: [] })).toThrow('TooMany(0, 8)');
    expect(() => propose({ endpoints: new Array(9).fill('a:1') })).toThrow('TooMany(9, 8)');
    expect(() => propose({ endpoints: ['a:1', 'a'] })).toThrow('InvalidEndpoint(1)');
    expect(call(stranger, 'proposalCount')).toBe(0);
    expect(propose({})).toBe(1);
  });

  it('ends with 256 members', () => {
    const observers: MemberRole[] = new Array(MAX_MEMBERS - 4).fill('company');
    const alliance = new TestAlliance({ observers });
    expect(() => alliance.propose(1, testMember(400))).toThrow(`TooManyMembers(${MAX_MEMBERS})`);
  });

  it('takes neither name nor keys of a member that was removed, but may take its account', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    alliance.approve(call(alliance.account(1), 'proposeRemoval', 4), 2, 3);
    const old = testMember(4);
    const fresh = testMember(40);
    expect(() => alliance.propose(1, old)).toThrow('NameTaken(member-4, 4)');
    expect(() => alliance.propose(1, { ...fresh, voteKey: old.voteKey })).toThrow('KeyUsed(4)');
    expect(() => alliance.propose(1, { ...fresh, transportKey: old.transportKey })).toThrow('KeyUsed(4)');
    alliance.approve(alliance.propose(1, { ...fresh, account: old.account }), 2, 3);
    expect(alliance.account(5)).toBe(old.account);
    expect(call(stranger, 'accountsOf', 4, 0n, 9n)).toEqual([]);
    expect(call(stranger, 'accountsOf', 5, 0n, 9n)).toEqual([old.account]);
  });
});

describe('promoting a member', () => {
  it('waits until it has declared itself ready, which then enacts it', () => {
    const alliance = new TestAlliance({ observers: ['company'] });
    const { call } = alliance;
    const id = call(alliance.account(1), 'proposePromotion', 5);
    expect(alliance.approve(id, 2, 3, 4)).toBe(passed);
    expect(() => call(alliance.account(1), 'enact', id)).toThrow('NotReady(5)');
    alliance.nextBlock();
    alliance.declareReady(5);
    expect(alliance.events).toEqual(['ReadyDeclared', 'ProposalEnacted', 'MemberPromoted', 'ValidatorSetChanged']);
    expect(alliance.state(id)).toBe(enacted);
    expect(alliance.validators()).toHaveLength(5);
    expect(() => alliance.declareReady(5)).toThrow('AlreadyValidator(5)');
  });

  it('is enacted by a vote or a member if it was ready before', () => {
    const alliance = new TestAlliance({ observers: ['company', 'company'] });
    const { call, chain } = alliance;
    alliance.nextBlock();
    alliance.declareReady(5);
    alliance.declareReady(6);
    expect(call(stranger, 'readyOf', 5)).toEqual([1, chain.timestamp + 3_600]);
    expect(call(stranger, 'readyOf', 4)).toEqual([0, 0]);
    expect(alliance.approve(call(alliance.account(1), 'proposePromotion', 5), 2, 3, 4, 5)).toBe(enacted);
    // To the last second of the hour.
    const id = call(alliance.account(1), 'proposePromotion', 6);
    chain.extraSeconds = 3_600;
    expect(alliance.approve(id, 2, 3, 4, 5)).toBe(passed);
    expect(() => call(alliance.account(2), 'enact', id)).toThrow('NotReady(6)');
    chain.extraSeconds = 3_599;
    call(alliance.account(2), 'enact', id);
    expect(alliance.validators()).toHaveLength(6);
  });

  it('needs a block of the last sixteen, by its hash', () => {
    const alliance = new TestAlliance({ observers: ['company'] });
    const { call, chain } = alliance;
    chain.height = 100;
    const own = alliance.account(5);
    const hash = (height: number) => chain.frameHost().block.blockHash(height)!;
    expect(() => call(own, 'declareReady', 100, hash(99))).toThrow('HeightOutOfReach(100)');
    expect(() => call(own, 'declareReady', 83, hash(83))).toThrow('HeightOutOfReach(83)');
    expect(() => call(own, 'declareReady', 99, hash(98))).toThrow(`WrongBlock(99, ${hash(98)})`);
    expect(() => call(stranger, 'declareReady', 99, hash(99))).toThrow('NotMember');
    call(own, 'declareReady', 84, hash(84));
    call(own, 'declareReady', 99, hash(99));
    expect(call(stranger, 'readyOf', 5)[0]).toBe(99);
    expect(() => call(alliance.account(1), 'declareReady', 99, hash(99))).toThrow('AlreadyValidator(1)');
  });

  it('is refused for validators, for whom there is no member, and beyond 31', () => {
    const alliance = new TestAlliance({ observers: ['company'] });
    const { call } = alliance;
    const own = alliance.account(1);
    expect(() => call(own, 'proposePromotion', 2)).toThrow('AlreadyValidator(2)');
    expect(() => call(own, 'proposePromotion', 0)).toThrow('UnknownMember(0)');
    expect(() => call(own, 'proposePromotion', 6)).toThrow('UnknownMember(6)');
    const waiting = call(own, 'proposePromotion', 5);
    alliance.approve(waiting, 2, 3, 4);
    alliance.approve(call(own, 'proposeRemoval', 5), 2, 3, 4);
    expect(() => call(own, 'proposePromotion', 5)).toThrow('MemberNotActive(5)');
    expect(() => call(own, 'enact', waiting)).toThrow('MemberNotActive(5)');

    const roles: MemberRole[] = ['authority', ...new Array(MAX_VALIDATORS - 2).fill('bank')];
    const large = new TestAlliance({ validators: roles, observers: ['bank', 'bank'] });
    const everybody = Array.from({ length: 32 }, (_, index) => index + 1);
    const [first, second] = [31, 32].map((member) => large.call(large.account(1), 'proposePromotion', member));
    large.nextBlock();
    large.declareReady(31);
    large.declareReady(32);
    expect(large.approve(first!, ...everybody)).toBe(enacted);
    expect(large.chain.lastGasUsed).toBeLessThan(16_000_000n);
    expect(large.validators()).toHaveLength(MAX_VALIDATORS);
    expect(large.approve(second!, ...everybody)).toBe(passed);
    expect(() => large.call(large.account(1), 'enact', second!)).toThrow(`TooManyValidators(${MAX_VALIDATORS})`);
    expect(() => large.call(large.account(1), 'proposePromotion', 32)).toThrow('TooManyValidators');
  });
});

describe('demoting and removing', () => {
  it('leave a validator and an authority', () => {
    const alliance = new TestAlliance({ validators: ['bank', 'bank'], observers: ['authority', 'company'] });
    const { call } = alliance;
    const demote = (by: number, member: number) => call(alliance.account(by), 'proposeDemotion', member);
    const remove = (by: number, member: number) => call(alliance.account(by), 'proposeRemoval', member);
    expect(() => demote(1, 3)).toThrow('NotValidator(3)');
    expect(() => demote(1, 9)).toThrow('UnknownMember(9)');
    expect(() => remove(1, 9)).toThrow('UnknownMember(9)');
    expect(() => remove(1, 3)).toThrow('LastAuthority(3)');
    // Both may be demoted now; when one is, the other may not.
    const [one, two, three] = [demote(3, 1), demote(3, 2), remove(3, 2)];
    expect(alliance.approve(one!, 1, 2, 4)).toBe(enacted);
    expect(alliance.eventsNamed('MemberDemoted')).toEqual([{ member: 1 }]);
    expect(alliance.approve(two!, 1, 2, 4)).toBe(passed);
    expect(() => call(alliance.account(4), 'enact', two!)).toThrow('LastValidator(2)');
    expect(alliance.approve(three!, 1, 4)).toBe(passed);
    expect(() => call(alliance.account(4), 'enact', three!)).toThrow('LastValidator(2)');
    expect(() => demote(1, 2)).toThrow('LastValidator(2)');
    expect(() => remove(1, 2)).toThrow('LastValidator(2)');
    expect(alliance.validators().map(({ name }) => name)).toEqual(['member-2']);
    // With a second authority the first may go.
    alliance.approve(alliance.propose(3, testMember(40, 'authority')), 1, 2, 4);
    expect(alliance.approve(remove(1, 3), 2, 4, 5)).toBe(enacted);
    expect(() => remove(1, 5)).toThrow('LastAuthority(5)');
  });

  it('take the rights of a removed member and its accounts, which are free for others', () => {
    const alliance = new TestAlliance({ observers: ['bank'] });
    const { call, chain } = alliance;
    const [own, extra] = [alliance.account(5), testKeys(50).account];
    call(own, 'registerAccount', extra, true);
    alliance.approve(call(alliance.account(1), 'proposeRemoval', 5), 2, 3);
    expect(alliance.events).toEqual(['Voted', 'ProposalPassed', 'ProposalEnacted', 'MemberRemoved']);
    expect(chain.readers.readMembers(chain.state)[4]).toMatchObject({ active: false, validator: false });
    for (const account of [own, extra]) {
      expect(call(stranger, 'permissionsOf', account)).toEqual([false, false]);
      expect(chain.readers.readPermissions(chain.state, account)).toEqual({ mayTransact: false, mayDeploy: false });
    }
    expect(() => call(own, 'registerAccount', stranger, false)).toThrow(`NotMember(${own})`);
    expect(() => call(own, 'rotateVoteKey', testKeys(51).voteKey)).toThrow('NotMember');
    call(alliance.account(2), 'registerAccount', extra, false);
    expect(alliance.events).toEqual(['AccountRemoved', 'AccountRegistered']);
    call(alliance.account(3), 'registerAccount', own, false);
    expect(call(stranger, 'accountsOf', 5, 0n, 9n)).toEqual([]);
    expect(call(stranger, 'permissionsOf', extra)).toEqual([true, false]);
    // Having the account again does not make a member again.
    expect(() => call(own, 'proposeDemotion', 2)).toThrow('NotMember');
    expect(() => call(alliance.account(4), 'registerAccount', extra, false)).toThrow(`AccountTaken(${extra}, 2)`);
    expect(() => call(alliance.account(1), 'proposeRemoval', 5)).toThrow('MemberNotActive(5)');
    expect(() => call(alliance.account(1), 'proposeDemotion', 5)).toThrow('MemberNotActive(5)');
    expect(() => call(alliance.account(1), 'proposeKeys', 5, ZERO_ADDRESS, testKeys(52).voteKey, '0x')).toThrow(
      'MemberNotActive(5)',
    );
  });
});

describe('replacing keys', () => {
  it('changes what is given and nothing else', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    const { account, voteKey, transportKey } = testKeys(20);
    const before = call(stranger, 'getMember', 2);
    const replace = (...keys: readonly [Address, Hex, Hex]) =>
      alliance.approve(call(alliance.account(1), 'proposeKeys', 2, ...keys), 3, 4);
    expect(replace(ZERO_ADDRESS, '0x', transportKey)).toBe(enacted);
    expect(alliance.events).not.toContain('ValidatorSetChanged');
    expect(call(stranger, 'getMember', 2)).toEqual({ ...before, transportKey });
    expect(replace(ZERO_ADDRESS, voteKey, '0x')).toBe(enacted);
    expect(alliance.eventsNamed('VoteKeyChanged')).toEqual([{ member: 2, voteKey }]);
    expect(call(stranger, 'getMember', 2)).toEqual({ ...before, transportKey, voteKey });
    expect(replace(account, '0x', '0x')).toBe(enacted);
    expect(alliance.events).toContain('ValidatorSetChanged');
    expect(call(stranger, 'getMember', 2)).toEqual({ ...before, transportKey, voteKey, account });
    expect(alliance.validators()[1]).toEqual({ name: 'member-2', address: account, voteKey });
    expect(() => call(before.account, 'proposeDemotion', 3)).toThrow('NotMember');
    expect(call(stranger, 'permissionsOf', before.account)).toEqual([false, false]);
  });

  it('is refused for keys that are used, bad, or no change', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    const propose = (account: Address, voteKey: Hex, transportKey: Hex, member = 2) =>
      call(alliance.account(1), 'proposeKeys', member, account, voteKey, transportKey);
    expect(() => propose(ZERO_ADDRESS, '0x', '0x')).toThrow('NothingChanges()');
    expect(() => propose(testKeys(2).account, testKeys(20).voteKey, '0x')).toThrow('NothingChanges()');
    expect(() => propose(testKeys(3).account, '0x', '0x')).toThrow(`AccountTaken(${testKeys(3).account}, 3)`);
    expect(() => propose(membersAddress, '0x', '0x')).toThrow('InvalidAccount');
    expect(() => propose(ZERO_ADDRESS, testKeys(2).voteKey, '0x')).toThrow('KeyUsed(2)');
    expect(() => propose(ZERO_ADDRESS, '0x1234', '0x')).toThrow('InvalidVoteKey()');
    expect(() => propose(ZERO_ADDRESS, '0x', testKeys(4).transportKey)).toThrow('KeyUsed(4)');
    expect(() => propose(ZERO_ADDRESS, '0x', '0x1234')).toThrow('InvalidTransportKey()');
    expect(() => propose(ZERO_ADDRESS, '0x', testKeys(20).transportKey, 5)).toThrow('UnknownMember(5)');
    // An account that the member registered can become its own.
    call(alliance.account(2), 'registerAccount', stranger, false);
    expect(alliance.approve(propose(stranger, '0x', '0x'), 3, 4)).toBe(enacted);
    expect(call(stranger, 'permissionsOf', stranger)).toEqual([true, true]);
  });
});

describe('changing a policy', () => {
  it('counts from the next vote on', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    const policy = { authority: 0, bank: 0, company: 2, percent: 0 };
    expect(alliance.approve(call(alliance.account(1), 'proposePolicy', 1, policy), 2, 3)).toBe(enacted);
    expect(alliance.eventsNamed('PolicyChanged')).toEqual([{ action: 1, policy }]);
    expect(call(stranger, 'policyOf', 1)).toEqual(policy);
    expect(alliance.approve(alliance.propose(3, testMember(40)), 4)).toBe(enacted);
  });

  it('is refused outside of what the action allows', () => {
    const alliance = new TestAlliance();
    const propose = (action: number, percent: number, authority = 1) =>
      alliance.call(alliance.account(1), 'proposePolicy', action, { authority, bank: 0, company: 0, percent });
    for (const action of [0, 8, 255]) expect(() => propose(action, 60)).toThrow(`UnknownAction(${action})`);
    expect(() => propose(1, 100)).toThrow('InvalidPolicy(1)');
    for (const action of [2, 3, 4, 5, 6, 7]) expect(() => propose(action, 49)).toThrow(`InvalidPolicy(${action})`);
    for (const action of [4, 5, 7]) expect(() => propose(action, 67)).toThrow(`InvalidPolicy(${action})`);
    expect(() => propose(2, 60, 32)).toThrow('InvalidPolicy(2)');
    for (const [action, percent] of [
      [1, 0],
      [2, 99],
      [7, 66],
    ] as const) {
      expect(propose(action, percent, 31)).toBeGreaterThan(0);
    }
  });

  it('is always possible while all others agree, whatever the policy', () => {
    const strict = { authority: 31, bank: 31, company: 31, percent: 66 };
    const policies = { remove: strict, replaceKeys: strict, changePolicy: strict };
    const alliance = new TestAlliance({ governance: { policies } });
    const { call } = alliance;
    const easy = { authority: 0, bank: 0, company: 0, percent: 50 };
    expect(alliance.approve(call(alliance.account(1), 'proposePolicy', 7, easy), 2, 3, 4)).toBe(enacted);
    const keys = call(alliance.account(2), 'proposeKeys', 1, ZERO_ADDRESS, testKeys(10).voteKey, '0x');
    expect(alliance.approve(keys, 3, 4)).toBe(enacted);
    expect(alliance.approve(call(alliance.account(1), 'proposeRemoval', 3), 2, 4)).toBe(enacted);
  });
});
