import { type Address, type CallResult, CompiledAbi, Epoch, type ValidatorSet, ZERO_ADDRESS } from '@hanse/protocol';
import type { Abi } from 'abitype';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { membersAddress } from '../abi/addresses.ts';
import { roleCodes } from '../abi/memberCodes.ts';
import { membersAbi } from '../abi/membersAbi.ts';
import { readStorage } from '../storage/accessors.ts';
import { SlotHasher } from '../storage/slotHasher.ts';
import { StateSlots } from '../storage/stateSlots.ts';
import { TestAlliance, testKeys } from '../testing/testAlliance.ts';
import { testBlockHash, testSuite } from '../testing/testChain.ts';
import { membersStorage } from './membersStorage.ts';

const abi = new CompiledAbi<Abi>(membersAbi, testSuite);
const hasher = new SlotHasher(testSuite);
const roles = ['authority', 'bank', 'company'] as const;

/** A step whose numbers are read against the state that it meets. */
const step = fc.record({
  kind: fc.constantFrom(
    ...['member', 'promotion', 'promotion', 'demotion', 'demotion', 'removal', 'keys', 'rule', 'policy'],
    ...['vote', 'vote', 'enact', 'enact', 'withdraw', 'withdraw', ...new Array<'everybody'>(8).fill('everybody')],
    ...['ready', 'ready', 'voteKey', 'transportKey', 'account', 'register', 'block', 'block', 'hour', 'week'],
  ),
  a: fc.nat(999),
  b: fc.nat(999),
  /** Mostly enough gas, sometimes so little that the call ends in the middle. */
  gas: fc.oneof(
    { arbitrary: fc.constant(10_000_000n), weight: 9 },
    { arbitrary: fc.bigInt({ min: 0n, max: 400_000n }), weight: 1 },
  ),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** The call that a step stands for. */
function callOf(alliance: TestAlliance, { kind, a, b }: Step): readonly [name: string, ...values: readonly unknown[]] {
  const member = (b % 9) + 1;
  const keys = testKeys((a % 40) + 1);
  const proposal = lastProposal(alliance, kind === 'everybody' ? 0 : b);
  const height = alliance.chain.height - 1;
  switch (kind) {
    case 'member':
      return [
        'proposeMember',
        `m${a % 12}`,
        roleCodes[roles[b % 3]!],
        keys.account,
        keys.voteKey,
        keys.transportKey,
        ['a:1'],
      ];
    case 'promotion':
      return ['proposePromotion', a % 4 === 0 ? member : (observersOf(alliance).at(b % 2)?.id ?? member)];
    case 'demotion':
      return ['proposeDemotion', member];
    case 'removal':
      return ['proposeRemoval', member];
    case 'keys':
      return [
        'proposeKeys',
        member,
        a % 2 === 0 ? keys.account : ZERO_ADDRESS,
        a % 3 === 0 ? '0x' : keys.voteKey,
        a % 5 === 0 ? keys.transportKey : '0x',
      ];
    case 'rule':
      return ['proposeRule', a % 2 === 0 ? 'protocol' : 'module:x', (b % 3) + 2, alliance.chain.height + 20 + (a % 40)];
    case 'policy':
      return ['proposePolicy', (a % 8) + 1, { authority: a % 3, bank: b % 3, company: 0, percent: b % 101 }];
    case 'vote':
      return ['vote', proposal, a % 4 !== 0];
    case 'everybody':
      return ['vote', proposal, true];
    case 'enact':
      return ['enact', proposal];
    case 'withdraw':
      return ['withdraw', proposal];
    case 'ready':
      return ['declareReady', height, testBlockHash(height)];
    case 'voteKey':
      return ['rotateVoteKey', keys.voteKey];
    case 'transportKey':
      return ['rotateTransportKey', keys.transportKey];
    case 'account':
      return ['rotateAccount', keys.account];
    default:
      return ['registerAccount', keys.account, b % 2 === 0];
  }
}

const observersOf = (alliance: TestAlliance) =>
  membersIn(alliance).filter(({ active, validator }) => active && !validator);

/** One of the last three proposals. */
function lastProposal(alliance: TestAlliance, choice: number): number {
  return Math.max(1, storageOf(alliance).proposalCount.get() - (choice % 3));
}

const storageOf = ({ chain }: TestAlliance) =>
  readStorage(new StateSlots(chain.state, membersAddress, hasher), membersStorage);

const membersIn = ({ chain }: TestAlliance) => chain.readers.readMembers(chain.state);

/** What must hold whatever the members did. */
function checkMembers(alliance: TestAlliance): void {
  const { readers, state } = alliance.chain;
  const storage = storageOf(alliance);
  const members = membersIn(alliance);
  const active = members.filter((member) => member.active);
  const { validators } = readers.readValidatorSet(state, readers.readEpoch(state))!;
  expect(validators.length).toBeGreaterThanOrEqual(1);
  expect(validators.length).toBeLessThanOrEqual(31);
  const flagged = members.filter(({ validator }) => validator).sort((one, other) => one.order - other.order);
  expect(flagged.every((member) => member.active)).toBe(true);
  expect(flagged.map(({ order }) => order)).toEqual(flagged.map((_, index) => index));
  expect(validators).toEqual(flagged.map(({ name, address, voteKey }) => ({ name, address, voteKey })));
  expect(new Set(active.map(({ address }) => address)).size).toBe(active.length);
  for (const field of ['name', 'voteKey', 'transportKey'] as const) {
    expect(new Set(members.map((member) => member[field])).size).toBe(members.length);
  }
  for (const role of roles) {
    expect(storage.activeMembers.at(roleCodes[role]).get()).toBe(
      active.filter((member) => member.role === role).length,
    );
  }
  expect(active.some(({ role }) => role === 'authority')).toBe(true);
  for (const { id, address, active: isActive } of members) {
    const list = storage.accountsOf.at(id);
    const accounts = Array.from({ length: list.length() }, (_, index) => list.at(index).get());
    for (const [position, account] of accounts.entries()) {
      const record = storage.accounts.at(account);
      expect([record.member.get(), record.position.get()]).toEqual([id, position]);
    }
    if (isActive) expect(accounts).toContain(address);
  }
  const heights = readers.readScheduledRules(state).map(({ height }) => height);
  expect(heights).toEqual([...heights].sort((one, other) => one - other));
}

/** Counts the votes on an open proposal again, in the simplest way. */
function checkTally(alliance: TestAlliance, id: number): void {
  const { call } = alliance;
  const proposal = call(membersAddress, 'getProposal', id);
  if (proposal.state !== 1) return;
  const policy = call(membersAddress, 'policyOf', proposal.action);
  const isOwnCase = proposal.action === 4 || proposal.action === 5;
  const electorate = membersIn(alliance).filter(
    (member) => member.active && !(isOwnCase && member.id === proposal.proposed.member),
  );
  const approving = electorate.filter((member) => call(membersAddress, 'voteOf', id, member.id) === 1);
  const enough = roles.every((role) => {
    const has = approving.filter((member) => member.role === role).length;
    return has >= policy[role] || has === electorate.filter((member) => member.role === role).length;
  });
  expect(proposal).toMatchObject({
    electorate: electorate.length,
    approvals: approving.length,
    approved: enough && approving.length * 100 > electorate.length * policy.percent,
  });
}

/** The set of every epoch, which may change only in the block that began the epoch. */
class Epochs {
  readonly #sets: { readonly set: ValidatorSet; readonly height: number }[] = [];

  check({ chain }: TestAlliance): void {
    const { readers, state } = chain;
    const epoch = readers.readEpoch(state);
    for (let number = 0; number <= epoch; number++) {
      const set = readers.readValidatorSet(state, Epoch(number))!;
      const start = readers.readEpochStart(state, Epoch(number))!;
      const known = this.#sets[number];
      if (known === undefined) {
        expect([number, start]).toEqual([epoch, number === 0 ? 0 : chain.height]);
        this.#sets.push({ set, height: start });
      } else {
        expect(start).toBe(known.height);
        if (number === epoch && start === chain.height) this.#sets[number] = { set, height: start };
        else expect(set).toEqual(known.set);
      }
    }
    expect(readers.readValidatorSet(state, Epoch(epoch + 1))).toBeUndefined();
    expect(new Set(this.#sets.map(({ height }) => height)).size).toBe(this.#sets.length);
  }
}

/** Has time pass; false for a step that is no such thing. */
function passTime(alliances: readonly TestAlliance[], { kind, a }: Step): boolean {
  for (const { chain } of alliances) {
    if (kind === 'block') chain.height += 1 + (a % 20);
    else if (kind === 'hour') chain.extraSeconds += 3_600;
    else if (kind === 'week') chain.extraSeconds += 604_800;
    else return false;
  }
  return true;
}

/** Who calls in a step: some member, for `ready` one that a declaration could help, for `everybody` and `withdraw` all one after another. */
function callersOf(alliance: TestAlliance, { kind, a, b }: Step): readonly Address[] {
  const accounts = membersIn(alliance).map(({ address }) => address);
  if (kind === 'everybody' || kind === 'withdraw') return accounts;
  const some = accounts[(a + b) % accounts.length]!;
  return [kind === 'ready' ? (observersOf(alliance).at(b % 2)?.address ?? some) : some];
}

describe('any sequence of proposals, votes, rotations and declarations', () => {
  it('keeps the set dense, keys unique, old epochs unchanged, counts right, and leaves no trace when it fails', () => {
    const succeeded = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 90 }), fc.boolean(), (steps, easy) => {
        const simple = { authority: 0, bank: 0, company: 0, percent: 50 };
        const policies = Object.fromEntries(
          ['promote', 'demote', 'remove', 'replaceKeys'].map((name) => [name, simple]),
        );
        const options = { observers: ['bank', 'company'] as const, ...(easy ? { governance: { policies } } : {}) };
        const [alliance, twin] = [new TestAlliance(options), new TestAlliance(options)];
        const epochs = new Epochs();
        for (const one of steps) {
          if (passTime([alliance, twin], one)) continue;
          const [name, ...values] = callOf(alliance, one);
          const input = abi.function(name as never).encodeCall(values as never);
          for (const caller of callersOf(alliance, one)) {
            const send = ({ chain }: TestAlliance): CallResult =>
              chain.send(caller, membersAddress, input, { gas: one.gas });
            const result = send(alliance);
            expect(send(twin)).toEqual(result);
            if (result.status === 'success') {
              const events = alliance.events.filter((event) => event !== 'Voted');
              for (const did of [name, ...events]) succeeded.set(did, (succeeded.get(did) ?? 0) + 1);
            } else {
              // Nothing of the transaction is left to undo.
              expect(alliance.chain.state.snapshot()).toBe(0);
            }
          }
          checkMembers(alliance);
          epochs.check(alliance);
          const count = storageOf(alliance).proposalCount.get();
          for (let id = Math.max(1, count - 2); id <= count; id++) checkTally(alliance, id);
        }
        expect(twin.chain.state.dump()).toEqual(alliance.chain.state.dump());
      }),
      { numRuns: 20, seed: 20_260_401 },
    );
    // The sequences reach everything.
    const reached = [
      ...['MemberAdded', 'MemberPromoted', 'MemberDemoted', 'MemberRemoved', 'MemberAccountChanged', 'VoteKeyChanged'],
      ...['TransportKeyChanged', 'RuleScheduled', 'PolicyChanged', 'ProposalWithdrawn', 'ReadyDeclared'],
    ];
    for (const did of reached) expect([did, (succeeded.get(did) ?? 0) > 2]).toEqual([did, true]);
  });
});
