import { describe, expect, it } from 'vitest';
import { ManualClock } from '../runtime/manualClock.ts';
import { AlarmBook } from './alarmBook.ts';

describe('the alarm book', () => {
  it('counts all alarms, keeps the newest, and says few of a flood', () => {
    const clock = new ManualClock();
    const book = new AlarmBook(clock);
    expect(book.last).toBeUndefined();
    let lines = 0;
    for (let number = 1; number <= 100_000; number++) if (book.raise('equivocation', `view ${number}`)) lines++;
    expect([book.count, book.last, lines]).toEqual([100_000, { kind: 'equivocation', detail: 'view 100000' }, 64]);
    clock.advance(10_000);
    expect(book.raise('amnesia', 'lost')).toEqual({ unsaid: 100_000 - 64 });
    expect(book.raise('amnesia', 'lost')).toBeUndefined();
  });
});
