import type { MemberRole } from '@hanse/protocol';
import type { MemberEntry, ProposalDescription } from '@hanse/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aboutText, missingApprovals, smallSetWarning, stateText } from './proposalView.ts';

const policy = (authority: number, bank: number, company: number, percent: number) => ({
  authority,
  bank,
  company,
  percent,
});
/** "a+ b- c-": an authority that approved, a bank and a company that did not. */
const voters = (text: string) =>
  text.split(' ').map((word) => ({
    role: ({ a: 'authority', b: 'bank', c: 'company' } as const)[word[0] as 'a' | 'b' | 'c'],
    approved: word.endsWith('+'),
  }));
const missing = (text: string, wanted: ReturnType<typeof policy>): string => {
  const all = voters(text);
  return missingApprovals(
    { approvals: all.filter(({ approved }) => approved).length, electorate: all.length },
    wanted,
    all,
  );
};

describe('what a proposal lacks', () => {
  it.each([
    ['a+ b- c- c-', policy(1, 0, 0, 50), '2 more approvals'],
    ['a+ b+ c- c-', policy(1, 0, 0, 50), '1 more approval'],
    ['a- b+ c+ c+', policy(1, 0, 0, 50), '1 more approval (1 of the role authority)'],
    ['a- b- c+ c-', policy(1, 1, 0, 66), '2 more approvals (1 of the role authority, 1 of the role bank)'],
    ['b+ c- c-', policy(1, 0, 0, 66), '1 more approval'],
    ['a+ b+ c+ c-', policy(1, 1, 1, 66), 'nothing'],
  ])('%s under %j: %s', (text, wanted, expected) => {
    expect(missing(text, wanted)).toBe(expected);
  });

  it('is nothing exactly when the module says that it is approved', () => {
    const role = fc.constantFrom<MemberRole>('authority', 'bank', 'company');
    const voter = fc.record({ role, approved: fc.boolean() });
    const small = fc.integer({ min: 0, max: 4 });
    const wanted = fc.record({
      authority: small,
      bank: small,
      company: small,
      percent: fc.integer({ min: 0, max: 99 }),
    });
    const property = fc.property(fc.array(voter, { minLength: 1, maxLength: 12 }), wanted, (all, given) => {
      const approvals = all.filter(({ approved }) => approved).length;
      // As docs/reference/governance.md has it, "When a proposal passes".
      const approved =
        approvals * 100 > given.percent * all.length &&
        (['authority', 'bank', 'company'] as const).every((name) => {
          const ofRole = all.filter((one) => one.role === name);
          return ofRole.filter((one) => one.approved).length >= Math.min(given[name], ofRole.length);
        });
      expect(missingApprovals({ approvals, electorate: all.length }, given, all) === 'nothing').toBe(approved);
    });
    fc.assert(property, { seed: 20_261_124, numRuns: 300 });
  });
});

describe('a proposal', () => {
  const members = [{ number: 5, name: 'mill' }] as readonly Partial<MemberEntry>[] as readonly MemberEntry[];
  const about = (change: ProposalDescription['change']): string =>
    aboutText({ change } as ProposalDescription, members);

  it('is told in a few words', () => {
    const key = `0x${'02'.repeat(33)}` as const;
    expect(about({ action: 'promote', member: 5 })).toBe('make mill a validator');
    expect(about({ action: 'replaceKeys', member: 5, account: `0x${'01'.repeat(20)}`, voteKey: key })).toBe(
      'replace account and vote key of mill',
    );
    expect(about({ action: 'changeRule', feature: 'protocol', version: 2, height: 90 })).toBe(
      'rule protocol 2 from block 90 on',
    );
    expect(about({ action: 'changePolicy', policyOf: 'addMember', policy: policy(1, 0, 2, 50) })).toBe(
      'policy of add: authority 1, bank 0, company 2, and more than 50 % of all',
    );
    expect(about({ action: 'remove', member: 9 })).toBe('remove member 9');
  });

  it('says how it stands', () => {
    const common = { approvals: 2, rejections: 1, electorate: 4 } as ProposalDescription;
    expect(stateText({ ...common, state: 'open' })).toBe('open: 2 of 4 for it, 1 against');
    expect(stateText({ ...common, state: 'enacted', enactedHeight: 12, rejections: 0 })).toBe(
      'enacted in block 12: 2 of 4 for it',
    );
  });
});

describe('a proposal that takes a validator away', () => {
  const members = (validators: number): readonly MemberEntry[] =>
    Array.from(
      { length: validators + 1 },
      (_, index) => ({ number: index + 1, active: true, validator: index < validators }) as MemberEntry,
    );
  const warning = (action: 'demote' | 'remove' | 'promote', member: number, validators: number) =>
    smallSetWarning({ change: { action, member }, state: 'open' }, members(validators));

  it('warns when three or fewer are left, of which none may be away', () => {
    expect(warning('demote', 1, 4)).toContain('it leaves 3 validators: while one of them is away no block is made');
    expect(warning('remove', 2, 2)).toContain('it leaves 1 validator:');
    expect(warning('remove', 1, 5)).toBeUndefined();
  });

  it('says nothing of a member that is none, of a promotion, or of what is decided', () => {
    expect(warning('remove', 5, 4)).toBeUndefined();
    expect(warning('promote', 5, 4)).toBeUndefined();
    const enacted = { change: { action: 'demote', member: 1 }, state: 'enacted' } as const;
    expect(smallSetWarning(enacted, members(3))).toBeUndefined();
  });
});
