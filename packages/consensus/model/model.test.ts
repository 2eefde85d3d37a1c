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
    `keeps every property in every state, and none once a rule is broken${note}`,
    { timeout: 600_000 },
    () => {
      const { status, output } = model(['--quick']);
      expect(output).toMatch(/^[\d,]+ states in \d+ models: all is as it must be$/m);
      expect(output).not.toMatch(/VIOLATED|INCOMPLETE|NOT/);
      expect(status).toBe(0);
    },
  );

  it.skipIf(missing.length > 0)(`prints a counterexample in the words of the specification${note}`, () => {
    const { status, output } = model(['--show', 'gap-accepted']);
    const lines = output.trimEnd().split('\n');
    expect(lines).toContainEqual(expect.stringMatching(/^ {3}1\. member \d signs notarize\(v=1, parentView=0, P1\)/));
    expect(lines).toContainEqual(expect.stringMatching(/now there is a finalization \(v=2, P2\)$/));
    expect(lines.at(-1)).toBe('Broken: agreement.');
    expect(status).toBe(0);
  });

  it('says in one line what is missing where spin is not installed', () => {
    const { status, output } = model(['--quick'], { ...process.env, PATH: '/nonexistent' });
    expect(output).toMatch(/^The model needs spin and a C compiler; spin and \S+ cannot be started\. .*\n$/);
    expect(status).toBe(2);
  });

  it('refuses options that it does not have', () => {
    expect(model(['--views', '9'])).toEqual({ status: 1, output: '--views is 3 or 4, not "9".\n' });
    expect(model(['--show', 'nothing']).output).toMatch(
      /^There is no weakened model "nothing"\. Choose one of: small-quorum, .*\n$/,
    );
    expect(model(['--fast']).output).toMatch(/^Unknown option '--fast'.*--quick, --views 3\|4, --show NAME\.\n$/);
  });
});
