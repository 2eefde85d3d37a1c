import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the bench to its end; not synchronously, so that the test runner hears of this worker meanwhile. */
async function chaos(
  ...options: readonly string[]
): Promise<{ readonly code: number | null; readonly lines: readonly string[] }> {
  const child = spawn(process.execPath, ['bench/chaos.mjs', ...options], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const code = await new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  return { code, lines: output.trim().split('\n') };
}

/** In one line what the machine lacks, empty if it lacks nothing. */
const check = await chaos('--check');
const missing = check.code === 0 ? '' : ` (skipped: ${check.lines.at(-1) ?? 'no answer'})`;

describe(`four members in network namespaces${missing}`, () => {
  it.skipIf(missing !== '')(
    'lose nothing, never differ and come back by themselves through cut links, bad weather, kills, pauses, full disks and clock steps',
    async () => {
      // Patient, because the rest of the suite may run at the same time on two cores.
      const campaign = await chaos('--minutes', '0.75', '--step', '3', '--seed', '150', '--patience', '120');
      const story = campaign.lines.join('\n');
      expect(campaign.lines.at(-1), story).toMatch(/^Chaos: .* 0 violations\.$/);
      expect(campaign.code, story).toBe(0);
    },
    420_000,
  );

  it('are asked for with clear words: a wrong option is refused in one line', async () => {
    expect(await chaos('--members', '9')).toEqual({
      code: 64,
      lines: ['--members 9 is not possible: give a number from 4 to 7.'],
    });
    expect(await chaos('--only', 'meteor')).toMatchObject({
      code: 64,
      lines: [expect.stringMatching(/^--only meteor is no kind/)],
    });
  });
});
