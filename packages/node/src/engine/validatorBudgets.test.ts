import { describe, expect, it } from 'vitest';
import { MemberBudgets, ValidatorBudgets } from './validatorBudgets.ts';

describe('the budgets of validators', () => {
  it('follow a member to another place in the next epoch, and refill with time alone', () => {
    let nowMs = 0;
    const members = new MemberBudgets(() => nowMs, { statuses: { perSecond: 1, burst: 4 } });
    const first = ['authority', 'bank', 'farm'];
    const second = ['farm', 'bank'];
    const before = new ValidatorBudgets(members, (place) => first[place]!);
    const after = new ValidatorBudgets(members, (place) => second[place]!);
    expect(before.take(2, 'statuses', 4)).toBe(true);
    expect(before.take(2, 'statuses', 1)).toBe(false);
    expect(after.take(0, 'statuses', 1)).toBe(false);
    expect(after.take(1, 'statuses', 4)).toBe(true);
    expect(members.worstUse('statuses')).toBe(1);
    nowMs = 1_000;
    expect(after.take(0, 'statuses', 1)).toBe(true);
  });
});
