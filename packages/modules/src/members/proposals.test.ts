import { DEFAULT_GOVERNANCE, GOVERNANCE_ACTIONS, type MemberRole, ZERO_ADDRESS } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { membersAddress } from '../abi/addresses.ts';
import { actionCode, proposalStates } from '../abi/memberCodes.ts';
import { TestAlliance, testKeys, testMember } from '../testing/testAlliance.ts';
import { testAccounts } from '../testing/testChain.ts';
import { MAX_PENDING_PROPOSALS } from './proposals.ts';
import { nothingProposed } from './proposed.ts';

const { open, passed, enacted, withdrawn, expired } = proposalStates;
const { stranger } = testAccounts;
const WEEK = 604_800;

/** An alliance in which adding a member takes this. */
const admitting = (policy: Partial<Record<MemberRole | 'percent', number>>, validators?: readonly MemberRole[]) =>
  new TestAlliance({
    ...(validators === undefined ? {} : { validators }),
    governance: { policies: { addMember: { authority: 0, bank: 0, company: 0, percent: 0, ...policy } } },
  });

describe('policies', () => {
  it('are those of the genesis document', () => {
    const { call } = new TestAlliance();
    for (const action of GOVERNANCE_ACTIONS) {
      expect(call(stranger, 'policyOf', actionCode(action))).toEqual(DEFAULT_GOVERNANCE.policies[action]);
    }
    expect(call(stranger, 'votingPeriod')).toBe(WEEK);
    expect(() => call(stranger, 'policyOf', 0)).toThrow('UnknownAction(0)');
    expect(() => call(stranger, 'policyOf', 8)).toThrow('UnknownAction(8)');
    const other = admitting({ bank: 3, percent: 7 });
    expect(other.call(stranger, 'policyOf', 1)).toEqual({ authority: 0, bank: 3, company: 0, percent: 7 });
    const short = new TestAlliance({ governance: { votingPeriodSeconds: 60 } });
    expect(short.call(stranger, 'votingPeriod')).toBe(60);
  });

  it.each([
    // Members, percent, approvals that suffice: more than the percentage, never just as much.
    [4, 50, 3],
    [5, 50, 3],
    [4, 49, 2],
    [3, 66, 2],
    [4, 66, 3],
    [6, 66, 4],
    [7, 66, 5],
    [4, 75, 4],
    [5, 99, 5],
    [4, 0, 1],
  ])('of %i members and more than %i percent take %i approvals', (count, percent, needed) => {
    const alliance = admitting({ percent }, ['authority', ...new Array(count - 1).fill('company')]);
    const proposal = alliance.propose(1, testMember(40));
    for (let approvals = 1; approvals < needed; approvals++) {
      expect(alliance.state(proposal)).toBe(open);
      alliance.call(alliance.account(approvals + 1), 'vote', proposal, true);
    }
    expect(alliance.state(proposal)).toBe(enacted);
    expect(alliance.call(stranger, 'getProposal', proposal)).toMatchObject({ approvals: needed, electorate: count });
  });

  it('ask for approvals of each role, at most as many as there are members of it', () => {
    const alliance = admitting({ authority: 1, bank: 2, percent: 0 }, ['authority', 'bank', 'bank', 'company']);
    const proposal = alliance.propose(4, testMember(40));
    expect(alliance.approve(proposal, 2, 1)).toBe(open);
    expect(alliance.approve(proposal, 3)).toBe(enacted);
    // There is one bank, so one is enough.
    const single = admitting({ bank: 2, percent: 0 });
    expect(single.approve(single.propose(1, testMember(40)), 3, 4)).toBe(open);
    expect(single.approve(1, 2)).toBe(enacted);
  });

  it('leave out whom a removal or a replacement of keys is about, as a voter and in the base', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    // The only authority lost its keys: neither its majority nor its consent can be asked for.
    const proposal = call(alliance.account(2), 'proposeKeys', 1, testKeys(10).account, testKeys(10).voteKey, '0x');
    expect(call(stranger, 'getProposal', proposal)).toMatchObject({ approvals: 1, electorate: 3, state: open });
    expect(() => call(alliance.account(1), 'vote', proposal, false)).toThrow(`OwnCase(${proposal}, 1)`);
    expect(alliance.approve(proposal, 3)).toBe(enacted);
    expect(alliance.account(1)).toBe(testKeys(10).account);
    expect(alliance.validators()[0]).toEqual({
      name: 'member-1',
      address: testKeys(10).account,
      voteKey: testKeys(10).voteKey,
    });
    // Whoever asks to leave does not vote for it.
    const leaving = call(alliance.account(4), 'proposeRemoval', 4);
    expect(call(stranger, 'getProposal', leaving)).toMatchObject({ approvals: 0, electorate: 3 });
    expect(call(stranger, 'voteOf', leaving, 4)).toBe(0);
    expect(alliance.approve(leaving, 1, 2)).toBe(enacted);
    // Whom a demotion is about has its vote.
    const demotion = call(alliance.account(1), 'proposeDemotion', 2);
    expect(call(stranger, 'getProposal', demotion)).toMatchObject({ electorate: 3 });
    call(alliance.account(2), 'vote', demotion, false);
    expect(alliance.approve(demotion, 3)).toBe(enacted);
  });
});

describe('a proposal', () => {
  it('is made by the own account of an active member, whose approval it is', () => {
    const alliance = new TestAlliance();
    const { call, chain } = alliance;
    expect(() => call(stranger, 'proposeRemoval', 2)).toThrow(`NotMember(${stranger})`);
    call(alliance.account(2), 'registerAccount', stranger, false);
    expect(() => call(stranger, 'proposeRemoval', 2)).toThrow(`NotMember(${stranger})`);
    const { name, account, voteKey, transportKey } = testMember(40);
    const createdAt = chain.timestamp;
    const id = alliance.propose(2, testMember(40));
    expect(id).toBe(1);
    expect(alliance.events).toEqual(['ProposalCreated', 'Voted']);
    const endpoints = [`${name}.example:9000`];
    const proposed = { ...nothingProposed, name, role: 3, account, voteKey, transportKey, endpoints };
    const expiresAt = createdAt + WEEK;
    expect(alliance.eventsNamed('ProposalCreated')).toEqual([
      { proposal: 1, action: 1, proposer: 2, proposed, expiresAt },
    ]);
    expect(call(stranger, 'getProposal', 1)).toEqual({
      id: 1,
      action: 1,
      state: open,
      proposer: 2,
      createdAt,
      expiresAt,
      enactedHeight: 0,
      approvals: 1,
      rejections: 0,
      electorate: 4,
      approved: false,
      proposed,
    });
    expect(call(stranger, 'proposalCount')).toBe(1);
    expect(() => call(stranger, 'getProposal', 2)).toThrow('UnknownProposal(2)');
    for (const name of ['withdraw', 'enact'] as const) {
      expect(() => call(alliance.account(1), name, 2)).toThrow('UnknownProposal(2)');
      expect(() => call(stranger, name, 1)).toThrow('NotMember');
    }
    expect(() => call(alliance.account(1), 'vote', 0, true)).toThrow('UnknownProposal(0)');
    expect(() => call(stranger, 'vote', 1, true)).toThrow('NotMember');
  });

  it('is enacted by the vote that suffices, and shows how it was decided ever after', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    const id = alliance.propose(2, testMember(40));
    call(alliance.account(3), 'vote', id, false);
    expect(alliance.events).toEqual(['Voted']);
    call(alliance.account(4), 'vote', id, true);
    alliance.nextBlock(5);
    call(alliance.account(1), 'vote', id, true);
    expect(alliance.events).toEqual(['Voted', 'ProposalPassed', 'ProposalEnacted', 'MemberAdded', 'AccountRegistered']);
    expect(alliance.eventsNamed('ProposalPassed')).toEqual([
      { proposal: id, approvals: 3, rejections: 1, electorate: 4 },
    ]);
    const decided = { state: enacted, enactedHeight: 6, approvals: 3, rejections: 1, electorate: 4, approved: true };
    expect(call(stranger, 'getProposal', id)).toMatchObject({ ...decided, proposed: { member: 5, name: 'member-40' } });
    expect([1, 2, 3, 4, 5].map((member) => call(stranger, 'voteOf', id, member))).toEqual([1, 1, 2, 1, 0]);
    alliance.approve(call(alliance.account(1), 'proposeRemoval', 4), 2, 3);
    expect(call(stranger, 'getProposal', id)).toMatchObject(decided);
    expect(() => call(alliance.account(3), 'vote', id, true)).toThrow(`ProposalClosed(${id}, ${enacted})`);
    expect(() => call(alliance.account(3), 'enact', id)).toThrow(`ProposalClosed(${id}, ${enacted})`);
    expect(() => call(alliance.account(2), 'withdraw', id)).toThrow(`ProposalClosed(${id}, ${enacted})`);
  });

  it('lets no proposal that passed and waits undo what was decided in the same matter since', () => {
    const alliance = new TestAlliance({ observers: ['company'] });
    const { chain, call } = alliance;
    const { passed, superseded } = proposalStates;
    alliance.declareReady(5);
    const [first, second] = [1, 2].map(() => call(alliance.account(1), 'proposePromotion', 5));
    const keys = call(alliance.account(1), 'proposeKeys', 5, testMember(70).account, '0x', '0x');
    alliance.approve(first!, 2, 3, 4);
    expect(call(stranger, 'getProposal', second!)).toMatchObject({ state: superseded });
    // Another matter of the same member goes on.
    expect(call(stranger, 'getProposal', keys)).toMatchObject({ state: proposalStates.open });
    for (const act of [['vote', second!, true] as const, ['enact', second!] as const])
      expect(() => call(alliance.account(2), ...(act as unknown as ['enact', number]))).toThrow(
        `ProposalClosed(${second}, ${superseded})`,
      );
    // One that passed and could not be done at once stands until there is another decision.
    const demotion = call(alliance.account(1), 'proposeDemotion', 5);
    alliance.approve(demotion, 2, 3, 4);
    const waiting = call(alliance.account(1), 'proposePromotion', 5);
    chain.extraSeconds += 3_700;
    alliance.approve(waiting, 2, 3, 4);
    expect(call(stranger, 'getProposal', waiting)).toMatchObject({ state: passed });
    const sooner = call(alliance.account(1), 'proposePromotion', 5);
    alliance.approve(sooner, 2, 3, 4);
    alliance.declareReady(5);
    expect(alliance.validators()).toHaveLength(5);
    const again = call(alliance.account(1), 'proposeDemotion', 5);
    alliance.approve(again, 2, 3, 4);
    expect(alliance.validators()).toHaveLength(4);
    for (const id of [waiting, sooner]) expect(() => call(alliance.account(5), 'enact', id)).toThrow(/ProposalClosed/);
    expect(call(stranger, 'getProposal', waiting)).toMatchObject({ state: superseded });
  });

  it('counts one vote a member, which it may change while the proposal is open', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    const id = alliance.propose(1, testMember(40));
    const counts = () => {
      const { approvals, rejections } = call(stranger, 'getProposal', id);
      return [approvals, rejections];
    };
    call(alliance.account(2), 'vote', id, true);
    call(alliance.account(2), 'vote', id, true);
    expect(counts()).toEqual([2, 0]);
    call(alliance.account(2), 'vote', id, false);
    call(alliance.account(1), 'vote', id, false);
    expect(counts()).toEqual([0, 2]);
    expect(alliance.approve(id, 3, 4, 1)).toBe(enacted);
    expect(counts()).toEqual([3, 1]);
  });

  it('counts by the members of now: who was removed counts no more, who came since does', () => {
    const alliance = new TestAlliance({ observers: ['company'] });
    const { call } = alliance;
    const id = alliance.propose(1, testMember(40));
    call(alliance.account(5), 'vote', id, true);
    expect(call(stranger, 'getProposal', id)).toMatchObject({ approvals: 2, electorate: 5, approved: false });
    alliance.approve(call(alliance.account(1), 'proposeRemoval', 5), 2, 3, 4);
    expect(call(stranger, 'getProposal', id)).toMatchObject({ approvals: 1, electorate: 4 });
    expect(() => call(testKeys(5).account, 'vote', id, true)).toThrow('NotMember');
    alliance.approve(alliance.propose(1, testMember(41)), 2, 3);
    expect(call(stranger, 'getProposal', id)).toMatchObject({ approvals: 1, electorate: 5 });
    expect(alliance.approve(id, 6, 2)).toBe(enacted);
  });

  it('is a vote of the member, whatever account it has by then', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    const id = alliance.propose(2, testMember(40));
    call(alliance.account(2), 'rotateAccount', testKeys(20).account);
    expect(() => call(testKeys(2).account, 'vote', id, false)).toThrow('NotMember');
    call(testKeys(20).account, 'vote', id, true);
    expect(call(stranger, 'getProposal', id)).toMatchObject({ approvals: 1 });
    call(testKeys(20).account, 'withdraw', id);
  });

  it('expires to the second, open or passed', () => {
    const alliance = new TestAlliance({ observers: ['company'], governance: { votingPeriodSeconds: 100 } });
    const { call, chain } = alliance;
    const first = alliance.propose(1, testMember(40));
    const promotion = call(alliance.account(1), 'proposePromotion', 5);
    expect(alliance.approve(promotion, 2, 3, 4)).toBe(passed);
    chain.extraSeconds = 99;
    call(alliance.account(2), 'vote', first, true);
    expect(() => call(alliance.account(2), 'enact', promotion)).toThrow('NotReady(5)');
    chain.extraSeconds = 100;
    for (const id of [first, promotion]) {
      expect(alliance.state(id)).toBe(expired);
      expect(() => call(alliance.account(3), 'vote', id, true)).toThrow(`ProposalClosed(${id}, ${expired})`);
      expect(() => call(alliance.account(3), 'enact', id)).toThrow(`ProposalClosed(${id}, ${expired})`);
      expect(() => call(alliance.account(1), 'withdraw', id)).toThrow(`ProposalClosed(${id}, ${expired})`);
    }
    alliance.declareReady(5);
    expect(call(stranger, 'getMember', 5).validator).toBe(false);
  });

  it('is withdrawn by its proposer alone', () => {
    const alliance = new TestAlliance({ observers: ['company'] });
    const { call } = alliance;
    const id = alliance.propose(2, testMember(40));
    expect(() => call(alliance.account(1), 'withdraw', id)).toThrow(`NotProposer(${id}, 1)`);
    call(alliance.account(2), 'withdraw', id);
    expect(alliance.events).toEqual(['ProposalWithdrawn']);
    expect(alliance.state(id)).toBe(withdrawn);
    expect(() => call(alliance.account(3), 'vote', id, true)).toThrow(`ProposalClosed(${id}, ${withdrawn})`);
    // What has passed and waits can be taken back too, and is not enacted when the member becomes ready.
    const promotion = call(alliance.account(2), 'proposePromotion', 5);
    expect(alliance.approve(promotion, 1, 3, 4)).toBe(passed);
    expect(() => call(alliance.account(5), 'vote', promotion, false)).toThrow(
      `ProposalClosed(${promotion}, ${passed})`,
    );
    call(alliance.account(2), 'withdraw', promotion);
    alliance.declareReady(5);
    expect(call(stranger, 'getMember', 5).validator).toBe(false);
    // Time does not turn one end into another.
    alliance.chain.extraSeconds = WEEK;
    expect(alliance.state(id)).toBe(withdrawn);
  });

  it('is enacted by anybody of the alliance once the members or the policy make its approvals suffice', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    const id = alliance.propose(1, testMember(40));
    call(alliance.account(2), 'vote', id, true);
    expect(() => call(alliance.account(4), 'enact', id)).toThrow(`NotApproved(${id}, 2, 4)`);
    alliance.approve(call(alliance.account(1), 'proposeRemoval', 3), 2, 4);
    expect(call(stranger, 'getProposal', id)).toMatchObject({ state: open, approved: true });
    call(alliance.account(4), 'enact', id);
    expect(alliance.events).toEqual(['ProposalPassed', 'ProposalEnacted', 'MemberAdded', 'AccountRegistered']);
    const further = alliance.propose(1, testMember(41));
    const policy = { authority: 1, bank: 0, company: 0, percent: 0 };
    alliance.approve(call(alliance.account(1), 'proposePolicy', 1, policy), 2, 4, 5);
    expect(alliance.state(further)).toBe(open);
    call(alliance.account(4), 'enact', further);
    expect(alliance.state(further)).toBe(enacted);
  });

  it('is checked again when it is enacted, and waits while it cannot be done', () => {
    const alliance = new TestAlliance();
    const { call } = alliance;
    const [one, two] = [alliance.propose(1, testMember(40)), alliance.propose(2, testMember(40))];
    expect(alliance.approve(one, 2, 3)).toBe(enacted);
    expect(alliance.approve(two, 1, 3)).toBe(passed);
    expect(alliance.events).toEqual(['Voted', 'ProposalPassed']);
    expect(() => call(alliance.account(1), 'enact', two)).toThrow('NameTaken(member-40, 5)');
    // The account of the one to come is taken, until the authority takes it away again.
    const three = alliance.propose(1, testMember(41));
    call(alliance.account(4), 'registerAccount', testKeys(41).account, false);
    expect(alliance.approve(three, 2, 3)).toBe(passed);
    expect(() => call(alliance.account(1), 'enact', three)).toThrow(`AccountTaken(${testKeys(41).account}, 4)`);
    call(alliance.account(1), 'removeAccount', testKeys(41).account);
    call(alliance.account(5), 'enact', three);
    expect(call(stranger, 'memberByName', 'member-41')).toBe(6);
  });

  it('is one of 64 that a member may have pending; withdrawn ones count until they would have expired', () => {
    const alliance = new TestAlliance({ governance: { votingPeriodSeconds: 60 } });
    const { call, chain } = alliance;
    const own = alliance.account(3);
    const propose = () => call(own, 'proposeDemotion', 2);
    for (let count = 0; count < MAX_PENDING_PROPOSALS; count++) {
      const id = propose();
      if (count % 2 === 0) call(own, 'withdraw', id);
    }
    expect(propose).toThrow(`TooManyProposals(3, ${MAX_PENDING_PROPOSALS})`);
    expect(chain.lastGasUsed).toBeLessThan(500_000n);
    call(alliance.account(4), 'proposeDemotion', 2);
    // One that is enacted makes room for one.
    alliance.approve(2, 1, 4);
    expect(alliance.state(2)).toBe(enacted);
    call(own, 'proposeDemotion', 4);
    expect(() => call(own, 'proposeDemotion', 4)).toThrow('TooManyProposals');
    chain.extraSeconds = 60;
    for (let count = 0; count < MAX_PENDING_PROPOSALS; count++) call(own, 'proposeDemotion', 4);
    expect(() => call(own, 'proposeDemotion', 4)).toThrow('TooManyProposals');
  });

  it('of an alliance of one is decided by making it', () => {
    const alliance = new TestAlliance({ validators: ['authority'] });
    const id = alliance.propose(1, testMember(2));
    expect(alliance.state(id)).toBe(enacted);
    expect(() => alliance.call(alliance.account(1), 'proposeKeys', 1, ZERO_ADDRESS, '0x', '0x')).toThrow();
    expect(alliance.call(membersAddress, 'memberCount')).toBe(2);
  });
});
