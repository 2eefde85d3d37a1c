import { describe, expect, it } from 'vitest';
import { behaviours } from './testing/byzantine.ts';
import { realCore } from './testing/coreUnderTest.ts';
import { type SimulationReport, simulate } from './testing/simulatedNetwork.ts';

/** Runs seeds and returns the first that fails, so that its number is in the message. */
function firstFailure(seeds: number, run: (seed: number) => SimulationReport): string | undefined {
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations } = run(seed);
    if (violations.length > 0) return `seed ${seed}: ${violations.join(' | ')}`;
  }
  return undefined;
}

describe('simulated networks', () => {
  it('finalizes everything without faults', () => {
    const run = (seed: number) =>
      simulate({ seed, core: realCore, validators: 4, faultsUntilMs: 0, untilMs: 10_000, transactions: 20 });
    expect(firstFailure(5, run)).toBeUndefined();
  });

  it('agrees and recovers through loss, delay, doubling, reordering, partitions and crashes', () => {
    const run = (seed: number) =>
      simulate({
        seed,
        core: realCore,
        validators: 4,
        observers: 1,
        faultsUntilMs: 2_500,
        untilMs: 40_000,
        transactions: 30,
        crashes: 6,
      });
    expect(firstFailure(100, run)).toBeUndefined();
  });

  for (const [name, behaviour] of Object.entries(behaviours)) {
    it(`agrees and goes on beside a ${name}`, () => {
      const run = (seed: number) =>
        simulate({
          seed,
          core: realCore,
          validators: 4,
          byzantine: { [seed % 4]: behaviour },
          faultsUntilMs: 2_000,
          untilMs: 60_000,
          transactions: 20,
          crashes: 3,
        });
      expect(firstFailure(40, run)).toBeUndefined();
    });
  }
});
