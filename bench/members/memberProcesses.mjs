// The members of a local network's folder as processes that a bench starts and kills one by one.
import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { call } from '../soak/jsonRPC.mjs';

const PROGRAM = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));
const START_MS = 120_000;

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class MemberProcesses {
  names;
  urls;
  accounts;
  chainId;
  currency;
  /** What ended by itself. */
  problems = [];
  #root;
  #rpcPort;
  #children = new Map();
  #meant = new WeakSet();

  constructor(folder, rpcPort) {
    this.#root = resolve(folder);
    this.#rpcPort = rpcPort;
    const read = (file) => JSON.parse(readFileSync(join(this.#root, file), 'utf8'));
    this.names = read('hanse.json').members;
    this.urls = this.names.map((_, index) => `http://127.0.0.1:${rpcPort + index}`);
    this.accounts = read('accounts.json').accounts;
    this.chainId = read('genesis.json').chainId;
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => this.#interrupted());
  }

  /** Where a member accepts others. */
  endpoint(index) {
    return `127.0.0.1:${this.#rpcPort + 1_000 + index}`;
  }

  folder(index) {
    return join(this.#root, 'members', this.names[index]);
  }

  pid(index) {
    return this.#children.get(index)?.pid;
  }

  /** Everything that a member wrote into its log. */
  log(index) {
    return readFileSync(join(this.folder(index), 'node.log'), 'utf8');
  }

  /** Starts a member; `program` replaces `hanse`, with the same arguments, and `flags` are for Node.js itself. */
  start(index, { program = PROGRAM, flags = [] } = {}) {
    const known = this.names.flatMap((name, place) =>
      place === index ? [] : ['--known', `${name}=${this.endpoint(place)}`],
    );
    const ports = ['--rpc-port', String(this.#rpcPort + index), '--listen', this.endpoint(index)];
    const log = openSync(join(this.folder(index), 'node.log'), 'a', 0o600);
    const child = spawn(
      process.execPath,
      [...flags, program, 'node', '--config', join(this.folder(index), 'node.json'), ...ports, ...known],
      { stdio: ['ignore', log, log] },
    );
    child.once('exit', (code, signal) => {
      if (!this.#meant.has(child)) this.problems.push(`${this.names[index]} ended by itself: ${code ?? signal}`);
    });
    this.#children.set(index, child);
  }

  /** Resolves when a member answers. */
  async answers(index) {
    for (const untilMs = Date.now() + START_MS; ; await pause(50)) {
      const height = await call(this.urls[index], 'eth_blockNumber', []).catch(() => undefined);
      if (height !== undefined) return Number(height);
      if (Date.now() > untilMs) throw new Error(`${this.names[index]} does not answer after ${START_MS / 1_000} s.`);
    }
  }

  kill(index, signal = 'SIGKILL') {
    const child = this.#children.get(index);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    this.#meant.add(child);
    const ended = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    return ended;
  }

  async stop() {
    await Promise.all([...this.#children.keys()].map((index) => this.kill(index, 'SIGTERM')));
  }

  #interrupted() {
    for (const child of this.#children.values()) child.kill('SIGKILL');
    process.exit(130);
  }
}
