// Real members, real faults: every member a process in a network namespace of its own, while clients pay and faults strike them by
// a plan that a seed decides. What is checked, and how to read it: docs/internals/chaos.md. Needs a build, Linux and root; touches
// nothing of the machine's own network. Exit code 0: no violation; 1: violations; 3: the machine lacks something; 64: usage; 130: interrupted.
//
// Usage: npm run chaos -- [--members 4] [--minutes 3] [--seed N] [--only KIND,...] [--step SECONDS]
//                           [--patience SECONDS] [--data DIR] [--keep] [--check]
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { KINDS } from './chaos/plan.mjs';
import { findRequirements, UNSHARE } from './chaos/requirements.mjs';

const EXIT = { missing: 3, usage: 64 };

function leave(message, code) {
  console.log(message);
  process.exit(code);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        members: { type: 'string', default: '4' },
        minutes: { type: 'string', default: '3' },
        seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
        only: { type: 'string' },
        step: { type: 'string' },
        patience: { type: 'string', default: '60' },
        data: { type: 'string' },
        keep: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    return leave(error.message, EXIT.usage);
  }
}

function parseNumber(name, text, least, most) {
  const value = Number(text);
  if (text !== '' && value >= least && value <= most) return value;
  return leave(`--${name} ${text} is not possible: give a number from ${least} to ${most}.`, EXIT.usage);
}

function parseWhole(name, text, least, most) {
  const value = parseNumber(name, text, least, most);
  return Number.isInteger(value) ? value : leave(`--${name} ${text} must be a whole number.`, EXIT.usage);
}

function parseKinds(text) {
  if (text === undefined) return Object.keys(KINDS);
  const kinds = text.split(',');
  const unknown = kinds.find((kind) => !Object.hasOwn(KINDS, kind));
  if (unknown === undefined) return kinds;
  return leave(`--only ${unknown} is no kind of fault. Known are: ${Object.keys(KINDS).join(', ')}.`, EXIT.usage);
}

function dataFolder(text) {
  if (text === undefined) return mkdtempSync(join(tmpdir(), 'hanse-chaos-'));
  const folder = resolve(text);
  if (existsSync(folder) && readdirSync(folder).length > 0) leave(`--data ${text} is not empty.`, EXIT.usage);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

const values = readOptions();
const count = parseWhole('members', values.members, 4, 7);
const minutes = parseNumber('minutes', values.minutes, 0.1, 1_440);
const seed = parseWhole('seed', values.seed, 0, 2 ** 32 - 1);
const patience = parseNumber('patience', values.patience, 5, 3_600);
const stepMs = values.step === undefined ? undefined : parseNumber('step', values.step, 1, 3_600) * 1_000;
const wanted = parseKinds(values.only);

const { missing, faketime } = findRequirements();
if (missing !== undefined) leave(`Chaos cannot run here: ${missing}.`, EXIT.missing);
if (values.check) leave('Chaos can run here.', 0);
const program = fileURLToPath(new URL('../packages/cli/dist/main.js', import.meta.url));
if (!existsSync(program)) leave('Chaos runs what is built: run npm run build first.', EXIT.missing);
const kinds = wanted.filter((kind) => KINDS[kind].needs !== 'faketime' || faketime !== undefined);
if (kinds.length < wanted.length)
  console.log('Without clock steps: libfaketime is not installed (Debian package libfaketime).');
if (kinds.length === 0) leave('Chaos cannot run here: no kind of fault is left.', EXIT.missing);

const root = dataFolder(values.data);
const chosen = ['only', 'step']
  .filter((name) => values[name] !== undefined)
  .map((name) => ` --${name} ${values[name]}`);
const repeat = `npm run chaos -- --members ${count} --minutes ${minutes} --seed ${seed}${chosen.join('')}`;
const options = {
  count,
  minutes,
  seed,
  stepMs,
  kinds,
  root,
  repeat,
  faketime,
  keep: values.keep,
  patienceMs: patience * 1_000,
};
options.prefix = `hanse-chaos-${process.pid}`;
console.log(`Chaos with seed ${seed}: ${count} members, ${minutes} min, in ${root}.`);

const campaign = fileURLToPath(new URL('chaos/campaign.mjs', import.meta.url));
const [unshare, ...namespaces] = UNSHARE;
const child = spawn(unshare, [...namespaces, process.execPath, campaign, JSON.stringify(options)], {
  // The end of this pipe tells the campaign to stop: signals do not pass through unshare.
  stdio: ['pipe', 'inherit', 'inherit'],
});
child.stdin.on('error', () => undefined);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.stdin.end());
child.once('exit', (code, signal) => {
  if (signal !== null)
    console.log(`The campaign was ended by ${signal}; its namespaces are gone with it. Data: ${root}.`);
  if (code === 0 && !values.keep) rmSync(root, { recursive: true, force: true });
  process.exit(code ?? 1);
});
