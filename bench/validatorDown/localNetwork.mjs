// A network of four members for one measurement: created by `hanse up`, then run as processes of the measurement's own, so that it
// can stop, freeze and restart each, and lead the links of one of them through proxies that delay.
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { call } from '../soak/jsonRPC.mjs';
import { DelayedLink } from './delayedLink.mjs';

const program = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));
/** The longest that a member may take to start, to end, or to catch up. */
const PATIENCE_MS = 60_000;
/** Above the first port of the JSON-RPC: where members listen for each other, and where the proxies do. */
const PEER_PORTS = 1_200;
const PROXY_PORTS = 1_300;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class LocalNetwork {
  /** `network.json`: members, accounts, currencies. */
  description;
  #root;
  #rpcPort;
  #children = new Map();
  #links = [];

  /** Creates the network in a temporary folder; no member runs yet. `slow` names the member whose links can be delayed. */
  static async create(rpcPort, slow) {
    const network = new LocalNetwork();
    network.#root = mkdtempSync(join(tmpdir(), 'hanse-down-'));
    network.#rpcPort = rpcPort;
    network.description = await describe(network.#root, rpcPort);
    if (slow !== undefined) await network.#link(network.index(slow));
    return network;
  }

  get names() {
    return this.description.members.map(({ name }) => name);
  }

  /** A member's place, which is also its place among the validators. */
  index(name) {
    const index = this.names.indexOf(name);
    if (index < 0) throw new Error(`There is no member ${name}; there are ${this.names.join(', ')}.`);
    return index;
  }

  url(index) {
    return this.description.members[index].rpcUrl;
  }

  wsUrl(index) {
    return this.description.members[index].wsUrl;
  }

  folder(index) {
    return join(this.#root, 'members', this.names[index]);
  }

  /** Where a member accepts others. */
  endpoint(index) {
    return `127.0.0.1:${this.#listenPort(index)}`;
  }

  pid(index) {
    return this.#children.get(index)?.pid;
  }

  /** Starts a member and resolves when it answers. `NODE_OPTIONS` and the like may be given in `environment`. */
  async start(index, environment = {}) {
    const known = this.names.flatMap((name, other) =>
      other === index ? [] : ['--known', `${name}=127.0.0.1:${this.#portFrom(index, other)}`],
    );
    const log = openSync(join(this.folder(index), 'node.log'), 'a', 0o600);
    const ports = ['--rpc-port', String(this.#rpcPort + index), '--listen', `127.0.0.1:${this.#listenPort(index)}`];
    const child = spawn(
      process.execPath,
      [program, 'node', '--config', join(this.folder(index), 'node.json'), ...ports, ...known],
      // A member whose channel closes stops: none outlives the measurement.
      { stdio: ['ignore', log, log, 'ipc'], env: { ...process.env, ...environment } },
    );
    this.#children.set(index, child);
    await within(`${this.names[index]} starts`, (done, failed) => {
      child.once('exit', () => failed(new Error(`${this.names[index]} ended: see ${this.folder(index)}/node.log`)));
      child.on('message', ({ type, message }) => {
        if (type === 'ready') done();
        else failed(new Error(message));
      });
    });
  }

  async startAll() {
    await Promise.all(this.names.map((_, index) => this.start(index)));
  }

  /** Ends a member without a word, as a crash does. */
  async kill(index) {
    const child = this.#children.get(index);
    this.#children.delete(index);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await within(`${this.names[index]} ends`, (done) => {
      child.once('exit', done);
      child.kill('SIGKILL');
    });
  }

  /** Stops a member in such a way that its connections stay open and take nothing, as a machine that hangs does. */
  freeze(index) {
    this.#children.get(index).kill('SIGSTOP');
  }

  thaw(index) {
    this.#children.get(index).kill('SIGCONT');
  }

  /** Delays everything to and from the slow member from now on. */
  delay(delayMs) {
    for (const link of this.#links) link.delayMs = delayMs;
  }

  /** Resolves when a member is as high as another one was when asked. */
  async caughtUp(index, other) {
    const height = Number(await call(this.url(other), 'eth_blockNumber', []));
    for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += 50) {
      if (Number(await call(this.url(index), 'eth_blockNumber', [])) >= height) return;
      await pause(50);
    }
    throw new Error(`${this.names[index]} did not catch up within ${PATIENCE_MS / 1_000} s.`);
  }

  /** What a member counts, by name (`/metrics`). */
  async metrics(index) {
    const response = await fetch(new URL('/metrics', this.url(index)), { signal: AbortSignal.timeout(PATIENCE_MS) });
    const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
  }

  /** Lines of the members' logs that a person should know of. */
  alarms() {
    return this.names.flatMap((name, index) =>
      readFileSync(join(this.folder(index), 'node.log'), 'utf8')
        .split('\n')
        .filter((line) => /alarm|"level":"error"/i.test(line))
        .map((line) => `${name}: ${line.slice(0, 300)}`),
    );
  }

  /** Ends everything; the folder is removed unless it is to be kept. Returns the folder. */
  async close(keep) {
    await Promise.all([...this.#children.keys()].map((index) => this.kill(index)));
    for (const link of this.#links) link.close();
    if (!keep) rmSync(this.#root, { recursive: true, force: true });
    return this.#root;
  }

  /** For a signal handler: ends what runs without waiting. */
  abandon() {
    for (const child of this.#children.values()) child.kill('SIGKILL');
  }

  // Not the ports that the chain names: a member that cannot pass a proxy must not find a way around it.
  #listenPort(index) {
    return this.#rpcPort + PEER_PORTS + index;
  }

  #portFrom(from, to) {
    const link = this.#links.find((candidate) => candidate.from === from && candidate.to === to);
    return link?.port ?? this.#listenPort(to);
  }

  async #link(slow) {
    const others = [...this.names.keys()].filter((index) => index !== slow);
    const pairs = others.flatMap((other) => [
      { from: slow, to: other },
      { from: other, to: slow },
    ]);
    for (const { from, to } of pairs) {
      const port = this.#rpcPort + PROXY_PORTS + from * this.names.length + to;
      this.#links.push(await DelayedLink.open({ from, to, port, targetPort: this.#listenPort(to) }));
    }
  }
}

/** Lets `hanse up` create the network, and takes over what it says of it. */
async function describe(root, rpcPort) {
  const up = spawn(process.execPath, [program, 'up', '--data', root, '--rpc-port', String(rpcPort), '--no-story'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  await within('hanse up creates the network', (done, failed) => {
    up.stdout.on('data', (chunk) => {
      output += chunk;
      if (/^Running\./m.test(output)) done();
    });
    up.once('exit', () => failed(new Error(`hanse up ended:\n${output}`)));
  });
  const description = JSON.parse(readFileSync(join(root, 'network.json'), 'utf8'));
  await within('hanse up ends', (done) => {
    up.once('exit', done);
    up.kill('SIGINT');
  });
  return description;
}

function within(what, begin) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what}: not within ${PATIENCE_MS / 1_000} s.`)), PATIENCE_MS);
    const settle = (outcome) => (value) => {
      clearTimeout(timer);
      outcome(value);
    };
    begin(settle(resolve), settle(reject));
  });
}
