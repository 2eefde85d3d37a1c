import { parseArgs } from 'node:util';
import { behaviours } from '../byzantine/behaviours.ts';
import { FAULT_NAMES } from '../faults/faults.ts';
import type { SuiteChoice } from '../world/networkSetup.ts';

/** A campaign: runs of consecutive seeds with one setting. */
export interface Campaign {
  readonly seed: number;
  readonly runs: number;
  readonly validators: number;
  readonly heights: number;
  readonly suite: SuiteChoice;
  readonly byzantine: string;
  readonly faults: readonly string[];
  /** Whether members change the set and their keys while the run lasts. */
  readonly governance: (typeof GOVERNANCE)[number];
  readonly twice: boolean;
  readonly workers: number;
  readonly verbose: boolean;
}

const GOVERNANCE = ['random', 'always', 'never'] as const;

/** What was typed cannot be run; the message says what to type instead. */
export class UsageError extends Error {}

const options = {
  seed: { type: 'string', default: '1' },
  runs: { type: 'string', default: '1' },
  validators: { type: 'string', default: '4' },
  heights: { type: 'string', default: '30' },
  suite: { type: 'string', default: 'fast' },
  byzantine: { type: 'string', default: 'random' },
  faults: { type: 'string', default: 'all' },
  governance: { type: 'string', default: 'random' },
  twice: { type: 'boolean', default: false },
  workers: { type: 'string', default: '1' },
  verbose: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

export const USAGE = `npm run simulate -- [options]

  --seed S          the first seed (1)
  --runs K          how many seeds, from S on (1)
  --validators N    members that vote, 1 to 31 (4)
  --heights H       faults last until a member has so many blocks, or 3 simulated seconds each (30)
  --suite NAME      fast: hashes and signatures for simulation alone; real: Keccak and secp256k1 (fast)
  --byzantine NAME  what up to f members do, in every run: random, none, or one of
                    ${Object.keys(behaviours).join(', ')} (random)
  --faults LIST     all, none, or some of ${FAULT_NAMES.join(', ')}, joined by commas (all)
  --governance G    members promote, demote and replace keys: random (some seeds), always, never (random)
  --twice           run each seed twice and compare the audit hashes
  --workers W       processes (1)
  --verbose         write down everything that happens; for one seed
`;

/** Reads the arguments; undefined if help is asked for. Throws a UsageError. */
export function readCommandLine(args: readonly string[]): Campaign | undefined {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (values.help) return undefined;
  const campaign: Campaign = {
    seed: integer(values.seed, 'seed', 0, Number.MAX_SAFE_INTEGER),
    runs: integer(values.runs, 'runs', 1, 100_000_000),
    validators: integer(values.validators, 'validators', 1, 31),
    heights: integer(values.heights, 'heights', 1, 100_000),
    suite: oneOf(values.suite, 'suite', ['fast', 'real'] as const),
    byzantine: oneOf(values.byzantine, 'byzantine', ['random', 'none', ...Object.keys(behaviours)]),
    faults: readFaults(values.faults),
    governance: oneOf(values.governance, 'governance', GOVERNANCE),
    twice: values.twice,
    workers: integer(values.workers, 'workers', 1, 64),
    verbose: values.verbose,
  };
  if (campaign.verbose && campaign.runs > 1) throw new UsageError('--verbose writes down one seed: leave --runs out');
  return campaign;
}

/** The command that runs one seed of a campaign again, as in any clone of the same commit. */
export function replayCommand(campaign: Campaign, seed: number): string {
  const { validators, heights, suite, byzantine, faults, governance } = campaign;
  const list = faults.length === FAULT_NAMES.length ? 'all' : faults.length === 0 ? 'none' : faults.join(',');
  const setting = `--validators ${validators} --heights ${heights} --suite ${suite} --byzantine ${byzantine} --faults ${list} --governance ${governance}`;
  return `npm run simulate -- --seed ${seed} ${setting}${campaign.twice ? ' --twice' : ''}`;
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
}

function integer(text: string, name: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new UsageError(`--${name} takes a whole number from ${least} to ${most}, not "${text}"`);
  return value;
}

function oneOf<T extends string>(text: string, name: string, choices: readonly T[]): T {
  const choice = choices.find((each) => each === text);
  if (choice === undefined) throw new UsageError(`--${name} takes one of ${choices.join(', ')}, not "${text}"`);
  return choice;
}

function readFaults(text: string): readonly string[] {
  if (text === 'all') return FAULT_NAMES;
  if (text === 'none') return [];
  const names = text.split(',').map((name) => oneOf(name, 'faults', ['all', 'none', ...FAULT_NAMES]));
  if (names.includes('all') || names.includes('none')) throw new UsageError('--faults takes all or none alone');
  return FAULT_NAMES.filter((name) => names.includes(name));
}
