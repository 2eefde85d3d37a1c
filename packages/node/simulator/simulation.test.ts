import { describe, expect, it } from 'vitest';
import { behaviours } from './byzantine/behaviours.ts';
import { ALL_FAULTS, type SimulationOptions, type SimulationReport, simulate } from './simulation.ts';

// A fixed list of seeds with a fixed budget: some 20 s of one processor. `npm run simulate` runs as many as one likes.

const usual = { validators: 4, heights: 8, suite: 'fast', byzantine: 'none', faults: ALL_FAULTS } as const;

const run = (seed: number, setting: Partial<SimulationOptions> = {}): Promise<SimulationReport> =>
  simulate({ ...usual, ...setting, seed });

/** What a failure must say: the seed, and what was violated. */
const outcome = (seed: number, { violations }: SimulationReport) => ({ seed, violations });
const sound = (seed: number) => ({ seed, violations: [] });

describe('whole members under faults', () => {
  it.each([
    [1, 4],
    [2, 5],
    [3, 6],
    [4, 7],
  ])('agree, lose nothing and recover (seed %i, %i validators)', async (seed, validators) => {
    const report = await run(seed, { validators });
    expect(outcome(seed, report)).toEqual(sound(seed));
    expect(report.heights).toBeGreaterThan(0);
  });

  it.each(
    Object.keys(behaviours).map((byzantine, index): [string, number] => [byzantine, 4 + (index % 4)]),
  )('agree and go on beside %s, as many as may be among %i', async (byzantine, validators) => {
    const seed = 100 + validators;
    expect(outcome(seed, await run(seed, { byzantine, validators }))).toEqual(sound(seed));
  });

  it('do the same twice, to the last frame, and something else with another seed', async () => {
    const [first, second, other] = [
      await run(11, { byzantine: 'random' }),
      await run(11, { byzantine: 'random' }),
      await run(12, { byzantine: 'random' }),
    ];
    expect(second).toEqual(first);
    expect(other.audit).not.toBe(first.audit);
  });

  it('do the same with the real suite, twice', async () => {
    const setting = { suite: 'real', heights: 4, byzantine: 'equivocating-leader' } as const;
    const first = await run(21, setting);
    expect(outcome(21, first)).toEqual(sound(21));
    expect(await run(21, setting)).toEqual(first);
  });

  it('make what one of them took final everywhere at once, without faults', async () => {
    const report = await run(31, { faults: [] });
    expect(outcome(31, report)).toEqual(sound(31));
    expect(report.recovery.views).toBeLessThan(4);
    expect(report.recovery.forMs).toBeLessThan(5_000);
  });
});
