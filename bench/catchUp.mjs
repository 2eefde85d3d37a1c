// Lets a member that was away for many blocks catch up with a network that goes on meanwhile: real processes, the others under load,
// the one that catches up killed with SIGKILL several times on the way, the others now and then, and one of them a liar that hands out
// wrong blocks. Says how long it took, how fast it went, what memory it used, and how long payments took to be final before,
// during and after. Needs a build and a chain that the last member lacks: node bench/chain/generate.mjs --data DIR --blocks N
//
// Usage: node bench/catchUp.mjs --data DIR [--rate 10] [--kills 3] [--peer-kills 1] [--honest] [--rpc-port 24100] [--limit SECONDS]
//   --rate N         payments a second while it catches up (default 10; 0 for none)
//   --kills N        how often the member that catches up is killed (default 3)
//   --peer-kills N   how often an honest one of the others is killed (default 1)
//   --honest         nobody lies

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MemberProcesses, pause } from './members/memberProcesses.mjs';
import { Payers } from './members/payers.mjs';
import { batch, call } from './soak/jsonRPC.mjs';
import { sample } from './soak/sampler.mjs';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    rate: { type: 'string', default: '10' },
    kills: { type: 'string', default: '3' },
    'peer-kills': { type: 'string', default: '1' },
    honest: { type: 'boolean', default: false },
    'rpc-port': { type: 'string', default: '24100' },
    limit: { type: 'string', default: '3600' },
  },
});
const LIAR_PROGRAM = fileURLToPath(new URL('./members/lyingMember.mjs', import.meta.url));
const CALM_MS = 20_000;
const SAMPLE_MS = 1_000;

const members = new MemberProcesses(values.data, Number(values['rpc-port']));
const [straggler, liar] = [members.names.length - 1, members.names.length - 2];
const others = members.names.map((_, index) => index).slice(0, -1);
const honest = values.honest ? others : others.filter((index) => index !== liar);
const rate = Number(values.rate);
const problems = [];
const now = () => performance.now();
const heightOf = async (index) => Number(await call(members.urls[index], 'eth_blockNumber', []));

function startMember(index) {
  members.start(index, index === liar && !values.honest ? { program: LIAR_PROGRAM } : {});
}

/** What is seen of the one that catches up. */
const seen = { startHeight: 0, samples: [], kills: [] };

async function campaign() {
  for (const index of others) startMember(index);
  for (const index of others) await members.answers(index);
  const payers = new Payers(members, honest, Math.max(rate, 0.001));
  if (rate > 0) await payers.start();
  const calmMs = now();
  await pause(CALM_MS);
  const beganMs = now();
  const away = await heightOf(honest[0]);
  startMember(straggler);
  seen.startHeight = await members.answers(straggler);
  console.log(
    `${members.names[straggler]} starts at block ${seen.startHeight}, the others are at ${away}; ${values.honest ? 'nobody' : members.names[liar]} lies.`,
  );
  const peerKills = await follow(beganMs, away);
  const endedMs = now();
  await pause(CALM_MS);
  if (rate > 0) await payers.stop();
  report({ payers, calmMs, beganMs, endedMs, away, peerKills });
  await check();
}

/** Until it is where the others are, with the kills spread over the way. */
async function follow(beganMs, away) {
  const way = away - seen.startHeight;
  const killAt = spread(Number(values.kills), way);
  const peerKillAt = spread(Number(values['peer-kills']), way, 0.5);
  const peerKills = [];
  for (;;) {
    if (now() - beganMs > Number(values.limit) * 1_000)
      throw new Error(`It has not caught up after ${values.limit} s.`);
    await pause(SAMPLE_MS);
    const figures = await sample({ rpcUrl: members.urls[straggler], pid: members.pid(straggler) }).catch(
      () => undefined,
    );
    if (figures === undefined) continue;
    seen.samples.push({ atMs: now() - beganMs, ...figures });
    const { height } = figures;
    if (seen.samples.length % 10 === 0) {
      const head = await heightOf(honest[0]).catch(() => Number.NaN);
      console.log(
        `${((now() - beganMs) / 1_000).toFixed(0)} s: block ${height} of ${head}, ${figures.rss.toFixed(0)} MiB`,
      );
    }
    if (killAt.length > 0 && height - seen.startHeight >= killAt[0]) {
      killAt.shift();
      const before = await heightOf(straggler);
      await members.kill(straggler);
      startMember(straggler);
      const after = await members.answers(straggler);
      seen.kills.push({ before, after });
      if (after < before) problems.push(`It showed block ${before}, and block ${after} after it was killed.`);
    } else if (peerKillAt.length > 0 && height - seen.startHeight >= peerKillAt[0]) {
      peerKillAt.shift();
      const victim = honest[peerKills.length % honest.length];
      const killedMs = now();
      await members.kill(victim);
      startMember(victim);
      await members.answers(victim);
      peerKills.push({ fromMs: killedMs, toMs: now() + 5_000, name: members.names[victim] });
    }
    const head = await heightOf(honest[0]).catch(() => Number.POSITIVE_INFINITY);
    if (height >= head - 2) return peerKills;
  }
}

/** So many places on a way, evenly apart. */
function spread(count, way, shift = 0) {
  return Array.from({ length: count }, (_, index) => Math.floor((way * (index + 1 - shift)) / (count + 1)));
}

function report({ payers, calmMs, beganMs, endedMs, away, peerKills }) {
  const seconds = (endedMs - beganMs) / 1_000;
  const reached = seen.samples.at(-1).height;
  const most = (key) => Math.max(...seen.samples.map((figures) => figures[key])).toFixed(0);
  console.log(
    `\nFrom block ${seen.startHeight} to ${reached} in ${seconds.toFixed(0)} s, ${seen.kills.length} kills and starts included: ${((reached - seen.startHeight) / seconds).toFixed(0)} blocks a second. The others made ${reached - away} blocks meanwhile.`,
  );
  console.log(`Fastest 10 s: ${fastest().toFixed(0)} blocks a second.`);
  for (const { before, after } of seen.kills) console.log(`Killed at block ${before}, went on at ${after}.`);
  for (const { name } of peerKills) console.log(`${name} was killed and started again on the way.`);
  console.log(
    `Memory: at most ${most('rss')} MiB resident, of which ${most('anonymous')} MiB of its own, ${most('heap')} MiB heap of the main thread.`,
  );
  const log = members.log(straggler);
  const count = (pattern) => log.split('\n').filter((line) => pattern.test(line)).length;
  console.log(
    `It found ${count(/a wrong block while catching up/)} wrong blocks and penalized ${count(/peer penalized/)} times.`,
  );
  if (rate === 0) return;
  const line = (what, { count: payments, median, p90, p99, longest }) =>
    console.log(
      `${what}: ${payments} payments, final after ${median} ms (median), ${p90} (90 %), ${p99} (99 %), ${longest} (longest)`,
    );
  line('Before', payers.figures(calmMs, beganMs));
  if (peerKills.length === 0) line('While it caught up', payers.figures(beganMs, endedMs));
  else {
    line('While it caught up, before the first peer was killed', payers.figures(beganMs, peerKills[0].fromMs));
    line('While it caught up, afterwards', payers.figures(peerKills.at(-1).toMs, endedMs));
  }
  line('After', payers.figures(endedMs, Number.POSITIVE_INFINITY));
  for (const failure of payers.failures.slice(0, 5)) problems.push(failure);
}

/** The most blocks a second over any ten seconds without a kill in between. */
function fastest() {
  let best = 0;
  for (const [index, first] of seen.samples.entries()) {
    const last = seen.samples.slice(index).find(({ atMs }) => atMs - first.atMs >= 10_000);
    if (last !== undefined) best = Math.max(best, ((last.height - first.height) * 1_000) / (last.atMs - first.atMs));
  }
  return best;
}

/** All members have the same blocks at many heights, and no alarm. */
async function check() {
  const height = Math.min(...(await Promise.all(members.names.map((_, index) => heightOf(index)))));
  const heights = Array.from({ length: 200 }, (_, index) => Math.floor((height * (index + 1)) / 200));
  const calls = heights.map((one) => ['eth_getBlockByNumber', [`0x${one.toString(16)}`, false]]);
  const chains = await Promise.all(
    members.urls.map(async (url) => (await batch(url, calls)).map(({ result }) => result?.hash).join()),
  );
  if (new Set(chains).size !== 1) problems.push('The members do not have the same blocks.');
  for (const [index, url] of members.urls.entries()) {
    const { healthy, checks } = await call(url, 'hanse_health', []);
    if (!healthy) problems.push(`${members.names[index]}: ${JSON.stringify(checks)}`);
  }
}

try {
  await campaign();
} catch (error) {
  problems.push(error.stack);
} finally {
  await members.stop();
}
problems.push(...members.problems);
for (const problem of problems) console.log(`PROBLEM: ${problem}`);
console.log(problems.length === 0 ? 'Good: all members have the same chain.' : `${problems.length} problems.`);
process.exit(problems.length === 0 ? 0 : 1);
