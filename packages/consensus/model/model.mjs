// `npm run model`: explores the model of the consensus (simplex.pml) with Spin, exhaustively, and sees every weakened rule fail.
// Exit code 0: all is as it must be; 1: it is not, or the command line is wrong; 2: spin or a C compiler is missing.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeTrail } from './replay.mjs';
import { sound, weakened } from './runs.mjs';

const source = join(dirname(fileURLToPath(import.meta.url)), 'simplex.pml');
const compiler = process.env.CC ?? 'cc';

/** Two runs at a time, each below this, keep the whole below 8 GB. */
const MEMORY_LIMIT_MB = 3_900;
const PARALLEL_RUNS = Math.min(2, availableParallelism());
/** No path is longer: a step casts a vote, crashes or changes the view. A search that reaches it is refused as truncated. */
const DEPTH_LIMIT = 100_000;

/** The properties by the names that simplex.pml gives them in its assertions. */
const properties = { agreement: 'agreement', oneResult: 'one result', validity: 'validity', lemmas: 'a lemma' };

function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

function readOptions() {
  let values;
  try {
    ({ values } = parseArgs({
      options: { views: { type: 'string', default: '4' }, quick: { type: 'boolean' }, show: { type: 'string' } },
    }));
  } catch (error) {
    fail(`${error.message.split('\n')[0]} Options: --quick, --views 3|4, --show NAME.`);
  }
  if (values.views !== '3' && values.views !== '4') fail(`--views is 3 or 4, not "${values.views}".`);
  const shown = weakened.find(({ name }) => name === values.show);
  if (values.show !== undefined && shown === undefined)
    fail(`There is no weakened model "${values.show}". Choose one of: ${weakened.map(({ name }) => name).join(', ')}.`);
  return { views: Number(values.views), quick: values.quick === true, shown };
}

function checkTools() {
  const missing = [
    ['spin', '-V'],
    [compiler, '--version'],
  ].filter(([tool, flag]) => spawnSync(tool, [flag], { stdio: 'ignore' }).error !== undefined);
  if (missing.length === 0) return;
  const names = missing.map(([tool]) => tool).join(' and ');
  fail(
    `The model needs spin and a C compiler; ${names} cannot be started. On Debian: apt-get install spin gcc libc6-dev`,
    2,
  );
}

/** Runs a program to its end; resolves with what it printed and its exit code. */
function run(command, parameters, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ output, code, signal }));
  });
}

async function mustRun(command, parameters, cwd) {
  const { output, code, signal } = await run(command, parameters, cwd);
  if (code !== 0)
    throw new Error(`"${command} ${parameters.join(' ')}" failed (${signal ?? `exit code ${code}`}): ${output.trim()}`);
  return output;
}

const isWeakened = (model) => 'breaks' in model;

function switchesOf(model) {
  const switches = ['SYMMETRY', ...(isWeakened(model) ? [] : ['LEMMAS']), ...model.defines];
  return [`-DVIEWS=${model.views}`, ...switches.map((name) => `-D${name}`)];
}

/**
 * Generates, compiles and runs one model in a folder of its own. States are kept whole: no bitstate, no hash compaction.
 * Partial order reduction is off, because every step touches what all members see.
 */
async function explore(model, workshop) {
  const folder = join(workshop, model.name.replaceAll(/[^a-z0-9]+/g, '-'));
  mkdirSync(folder);
  copyFileSync(source, join(folder, 'simplex.pml'));
  await mustRun('spin', [...switchesOf(model), '-a', 'simplex.pml'], folder);
  const flags = ['-O1', '-w', '-DSAFETY', '-DNOREDUCE', `-DMEMLIM=${MEMORY_LIMIT_MB}`];
  if (isWeakened(model)) flags.push(model.deep ? '-DP_REVERSE' : '-DBFS');
  await mustRun(compiler, [...flags, '-o', 'pan', 'pan.c'], folder);
  const tableBits = isWeakened(model) ? 20 : 24;
  const { output, signal } = await run(join(folder, 'pan'), [`-m${DEPTH_LIMIT}`, `-w${tableBits}`], folder);
  return { model, folder, ...readReport(signal === null ? output : `${output}\nended by ${signal}`) };
}

/** What pan says of its search. */
function readReport(output) {
  const number = (pattern) => Number(pattern.exec(output)?.[1] ?? 0);
  const violated = /assertion violated \(?(\w+)/.exec(output)?.[1];
  return {
    states: number(/^\s*(\d+) states, stored/m),
    depth: number(/depth reached (\d+)/),
    seconds: number(/elapsed time ([\d.]+) seconds/),
    violated: violated === undefined ? undefined : (properties[violated] ?? violated),
    // "Full" as opposed to bitstate and hash-compact searches, which may leave out states.
    exhaustive:
      /^Full statespace search for:/m.test(output) &&
      /errors: 0$/m.test(output) &&
      !/search not completed|search depth too small|MEMLIM bound|out of memory|aborting/i.test(output),
    lastLine: output.trim().split('\n').at(-1) ?? '',
  };
}

/** Whether a run ended as it must, and in which words. */
function judge({ model, violated, exhaustive, lastLine }) {
  if (isWeakened(model)) {
    if (violated === model.breaks) return { good: true, result: `breaks ${violated}, as expected` };
    return {
      good: false,
      result: violated === undefined ? `NOT CAUGHT: ${lastLine}` : `breaks ${violated}, EXPECTED ${model.breaks}`,
    };
  }
  if (violated !== undefined) return { good: false, result: `VIOLATED: ${violated}` };
  return exhaustive
    ? { good: true, result: 'holds in every state' }
    : { good: false, result: `INCOMPLETE: ${lastLine}` };
}

function row(name, result, states, depth, seconds) {
  return `${name.padEnd(42)} ${result.padEnd(30)} ${states.padStart(11)} ${depth.padStart(6)} ${seconds.padStart(8)}\n`;
}

/** Explores all, some at a time, and prints a line for each, in their order. Resolves with the number of states and of failures. */
async function exploreAll(models, workshop) {
  const reports = [];
  let started = 0;
  let printed = 0;
  const total = { states: 0, failures: 0 };
  const work = async () => {
    while (started < models.length) {
      const index = started++;
      reports[index] = await explore(models[index], workshop);
      while (reports[printed] !== undefined) printReport(reports[printed++], total);
    }
  };
  process.stdout.write(row('model', 'result', 'states', 'depth', 'seconds'));
  await Promise.all(Array.from({ length: PARALLEL_RUNS }, work));
  return total;
}

function printReport(report, total) {
  const { model, states, depth, seconds } = report;
  const { good, result } = judge(report);
  total.states += states;
  if (!good) total.failures += 1;
  const name = isWeakened(model) ? `${model.name} (${model.rule})` : model.name;
  process.stdout.write(row(name, result, states.toLocaleString('en'), String(depth), seconds.toFixed(1)));
}

/** Prints the counterexample of one weakened model. */
async function show(model, workshop) {
  const { violated, folder, lastLine } = await explore(model, workshop);
  if (violated === undefined) fail(`${model.name}: no counterexample was found: ${lastLine}`);
  const { output } = await run('spin', [...switchesOf(model), '-t', 'simplex.pml'], folder);
  process.stdout.write(
    `${model.name}: ${model.rule} is broken. Member 3 is Byzantine and signs everything; 0 to 2 are honest.\n`,
  );
  for (const line of describeTrail(output, model.defines.includes('RESULTS'))) process.stdout.write(`${line}\n`);
  process.stdout.write(`Broken: ${violated}.\n`);
}

async function main() {
  const { views, quick, shown } = readOptions();
  checkTools();
  const workshop = mkdtempSync(join(tmpdir(), 'hanse-model-'));
  process.on('exit', () => rmSync(workshop, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
  if (shown !== undefined) return show(shown, workshop);
  const rules = sound.filter((model) => (model.quick || !quick) && model.views <= views);
  const models = [...rules, ...weakened];
  const { states, failures } = await exploreAll(models, workshop);
  const verdict = failures === 0 ? 'all is as it must be' : `${failures} NOT as they must be`;
  process.stdout.write(`${states.toLocaleString('en')} states in ${models.length} models: ${verdict}\n`);
  process.exitCode = failures === 0 ? 0 : 1;
}

main().catch((error) => fail(error.message));
