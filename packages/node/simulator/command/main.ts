import { type Campaign, readCommandLine, replayCommand, USAGE, UsageError } from './commandLine.ts';
import { runSeed, type SeedResult } from './runSeed.ts';
import { runInProcesses } from './workerPool.ts';

/** A run that is broken says the same again and again. */
const MAX_SHOWN = 5;

/** Where the command writes, and how it runs a seed; a test gives others. */
export interface CommandHost {
  readonly write: (text: string) => void;
  readonly complain: (text: string) => void;
  readonly run: typeof runSeed;
}

const realHost: CommandHost = {
  write: (text) => void process.stdout.write(text),
  complain: (text) => void process.stderr.write(text),
  run: runSeed,
};

/** Runs a campaign and returns the exit code: 0 if nothing was violated, 1 if something was, 2 if it was asked for wrongly. */
export async function main(args: readonly string[], { write, complain, run }: CommandHost = realHost): Promise<number> {
  let campaign: Campaign | undefined;
  try {
    campaign = readCommandLine(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(`${error.message}\nnpm run simulate -- --help shows how it is used.\n`);
    return 2;
  }
  if (campaign === undefined) {
    write(USAGE);
    return 0;
  }
  const chosen = campaign;
  const total = { runs: 0, heights: 0, violations: 0 };
  const take = (result: SeedResult): void => {
    total.runs += 1;
    total.heights += result.heights;
    total.violations += result.violations.length;
    if (result.violations.length === 0) return;
    for (const violation of result.violations.slice(0, MAX_SHOWN)) write(`seed ${result.seed}: ${violation}\n`);
    if (result.violations.length > MAX_SHOWN) write(`and ${result.violations.length - MAX_SHOWN} more\n`);
    write(`replay: ${replayCommand(chosen, result.seed)}\n`);
  };
  if (chosen.workers > 1) await runInProcesses(chosen, take);
  else {
    const log = chosen.verbose ? (line: string) => write(`${line}\n`) : undefined;
    for (let seed = chosen.seed; seed < chosen.seed + chosen.runs; seed++) {
      const result = await run(chosen, seed, log);
      if (chosen.verbose) write(`audit ${result.audit}\n`);
      take(result);
    }
  }
  write(`${total.runs} runs, ${total.heights} heights, ${total.violations} violations\n`);
  return total.violations === 0 ? 0 : 1;
}
