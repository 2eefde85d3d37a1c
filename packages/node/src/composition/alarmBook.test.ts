import { describe, expect, it } from 'vitest';
import { ManualClock } from '../runtime/manualClock.ts';
import { AlarmBook } from './alarmBook.ts';

describe('the alarm book', () => {
  it('counts all alarms, keeps the newest of a kind, and says few of a flood', () => {
    const clock = new ManualClock();
    const book = new AlarmBook(clock);
    expect(book.describe()).toBe('none');
    let lines = 0;
    for (let number = 1; number <= 100_000; number++) if (book.raise('equivocation', `view ${number}`)) lines++;
    expect([book.count, lines]).toEqual([100_000, 64]);
    expect(book.describe()).toBe('equivocation (100000 times, the last): view 100000');
    clock.advance(10_000);
    expect(book.raise('amnesia', 'lost')).toEqual({ unsaid: 100_000 - 64 });
    expect(book.raise('amnesia', 'lost')).toBeUndefined();
  });

  it('takes a member for well while others alone are to blame, and again when its own trouble is over', () => {
    const book = new AlarmBook(new ManualClock());
    book.raise('equivocation', 'view 3');
    expect(book.isWell).toBe(true);
    book.raise('amnesia', 'the log was lost');
    expect(book.isWell).toBe(false);
    expect(book.describe()).toBe('amnesia: the log was lost; equivocation: view 3');
    expect([book.end('amnesia'), book.end('amnesia')]).toEqual([true, false]);
    expect([book.isWell, book.count]).toEqual([true, 2]);
  });
});
