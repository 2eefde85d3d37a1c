// What it costs when one validator of four is down, or slow. Starts its own network of four processes, finds how many payments a
// second saturate it, and then alternates: finality latency at half of that, as a client sees it, with all members and with one
// killed; payments alone on an idle network; and saturation throughput, with and without it. With --slow, one member's links are delayed instead, and blocks are told
// apart by their leader. Prints medians over the rounds and ratios, since other work may share the machine. Needs a build.
//
// Usage: node bench/validatorDown.mjs [--rounds 5] [--seconds 10] [--victim NAME] [--freeze] [--slow NAME:MS] [--rate TX_PER_SECOND]
//                                     [--accounts 600] [--in-flight 2000] [--rpc-port 23100] [--keep]
//   --seconds S   measured time of each part of a round; what is measured begins 3 s after a change
//   --victim N    always stop this one; default: each in turn
//   --freeze      stop it by SIGSTOP, so that its connections stay open, instead of killing it
//   --rate N      payments a second for the latency; default: half of the saturation that is found first
import { parseArgs } from 'node:util';
import { median, ms, summarize } from './validatorDown/figures.mjs';
import { LocalNetwork } from './validatorDown/localNetwork.mjs';
import { PaymentLoad } from './validatorDown/paymentLoad.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
    victim: { type: 'string' },
    freeze: { type: 'boolean', default: false },
    slow: { type: 'string' },
    rate: { type: 'string' },
    accounts: { type: 'string', default: '600' },
    'in-flight': { type: 'string', default: '2000' },
    'rpc-port': { type: 'string', default: '23100' },
    keep: { type: 'boolean', default: false },
  },
});
const rounds = Math.min(50, Math.max(1, Number(values.rounds)));
const seconds = Math.min(120, Math.max(1, Number(values.seconds)));
const inFlight = Number(values['in-flight']);
/** What the requirement leaves out after a change. */
const SETTLE_S = 3;
const WARM_S = 2;
/** Payments that come alone to an idle network, in each part of a round. */
const ALONE = 8;
/** Payments a second that are signed ahead for a part at saturation, more than the network takes; signing takes 0.25 ms each. */
let enough = 1_500;

const [slowName, slowMs] =
  values.slow === undefined ? [] : [values.slow.split(':')[0], Number(values.slow.split(':')[1])];
if (values.slow !== undefined && !(slowMs >= 0)) throw new Error(`--slow ${values.slow} must be NAME:MS.`);
const network = await LocalNetwork.create(Number(values['rpc-port']), slowName);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    network.abandon();
    process.exit(130);
  });
}
const load = new PaymentLoad(network);
const all = [...network.names.keys()];

async function saturation(members, observer) {
  const payments = await load.sign(inFlight + (WARM_S + seconds) * enough);
  const found = await load.saturate(payments, { seconds, warmSeconds: WARM_S, inFlight, members, observer });
  enough = Math.max(2 * found.rate, 0.8 * enough);
  return found;
}

/** Half of what saturates all members together. */
async function findRate() {
  if (values.rate !== undefined) return Number(values.rate);
  const found = [];
  for (let attempt = 0; attempt < 3; attempt++) {
    const { rate, perBlock } = await saturation(all, attempt);
    found.push(rate);
    console.log(`saturation: ${rate.toFixed(0)} payments a second, ${perBlock.toFixed(0)} a block`);
  }
  return Math.round(median(found) / 2);
}

/** Latencies of what was due between two moments, seconds after the start. */
const between = ({ payments, startMs }, from, to = Number.POSITIVE_INFINITY) =>
  payments.filter(({ dueMs }) => dueMs >= startMs + from * 1_000 && dueMs < startMs + to * 1_000);

const latencies = (payments) => payments.map(({ latencyMs }) => latencyMs);

function describe({ p50, p90, p99, max, count }) {
  return `p50 ${ms(p50)}, p90 ${ms(p90)}, p99 ${ms(p99)}, max ${ms(max)} of ${count}`;
}

/** What members did while something was measured: processors in use together, views of the first of them, and how many of those it gave up. */
async function watched(members, measure) {
  const read = async () => {
    const metrics = await Promise.all(members.map((index) => network.metrics(index)));
    const of = (name) => metrics[0].get(name);
    return {
      atMs: performance.now(),
      processorS: metrics.reduce((sum, figures) => sum + figures.get('process_cpu_seconds_total'), 0),
      views: of('hanse_consensus_views_entered_total'),
      givenUp: of('hanse_consensus_views_given_up_total'),
    };
  };
  const before = await read();
  const result = await measure();
  const after = await read();
  const processors = ((after.processorS - before.processorS) * 1_000) / (after.atMs - before.atMs);
  const usage = `${processors.toFixed(1)} processors, ${after.givenUp - before.givenUp} of ${after.views - before.views} views given up`;
  return { ...result, usage };
}

/** One validator stopped, then back: what the round measures. */
async function stopAndStart(rate, victim, observer) {
  const members = all.filter((index) => index !== victim);
  const steady = (lengthS, events) => async () =>
    load.steady(await load.sign(rate * lengthS), { rate, members, observer, events });
  const alone = async () => ({ times: await load.alone(await load.sign(ALONE), { members, observer }) });
  const stop = () => (values.freeze ? network.freeze(victim) : network.kill(victim));
  const healthy = await watched(all, steady(SETTLE_S + seconds));
  const down = await watched(members, steady(2 * SETTLE_S + seconds, [{ afterSeconds: SETTLE_S, action: stop }]));
  const aloneDown = await watched(members, alone);
  const saturatedDown = await watched(members, () => saturation(members, observer));
  if (values.freeze) network.thaw(victim);
  else await network.start(victim);
  await network.caughtUp(victim, observer);
  const saturated = await watched(all, () => saturation(members, observer));
  const aloneHealthy = await watched(all, alone);
  console.log(`${network.names[victim]} stopped:`);
  const say = (what, figures, usage) => console.log(`   ${what.padEnd(22)} ${figures}; ${usage}`);
  const row = {
    healthy: summarize(latencies(between(healthy, SETTLE_S))),
    first: summarize(latencies(between(down, SETTLE_S, 2 * SETTLE_S))),
    down: summarize(latencies(between(down, 2 * SETTLE_S))),
    alone: summarize(aloneHealthy.times),
    aloneDown: summarize(aloneDown.times),
    saturated,
    saturatedDown,
    lost: healthy.lost + down.lost,
  };
  say('healthy', describe(row.healthy), healthy.usage);
  say(`first ${SETTLE_S} s`, describe(row.first), 'with the next line');
  say('after them', describe(row.down), down.usage);
  say('alone, healthy', describe(row.alone), aloneHealthy.usage);
  say('alone, stopped', describe(row.aloneDown), aloneDown.usage);
  say('saturation, healthy', `${saturated.rate.toFixed(0)} payments a second`, saturated.usage);
  say('saturation, stopped', `${saturatedDown.rate.toFixed(0)} payments a second`, saturatedDown.usage);
  return row;
}

async function compareStopped(rate) {
  const rows = [];
  for (let round = 0; round < rounds; round++) {
    const victim = values.victim === undefined ? all[round % all.length] : network.index(values.victim);
    const others = all.filter((index) => index !== victim);
    rows.push(await stopAndStart(rate, victim, others[round % others.length]));
  }
  const over = (part, figure) => median(rows.map((row) => row[part][figure]));
  const ratio = (figure) => median(rows.map((row) => row.down[figure] / row.healthy[figure]));
  console.log(`\nMedians of ${rounds} rounds at ${rate} payments a second, and of the ratios of each round:`);
  for (const figure of ['p50', 'p90', 'p99']) {
    console.log(
      `   ${figure}: healthy ${ms(over('healthy', figure))}, first ${SETTLE_S} s ${ms(over('first', figure))}, ` +
        `after them ${ms(over('down', figure))}, ratio ${ratio(figure).toFixed(2)}`,
    );
  }
  for (const figure of ['p50', 'max']) {
    const [healthy, down] = [over('alone', figure), over('aloneDown', figure)];
    console.log(`   alone, ${figure}: healthy ${ms(healthy)}, one stopped ${ms(down)}`);
  }
  const share = median(rows.map((row) => row.saturatedDown.rate / row.saturated.rate));
  console.log(
    `   saturation: healthy ${over('saturated', 'rate').toFixed(0)}, one stopped ${over('saturatedDown', 'rate').toFixed(0)} ` +
      `payments a second, ratio ${share.toFixed(2)}`,
  );
  const lost = rows.reduce((sum, row) => sum + row.lost, 0);
  if (lost > 0) throw new Error(`${lost} payments were never final.`);
}

/**
 * The time from the block before, by what was between the two: a block of the slow member, one that follows a view of the slow
 * member without a block, and all others.
 */
function intervals({ blocks, startMs }, slow) {
  const place = new Map(network.description.members.map(({ address }, index) => [address.toLowerCase(), index]));
  const groups = { slow: [], skipped: [], others: [] };
  for (let at = 1; at < blocks.length; at++) {
    const [before, block] = [blocks[at - 1], blocks[at]];
    if (block.atMs < startMs + SETTLE_S * 1_000) continue;
    const [from, to] = [before, block].map(({ leader }) => place.get(leader.toLowerCase()));
    const n = all.length;
    const steps = ((to - from - 1 + n) % n) + 1;
    const passed = Array.from({ length: steps - 1 }, (_, step) => (from + 1 + step) % n);
    const group = to === slow ? 'slow' : passed.includes(slow) ? 'skipped' : 'others';
    groups[group].push(block.atMs - before.atMs);
  }
  return groups;
}

/** One validator behind. */
async function compareSlow(rate) {
  const slow = network.index(slowName);
  const members = all.filter((index) => index !== slow);
  const rows = [];
  for (let round = 0; round < rounds; round++) {
    const observer = members[round % members.length];
    const row = {};
    for (const delayMs of [0, slowMs]) {
      network.delay(delayMs);
      const run = await load.steady(await load.sign(rate * (SETTLE_S + seconds)), { rate, members, observer });
      const groups = intervals(run, slow);
      const part = { latency: summarize(latencies(between(run, SETTLE_S))), lost: run.lost };
      for (const [name, times] of Object.entries(groups)) part[name] = summarize(times);
      row[delayMs === 0 ? 'quick' : 'slow'] = part;
      console.log(`round ${round + 1}, ${slowName} ${delayMs} ms behind: payments ${describe(part.latency)}`);
      for (const [name, label] of LABELS) console.log(`   ${label.padEnd(36)} ${describe(part[name])}`);
    }
    network.delay(0);
    rows.push(row);
  }
  console.log(`\nMedians of ${rounds} rounds at ${rate} payments a second: time from the block before`);
  for (const [name, label] of LABELS) {
    const over = (part, figure) => median(rows.map((row) => row[part][name][figure]).filter(Number.isFinite));
    const count = (part) => rows.reduce((sum, row) => sum + row[part][name].count, 0);
    console.log(
      `   ${label.padEnd(36)} p50 ${ms(over('quick', 'p50'))} -> ${ms(over('slow', 'p50'))}, ` +
        `p90 ${ms(over('quick', 'p90'))} -> ${ms(over('slow', 'p90'))}, blocks ${count('quick')} -> ${count('slow')}`,
    );
  }
  const latency = (part, figure) => median(rows.map((row) => row[part].latency[figure]));
  for (const figure of ['p50', 'p90', 'p99'])
    console.log(`   payments, ${figure}: ${ms(latency('quick', figure))} -> ${ms(latency('slow', figure))}`);
}

const LABELS = [
  ['others', 'blocks of the others'],
  ['slow', `blocks of ${slowName}`],
  ['skipped', `after a view of ${slowName} without block`],
];

let failed = false;
try {
  await network.startAll();
  await load.prepare(Number(values.accounts));
  const rate = await findRate();
  if (slowName === undefined) await compareStopped(rate);
  else await compareSlow(rate);
  const alarms = network.alarms();
  for (const alarm of alarms.slice(0, 5)) console.log(`ALARM ${alarm}`);
  failed = alarms.length > 0;
} catch (error) {
  failed = true;
  console.log(error.stack);
} finally {
  const keep = failed || values.keep;
  const folder = await network.close(keep);
  if (keep) console.log(`The network is in ${folder}.`);
}
process.exit(failed ? 1 : 0);
