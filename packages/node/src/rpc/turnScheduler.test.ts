import { describe, expect, it } from 'vitest';
import { ManualClock } from '../runtime/manualClock.ts';
import { serialize } from './serialize.ts';
import { TurnScheduler } from './turnScheduler.ts';

describe('TurnScheduler', () => {
  it('lets other work run whenever all tasks together used their slice, however many tasks there are', async () => {
    const clock = new ManualClock();
    const turns = new TurnScheduler(clock, 4);
    let longestMs = 0;
    let sinceMs = 0;
    let working = true;
    // Stands for consensus: it gets the thread once in every turn of the event loop.
    const other = (): void => {
      longestMs = Math.max(longestMs, clock.monotonicMs() - sinceMs);
      sinceMs = clock.monotonicMs();
      if (working) setImmediate(other);
    };
    setImmediate(other);
    const finished: number[] = [];
    const task = async (name: number): Promise<void> => {
      for (let step = 0; step < 50; step++) {
        const turn = turns.pause();
        if (turn !== undefined) await turn;
        clock.advance(1);
      }
      finished.push(name);
    };
    await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(task));
    working = false;
    expect(finished).toHaveLength(8);
    // A slice of 4 ms, and the last step that began within it.
    expect(longestMs).toBeLessThanOrEqual(5);
  });

  it('does not wait while the slice lasts', async () => {
    const clock = new ManualClock();
    const turns = new TurnScheduler(clock, 4);
    await turns.pause();
    expect(turns.pause()).toBeUndefined();
    clock.advance(4);
    expect(turns.pause()).toBeInstanceOf(Promise);
  });
});

describe('serialize', () => {
  const turns = new TurnScheduler(new ManualClock(), 4);

  it('writes the same as JSON.stringify', async () => {
    const long = Array.from({ length: 100 }, (_, index) => ({
      index,
      text: `"${index}"`,
      none: undefined,
      nested: [null, [index]],
    }));
    for (const value of [
      1,
      null,
      'a',
      [],
      {},
      long,
      { a: 1, long, none: undefined, b: { long } },
      [long, long],
      { only: undefined, long: [] },
    ]) {
      expect(await serialize(value, 1_000_000, turns)).toBe(JSON.stringify(value));
    }
    expect(await serialize(undefined, 10, turns)).toBe('null');
  });

  it('gives up as soon as it is too long', async () => {
    await expect(
      serialize(
        Array.from({ length: 1_000 }, () => 'x'.repeat(100)),
        5_000,
        turns,
      ),
    ).rejects.toThrow('response too large');
  });
});
