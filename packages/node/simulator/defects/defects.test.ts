import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { applyPatches, PatchError } from './applyPatches.ts';
import { defects } from './defects.ts';
import { renderTable, withTable } from './table.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const source = (file: string): string => readFileSync(join(root, 'packages', file), 'utf8');

/** Caught in a seed or two, each of another kind: about 20 s of one processor. `npm run defects` looks for all. */
const QUICK = [
  'votes sent before they are durable',
  'bodies not durable before notarize',
  'a quorum of 2f + 1 at n = 5',
  'a block told as final before it is stored',
  'money out of nothing',
];

/** What `npm run defects` writes, and its exit code. */
function command(...args: readonly string[]): Promise<{ readonly output: string; readonly code: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'scripts', 'defects.mjs'), ...args]);
    const parts: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => parts.push(String(data)));
    child.on('error', reject);
    child.on('close', (code) => resolve({ output: parts.join(''), code }));
  });
}

describe('planted defects', () => {
  it.each(defects.map((defect) => [defect.name, defect] as const))('%s: can be planted', (_, defect) => {
    for (const [file, text] of applyPatches(defect, source)) expect(text).not.toBe(source(file));
  });

  it('have names of their own, and something that should notice them', () => {
    expect(new Set(defects.map(({ name }) => name)).size).toBe(defects.length);
    expect(defects.filter(({ caughtBy }) => caughtBy.length === 0)).toEqual([]);
  });

  it('stand, caught, in the table of docs/internals/testing.md as they are', () => {
    const document = readFileSync(join(root, 'docs', 'internals', 'testing.md'), 'utf8');
    const table = renderTable(
      defects.map((defect) => {
        const row = document.split('\n').find((line) => line.startsWith(`| ${defect.name} | `));
        const by = defect.caughtBy.find((name) => row?.split(' | ').at(-2) === name);
        const seeds = Number(row?.split(' | ').at(-1)?.replace(' |', ''));
        if (by === undefined || !(seeds >= 1))
          throw new Error(`${defect.name} is not in the table as caught: npm run defects -- --write`);
        return { defect, hunt: { outcome: 'caught', seeds, by, violation: '' } };
      }),
    );
    expect(withTable(document, table)).toBe(document);
  });

  it('that the sources have outgrown are refused by name', () => {
    const [defect] = defects;
    expect(() => applyPatches(defect!, () => 'something else')).toThrow(PatchError);
    expect(() => applyPatches(defect!, () => defect!.patches[0]!.from.repeat(2))).toThrow(
      `the defect "${defect!.name}" does not apply: in packages/${defect!.patches[0]!.file} this stands 2 times`,
    );
  });

  it(`are caught: ${QUICK.length} of ${defects.length} that need few seeds (npm run defects looks for all)`, async () => {
    const { output, code } = await command('--only', QUICK.join(';'), '--seeds', '5');
    expect(output).toMatch(new RegExp(`\\n${QUICK.length} defects, ${QUICK.length} caught\\n$`));
    expect(code).toBe(0);
  });

  it('that are asked for wrongly are refused with what to do', async () => {
    expect(await command('--only', 'no such thing')).toEqual({
      output:
        '--only: no defect has "no such thing" in its name; --list names all\nnpm run defects -- --help shows how it is used.\n',
      code: 2,
    });
  });
});
