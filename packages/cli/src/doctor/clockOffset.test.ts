import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certainDifferenceMs, clockOffsetOf } from './clockOffset.ts';
import { checkClock } from './memberChecks.ts';

/** Readings of a clock that is `offsetMs` ahead, every `everyMs` from `startMs` on; each question takes `tripMs`. */
function readings(offsetMs: number, { startMs = 0, everyMs = 100, count = 10, tripMs = 2 } = {}) {
  return Array.from({ length: count }, (_, index) => {
    const askedMs = startMs + index * everyMs;
    const theirMs = askedMs + tripMs / 2 + offsetMs;
    return { askedMs, answeredMs: askedMs + tripMs, dateMs: Math.floor(theirMs / 1_000) * 1_000 };
  });
}

describe('clockOffsetOf', () => {
  it('always holds the true offset, and is narrower than the readings are apart', () => {
    const property = fc.property(
      fc.integer({ min: -100_000, max: 100_000 }),
      fc.integer({ min: 0, max: 1_000_000 }),
      fc.integer({ min: 0, max: 40 }),
      (offsetMs, startMs, halfTripMs) => {
        const bounds = clockOffsetOf(readings(offsetMs, { startMs, tripMs: 2 * halfTripMs }));
        expect(bounds?.leastMs).toBeLessThanOrEqual(offsetMs);
        expect(bounds?.mostMs).toBeGreaterThanOrEqual(offsetMs);
        expect((bounds?.mostMs ?? 0) - (bounds?.leastMs ?? 0)).toBeLessThanOrEqual(100 + 2 * halfTripMs);
      },
    );
    fc.assert(property, { seed: 20_260_102, numRuns: 200 });
  });

  it('knows nothing without readings, or of a clock that jumped', () => {
    expect(clockOffsetOf([])).toBeUndefined();
    expect(clockOffsetOf([...readings(0), ...readings(60_000)])).toBeUndefined();
  });
});

describe('certainDifferenceMs', () => {
  it('is what the bounds cannot explain away', () => {
    expect(certainDifferenceMs({ leastMs: 300, mostMs: 400 })).toBe(300);
    expect(certainDifferenceMs({ leastMs: -400, mostMs: -300 })).toBe(300);
    expect(certainDifferenceMs({ leastMs: -50, mostMs: 60 })).toBe(0);
  });
});

describe('checkClock', () => {
  it.each([
    [0, 'good', 'agrees'],
    [400, 'warning', 'ahead of'],
    [-400, 'warning', 'behind'],
    [900, 'problem', 'ahead of'],
    [-900, 'problem', 'behind'],
  ])('takes a difference of %i ms for %s', (offsetMs, level, word) => {
    expect(checkClock('bank', readings(offsetMs))).toMatchObject({ level, what: expect.stringContaining(word) });
  });

  it('says so when the clock cannot be read', () => {
    expect(checkClock('bank', [])).toMatchObject({ level: 'warning', remedy: expect.any(String) });
  });
});
