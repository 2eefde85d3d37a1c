import { describe, expect, it } from 'vitest';
import { behaviours } from '../byzantine/behaviours.ts';
import { readCommandLine, replayCommand, USAGE, UsageError } from './commandLine.ts';
import { type CommandHost, main } from './main.ts';
import { runSeed } from './runSeed.ts';

/** Runs the command and gives what it wrote and its exit code. */
async function command(args: string, run: CommandHost['run'] = runSeed) {
  const out: string[] = [];
  const errors: string[] = [];
  const code = await main(
    args.split(' ').filter((word) => word !== ''),
    {
      write: (text) => out.push(text),
      complain: (text) => errors.push(text),
      run,
    },
  );
  return { out: out.join(''), errors: errors.join(''), code };
}

const violating: CommandHost['run'] = async (_campaign, seed) => ({
  seed,
  heights: 7,
  violations: seed === 6 ? ['two blocks at height 3'] : [],
  audit: 'a0',
});

describe('npm run simulate', () => {
  it('ends in one line with runs, heights and violations', async () => {
    expect(await command('--seed 5 --heights 2 --faults none --byzantine none')).toMatchObject({
      out: expect.stringMatching(/^1 runs, \d+ heights, 0 violations\n$/),
      code: 0,
    });
  });

  it('says which seed violates what, and the one command that replays it', async () => {
    const { out, code } = await command(
      '--seed 5 --runs 3 --validators 7 --byzantine twins --faults disks,crashes',
      violating,
    );
    expect(out.split('\n')).toEqual([
      'seed 6: two blocks at height 3',
      'replay: npm run simulate -- --seed 6 --validators 7 --heights 30 --suite fast --byzantine twins --faults crashes,disks',
      '3 runs, 21 heights, 1 violations',
      '',
    ]);
    expect(code).toBe(1);
  });

  it('replays by exactly the campaign that it names', () => {
    const campaign = readCommandLine('--validators 31 --suite real --heights 5 --twice --faults none'.split(' '))!;
    const words = replayCommand(campaign, 12).replace('npm run simulate -- ', '').split(' ');
    expect(readCommandLine(words)).toEqual({ ...campaign, seed: 12 });
  });

  it('counts two runs of one seed that differ as a violation', async () => {
    const campaign = readCommandLine(['--twice', '--heights', '2', '--faults', 'none'])!;
    expect((await runSeed(campaign, 3)).violations).toEqual([]);
  });

  it.each([
    ['--seed x', '--seed takes a whole number'],
    ['--runs 0', '--runs takes a whole number'],
    ['--validators 32', '--validators takes a whole number from 1 to 31, not "32"'],
    ['--suite slow', '--suite takes one of fast, real'],
    ['--byzantine nobody', '--byzantine takes one of random, none'],
    ['--faults floods', '--faults takes one of'],
    ['--faults all,disks', '--faults takes all or none alone'],
    ['--runs 2 --verbose', '--verbose writes down one seed'],
    ['--speed 9', "Unknown option '--speed'"],
    ['seed 9', 'Unexpected argument'],
  ])('answers "%s" with one clear line and exit code 2', async (args, message) => {
    const { out, errors, code } = await command(args);
    expect(errors).toContain(message);
    expect([out, code]).toEqual(['', 2]);
  });

  it('shows how it is used, with every behaviour', async () => {
    const { out, code } = await command('--help');
    expect([out, code]).toEqual([USAGE, 0]);
    for (const name of Object.keys(behaviours)) expect(USAGE).toContain(name);
    expect(() => readCommandLine(['--nonsense'])).toThrow(UsageError);
  });
});
