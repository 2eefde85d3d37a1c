import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Defect } from './defect.ts';
import { defects } from './defects.ts';
import { type Hunt, hunt } from './hunt.ts';
import { renderTable, withTable } from './table.ts';
import { Workshop, type WorkshopModules } from './workshop.ts';

const DOCUMENT = join('docs', 'internals', 'testing.md');
const SHOWN_CHARACTERS = 120;

export const USAGE = `npm run defects -- [options]

Plants defects in a copy of the product, one at a time, and runs the simulator until a checker notices.

  --only NAMES   some defects, by their names joined by semicolons, or parts of them (all)
  --seeds N      how many seeds, from 1 on, each may take (200)
  --workers W    how many defects are looked for at once, each by a process of its own (1)
  --write        put the table into docs/internals/testing.md; for all defects
  --list         name the defects and run nothing
`;

const options = {
  only: { type: 'string', default: '' },
  seeds: { type: 'string', default: '200' },
  workers: { type: 'string', default: '1' },
  write: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

interface Request {
  readonly chosen: readonly Defect[];
  readonly seeds: number;
  readonly workers: number;
  readonly write: boolean;
}

/** Runs the command and returns the exit code: 0 if every defect was caught, 1 if one was not, 2 if it was asked for wrongly. */
export async function main(args: readonly string[], modules: WorkshopModules): Promise<number> {
  let request: Request | string;
  try {
    request = readRequest(args);
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : String(error)}\nnpm run defects -- --help shows how it is used.\n`,
    );
    return 2;
  }
  if (typeof request === 'string') {
    process.stdout.write(request);
    return 0;
  }
  const hunts = await huntAll(request, modules);
  const found = request.chosen.map((defect) => ({ defect, hunt: hunts.get(defect)! }));
  const caught = found.filter((each) => each.hunt.outcome === 'caught').length;
  if (request.write) {
    const path = join(modules.root, DOCUMENT);
    writeFileSync(path, withTable(readFileSync(path, 'utf8'), renderTable(found)));
  }
  process.stdout.write(`${found.length} defects, ${caught} caught\n`);
  return caught === found.length ? 0 : 1;
}

/** What is asked for, or the text that is. Throws if it makes no sense. */
function readRequest(args: readonly string[]): Request | string {
  const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
  if (values.help) return USAGE;
  if (values.list) return `${defects.map(({ name }) => name).join('\n')}\n`;
  const parts = values.only.split(';').map((part) => part.trim().toLowerCase());
  const unknown = parts.find((part) => !defects.some(({ name }) => name.toLowerCase().includes(part)));
  if (unknown !== undefined) throw new Error(`--only: no defect has "${unknown}" in its name; --list names all`);
  const chosen = defects.filter(({ name }) => parts.some((part) => name.toLowerCase().includes(part)));
  if (values.write && chosen.length < defects.length)
    throw new Error('--write writes the table of all: leave --only out');
  return {
    chosen,
    seeds: integer(values.seeds, 'seeds', 100_000),
    workers: integer(values.workers, 'workers', 64),
    write: values.write,
  };
}

function integer(text: string, name: string, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most)
    throw new Error(`--${name} takes a whole number from 1 to ${most}, not "${text}"`);
  return value;
}

async function huntAll(
  { chosen, seeds, workers }: Request,
  modules: WorkshopModules,
): Promise<ReadonlyMap<Defect, Hunt>> {
  const hunts = new Map<Defect, Hunt>();
  // Whoever loses patience leaves no copies behind.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const left = [...chosen];
  const one = async (): Promise<void> => {
    const workshop = new Workshop(modules);
    process.once('exit', () => workshop.remove());
    try {
      for (let defect = left.shift(); defect !== undefined; defect = left.shift()) {
        const result = await hunt(defect, workshop, seeds);
        hunts.set(defect, result);
        process.stdout.write(`${describe(defect, result)}\n`);
      }
    } finally {
      workshop.remove();
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, chosen.length) }, one));
  return hunts;
}

function describe({ name }: Defect, result: Hunt): string {
  if (result.outcome === 'missed') return `NOT CAUGHT: ${name}: ${result.seeds} seeds: ${firstLine(result.why)}`;
  return `${name}: ${result.seeds} seeds: ${result.by}: ${firstLine(result.violation).slice(0, SHOWN_CHARACTERS)}`;
}

const firstLine = (text: string): string => text.split('\n')[0] ?? '';
