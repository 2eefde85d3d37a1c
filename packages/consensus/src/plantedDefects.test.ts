import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { colluder, doubleVoter, equivocator, forker } from './testing/byzantine.ts';
import type { CoreUnderTest } from './testing/coreUnderTest.ts';
import { type SimulationOptions, simulate } from './testing/simulatedNetwork.ts';

/** A defect is a few replacements in the sources; each text to replace stands there exactly once. */
interface Defect {
  readonly name: string;
  readonly patches: readonly { readonly file: string; readonly from: string; readonly to: string }[];
  readonly setting?: Partial<SimulationOptions>;
}

const defects: readonly Defect[] = [
  {
    name: 'a quorum of 2f + 1 at n = 5',
    patches: [{ file: 'state.ts', from: 'quorum: quorum(n),', to: 'quorum: 2 * faultBound(n) + 1,' }],
    setting: { validators: 5, byzantine: { 0: equivocator } },
  },
  {
    name: 'finalize after nullify in one view',
    patches: [
      { file: 'certificates.ts', from: '!round.sentNullify && round.sentFinalize', to: 'round.sentFinalize' },
      { file: 'finality.ts', from: 'round.sentNullify || round.sentFinalize', to: 'round.sentFinalize' },
    ],
  },
  {
    name: 'nullify after finalize in one view',
    patches: [
      {
        file: 'timers.ts',
        from: '  if (due) nullify(state, out, round);',
        to: '  if (due) nullify(state, out, round);\n  for (const r of state.rounds.values()) if (r.nullifies.size > state.faults) nullify(state, out, r);',
      },
      {
        file: 'timers.ts',
        from: 'if (!maySign(state, round.view) || round.sentNullify || round.sentFinalize !== undefined) return;',
        to: 'if (!maySign(state, round.view) || round.sentNullify) return;',
      },
    ],
  },
  {
    name: 'own votes forgotten at a restart',
    patches: [{ file: 'core.ts', from: 'recallVote(state, roundOf(state, statement.view), statement);', to: '' }],
  },
  {
    name: 'a second notarize for a second proposal',
    patches: [
      {
        file: 'proposals.ts',
        from: 'if (first === undefined || (notarized === digest && first !== digest)) {',
        to: 'if (first !== digest) {\n    round.sentNotarize = undefined;',
      },
    ],
    setting: { byzantine: { 1: equivocator } },
  },
  {
    name: 'a gap that is not nullified',
    patches: [
      {
        file: 'proposals.ts',
        from: 'if (gap === undefined) return ACCEPTABLE;',
        to: 'if (gap !== -1) return ACCEPTABLE;',
      },
    ],
    setting: { byzantine: { 1: forker } },
  },
  {
    name: 'a parent that nobody notarized',
    patches: [
      {
        file: 'proposals.ts',
        from: '      fetchCertificates(state, out, parentView, toView(view - 1), leader);\n      return WAITING;',
        to: '      return ACCEPTABLE;',
      },
    ],
    setting: { validators: 7, byzantine: { 1: colluder, 2: colluder } },
  },
  {
    name: 'another parent than the notarized one',
    patches: [
      { file: 'proposals.ts', from: 'if (notarization.statement.digest !== extended) return INVALID;', to: '' },
      { file: 'proposals.ts', from: 'if (extended !== state.finalized.digest) return INVALID;', to: '' },
    ],
    setting: { validators: 7, crashes: 0, lossPercent: 2, byzantine: { 1: colluder, 2: colluder } },
  },
  {
    name: 'finalize for what was executed but not notarized',
    patches: [
      {
        file: 'finality.ts',
        from: 'state.owed = state.owed.filter((view) => {',
        to: 'for (const r of state.rounds.values()) if (r.sentNotarize && !r.sentFinalize && !r.sentNullify) { const b = state.blocks.get(r.sentNotarize.digest)?.executed; if (b && maySign(state, r.view)) { r.sentFinalize = { kind: "finalize", epoch: state.options.epoch, view: r.view, digest: r.sentNotarize.digest, height: b.height, blockHash: b.blockHash }; out.push({ type: "vote", statement: r.sentFinalize, flushWith: [] }); } }\n  state.owed = state.owed.filter((view) => {',
      },
      { file: 'finality.ts', from: 'if (state.owed.length === 0) return;', to: '' },
    ],
  },
  {
    name: 'a certificate of f + 1 nullify votes',
    patches: [
      {
        file: 'votes.ts',
        from: 'if (equal.length < state.quorum) return;',
        to: "if (equal.length < (statement.kind === 'nullify' ? state.faults + 1 : state.quorum)) return;",
      },
    ],
    setting: { byzantine: { 1: doubleVoter } },
  },
  {
    name: 'a block on top of the one that closes the epoch',
    patches: [
      { file: 'proposals.ts', from: 'if (executed?.closing !== undefined) return INVALID;', to: '' },
      {
        file: 'proposals.ts',
        from: 'if (unfinalized && executed?.closing !== undefined) {',
        to: 'if (unfinalized && executed?.closing !== undefined && state.atMs < 0) {',
      },
    ],
    setting: { closesAtHeight: 3 },
  },
  {
    name: 'votes before a lost log is outlived',
    patches: [
      {
        file: 'state.ts',
        from: 'return state.amnesia === undefined || view > amnesiaFloor(state, state.amnesia);',
        to: 'return true;',
      },
    ],
    setting: { amnesiacs: 3 },
  },
  {
    name: 'nothing sent again',
    patches: [
      { file: 'catchUp.ts', from: 'if (due === undefined || state.atMs < due) return;', to: 'if (due !== -1) return;' },
    ],
  },
  {
    name: 'a delta that never grows',
    patches: [
      { file: 'delta.ts', from: 'if (state.failedViews > state.faults) {', to: 'if (state.failedViews < 0) {' },
    ],
    setting: { slowMs: 800, transactions: 5, crashes: 0 },
  },
];

const source = dirname(fileURLToPath(import.meta.url));
const workshop = join(source, '..', '.cache', `defects-${process.pid}`);

async function plant(defect: Defect): Promise<CoreUnderTest> {
  const place = join(workshop, defect.name.replaceAll(/[^a-z0-9]+/g, '-'));
  mkdirSync(place, { recursive: true });
  for (const file of readdirSync(source)) {
    if (file.endsWith('.ts') && !file.endsWith('.test.ts')) cpSync(join(source, file), join(place, file));
  }
  for (const { file, from, to } of defect.patches) {
    const text = readFileSync(join(place, file), 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${defect.name}: "${from}" stands not exactly once in ${file}`);
    writeFileSync(
      join(place, file),
      text.replace(from, () => to),
    );
  }
  return (await import(/* @vite-ignore */ join(place, 'index.ts'))) as CoreUnderTest;
}

describe('a planted defect is caught by the simulation', () => {
  afterAll(() => rmSync(workshop, { recursive: true, force: true }));

  for (const defect of defects) {
    it(defect.name, async () => {
      const core = await plant(defect);
      let caught: string | undefined;
      let seed = 0;
      while (caught === undefined && seed < 300) {
        seed += 1;
        const { violations } = simulate({
          seed,
          core,
          validators: 4,
          faultsUntilMs: 2_000,
          untilMs: 30_000,
          transactions: 20,
          crashes: 5,
          ...defect.setting,
        });
        caught = violations[0];
      }
      if (process.env.HANSE_SHOW) console.log(`${defect.name}: ${seed} seeds: ${caught?.slice(0, 150)}`);
      expect(caught).toBeDefined();
    });
  }
});
