// Drives a running local network with mixed transactions through all its members until so many blocks are final, and watches what
// the members use meanwhile. At the end all members must have the same blocks, and no money may have come or gone.
// Usage: node bench/soak.mjs [--data DIR] [--blocks N] [--rate TX_PER_SECOND] [--accounts N] [--payments] [--out DIR]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { lineCharts } from './soak/chart.mjs';
import { batch, call } from './soak/jsonRPC.mjs';
import { LedgerWatch } from './soak/ledgerWatch.mjs';
import { sample, toCSV } from './soak/sampler.mjs';
import { Workload } from './soak/workload.mjs';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '.hanse' },
    blocks: { type: 'string', default: '20000' },
    rate: { type: 'string', default: '100' },
    accounts: { type: 'string', default: '400' },
    payments: { type: 'boolean', default: false },
    out: { type: 'string', default: 'soak' },
  },
});
const blocks = Number(values.blocks);
const rate = Number(values.rate);
const TICK_MS = 20;
const SAMPLE_MS = 3_000;
const STUCK_MS = 60_000;

const network = JSON.parse(readFileSync(join(values.data, 'network.json'), 'utf8'));
const urls = network.members.map(({ rpcUrl }) => rpcUrl);
const names = network.members.map(({ name }) => name);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
mkdirSync(values.out, { recursive: true });

const watch = new LedgerWatch(urls, Number(await call(urls[0], 'eth_blockNumber', [])));
const workload = new Workload(network, watch);
console.log(`Preparing ${values.accounts} accounts ...`);
await workload.prepare(Number(values.accounts));

const first = { height: watch.height, transactions: watch.transactions, atMs: performance.now() };
const goal = first.height + blocks;
console.log(`From block ${first.height} to ${goal} with ${rate} transactions a second ...`);
const rows = [];
let sampling = true;
const sampler = (async () => {
  for (let due = performance.now(); sampling; due += SAMPLE_MS) {
    await takeSample();
    await pause(Math.max(0, due + SAMPLE_MS - performance.now()));
  }
})();
await drive();
const seconds = (performance.now() - first.atMs) / 1_000;
const transactions = watch.transactions - first.transactions;
while (watch.inFlight > 0 && watch.oldestMs < STUCK_MS) await pause(50);
sampling = false;
await sampler;
await watch.stop();
await takeSample();
await report();

/** Offers transactions at the rate; when the chain is slower, as many as accounts wait for nothing. */
async function drive() {
  let due = 0;
  let lastMs = performance.now();
  while (watch.height < goal) {
    const nowMs = performance.now();
    due = Math.min(due + ((nowMs - lastMs) * rate) / 1_000, rate);
    lastMs = nowMs;
    if (due >= 1) due -= await workload.step(Math.floor(due), values.payments);
    if (watch.oldestMs > STUCK_MS) throw new Error(`A transaction is not final after ${STUCK_MS / 1_000} s.`);
    await pause(TICK_MS);
  }
}

async function takeSample() {
  const members = await Promise.all(
    network.members.map((member) => sample(member, join(values.data, 'members', member.name, 'data'))),
  );
  const row = {
    seconds: (performance.now() - first.atMs) / 1_000,
    transactions: watch.transactions - first.transactions,
    members,
  };
  rows.push(row);
  if (rows.length % 20 === 0) {
    const figures = members.map(({ rss, anonymous }) => `${rss.toFixed(0)}/${anonymous.toFixed(0)}`).join(' ');
    console.log(
      `${row.seconds.toFixed(0)} s: block ${watch.height}, ${row.transactions} transactions, RSS/anonymous MiB ${figures}`,
    );
    writeFiles();
  }
}

function writeFiles() {
  writeFileSync(join(values.out, 'soak.csv'), toCSV(rows, names));
  // More points than pixels would only make the file large.
  const every = Math.ceil(rows.length / 400);
  const drawn = rows.filter((_, index) => index % every === 0 || index === rows.length - 1);
  const series = (key) =>
    names.map((name, index) => ({
      name,
      points: drawn.map(({ members }) => [members[index].height - first.height, members[index][key]]),
    }));
  const svg = lineCharts({
    title: `Memory of ${names.length} members over ${(watch.height - first.height).toLocaleString('en')} blocks of mixed transactions`,
    subtitle: `${(watch.transactions - first.transactions).toLocaleString('en')} transactions; every member a process of its own on one machine`,
    xTitle: 'blocks',
    panels: [
      { title: 'Memory of its own (anonymous pages: heaps of all threads), MiB', series: series('anonymous') },
      { title: 'Resident memory, with the mapped pages of the ledger, MiB', series: series('rss') },
      { title: 'Heap in use of the main thread, MiB', series: series('heap') },
      { title: 'Disk, MiB', series: series('disk') },
    ],
  });
  writeFileSync(join(values.out, 'soak.svg'), svg);
}

/** All heads and state roots equal, at the end and at many heights on the way. */
async function sameChain() {
  const head = watch.height;
  const step = Math.max(1, Math.floor((head - first.height) / 400));
  const heights = [];
  for (let height = first.height; height < head; height += step) heights.push(height);
  heights.push(head);
  const calls = heights.map((height) => ['eth_getBlockByNumber', [`0x${height.toString(16)}`, false]]);
  const chains = await Promise.all(
    urls.map(async (url) => (await batch(url, calls)).map(({ result }) => `${result.hash} ${result.stateRoot}`)),
  );
  return {
    heights: heights.length,
    same: chains.every((chain) => chain.every((block, index) => block === chains[0][index])),
  };
}

/** The median of a member's figure while its height was within a part of the way. */
function medianBetween(index, key, from, to) {
  const figures = rows
    .map(({ members }) => members[index])
    .filter(({ height }) => height - first.height >= from * blocks && height - first.height <= to * blocks)
    .map((member) => member[key])
    .sort((a, b) => a - b);
  return figures[Math.floor(figures.length / 2)] ?? Number.NaN;
}

async function report() {
  writeFiles();
  const { same, heights } = await sameChain();
  const conserved = await workload.conserved();
  const growth = (key) =>
    names
      .map((name, index) => {
        const [quarter, end] = [medianBetween(index, key, 0.22, 0.28), medianBetween(index, key, 0.94, 1.01)];
        return `${name} ${quarter.toFixed(0)} -> ${end.toFixed(0)}`;
      })
      .join(', ');
  const most = (key) => Math.max(...rows.flatMap(({ members }) => members.map((member) => member[key]))).toFixed(0);
  for (const problem of workload.problems) console.log(`problem: ${problem}`);
  console.log(`Sent: ${JSON.stringify(workload.kinds)}; ${watch.failed} reverted.`);
  console.log(
    `${watch.height - first.height} blocks, ${transactions} transactions in ${seconds.toFixed(0)} s: ` +
      `${(blocks / seconds).toFixed(1)} blocks/s, ${(transactions / seconds).toFixed(0)} tx/s; ` +
      `same hashes and state roots at ${heights} heights: ${same ? 'yes' : 'NO'}; money conserved: ${conserved ? 'yes' : 'NO'}; ` +
      `MiB at 25 % -> end: own memory ${growth('anonymous')}; RSS ${growth('rss')}; main heap ${growth('heap')}; ` +
      `most own memory ${most('anonymous')}, RSS ${most('rss')}.`,
  );
  if (!same || !conserved || workload.problems.length > 0 || watch.inFlight > 0) process.exitCode = 1;
}
