import { simulate } from '../simulation.ts';
import type { Campaign } from './commandLine.ts';

/** What one seed came to, in a form that crosses processes. */
export interface SeedResult {
  readonly seed: number;
  readonly heights: number;
  readonly violations: readonly string[];
  readonly audit: string;
}

/** Runs one seed, or the same twice, which must come to the same. */
export async function runSeed(campaign: Campaign, seed: number, log?: (line: string) => void): Promise<SeedResult> {
  const { validators, heights, suite, byzantine, faults } = campaign;
  const setting = { seed, validators, heights, suite, byzantine, faults };
  const first = await simulate({ ...setting, log });
  const violations = [...first.violations];
  if (campaign.twice) {
    const second = await simulate(setting);
    if (second.audit !== first.audit)
      violations.push(`two runs of seed ${seed} differ: audit ${first.audit} and ${second.audit}`);
  }
  return { seed, heights: first.heights, violations, audit: first.audit };
}
