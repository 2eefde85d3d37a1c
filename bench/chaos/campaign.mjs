// Drives the faults of a plan while payments run, and judges. Runs as the first process of the campaign's namespaces (see
// bench/chaos.mjs, which starts it): when it ends, the kernel ends every member and removes every interface and mount.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHanseClient } from '@hanse/sdk';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { Findings } from '../campaign/findings.mjs';
import { Payments } from '../campaign/payments.mjs';
import { sleep, until } from '../campaign/waiting.mjs';
import { Witness } from '../campaign/witness.mjs';
import { call } from '../soak/jsonRPC.mjs';
import { beginFault } from './faults.mjs';
import { Liveness } from './liveness.mjs';
import { Members } from './members.mjs';
import { ChaosNetwork } from './network.mjs';
import { createPlan, describeStep, faultBound } from './plan.mjs';

const options = JSON.parse(process.argv[2]);
const { count, seed, stepMs, minutes, kinds, root, prefix, patienceMs, faketime, repeat } = options;
const f = faultBound(count);
/** f + 1 small disks, so that more than f can be full at once; the other members write to the real disk. */
const smallDisks = Array.from({ length: f + 1 }, (_, index) => index + 1);
const PAYERS_BESIDE_MEMBERS = 4;

const findings = new Findings();
const network = new ChaosNetwork({ members: count, prefix, seed });
const members = new Members({ root, count, network, faketime, smallDisks, findings });
const struck = new Map();
/** Members whose disk was full at some time. */
const fullDisks = new Set();
const startedMs = performance.now();
let interrupted = false;
let witness;
let payments;
let liveness;

// Ctrl-C reaches this process through the terminal, or the pipe of the process outside ends.
const stopAsked = new Promise((done) => {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, done);
  process.stdin.on('end', done).on('error', done).resume();
}).then(() => {
  interrupted = true;
});

const seconds = (ms) => `${(ms / 1_000).toFixed(1)} s`;
const say = (text) => console.log(`${seconds(performance.now() - startedMs).padStart(8)}  ${text}`);

async function prepare() {
  await network.create();
  await members.create();
  for (const index of members.list.keys()) members.start(index);
  const accounts = new Map(members.names.map((name, index) => [name, privateKeyToAccount(members.accountKey(index))]));
  for (let number = 1; number <= PAYERS_BESIDE_MEMBERS; number++)
    accounts.set(`customer${number}`, privateKeyToAccount(generatePrivateKey()));
  for (const { name, url } of members.list) {
    if (!(await until(() => call(url, 'eth_chainId', [], 1_000), patienceMs)))
      throw new Error(`${name} did not answer within ${seconds(patienceMs)}`);
  }
  const urls = members.list.map(({ url }) => url);
  const { genesis, genesisHash, list } = members;
  const client = await createHanseClient({ rpcUrl: urls[0] });
  const chainId = client.chain.id;
  const { address: currency } = await client.currency('DCNY');
  witness = new Witness({ members: list, genesis, genesisHash, findings });
  payments = new Payments({ urls, accounts, currency, chainId, witness, findings, requestMs: 1_500 });
  liveness = new Liveness({ payments, findings, stallMs: patienceMs });
  const payers = [...accounts.keys()].filter((name) => name !== 'authority');
  await payments.fund({ authority: 'authority', bank: 'bank', payers });
  witness.observe();
  payments.start(payers);
}

/** One step of the plan, from clear weather to clear weather and every member well again. */
async function playStep(step) {
  const text = describeStep(step, members.names);
  say(`step ${step.number}: ${text}`);
  const pairs = allPairs();
  const context = { network, members, count, weather: step.weather };
  if (step.weather !== undefined) await network.shape(pairs, step.weather);
  if (step.tooMany) liveness.release(text);
  else liveness.demand(text);
  const ends = [];
  for (const fault of step.faults) {
    struck.set(fault.kind, (struck.get(fault.kind) ?? 0) + 1);
    if (fault.kind === 'disk') for (const index of fault.members) fullDisks.add(index);
    ends.push(await beginFault(fault, context));
  }
  await Promise.race([sleep(step.lengthMs), stopAsked]);
  for (const end of ends.reverse()) await end();
  await network.shape(pairs, undefined);
  liveness.demand(`the recovery from: ${text}`);
  const sinceMs = performance.now();
  await recover(text);
  for (const fault of step.faults)
    if (fault.kind === 'disk') for (const index of fault.members) members.mayEnd(index, -1);
  if (!interrupted) say(`  all well after ${seconds(performance.now() - sinceMs)}; ${figures()}`);
}

function allPairs() {
  const all = members.list.map((_, index) => index);
  return all.flatMap((from) => all.filter((to) => to !== from).map((to) => [from, to]));
}

/** Waits until every member is healthy by its own word and as high as the others were when it began. */
async function recover(text) {
  const target = witness.highest;
  for (const { name, url } of members.list) {
    let last = 'no answer';
    const well = await until(async () => {
      if (interrupted) return true;
      const { healthy, checks } = await call(url, 'hanse_health', [], 2_000);
      last = JSON.stringify(checks);
      return healthy && Number(await call(url, 'eth_blockNumber', [], 2_000)) >= target;
    }, patienceMs);
    if (!well) findings.add(`${name} was not well ${seconds(patienceMs)} after: ${text}; it says ${last}`);
  }
  const before = payments.final;
  if (!(await until(() => interrupted || payments.final > before, patienceMs)))
    findings.add(`no payment became final within ${seconds(patienceMs)} after: ${text}`);
}

/** An alarm is for what a person must see. Only a disk without space may raise one, and ends the member, which forgets it. */
async function checkAlarms() {
  for (const [index, { name, url }] of members.list.entries()) {
    const { alarms } = (await call(url, 'hanse_health', [])).checks;
    if (alarms.detail !== 'none') findings.add(`${name} raised an alarm: ${alarms.detail}`);
    const raised = members.log(index).filter((line) => /"message":"alarm/.test(line));
    const unexpected = raised.filter((line) => !(fullDisks.has(index) && /disk-failed/.test(line)));
    for (const line of unexpected.slice(0, 5)) findings.add(`${name}'s log: ${line.slice(0, 300)}`);
  }
}

/** Load over, faults over: all members must become equal and stay so. */
async function finish() {
  if (!(await payments.stop(patienceMs)))
    findings.add(`payments on their way were not final within ${seconds(patienceMs)}`);
  await witness.stop();
  liveness.stop();
  await witness.checkAll(patienceMs);
  for (const member of members.list) await payments.check(member);
  await checkAlarms();
  const equal = await until(async () => {
    const heads = await Promise.all(
      members.list.map(({ url }) => call(url, 'eth_getBlockByNumber', ['latest', false])),
    );
    return heads.every(({ hash }) => hash === heads[0].hash);
  }, patienceMs);
  if (!equal) findings.add(`the heads were not equal within ${seconds(patienceMs)} after all faults`);
}

/** What every member says of itself at the moment of a violation, kept beside its log: `last-words.json`. */
async function keepLastWords() {
  await Promise.all(
    members.list.map(async ({ url }, index) => {
      const words = {};
      for (const method of ['hanse_status', 'hanse_health', 'eth_blockNumber'])
        words[method] = await call(url, method, [], 5_000).catch((error) => error.message);
      const metrics = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
      words.metrics = (await metrics?.text())?.split('\n').filter((line) => !line.startsWith('#')) ?? 'no answer';
      writeFileSync(join(members.folder(index), 'last-words.json'), `${JSON.stringify(words, null, 2)}\n`);
    }),
  );
}

const figures = () => `${payments.final} payments, ${witness.highest} blocks`;

function summary() {
  const kindsText = [...struck].map(([kind, times]) => `${kind} ${times}`).join(', ');
  const { passed, lost, overtaken, twice, cut } = network.counts;
  return (
    `seed ${seed}, ${count} members, ${seconds(performance.now() - startedMs)}; faults: ${kindsText || 'none'}; ` +
    `packets: ${passed} passed, ${lost} lost, ${overtaken} overtaken, ${twice} twice, ${cut} cut; ` +
    `${figures()}, ${witness.certificates} certificates verified; longest time without finality ` +
    `${seconds(liveness.longestStallMs)} (after more than f: ${seconds(liveness.longestRecoveryMs)}); ` +
    `${members.restarts} restarts by the supervisor; ${findings.count} violations`
  );
}

async function run() {
  await Promise.race([prepare(), stopAsked]);
  if (interrupted) return;
  liveness.start();
  const untilMs = performance.now() + minutes * 60_000;
  for (const step of createPlan({ seed, members: count, kinds, smallDisks, stepMs })) {
    await playStep(step);
    if (interrupted || findings.count > 0 || performance.now() >= untilMs) break;
  }
  if (!interrupted) await Promise.race([finish(), stopAsked]);
}

try {
  await run();
} catch (error) {
  if (!interrupted) findings.add(error.stack);
}
if (findings.count > 0) await keepLastWords().catch((error) => console.log(error.stack));
if (!(await members.stop()) && !interrupted) findings.add('a member did not end within 30 s of SIGTERM');
const good = findings.count === 0 && !interrupted;
// The process outside removes the folder of a good campaign, when no mount is in it any more.
if (!good || options.keep) members.saveDisks();
await network.close();
if (interrupted) console.log('Interrupted.');
if (!good || options.keep) console.log(`The data and logs of the members are in ${root}.`);
if (findings.count > 0) console.log(`To repeat this plan: ${repeat}`);
if (liveness !== undefined) console.log(`Chaos: ${summary()}.`);
process.exit(interrupted ? 130 : good ? 0 : 1);
