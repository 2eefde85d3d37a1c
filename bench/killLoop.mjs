// Kills members of a local network with SIGKILL at random moments under load, starts them again, and checks from outside that
// nothing which any member ever showed as final is lost or differs anywhere, that every account's payments ran once and in
// order, that the supply is conserved, that the heads agree, and that no member raised an alarm. Bounded: it ends after N kills.
// The seed repeats the choice of victims and pauses (not the machine's timing). Needs a build; starts and stops its own network.
//
// Usage: node bench/killLoop.mjs [--kills 30] [--seed 1] [--rpc-port 22100] [--data DIR] [--keep] [--patience SECONDS]
//   --kills N     processes killed in all, 1 to 10000 (default 30); one, two or all four members at a time
//   --data DIR    an empty or absent folder for the network (default: a temporary one, removed unless --keep or something failed)
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { privateKeyToAccount } from 'viem/accounts';
import { Findings } from './campaign/findings.mjs';
import { Payments } from './campaign/payments.mjs';
import { seededRandom } from './campaign/seededRandom.mjs';
import { sleep, until } from './campaign/waiting.mjs';
import { Witness } from './campaign/witness.mjs';
import { call } from './soak/jsonRPC.mjs';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    'rpc-port': { type: 'string', default: '22100' },
    data: { type: 'string' },
    patience: { type: 'string', default: '180' },
    keep: { type: 'boolean', default: false },
  },
});
const maxKills = Math.min(10_000, Math.max(1, Number(values.kills)));
const rpcPort = Number(values['rpc-port']);
const root = values.data === undefined ? mkdtempSync(join(tmpdir(), 'hanse-kill-')) : resolve(values.data);
const program = fileURLToPath(new URL('../packages/cli/dist/main.js', import.meta.url));
/** The longest that a network with a quorum may go without a new final payment, and a member may take to start. */
const STALL_MS = Number(values.patience) * 1_000;

const findings = new Findings();
const random = seededRandom(Number(values.seed));

/** What Ctrl-C has to end. */
const interrupted = [];
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const stop of interrupted) stop();
    console.log(`Interrupted; the network is in ${root}.`);
    process.exit(130);
  });
}

// The network.

/** Lets `hanse up` create the network, and takes over what it says of it. */
async function createNetwork() {
  const up = spawn(process.execPath, [program, 'up', '--data', root, '--rpc-port', String(rpcPort), '--no-story'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  interrupted.push(() => up.kill('SIGINT'));
  let output = '';
  await new Promise((done, failed) => {
    up.stdout.on('data', (chunk) => {
      output += chunk;
      if (/^Running\./m.test(output)) done();
    });
    up.once('exit', () => failed(new Error('hanse up ended')));
  });
  const description = JSON.parse(readFileSync(join(root, 'network.json'), 'utf8'));
  up.kill('SIGINT');
  await new Promise((done) => up.once('exit', done));
  return description;
}

const network = await createNetwork().catch((error) => {
  // `hanse up` has said in its own words why.
  console.log(`No network: ${error.message}.`);
  process.exit(1);
});
const members = network.members.map(({ name, rpcUrl }) => ({ name, url: rpcUrl }));
const names = members.map(({ name }) => name);
const urls = members.map(({ url }) => url);
const children = new Map();
/** The processes that this loop has killed. */
const struck = new Set();
let closing = false;
interrupted.push(() => {
  for (const child of children.values()) child.kill('SIGKILL');
});

function startMember(index) {
  const name = names[index];
  const known = names.flatMap((other, place) =>
    place === index ? [] : ['--known', `${other}=127.0.0.1:${rpcPort + 1_000 + place}`],
  );
  const folder = join(root, 'members', name);
  const log = openSync(join(folder, 'node.log'), 'a', 0o600);
  const ports = ['--rpc-port', String(rpcPort + index), '--listen', `127.0.0.1:${rpcPort + 1_000 + index}`];
  const child = spawn(process.execPath, [program, 'node', '--config', join(folder, 'node.json'), ...ports, ...known], {
    stdio: ['ignore', log, log],
  });
  child.once('exit', (code, signal) => {
    // A SIGKILL that is not of this loop comes from somebody else on this machine, or from a kernel without memory.
    if (!closing && !struck.has(child)) findings.add(`${name} ended by itself: code ${code}, signal ${signal}`);
  });
  closeSync(log);
  children.set(index, child);
}

async function killMembers(indexes) {
  const victims = indexes.map((index) => children.get(index));
  const ends = victims.map((child) =>
    child.exitCode !== null || child.signalCode !== null ? undefined : new Promise((done) => child.once('exit', done)),
  );
  for (const child of victims) {
    struck.add(child);
    child.kill('SIGKILL');
  }
  await Promise.all(ends);
}

// The campaign.

const accounts = new Map(network.accounts.map((entry) => [entry.name, privateKeyToAccount(entry.privateKey)]));
const genesis = JSON.parse(readFileSync(join(root, 'genesis.json'), 'utf8'));
const witness = new Witness({ members, genesis, genesisHash: network.genesisHash, findings });
const payments = new Payments({
  urls,
  accounts,
  currency: network.currencies[0].address,
  chainId: network.chainId,
  witness,
  findings,
});

/** Waits for something that must come; its absence is a violation. */
async function expect(what, probe, limitMs) {
  // What went wrong already ends every wait.
  if (!(await until(() => findings.count > 0 || probe(), limitMs)))
    findings.add(`${what} did not happen within ${limitMs / 1_000} s`);
}

const answers = (index) =>
  expect(`${names[index]} answers`, () => call(urls[index], 'eth_chainId', [], 2_000), STALL_MS);

function aPayment(when) {
  const before = payments.final;
  return expect(`a payment ${when}`, () => payments.final > before, STALL_MS);
}

async function run() {
  for (const index of names.keys()) startMember(index);
  for (const index of names.keys()) await answers(index);
  const payers = ['bank', ...['farm', 'market', 'alice', 'bob'].filter((name) => accounts.has(name))];
  await payments.fund({ authority: 'authority', bank: 'bank', payers });
  witness.observe();
  payments.start(payers);
  for (let kills = 0; kills < maxKills && findings.count === 0; ) {
    await sleep(random.integer(100, 2_500));
    const dice = random.fraction();
    const count = Math.min(maxKills - kills, dice < 0.55 ? 1 : dice < 0.8 ? 2 : names.length);
    const victims = random.shuffled([...names.keys()]).slice(0, count);
    await killMembers(victims);
    kills += count;
    const who = victims.map((index) => names[index]).join(', ');
    console.log(`${String(kills).padStart(3)} killed: ${who}; ${payments.final} payments final`);
    await sleep(random.chance(0.3) ? 0 : random.integer(0, 2_000));
    for (const index of victims) {
      startMember(index);
      if (random.chance(0.3)) await sleep(random.integer(0, 400));
    }
    // Sometimes the next blow comes before they have recovered.
    if (random.chance(0.3)) continue;
    await aPayment('after the restart');
    for (const index of victims) await answers(index);
  }
  await aPayment('at the end');
  if (!(await payments.stop(STALL_MS))) findings.add('the load did not end');
  await witness.stop();
  await check();
}

async function check() {
  await witness.checkAll(STALL_MS);
  for (const member of members) {
    await payments.check(member);
    let report;
    const healthy = async () => {
      report = await call(member.url, 'hanse_health', []);
      return report.healthy;
    };
    if (!(await until(healthy, 20_000))) findings.add(`${member.name} is not healthy: ${JSON.stringify(report)}`);
    const alarms = readFileSync(join(root, 'members', member.name, 'node.log'), 'utf8')
      .split('\n')
      .filter((line) => /alarm|"level":"error"/i.test(line));
    for (const line of alarms.slice(0, 5)) findings.add(`${member.name}'s log: ${line.slice(0, 300)}`);
  }
  const longest = (payments.longestGapMs / 1_000).toFixed(1);
  console.log(
    `${payments.final} payments, ${witness.highest} blocks, ${witness.certificates} certificates verified, longest time without a new final payment ${longest} s`,
  );
}

try {
  await run();
} catch (error) {
  findings.add(error.stack);
} finally {
  closing = true;
  for (const child of children.values()) child.kill('SIGTERM');
  const ended = [...children.values()].map(
    (child) => child.exitCode ?? child.signalCode ?? new Promise((done) => child.once('exit', done)),
  );
  await Promise.race([Promise.all(ended), sleep(20_000)]);
  for (const child of children.values()) child.kill('SIGKILL');
}
const good = findings.count === 0;
if (good && !values.keep && values.data === undefined) rmSync(root, { recursive: true, force: true });
console.log(
  good
    ? `Good: nothing final was lost (seed ${values.seed}).`
    : `${findings.count} violations (seed ${values.seed}); the network is in ${root}.`,
);
process.exit(good ? 0 : 1);
