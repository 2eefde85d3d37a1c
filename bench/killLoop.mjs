// Kills members of a local network with SIGKILL at random moments under load, starts them again, and checks from outside that
// nothing which any member ever showed as final is lost or differs anywhere, that every account's payments ran once and in
// order, that the supply is conserved, that the heads agree, and that no member raised an alarm. Bounded: it ends after N kills.
// The seed repeats the choice of victims and pauses (not the machine's timing). Needs a build; starts and stops its own network.
//
// Usage: node bench/killLoop.mjs [--kills 30] [--seed 1] [--rpc-port 22100] [--data DIR] [--keep] [--patience SECONDS]
//   --kills N     processes killed in all, 1 to 200 (default 30); one, two or all four members at a time
//   --data DIR    an empty or absent folder for the network (default: a temporary one, removed unless --keep or something failed)
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { encodeFunctionData, parseAbi } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

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
const maxKills = Math.min(200, Math.max(1, Number(values.kills)));
const rpcPort = Number(values['rpc-port']);
const root = values.data === undefined ? mkdtempSync(join(tmpdir(), 'hanse-kill-')) : resolve(values.data);
const program = fileURLToPath(new URL('../packages/cli/dist/main.js', import.meta.url));
/** The longest that a network with a quorum may go without a new final payment, and a member may take to start. */
const STALL_MS = Number(values.patience) * 1_000;

const problems = [];
const problem = (text) => {
  problems.push(text);
  console.log(`PROBLEM: ${text}`);
};
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** mulberry32. */
function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
const random = seededRandom(Number(values.seed));
const integer = (from, to) => from + Math.floor(random() * (to - from + 1));
const shuffled = (items) => {
  const rest = [...items];
  return Array.from(items, () => rest.splice(integer(0, rest.length - 1), 1)[0]);
};

async function ask(url, method, params = []) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(5_000),
  });
  const { result, error } = await response.json();
  if (error) throw Object.assign(new Error(`${method}: ${error.message}`), { rpc: true });
  return result;
}

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
    up.once('exit', () => failed(new Error(`hanse up ended:\n${output}`)));
  });
  const description = JSON.parse(readFileSync(join(root, 'network.json'), 'utf8'));
  up.kill('SIGINT');
  await new Promise((done) => up.once('exit', done));
  return description;
}

const network = await createNetwork();
const names = network.members.map(({ name }) => name);
const urls = network.members.map(({ rpcUrl }) => rpcUrl);
const children = new Map();
let closing = false;
interrupted.push(() => {
  for (const child of children.values()) child.kill('SIGKILL');
});

function startMember(index) {
  const name = names[index];
  const known = names.flatMap((other, place) =>
    place === index ? [] : ['--known', `${other}=127.0.0.1:${rpcPort + 1_000 + place}`],
  );
  const log = openSync(join(root, 'members', name, 'node.log'), 'a', 0o600);
  const child = spawn(
    process.execPath,
    [
      program,
      'node',
      '--config',
      join(root, 'members', name, 'node.json'),
      '--rpc-port',
      String(rpcPort + index),
    ].concat(['--listen', `127.0.0.1:${rpcPort + 1_000 + index}`], known),
    { stdio: ['ignore', log, log] },
  );
  child.once('exit', (code, signal) => {
    if (!closing && signal !== 'SIGKILL') problem(`${name} ended by itself: code ${code}, signal ${signal}`);
  });
  children.set(index, child);
}

async function killMembers(indexes) {
  const victims = indexes.map((index) => children.get(index));
  const ends = victims.map((child) =>
    child.exitCode !== null || child.signalCode !== null ? undefined : new Promise((done) => child.once('exit', done)),
  );
  for (const child of victims) child.kill('SIGKILL');
  await Promise.all(ends);
}

// The load: every sender pays one unit at a time, through any member, and repeats the same transaction until it sees it final.

const abi = parseAbi([
  'function transfer(address to, uint256 value) returns (bool)',
  'function issue(address bank, uint256 value)',
]);
const currency = network.currencies[0].address;
const accounts = new Map(network.accounts.map((entry) => [entry.name, privateKeyToAccount(entry.privateKey)]));
const nonces = new Map();
/** What a member showed as final: transaction hash -> { height, blockHash }. */
const shown = new Map();
let stopped = false;
let lastFinalMs = Date.now();
let longestStallMs = 0;

async function pay(name, functionName, args) {
  const account = accounts.get(name);
  const nonce = nonces.get(name) ?? 0;
  nonces.set(name, nonce + 1);
  const raw = await account.signTransaction({
    to: currency,
    data: encodeFunctionData({ abi, functionName, args }),
    nonce,
    gas: 300_000n,
    maxFeePerGas: 0n,
    maxPriorityFeePerGas: 0n,
    type: 'eip1559',
    chainId: network.chainId,
  });
  let hash;
  for (;;) {
    const url = urls[Math.floor(Math.random() * urls.length)];
    try {
      hash = await ask(url, 'eth_sendRawTransaction', [raw]);
    } catch (error) {
      if (error.rpc && !/already known|nonce too low/.test(error.message))
        problem(`${name}, nonce ${nonce}: ${error.message}`);
    }
    const receipt = hash && (await receiptOf(hash, 1_500));
    if (receipt) {
      if (receipt.status !== '0x1') problem(`${hash} of ${name} failed`);
      shown.set(hash, { height: Number(receipt.blockNumber), blockHash: receipt.blockHash });
      const nowMs = Date.now();
      longestStallMs = Math.max(longestStallMs, nowMs - lastFinalMs);
      lastFinalMs = nowMs;
      return;
    }
    await sleep(50);
  }
}

async function receiptOf(hash, patienceMs) {
  const untilMs = Date.now() + patienceMs;
  while (Date.now() < untilMs) {
    const url = urls[Math.floor(Math.random() * urls.length)];
    const receipt = await ask(url, 'eth_getTransactionReceipt', [hash]).catch(() => undefined);
    if (receipt) return receipt;
    await sleep(10);
  }
  return undefined;
}

/** Whatever any member ever shows as its newest block must be what all show at that height. */
const blockHashes = new Map();
function noteBlock(index, { number, hash }) {
  const height = Number(number);
  const known = blockHashes.get(height);
  if (known === undefined) blockHashes.set(height, hash);
  else if (known !== hash) problem(`FORK at height ${height}: ${names[index]} shows ${hash}, before it was ${known}`);
}
async function observe(index) {
  while (!stopped) {
    const block = await ask(urls[index], 'eth_getBlockByNumber', ['latest', false]).catch(() => undefined);
    if (block) noteBlock(index, block);
    await sleep(30);
  }
}

async function until(what, probe, limitMs) {
  const endMs = Date.now() + limitMs;
  for (;;) {
    const found = await probe().catch(() => undefined);
    if (found) return found;
    if (Date.now() > endMs) {
      problem(`${what} did not happen within ${limitMs / 1000} s`);
      return undefined;
    }
    await sleep(50);
  }
}

const balanceOf = (address) =>
  ask(urls[0], 'eth_call', [{ to: currency, data: `0x70a08231${address.slice(2).padStart(64, '0')}` }, 'latest']);
const totalSupply = () => ask(urls[0], 'eth_call', [{ to: currency, data: '0x18160ddd' }, 'latest']);

// The campaign.

async function run() {
  for (const index of names.keys()) startMember(index);
  for (const url of urls) await until(`${url} answers`, () => ask(url, 'eth_chainId'), 2 * STALL_MS);
  const supply = 1_000_000_000n;
  await pay('authority', 'issue', [accounts.get('bank').address, supply]);
  const payers = ['bank', ...['farm', 'market', 'alice', 'bob'].filter((name) => accounts.has(name))];
  for (const name of payers.slice(1)) await pay('bank', 'transfer', [accounts.get(name).address, 1_000_000n]);
  const observers = names.map((_, index) => observe(index));
  const load = payers.map(async (name, place) => {
    const to = accounts.get(payers[(place + 1) % payers.length]).address;
    while (!stopped) await pay(name, 'transfer', [to, 1n]);
  });
  let kills = 0;
  while (kills < maxKills && problems.length === 0) {
    await sleep(integer(100, 2_500));
    const dice = random();
    const count = Math.min(maxKills - kills, dice < 0.55 ? 1 : dice < 0.8 ? 2 : names.length);
    const victims = shuffled([...names.keys()]).slice(0, count);
    await killMembers(victims);
    kills += count;
    console.log(
      `${String(kills).padStart(3)} killed: ${victims.map((index) => names[index]).join(', ')}; ${shown.size} payments final`,
    );
    await sleep(random() < 0.3 ? 0 : integer(0, 2_000));
    for (const index of victims) {
      startMember(index);
      if (random() < 0.3) await sleep(integer(0, 400));
    }
    // Sometimes the next blow comes before they have recovered.
    if (random() < 0.3) continue;
    const before = shown.size;
    await until('a payment after the restart', async () => shown.size > before, STALL_MS);
    for (const index of victims)
      await until(`${names[index]} answers`, () => ask(urls[index], 'eth_chainId'), STALL_MS);
  }
  const before = shown.size;
  await until('a payment at the end', async () => shown.size > before, STALL_MS);
  stopped = true;
  await Promise.race([
    Promise.all([...load, ...observers]),
    sleep(STALL_MS).then(() => problem('the load did not end')),
  ]);
  await check(payers, supply);
}

async function check(payers, supply) {
  const target = Math.max(...[...shown.values()].map(({ height }) => height), ...blockHashes.keys());
  for (const [index, url] of urls.entries()) {
    await until(
      `${names[index]} reaches block ${target}`,
      async () => Number(await ask(url, 'eth_blockNumber')) >= target,
      STALL_MS,
    );
    for (let height = 0; height <= target; height++) {
      noteBlock(index, await ask(url, 'eth_getBlockByNumber', [`0x${height.toString(16)}`, false]));
    }
    for (const [hash, { height, blockHash }] of shown) {
      const receipt = await ask(url, 'eth_getTransactionReceipt', [hash]);
      if (Number(receipt?.blockNumber) !== height || receipt?.blockHash !== blockHash)
        problem(
          `${hash} was final in block ${height}, but ${names[index]} shows ${JSON.stringify(receipt?.blockNumber)}`,
        );
    }
    for (const name of payers) {
      const count = Number(await ask(url, 'eth_getTransactionCount', [accounts.get(name).address, 'latest']));
      if (count !== nonces.get(name))
        problem(`${name} sent ${nonces.get(name)} transactions, ${names[index]} counts ${count}`);
    }
    const health = await until(
      `${names[index]} is healthy`,
      async () => {
        const report = await ask(url, 'hanse_health');
        return report.healthy ? report : undefined;
      },
      20_000,
    );
    if (health === undefined) problem(`${names[index]}: ${JSON.stringify(await ask(url, 'hanse_health'))}`);
  }
  const balances = await Promise.all([...accounts.values()].map(({ address }) => balanceOf(address)));
  const sum = balances.reduce((total, balance) => total + BigInt(balance), 0n);
  if (sum !== supply || BigInt(await totalSupply()) !== supply) problem(`supply: ${sum} held of ${supply}`);
  for (const name of names) {
    const alarms = readFileSync(join(root, 'members', name, 'node.log'), 'utf8')
      .split('\n')
      .filter((line) => /alarm|"level":"error"/i.test(line));
    for (const line of alarms.slice(0, 5)) problem(`${name}'s log: ${line.slice(0, 300)}`);
  }
  console.log(
    `${shown.size} payments, ${target} blocks, longest time without a new final payment ${(longestStallMs / 1000).toFixed(1)} s`,
  );
}

try {
  await run();
} catch (error) {
  problem(error.stack);
} finally {
  closing = true;
  stopped = true;
  for (const child of children.values()) child.kill('SIGTERM');
  await Promise.race([
    Promise.all(
      [...children.values()].map(
        (child) => child.exitCode ?? child.signalCode ?? new Promise((done) => child.once('exit', done)),
      ),
    ),
    sleep(20_000),
  ]);
  for (const child of children.values()) child.kill('SIGKILL');
}
const good = problems.length === 0;
if (good && !values.keep && values.data === undefined) rmSync(root, { recursive: true, force: true });
console.log(
  good
    ? `Good: nothing final was lost (seed ${values.seed}).`
    : `${problems.length} problems (seed ${values.seed}); the network is in ${root}.`,
);
process.exit(good ? 0 : 1);
