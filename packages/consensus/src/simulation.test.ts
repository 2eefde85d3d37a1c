import { describe, expect, it } from 'vitest';
import { behaviours, colluder, doubleVoter, equivocator } from './testing/byzantine.ts';
import { realCore } from './testing/coreUnderTest.ts';
import { type SimulationOptions, type SimulationReport, simulate } from './testing/simulatedNetwork.ts';

const usual = { core: realCore, validators: 4, faultsUntilMs: 2_000, untilMs: 60_000, transactions: 20 };

function run(seed: number, setting: Partial<SimulationOptions>): SimulationReport {
  return simulate({ ...usual, ...setting, seed });
}

/** Runs seeds and returns the first that fails, so that its number is in the message. */
function firstFailure(seeds: number, setting: (seed: number) => Partial<SimulationOptions>): string | undefined {
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations } = run(seed, setting(seed));
    if (violations.length > 0) return `seed ${seed}: ${violations.join(' | ')}`;
  }
  return undefined;
}

describe('simulated networks', () => {
  it('finalizes everything without faults, and makes no block that nobody needs', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { violations, doneAtMs, members } = run(seed, { faultsUntilMs: 0 });
      expect(violations).toEqual([]);
      expect(doneAtMs).toBeLessThan(300);
      const empty = members[0]!.blocks.filter(({ proposal }) => proposal.transactionHashes.length === 0);
      expect(empty).toEqual([]);
    }
  });

  it('agrees and recovers through loss, delay, doubling, reordering, partitions and crashes', () => {
    const setting = (seed: number) => ({ observers: 1, crashes: 8, lossPercent: seed % 40, transactions: 30 });
    expect(firstFailure(80, setting)).toBeUndefined();
  });

  for (const [name, behaviour] of Object.entries(behaviours)) {
    it(`agrees and goes on beside a ${name}`, () => {
      expect(firstFailure(25, (seed) => ({ byzantine: { [seed % 4]: behaviour }, crashes: 4 }))).toBeUndefined();
    });
  }

  it('agrees among 7 of which two are Byzantine', () => {
    expect(firstFailure(10, () => ({ validators: 7, byzantine: { 1: colluder, 2: colluder } }))).toBeUndefined();
    const setting = () => ({ validators: 7, byzantine: { 0: equivocator, 4: doubleVoter }, crashes: 3 });
    expect(firstFailure(10, setting)).toBeUndefined();
  });

  for (const validators of [1, 2, 3, 5, 7]) {
    it(`agrees among ${validators}`, () => {
      expect(firstFailure(10, () => ({ validators, crashes: 5 }))).toBeUndefined();
    });
  }

  it('agrees among 16 and among 31', () => {
    expect(firstFailure(1, () => ({ validators: 16, crashes: 5 }))).toBeUndefined();
    expect(
      firstFailure(1, () => ({ validators: 31, crashes: 5, faultsUntilMs: 500, transactions: 5 })),
    ).toBeUndefined();
  });

  it('ends an epoch in the block that closes it', () => {
    expect(firstFailure(40, () => ({ closesAtHeight: 3, crashes: 5 }))).toBeUndefined();
    expect(firstFailure(20, () => ({ closesAtHeight: 2, byzantine: { 2: equivocator } }))).toBeUndefined();
  });

  it('never lets a member that lost its log sign a second vote', () => {
    expect(firstFailure(60, () => ({ amnesiacs: 3, crashes: 3 }))).toBeUndefined();
  });

  it('finds a delta that fits a slower network', () => {
    expect(firstFailure(5, () => ({ slowMs: 400, crashes: 2, untilMs: 120_000 }))).toBeUndefined();
  });

  it('does the same twice with one seed', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const setting = { byzantine: { 1: equivocator }, crashes: 5, observers: 1 };
      expect(run(seed, setting).audit).toBe(run(seed, setting).audit);
    }
    expect(run(1, { crashes: 5 }).audit).not.toBe(run(2, { crashes: 5 }).audit);
  });
});
