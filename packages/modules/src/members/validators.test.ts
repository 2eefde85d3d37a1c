import { Epoch } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { membersAddress } from '../abi/addresses.ts';
import { readStorage } from '../storage/accessors.ts';
import { SlotHasher } from '../storage/slotHasher.ts';
import { StateSlots } from '../storage/stateSlots.ts';
import { TestAlliance, testKeys, testMember } from '../testing/testAlliance.ts';
import { testSuite } from '../testing/testChain.ts';
import { membersStorage } from './membersStorage.ts';

const names = (alliance: TestAlliance) => alliance.validators().map(({ name }) => name);
const epoch = ({ chain }: TestAlliance) => chain.readers.readEpoch(chain.state);
const storageOf = ({ chain }: TestAlliance) =>
  readStorage(new StateSlots(chain.state, membersAddress, new SlotHasher(testSuite)), membersStorage);
const none = `0x${'00'.repeat(20)}` as const;

describe('the validator set', () => {
  it('changes with an epoch that the same block closes, while older sets stay', () => {
    const alliance = new TestAlliance({ observers: ['company'] });
    const { chain, call } = alliance;
    const before = chain.readers.readValidatorSet(chain.state, Epoch(0));
    chain.height = 20;
    alliance.declareReady(5);
    const promotion = call(alliance.account(1), 'proposePromotion', 5);
    expect(alliance.approve(promotion, 2, 3, 4)).toBe(3);
    expect(alliance.eventsNamed('ValidatorSetChanged')).toEqual([{ epoch: 1n, members: [1, 2, 3, 4, 5] }]);
    expect(epoch(alliance)).toBe(1);
    expect(names(alliance)).toEqual(['member-1', 'member-2', 'member-3', 'member-4', 'member-5']);
    expect(chain.readers.readEpochStart(chain.state, Epoch(1))).toBe(20);
    expect(chain.readers.readEpochStart(chain.state, Epoch(0))).toBe(0);
    expect(chain.readers.readEpochStart(chain.state, Epoch(2))).toBeUndefined();
    expect(call(membersAddress, 'epochStart', 1n)).toBe(20);
    expect(() => call(membersAddress, 'epochStart', 2n)).toThrow('UnknownEpoch(2)');
    expect(chain.readers.readValidatorSet(chain.state, Epoch(0))).toEqual(before);

    chain.height = 30;
    const demotion = call(alliance.account(1), 'proposeDemotion', 2);
    alliance.approve(demotion, 3, 4, 5);
    // The others move up and keep their order.
    expect(names(alliance)).toEqual(['member-1', 'member-3', 'member-4', 'member-5']);
    const orders = chain.readers.readMembers(chain.state).map(({ validator, order }) => [validator, order]);
    expect(orders).toEqual([
      [true, 0],
      [false, 0],
      [true, 1],
      [true, 2],
      [true, 3],
    ]);
    expect(epoch(alliance)).toBe(2);
  });

  it('changes once a block: further changes rewrite the set of the new epoch', () => {
    const alliance = new TestAlliance();
    const { chain, call } = alliance;
    chain.height = 9;
    call(alliance.account(2), 'rotateVoteKey', testKeys(20).voteKey);
    call(alliance.account(3), 'rotateVoteKey', testKeys(30).voteKey);
    expect(epoch(alliance)).toBe(1);
    // Gas is estimated on the newest block; what suffices on one that closed an epoch suffices on the next.
    const usedAgain = chain.lastGasUsed;
    const fresh = new TestAlliance();
    fresh.nextBlock();
    fresh.call(fresh.account(3), 'rotateVoteKey', testKeys(30).voteKey);
    expect(usedAgain).toBeGreaterThanOrEqual(fresh.chain.lastGasUsed);
    const removal = call(alliance.account(1), 'proposeRemoval', 4);
    alliance.approve(removal, 2, 3);
    expect(epoch(alliance)).toBe(1);
    expect(alliance.validators().map(({ voteKey }) => voteKey)).toEqual([1, 20, 30].map((n) => testKeys(n).voteKey));
    // What the longer set of a moment ago left behind is gone.
    expect(call(membersAddress, 'validatorSet', 1n)).toHaveLength(3);
    const last = storageOf(alliance).validators.at(1n).at(3);
    expect([last.member.get(), last.account.get(), last.voteKey.get()]).toEqual([0, none, new Uint8Array(0)]);
    alliance.nextBlock();
    call(alliance.account(1), 'rotateAccount', testKeys(10).account);
    expect(epoch(alliance)).toBe(2);
    expect(alliance.validators()[0]!.address).toBe(testKeys(10).account);
    expect(chain.readers.readValidatorSet(chain.state, Epoch(1))!.validators[0]!.address).toBe(testKeys(1).account);
  });

  it('does not change with observers, endpoints and transport keys', () => {
    const alliance = new TestAlliance({ observers: ['company'] });
    const { call } = alliance;
    alliance.approve(alliance.propose(1, testMember(6)), 2, 3);
    call(alliance.account(2), 'setEndpoints', ['elsewhere.example:1']);
    call(alliance.account(2), 'rotateTransportKey', testKeys(20).transportKey);
    call(alliance.account(5), 'rotateVoteKey', testKeys(50).voteKey);
    call(alliance.account(5), 'rotateAccount', testKeys(51).account);
    alliance.approve(call(alliance.account(1), 'proposeKeys', 5, none, testKeys(52).voteKey, '0x'), 2, 3, 4);
    alliance.approve(call(alliance.account(1), 'proposeRemoval', 5), 2, 3, 4);
    expect(call(membersAddress, 'getMember', 5)).toMatchObject({ status: 2, voteKey: testKeys(52).voteKey });
    expect(call(membersAddress, 'getMember', 6)).toMatchObject({ status: 1, name: 'member-6', validator: false });
    expect(epoch(alliance)).toBe(0);
  });

  it('is replaced one by one through votes alone', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    const roles = ['authority', 'bank', 'company', 'company'] as const;
    roles.forEach((role, index) => {
      const leaving = index + 1;
      const coming = index + 5;
      alliance.nextBlock(10);
      const electors = [1, 2, 3, 4].map((n) => (n < leaving ? n + 4 : n));
      const [first, ...others] = electors as [number, ...number[]];
      expect(alliance.approve(alliance.propose(first, testMember(coming, role)), ...others)).toBe(3);
      expect(alliance.approve(call(alliance.account(first), 'proposePromotion', coming), ...others, coming)).toBe(2);
      alliance.nextBlock();
      alliance.declareReady(coming);
      expect(names(alliance)).toContain(`member-${coming}`);
      alliance.nextBlock();
      const removal = call(alliance.account(coming), 'proposeRemoval', leaving);
      expect(alliance.approve(removal, ...electors.filter((n) => n !== leaving))).toBe(3);
    });
    expect(names(alliance)).toEqual(['member-5', 'member-6', 'member-7', 'member-8']);
    expect(epoch(alliance)).toBe(8);
    for (let number = 0; number <= 8; number++) {
      const count = number % 2 === 0 ? 4 : 5;
      expect(call(membersAddress, 'validatorSet', BigInt(number))).toHaveLength(count);
    }
  });
});
