// `npm run model`: explores the model of the consensus (simplex.pml) with Spin, exhaustively, and sees every weakened rule fail.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeTrail } from './replay.mjs';
import { sound, weakened } from './runs.mjs';

const source = join(dirname(fileURLToPath(import.meta.url)), 'simplex.pml');
const compiler = process.env.CC ?? 'cc';

/** A search that would need more is refused as incomplete. */
const MEMORY_LIMIT_MB = 6_000;
/** No path is longer by far: a step casts, flushes or loses a vote, or changes the view. A search that reaches it is incomplete. */
const DEPTH_LIMIT = 1_000_000;

const EXIT = { asItMustBe: 0, notAsItMustBe: 1, askedWrongly: 2, toolMissing: 3 };

/** The properties by the names that simplex.pml gives them in its assertions, and the switch to look at one alone. */
const properties = { agreement: 'agreement', oneResult: 'one result', validity: 'validity', lemmas: 'a lemma' };
const switches = { agreement: 'ONLY_AGREEMENT', 'one result': 'ONLY_RESULT', validity: 'ONLY_VALIDITY' };

const help = `Usage: npm run model -- [--quick] [--run NAME]

Explores the consensus of packages/consensus/spec.md: four members, one of them Byzantine. The rules as they are must keep agreement,
validity and one result in every state; with any one rule broken a counterexample must be found.

  --quick       smaller state spaces, less than a minute
  --run NAME    one run; of a broken rule it prints the counterexample
  --help        this text

Runs of the rules:  ${sound.map(({ name }) => name).join(', ')}
Broken rules:       ${weakened.map(({ name }) => name).join(', ')}

Exit code 0: all is as it must be; 1: it is not, or a search was incomplete; 2: asked wrongly; 3: spin or a C compiler is missing.
`;

function fail(message, code) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

function readOptions() {
  let values;
  try {
    ({ values } = parseArgs({
      options: { quick: { type: 'boolean' }, run: { type: 'string' }, help: { type: 'boolean' } },
    }));
  } catch (error) {
    fail(`${error.message.split('\n')[0]} See --help.`, EXIT.askedWrongly);
  }
  if (values.help) {
    process.stdout.write(help);
    process.exit(EXIT.asItMustBe);
  }
  const chosen = [...sound, ...weakened].find(({ name }) => name === values.run);
  if (values.run !== undefined && chosen === undefined)
    fail(`There is no run "${values.run}". --help lists them.`, EXIT.askedWrongly);
  return { quick: values.quick === true, chosen };
}

function checkTools() {
  const missing = [
    ['spin', '-V'],
    [compiler, '--version'],
  ].filter(([tool, flag]) => spawnSync(tool, [flag], { stdio: 'ignore' }).error !== undefined);
  if (missing.length === 0) return;
  const names = missing.map(([tool]) => tool).join(' and ');
  const advice = 'On Debian: apt-get install spin gcc libc6-dev';
  fail(`The model needs spin and a C compiler; ${names} cannot be started. ${advice}`, EXIT.toolMissing);
}

/** Runs a program to its end; resolves with what it printed and how it ended. */
function run(command, parameters, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const stop = () => child.kill();
    process.once('exit', stop);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('exit', stop);
      resolve({ output, code, signal });
    });
  });
}

async function mustRun(command, parameters, cwd) {
  const { output, code, signal } = await run(command, parameters, cwd);
  if (code !== 0)
    throw new Error(`"${command} ${parameters.join(' ')}" failed (${signal ?? `exit code ${code}`}): ${output.trim()}`);
  return output;
}

const isWeakened = (model) => 'breaks' in model;

function definesOf(model) {
  const defines = ['SYMMETRY', ...model.defines, ...(isWeakened(model) ? [switches[model.breaks]] : [])];
  return [`-DVIEWS=${model.views}`, ...defines.map((name) => `-D${name}`)];
}

/**
 * Generates, compiles and runs one model in a folder of its own. States are kept whole: no bitstate, no hash compaction.
 * Partial order reduction is off, because every step touches what all members see.
 */
async function explore(model, workshop, quick) {
  const folder = join(workshop, model.name);
  mkdirSync(folder);
  copyFileSync(source, join(folder, 'simplex.pml'));
  await mustRun('spin', [...definesOf(model), '-a', 'simplex.pml'], folder);
  const flags = ['-w', '-DSAFETY', '-DNOREDUCE', `-DMEMLIM=${MEMORY_LIMIT_MB}`];
  if (isWeakened(model)) flags.push(model.deep ? '-DP_REVERSE' : '-DBFS');
  // A short search is over before an optimizing compiler would be.
  const isLong = !quick && !isWeakened(model);
  const optimization = isWeakened(model) ? '-O0' : isLong ? '-O2' : '-O1';
  await mustRun(compiler, [optimization, ...flags, '-o', 'pan', 'pan.c'], folder);
  const { output, signal } = await run(join(folder, 'pan'), [`-m${DEPTH_LIMIT}`, isLong ? '-w25' : '-w22'], folder);
  const report = { model, ...readReport(signal === null ? output : `${output}\nended by ${signal}`) };
  if (report.violated === undefined) return report;
  const trail = await mustRun('spin', [...definesOf(model), '-t', 'simplex.pml'], folder);
  return { ...report, counterexample: describeTrail(trail, model.defines.includes('RESULTS')) };
}

/** What pan says of its search. */
function readReport(output) {
  const number = (pattern) => Number(pattern.exec(output)?.[1] ?? 0);
  const violated = /assertion violated \(?(\w+)/.exec(output)?.[1];
  return {
    states: number(/^\s*(\d+) states, stored/m),
    seconds: number(/elapsed time ([\d.]+) seconds/),
    megabytes: number(/([\d.]+)\s+total actual memory usage/),
    violated: violated === undefined ? undefined : (properties[violated] ?? violated),
    // "Full" as opposed to bitstate and hash-compact searches, which may leave out states.
    exhaustive:
      /^Full statespace search for:/m.test(output) &&
      /errors: 0$/m.test(output) &&
      !/search not completed|search depth too small|MEMLIM bound|out of memory|aborting|ended by/i.test(output),
    reason: /.*(?:depth too small|MEMLIM bound|out of memory|ended by).*/i.exec(output)?.[0].trim() ?? 'see pan',
  };
}

/** Whether a run ended as it must, and in which words. */
function judge({ model, violated, exhaustive, reason, counterexample }) {
  if (isWeakened(model)) {
    if (violated === undefined) return { good: false, result: exhaustive ? 'NOT CAUGHT' : `INCOMPLETE: ${reason}` };
    if (violated !== model.breaks) return { good: false, result: `breaks ${violated}, EXPECTED ${model.breaks}` };
    return { good: true, result: `${violated} fails in ${counterexample.steps} steps` };
  }
  if (violated !== undefined) return { good: false, result: `VIOLATED: ${violated}` };
  return exhaustive ? { good: true, result: 'holds in every state' } : { good: false, result: `INCOMPLETE: ${reason}` };
}

function row(name, result, states, seconds, megabytes) {
  return `${name.padEnd(40)} ${result.padEnd(32)} ${states.padStart(11)} ${seconds.padStart(8)} ${megabytes.padStart(6)}\n`;
}

function printReport(report) {
  const { model, states, seconds, megabytes } = report;
  const { good, result } = judge(report);
  const name = isWeakened(model) ? `${model.name} (${model.rule})` : model.name;
  process.stdout.write(row(name, result, states.toLocaleString('en'), seconds.toFixed(1), megabytes.toFixed(0)));
  return good;
}

function printCounterexample({ model, violated, counterexample }) {
  const broken = isWeakened(model) ? `Rule ${model.rule} is broken. ` : '';
  process.stdout.write(`\n${broken}Members 0 to 2 are honest; member 3 is Byzantine and has signed everything.\n`);
  for (const line of counterexample.lines) process.stdout.write(`${line}\n`);
  process.stdout.write(`Fails: ${violated}.\n`);
}

async function main() {
  const { quick, chosen } = readOptions();
  checkTools();
  const workshop = mkdtempSync(join(tmpdir(), 'hanse-model-'));
  process.on('exit', () => rmSync(workshop, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
  const rules = sound.filter((model) => (model.quick === 'only') === quick);
  const models = chosen === undefined ? [...rules, ...weakened] : [chosen];
  let states = 0;
  let failures = 0;
  process.stdout.write(row('run', 'result', 'states', 'seconds', 'MB'));
  for (const model of models) {
    const report = await explore(model, workshop, quick);
    rmSync(join(workshop, model.name), { recursive: true });
    const good = printReport(report);
    states += report.states;
    if (!good) failures += 1;
    if (report.counterexample !== undefined && (!good || chosen !== undefined)) printCounterexample(report);
  }
  const verdict = failures === 0 ? 'all is as it must be' : `${failures} NOT as they must be`;
  process.stdout.write(
    `${states.toLocaleString('en')} states in ${models.length} ${models.length === 1 ? 'run' : 'runs'}: ${verdict}\n`,
  );
  process.exitCode = failures === 0 ? EXIT.asItMustBe : EXIT.notAsItMustBe;
}

main().catch((error) => fail(error.message, EXIT.notAsItMustBe));
