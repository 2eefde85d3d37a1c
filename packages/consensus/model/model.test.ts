import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const script = join(dirname(fileURLToPath(import.meta.url)), 'model.mjs');

function model(
  options: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...options], {
    encoding: 'utf8',
    env: environment,
  });
  return { status, output: `${stdout}${stderr}` };
}

const canStart = (tool: string, flag: string): boolean =>
  spawnSync(tool, [flag], { stdio: 'ignore' }).error === undefined;
const missing = [
  ...(canStart('spin', '-V') ? [] : ['spin']),
  ...(canStart(process.env.CC ?? 'cc', '--version') ? [] : ['a C compiler']),
];
const note = missing.length === 0 ? '' : ` (skipped: ${missing.join(' and ')} is not installed)`;

describe('the model of the consensus', () => {
  it.skipIf(missing.length > 0)(
    `keeps every property in every state, and loses one with any rule broken${note}`,
    { timeout: 600_000 },
    () => {
      const { status, output } = model(['--quick']);
      expect(output).toMatch(/^[\d,]+ states in \d+ runs: all is as it must be$/m);
      expect(output).not.toMatch(/VIOLATED|INCOMPLETE|NOT|EXPECTED/);
      expect(status).toBe(0);
    },
  );

  it.skipIf(missing.length > 0)(`prints a counterexample in the words of the specification${note}`, () => {
    const { status, output } = model(['--run', 'gap-accepted']);
    const lines = output.trimEnd().split('\n');
    expect(lines).toContainEqual(expect.stringMatching(/^ {3}1\. member \d signs notarize\(v=1, parentView=0, P1\)/));
    expect(lines).toContainEqual(expect.stringMatching(/now there is a finalization \(v=2, P2\)$/));
    expect(lines.at(-2)).toBe('Fails: agreement.');
    expect(status).toBe(0);
  });

  it('says in one line what is missing where spin is not installed', () => {
    const { status, output } = model(['--quick'], { ...process.env, PATH: '/nonexistent' });
    expect(output).toMatch(/^The model needs spin and a C compiler; spin and \S+ cannot be started\. .*\n$/);
    expect(status).toBe(3);
  });

  it('refuses what it does not know, in one line', () => {
    expect(model(['--run', 'nothing'])).toEqual({
      status: 2,
      output: 'There is no run "nothing". --help lists them.\n',
    });
    const { status, output } = model(['--fast']);
    expect(output).toMatch(/^Unknown option '--fast'.* See --help\.\n$/);
    expect(status).toBe(2);
  });
});
