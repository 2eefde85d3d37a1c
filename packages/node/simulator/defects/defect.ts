import type { Campaign } from '../command/commandLine.ts';

/** One replacement in a source file; `from` stands there exactly once. */
export interface Patch {
  /** From `packages` on, for example `consensus/src/timers.ts`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** What reports a violation: a checker by its name, or the one that judges liveness. */
export type CaughtBy =
  | 'agreement'
  | 'certificate validity'
  | 'chain rules'
  | 'composure'
  | 'durability'
  | 'execution determinism'
  | 'flush before send'
  | 'liveness'
  | 'notarized parents'
  | 'one vote'
  | 'supply';

export type DefectSetting = Partial<Pick<Campaign, 'validators' | 'heights' | 'byzantine' | 'faults' | 'governance'>>;

/** A mistake that somebody could make in the product, as a small patch, and what must notice it. */
export interface Defect {
  /** In the words of the table in docs/internals/testing.md; unique. */
  readonly name: string;
  /** The rule or promise that it breaks. */
  readonly breaks: string;
  readonly patches: readonly Patch[];
  /** In what it differs from `USUAL`. */
  readonly setting?: DefectSetting;
  /** What notices it, any of these; something else would be a coincidence. */
  readonly caughtBy: readonly CaughtBy[];
}

/** The setting of a defect that asks for nothing else. */
export const USUAL: Campaign = {
  seed: 1,
  runs: 1,
  validators: 4,
  heights: 15,
  suite: 'fast',
  byzantine: 'none',
  faults: ['partitions', 'links', 'crashes', 'disks', 'clocks', 'pauses', 'lost-logs', 'lost-ledgers'],
  governance: 'never',
  twice: false,
  workers: 1,
  verbose: false,
};
