// The members of a campaign as their operators run them: made by `hanse member init` and `hanse network create`, each `hanse node` in
// its own network namespace under a supervisor that starts it again when it ends, as systemd does with Restart=always.
import { execFile, spawn } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sleep } from '../campaign/waiting.mjs';
import { peerHost, rpcHost } from './network.mjs';
import { run } from './shell.mjs';

const program = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));
const hanse = async (...parameters) => (await promisify(execFile)(process.execPath, [program, ...parameters])).stdout;

const NAMES = ['authority', 'bank', 'farm', 'market', 'mill', 'dairy', 'harbour'];
const PEER_PORT = 9_545;
const RPC_PORT = 8_545;
/** As RestartSec of systemd. */
const RESTART_MS = 1_000;
/** More than any campaign writes; only what is used takes memory. */
const SMALL_DISK_BYTES = 2 ** 31;
const PAGE_BYTES = 4_096;

export class Members {
  /** `{ name, url }` in the order of the validators. */
  list;
  genesis;
  genesisHash;
  /** Restarts after a member ended by itself. */
  restarts = 0;
  #root;
  #network;
  #faketime;
  #smallDisks;
  #findings;
  #processes = [];
  /** The members whose small disk is there. */
  #mounted = [];

  /** `smallDisks`: the members whose data is on a small file system of its own. */
  constructor({ root, count, network, faketime, smallDisks, findings }) {
    this.#root = root;
    this.#network = network;
    this.#faketime = faketime;
    this.#smallDisks = smallDisks;
    this.#findings = findings;
    this.list = NAMES.slice(0, count).map((name, index) => ({ name, url: `http://${rpcHost(index)}:${RPC_PORT}` }));
  }

  get names() {
    return this.list.map(({ name }) => name);
  }

  folder(index) {
    return join(this.#root, 'members', this.list[index].name);
  }

  /** The way of docs/start/members-on-different-machines.md. */
  async create() {
    mkdirSync(join(this.#root, 'members'), { recursive: true });
    await Promise.all(this.list.map((_, index) => this.#init(index)));
    const descriptors = this.list.map((_, index) => join(this.folder(index), 'descriptor.json'));
    const file = join(this.#root, 'genesis.json');
    const currency = `DCNY:Digital Yuan:2:${NAMES[0]}`;
    const options = ['--name', 'chaos', '--accounts', 'open', '--currency', currency, '--json'];
    const created = await hanse('network', 'create', '--from', ...descriptors, '--out', file, ...options);
    ({ genesisHash: this.genesisHash, genesis: this.genesis } = JSON.parse(created));
    for (const index of this.list.keys()) {
      copyFileSync(file, join(this.folder(index), 'genesis.json'));
      if (this.#smallDisks.includes(index)) this.#mountDisk(index);
      this.setClock(index, 0);
    }
  }

  async #init(index) {
    const role = index === 0 ? 'authority' : index === 1 ? 'bank' : 'company';
    const where = [
      '--endpoint',
      `${peerHost(index)}:${PEER_PORT}`,
      '--rpc-host',
      rpcHost(index),
      '--rpc-port',
      String(RPC_PORT),
    ];
    await hanse(
      'member',
      'init',
      '--name',
      this.list[index].name,
      '--role',
      role,
      ...where,
      '--out',
      this.folder(index),
    );
  }

  /** The lines of its log. */
  log(index) {
    return readFileSync(join(this.folder(index), 'node.log'), 'utf8').split('\n');
  }

  accountKey(index) {
    return readFileSync(join(this.folder(index), 'keys', 'account.key'), 'utf8').trim();
  }

  start(index) {
    const log = openSync(join(this.folder(index), 'node.log'), 'a', 0o600);
    const child = spawn(
      'nsenter',
      [
        `--net=/run/netns/${this.#network.namespace(index)}`,
        process.execPath,
        program,
        'node',
        '--config',
        join(this.folder(index), 'node.json'),
      ],
      // A process group of its own: Ctrl-C in the terminal is for the campaign, which then stops the members.
      { stdio: ['ignore', log, log], detached: true, env: { ...process.env, ...this.#clockEnvironment(index) } },
    );
    closeSync(log);
    const member = { child, ended: undefined, expected: false, mayEnd: this.#processes[index]?.mayEnd ?? 0 };
    member.ended = new Promise((done) => child.once('exit', (code, signal) => done({ code, signal })));
    this.#processes[index] = member;
    member.ended.then((end) => this.#supervise(index, member, end));
  }

  async #supervise(index, member, { code, signal }) {
    if (member.expected) return;
    // With the exit code for what a person or more space can mend, not with that of a bug, and by no signal.
    if (this.#processes[index].mayEnd === 0 || code !== 1)
      this.#findings.add(`${this.list[index].name} ended by itself: code ${code}, signal ${signal}`);
    this.restarts += 1;
    await sleep(RESTART_MS);
    // It may have been killed for good, or the campaign may be over.
    if (!member.expected) this.start(index);
  }

  /** A member that ends by itself is a violation except between `mayEnd(index, 1)` and `mayEnd(index, -1)`. */
  mayEnd(index, change) {
    this.#processes[index].mayEnd += change;
  }

  /** kill -9; the supervisor is told to leave it. */
  async kill(index, signal = 'SIGKILL') {
    const member = this.#processes[index];
    member.expected = true;
    member.child.kill(signal);
    await member.ended;
  }

  pause(index) {
    this.#processes[index].child.kill('SIGSTOP');
  }

  resume(index) {
    this.#processes[index].child.kill('SIGCONT');
  }

  // Clocks. The library reads the file again every second; monotonic time is left alone, as no step of a real clock touches it.

  #clockEnvironment(index) {
    if (this.#faketime === undefined) return {};
    return {
      LD_PRELOAD: this.#faketime,
      FAKETIME_TIMESTAMP_FILE: this.#clockFile(index),
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  #clockFile(index) {
    return join(this.folder(index), 'clock');
  }

  setClock(index, seconds) {
    writeFileSync(this.#clockFile(index), `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
  }

  // Disks. A tmpfs gives and takes space by being mounted anew with another size, without a ballast file.

  #mountDisk(index) {
    const data = join(this.folder(index), 'data');
    mkdirSync(data, { mode: 0o700 });
    run(`mount -t tmpfs -o size=${SMALL_DISK_BYTES},mode=700 tmpfs`, data);
    this.#mounted.push(index);
  }

  fillDisk(index, freePages) {
    const data = join(this.folder(index), 'data');
    const { blocks, bfree } = statfsSync(data);
    // A size of 0 would mean without bound.
    run(`mount -o remount,size=${Math.max(1, blocks - bfree + freePages) * PAGE_BYTES}`, data);
  }

  freeDisk(index) {
    run(`mount -o remount,size=${SMALL_DISK_BYTES}`, join(this.folder(index), 'data'));
  }

  /** What is in memory would be gone with the mount. Called when the members have stopped, and their data is to be kept. */
  saveDisks() {
    for (const index of this.#mounted.splice(0)) {
      const [data, saved] = ['data', 'saved'].map((name) => join(this.folder(index), name));
      cpSync(data, saved, { recursive: true });
      run('umount', data);
      rmdirSync(data);
      renameSync(saved, data);
    }
  }

  async stop() {
    const running = this.#processes.filter(
      (member) => member.child.exitCode === null && member.child.signalCode === null,
    );
    for (const member of this.#processes) member.expected = true;
    for (const { child } of running) {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
    }
    const ended = Promise.all(running.map((member) => member.ended)).then(() => true);
    const clean = await Promise.race([ended, sleep(30_000)]);
    for (const { child } of running) child.kill('SIGKILL');
    return clean === true;
  }
}
