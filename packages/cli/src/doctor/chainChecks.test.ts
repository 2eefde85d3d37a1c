import type { MemberDescription, MemberEntry, MemberStatus } from '@hanse/sdk';
import { describe, expect, it } from 'vitest';
import { checkAbsentObservers, checkRules, checkVoting, judgeStanding } from './chainChecks.ts';

const bank = { name: 'bank', keys: '/bank/keys' };
const entry = { name: 'bank', active: true, voteKey: '0xa1', transportKey: '0xb1' } as unknown as MemberEntry;

describe('the keys of a member', () => {
  const judge = (votes: readonly string[], transports: readonly string[], member: Partial<MemberEntry> = {}) =>
    judgeStanding(bank, [{ ...entry, ...member }], { votes, transports });

  it('are good when the folder has those that the chain has, among others', () => {
    expect(judge(['0xa0', '0xa1'], ['0xb1'])).toEqual([expect.objectContaining({ level: 'good' })]);
  });

  it.each([
    [[], ['0xb1'], 'the vote key', 'it cannot vote'],
    [['0xa1'], ['0xb0'], 'the transport key', 'no member talks to it'],
  ])('are a problem when one is not there', (votes, transports, key, effect) => {
    const [finding, ...others] = judge(votes, transports);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ level: 'problem', what: expect.stringContaining(key) });
    expect(finding?.what).toContain(effect);
    expect(finding?.remedy).toContain('--prepare');
  });

  it('are not asked of who is no member', () => {
    expect(judge([], [], { name: 'farm' })).toEqual([
      expect.objectContaining({ level: 'warning', what: expect.stringContaining('not admitted yet') }),
    ]);
    expect(judge([], [], { active: false })).toEqual([
      expect.objectContaining({ level: 'warning', what: expect.stringContaining('was removed') }),
    ]);
  });
});

const status = (fields: Partial<MemberStatus>): MemberStatus =>
  ({
    name: 'bank',
    version: '0.1.0',
    height: 90,
    validators: ['bank', 'farm'],
    voting: 'voting',
    missingRule: null,
    peers: [],
    ...fields,
  }) as MemberStatus;

describe('a vote that is not used', () => {
  it.each([
    [{ voting: 'voting' }, []],
    [{ voting: 'waiting' }, []],
    [{ voting: 'observer', validators: ['farm'] }, []],
    [{ voting: 'observer' }, ['problem']],
    [{ voting: 'stopped' }, ['problem']],
    [{ voting: 'amnesia' }, ['warning']],
    [{ voting: 'recovery', recoveryPending: 7 }, ['warning']],
  ] as const)('%j gives %j', (fields, levels) => {
    expect(checkVoting(status(fields)).map(({ level }) => level)).toEqual(levels);
  });
});

describe('a rule to come that a program lacks', () => {
  it('is a problem, with the time that is left', () => {
    expect(checkRules(status({}))).toEqual([]);
    const [finding] = checkRules(status({ missingRule: { feature: 'protocol', version: 2, height: 120 } }));
    expect(finding).toMatchObject({
      level: 'problem',
      what: expect.stringContaining('stops before block 120, in 30 blocks'),
    });
  });
});

describe('a member on the chain that nobody reaches', () => {
  const members = [
    { name: 'bank', validator: true },
    { name: 'mill', validator: false },
  ] as readonly Partial<MemberDescription>[] as readonly MemberDescription[];
  const peer = (connected: boolean) => ({ name: 'mill', endpoint: 'mill:1', connected });

  it('is a warning unless somebody is connected to it', () => {
    expect(checkAbsentObservers(members, [status({ peers: [peer(false)] })])).toEqual([
      expect.objectContaining({ level: 'warning', what: expect.stringContaining('mill') }),
    ]);
    expect(checkAbsentObservers(members, [status({ peers: [peer(true)] })])).toEqual([]);
    expect(checkAbsentObservers(members, [status({}), status({ name: 'mill' })])).toEqual([]);
  });
});
