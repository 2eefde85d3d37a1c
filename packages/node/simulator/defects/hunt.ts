import type { Campaign } from '../command/commandLine.ts';
import { type CaughtBy, type Defect, USUAL } from './defect.ts';
import type { Workshop } from './workshop.ts';

/** What came of the search for one defect. */
export type Hunt =
  | { readonly outcome: 'caught'; readonly seeds: number; readonly by: CaughtBy; readonly violation: string }
  /** Nothing that should notice it did; `why` says what happened instead. */
  | { readonly outcome: 'missed'; readonly seeds: number; readonly why: string };

/** The campaign in which a defect is looked for. */
export function campaignOf({ setting }: Defect): Campaign {
  return { ...USUAL, ...setting };
}

/**
 * Runs seeds from 1 on with a defect planted, until one of the checkers that should notice it does. The same seed without the defect must
 * then violate nothing: or it was not the defect that was seen.
 */
export async function hunt(defect: Defect, workshop: Workshop, mostSeeds: number): Promise<Hunt> {
  const campaign = campaignOf(defect);
  workshop.plant(defect);
  const found = await search(defect, campaign, workshop, mostSeeds);
  if (found.outcome === 'missed') return found;
  workshop.plant(undefined);
  const [violation] = await violationsOf(campaign, found.seeds, workshop);
  if (violation === undefined) return found;
  return { outcome: 'missed', seeds: found.seeds, why: `without it there is a violation too: ${violation}` };
}

async function search(defect: Defect, campaign: Campaign, workshop: Workshop, mostSeeds: number): Promise<Hunt> {
  const runner = workshop.startRunner();
  try {
    for (let seed = 1; seed <= mostSeeds; seed++) {
      const { violations } = await runner.run(campaign, seed);
      if (violations.length === 0) continue;
      for (const violation of violations) {
        const by = defect.caughtBy.find((name) => violation.startsWith(`${name}: `));
        if (by !== undefined) return { outcome: 'caught', seeds: seed, by, violation: violation.slice(by.length + 2) };
      }
      return { outcome: 'missed', seeds: seed, why: `something else was noticed: ${violations[0]}` };
    }
    return { outcome: 'missed', seeds: mostSeeds, why: 'nothing was violated' };
  } catch (error) {
    return { outcome: 'missed', seeds: mostSeeds, why: error instanceof Error ? error.message : String(error) };
  } finally {
    runner.end();
  }
}

async function violationsOf(campaign: Campaign, seed: number, workshop: Workshop): Promise<readonly string[]> {
  const runner = workshop.startRunner();
  try {
    return (await runner.run(campaign, seed)).violations;
  } finally {
    runner.end();
  }
}
