import { describe, expect, it } from 'vitest';
import { ManualClock } from './manualClock.ts';
import { randomFraction } from './random.ts';
import { SeededRandom } from './seededRandom.ts';
import { TokenBucket } from './tokenBucket.ts';

describe('the manual clock', () => {
  it('fires timers at their moment, in the order of time and then of arming', () => {
    const clock = new ManualClock(1_000);
    const fired: string[] = [];
    const note = (name: string) => () => fired.push(`${name} at ${clock.monotonicMs()}`);
    clock.schedule(20, note('c'));
    clock.schedule(10, note('a'));
    clock.schedule(10, () => {
      note('b')();
      clock.schedule(5, note('nested'));
    });
    clock.schedule(12, note('never')).cancel();
    expect(clock.nextAtMs).toBe(10);
    clock.advance(20);
    expect(fired).toEqual(['a at 10', 'b at 10', 'nested at 15', 'c at 20']);
    expect([clock.nowMs(), clock.pending, clock.nextAtMs]).toEqual([1_020, 0, undefined]);
  });
});

describe('seeded randomness', () => {
  it('is the same for the same seed, however it is asked for', () => {
    const [one, two] = [new SeededRandom(1), new SeededRandom(1)];
    const parts = [...one.bytes(5), ...one.bytes(40), ...one.bytes(3)];
    expect(parts).toEqual([...two.bytes(48)]);
    expect([...new SeededRandom(2).bytes(48)]).not.toEqual(parts);
    const fraction = randomFraction(one);
    expect(fraction).toBeGreaterThanOrEqual(0);
    expect(fraction).toBeLessThan(1);
  });
});

describe('a token bucket', () => {
  it('gives its burst, then its rate, and never more than its burst', () => {
    const bucket = new TokenBucket(10, 5, 0);
    expect([bucket.take(5, 0), bucket.take(1, 0), bucket.take(1, 99), bucket.take(1, 100)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect([bucket.take(6, 100_000), bucket.take(5, 100_000), bucket.isFull(100_000), bucket.isFull(100_500)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });
});
