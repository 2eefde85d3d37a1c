// What a stolen validator key can do to a member: four members as processes, the fourth of which does not run while somebody else holds its keys and floods
// the first one with each kind of message in turn, as fast as that takes it, over TLS on loopback and under a light load of payments. Before each flood the victim is started
// anew, for otherwise what the flooder did before would keep it away. Says what memory the victim needs, whether blocks and payments go on, and whether
// it blames the flooder alone, beside a time without a flood. Needs a build.
//
// Usage: node bench/flood.mjs [--seconds 8] [--rate 10] [--kinds "large messages,votes far ahead"] [--rpc-port 25100] [--keep]
//   --seconds S   how long each flood lasts, 2 to 60
//   --rate N      payments a second through the three members that run, 1 to 50
//   --kinds K     only these floods (bench/flood/kinds.mjs)
//   --keep        leaves the members' folders where they are

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { readMemberKeys, transportPublicKey } from '@hanse/node';
import { bytesToHex } from '@hanse/protocol';
import { DEFAULT_PEER_LIMITS } from '../packages/node/dist/network/peerLimits.js';
import { FLOOD_KINDS } from './flood/kinds.mjs';
import { Payers } from './members/payers.mjs';
import { call } from './soak/jsonRPC.mjs';
import { sample } from './soak/sampler.mjs';
import { LocalNetwork } from './validatorDown/localNetwork.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    rate: { type: 'string', default: '10' },
    kinds: { type: 'string' },
    'rpc-port': { type: 'string', default: '25100' },
    keep: { type: 'boolean', default: false },
  },
});
const between = (least, value, most) => Math.min(most, Math.max(least, Number(value) || least));
const seconds = between(2, values.seconds, 60);
const rate = between(1, values.rate, 50);
const kinds = values.kinds?.split(',') ?? Object.keys(FLOOD_KINDS);
for (const kind of kinds) {
  if (FLOOD_KINDS[kind] === undefined)
    throw new Error(`There is no flood of ${kind}; there are: ${Object.keys(FLOOD_KINDS).join(', ')}.`);
}

const VICTIM = 0;
const THIEF = 3;
const RUNNING = [0, 1, 2];
const SAMPLE_MS = 250;
/** From the victim's start on until it is measured: it connects, warms up and takes what is waiting. */
const SETTLE_MS = 4_000;
const AFTER_MS = 3_000;
/** More than the flooder's share of all bounds together (docs/internals/wire.md), and what the garbage collector leaves lying. */
const MOST_GROWTH_MIB = 256;
/** A payment that takes longer during a flood than this many times the longest without one, or than a second, is a problem. */
const MOST_SLOWDOWN = 10;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const problems = [];
const network = await LocalNetwork.create(Number(values['rpc-port']));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    network.abandon();
    process.exit(130);
  });
}

const heightOf = async (index) => Number(await call(network.url(index), 'eth_blockNumber', []));
const offencesAt = async (index) => (await network.metrics(index)).get('hanse_peer_offences_total');

function startFlooder(kind) {
  const { suite, genesisHash, chainId } = network.description;
  const transport = readMemberKeys(join(network.folder(VICTIM), 'keys')).transport;
  const worker = new Worker(new URL('./flood/flooder.mjs', import.meta.url), {
    workerData: {
      kind,
      seconds,
      thief: { index: THIEF, name: network.names[THIEF], folder: network.folder(THIEF) },
      victim: { endpoint: network.endpoint(VICTIM), transportKey: transportPublicKey(bytesToHex(transport)) },
      network: { suite, genesisHash, chainId },
    },
  });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Watches the victim while `work` goes on, from a new start of its process on. */
async function measure(work) {
  await network.kill(VICTIM);
  await network.start(VICTIM);
  await network.caughtUp(VICTIM, 1);
  await pause(SETTLE_MS);
  const member = { rpcUrl: network.url(VICTIM), pid: network.pid(VICTIM) };
  const samples = [await sample(member)];
  const fromMs = performance.now();
  let working = true;
  const outcome = work().finally(() => {
    working = false;
  });
  while (working) {
    await pause(SAMPLE_MS);
    const figures = await sample(member).catch(() => undefined);
    if (figures !== undefined) samples.push(figures);
  }
  const flooded = await outcome;
  const toMs = performance.now();
  // Payments of this span must not wait for the victim's next start.
  await pause(AFTER_MS);
  const heights = await Promise.all(RUNNING.map(heightOf));
  const offences = await Promise.all(RUNNING.map(offencesAt));
  return { samples, fromMs, toMs, flooded, offences, blocks: Math.min(...heights) - samples[0].height };
}

const span = (samples, key) => {
  const all = samples.map((figures) => figures[key]);
  return [all[0], Math.max(...all), all.at(-1)].map((value) => value.toFixed(0)).join(' / ');
};

function report(name, { samples, flooded, blocks, fromMs, toMs }, payers) {
  const { count, median, p99, longest } = payers.figures(fromMs, toMs);
  const memory = `RSS ${span(samples, 'rss')}, own ${span(samples, 'anonymous')}, heap ${span(samples, 'heap')} MiB`;
  const payments = `${count} payments, final after ${median} ms (median), ${p99} (99 %), ${longest} (longest)`;
  const cpu = ((samples.at(-1).cpu - samples[0].cpu) * 100_000) / (toMs - fromMs);
  console.log(`\n${name}: ${memory} (start / most / end)\n  ${blocks} blocks, ${payments}; ${cpu.toFixed(0)} % CPU`);
  if (flooded === undefined) return;
  const reasons = [...new Set(flooded.reasons)].join('; ');
  console.log(
    `  flooder: ${flooded.frames} frames, ${(flooded.bytes / 2 ** 20).toFixed(0)} MiB, let in ${flooded.connects} times, kept out ${flooded.refused} times; ${reasons || 'never cut off'}`,
  );
}

function judge(kind, calm, found, payers) {
  const complain = (what) => problems.push(`${kind}: ${what}`);
  const { samples, flooded, offences, blocks, fromMs, toMs } = found;
  const growth = (key) => Math.max(...samples.map((figures) => figures[key])) - samples[0][key];
  const own = Number.isFinite(samples[0].anonymous) ? 'anonymous' : 'rss';
  if (growth(own) > MOST_GROWTH_MIB) complain(`its memory grew by ${growth(own).toFixed(0)} MiB`);
  if (blocks < seconds / 2) complain(`only ${blocks} blocks became final`);
  const { longest } = payers.figures(fromMs, toMs);
  const bound = Math.max(1_000, MOST_SLOWDOWN * payers.figures(calm.fromMs, calm.toMs).longest);
  if (!(longest <= bound)) complain(`a payment took ${longest} ms, more than ${bound}`);
  const { isCutOff, deaf = false } = FLOOD_KINDS[kind];
  // A busy machine may carry less than the budget of bytes; who sent more must be cut off, whatever it sent. What was sent to a deaf one counts on its side alone.
  const { bytesBurst, bytesPerSecond } = DEFAULT_PEER_LIMITS;
  const overBytes = !deaf && flooded.bytes > bytesBurst + (bytesPerSecond * (toMs - fromMs)) / 1_000;
  if ((isCutOff || overBytes) && flooded.reasons.length === 0) complain('the flooder was never cut off');
  // The victim counts offences of all its peers, and those of the flooder are as many as it was cut off.
  const blamed = offences[VICTIM] - flooded.reasons.length;
  if (blamed > 0) complain(`the victim cut off honest members ${blamed} times`);
  for (const index of RUNNING.filter((one) => one !== VICTIM)) {
    if (offences[index] > 0) complain(`${network.names[index]} cut off others ${offences[index]} times`);
  }
}

async function campaign() {
  for (const index of RUNNING) await network.start(index);
  const { accounts, chainId } = network.description;
  const urls = network.names.map((_, index) => network.url(index));
  const payers = new Payers({ accounts, chainId, urls }, RUNNING, rate);
  await payers.start();
  const calm = await measure(() => pause(seconds * 1_000));
  const results = [];
  report('no flood', calm, payers);
  for (const kind of kinds) {
    const found = await measure(() => startFlooder(kind));
    results.push([kind, found]);
    report(kind, found, payers);
  }
  await payers.stop();
  for (const [kind, found] of results) judge(kind, calm, found, payers);
  problems.push(...payers.failures.slice(0, 5));
  const height = Math.min(...(await Promise.all(RUNNING.map(heightOf))));
  const blocks = RUNNING.map((index) =>
    call(network.url(index), 'eth_getBlockByNumber', [`0x${height.toString(16)}`, false]),
  );
  if (new Set((await Promise.all(blocks)).map(({ hash }) => hash)).size !== 1)
    problems.push(`The members have different blocks at height ${height}.`);
}

try {
  await campaign();
} catch (error) {
  problems.push(error.stack);
} finally {
  const folder = await network.close(values.keep);
  if (values.keep) console.log(`\nThe members' folders are in ${folder}.`);
}
for (const problem of problems) console.log(`PROBLEM: ${problem}`);
console.log(
  problems.length === 0
    ? '\nGood: memory stayed within its bounds, blocks and payments went on, and only the flooder was blamed.'
    : `\n${problems.length} problems.`,
);
process.exit(problems.length === 0 ? 0 : 1);
