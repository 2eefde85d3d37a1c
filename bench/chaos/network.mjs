// The machines of a campaign: a bridge in the campaign's own namespace, and a namespace for every member with two interfaces.
// `eth0` is the office network on which the checker asks JSON-RPC; no fault ever touches it, so that what members show can be
// watched all the time. `peer0` is the way between members, a VXLAN tunnel to the packet switch; all faults are there. The checker runs
// in the namespace of the bridge itself and so needs no tool to reach a member.
import { mkdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { run } from './shell.mjs';

export const OFFICE = '10.97.0';
export const PEERS = '10.98.0';
const HUB = `${OFFICE}.254`;
const BRIDGE = 'office';

export const rpcHost = (index) => `${OFFICE}.${index + 1}`;
export const peerHost = (index) => `${PEERS}.${index + 1}`;
const mac = (index) => `02:00:00:00:00:${(index + 1).toString(16).padStart(2, '0')}`;

export class ChaosNetwork {
  #members;
  #prefix;
  #switch;
  #calls = new Map();
  #nextCall = 1;
  counts;

  constructor({ members, prefix, seed }) {
    this.#members = members;
    this.#prefix = prefix;
    this.seed = seed;
  }

  /** Makes everything. Must run in namespaces of its own (see UNSHARE). */
  async create() {
    // Names of namespaces, and what faketime shares between processes, end with this mount namespace.
    run('mount -t tmpfs tmpfs /run');
    mkdirSync('/run/netns');
    run('mount -t tmpfs tmpfs /dev/shm');
    run('ip link set lo up');
    run(`ip link add ${BRIDGE} type bridge`);
    run(`ip link set ${BRIDGE} up`);
    run(`ip addr add ${HUB}/24 dev ${BRIDGE}`);
    for (let index = 0; index < this.#members; index++) this.#addMember(index);
    this.#switch = new Worker(new URL('packetSwitch.mjs', import.meta.url), {
      workerData: { packetSwitch: { members: this.#members, prefix: OFFICE, seed: this.seed }, address: HUB },
    });
    await new Promise((ready, failed) => {
      this.#switch.on('error', failed);
      this.#switch.on('message', ({ id, counts }) => {
        this.counts = counts;
        if (id === 0) ready();
        this.#calls.get(id)?.();
        this.#calls.delete(id);
      });
    });
  }

  #addMember(index) {
    const space = this.namespace(index);
    run(`ip netns add ${space}`);
    run(`ip link add office${index} type veth peer name eth0 netns ${space}`);
    run(`ip link set office${index} master ${BRIDGE} up`);
    const inside = (text) => run(`ip -n ${space} ${text}`);
    inside('link set lo up');
    inside('link set eth0 up');
    inside(`addr add ${rpcHost(index)}/24 dev eth0`);
    inside(
      `link add peer0 address ${mac(index)} type vxlan id 7 dstport 4789 remote ${HUB} local ${rpcHost(index)} nolearning`,
    );
    // Packets of the size that a wire has: the switch must lose single ones, not bundles of 64 KiB.
    inside('link set peer0 mtu 1450 gso_max_segs 1 gso_max_size 1500');
    this.#raise(index);
  }

  /** An interface that went down forgets its routes and neighbours; its addresses stay. */
  #raise(index) {
    const inside = (text) => run(`ip -n ${this.namespace(index)} ${text}`);
    inside('link set peer0 up');
    inside(`addr replace ${peerHost(index)}/24 dev peer0`);
    for (let other = 0; other < this.#members; other++) {
      // Known for good: who lost a packet must wait in vain, not be told by the resolution of addresses.
      if (other !== index) inside(`neigh replace ${peerHost(other)} lladdr ${mac(other)} dev peer0 nud permanent`);
    }
  }

  namespace(index) {
    return `${this.#prefix}-${index}`;
  }

  /** Waits until the switch has done it. */
  tell(method, ...parameters) {
    const id = this.#nextCall++;
    return new Promise((done) => {
      this.#calls.set(id, done);
      this.#switch.postMessage({ id, method, parameters });
    });
  }

  /** Cuts or mends every direction of `pairs` ([from, to] each). */
  async cut(pairs) {
    await Promise.all(pairs.map(([from, to]) => this.tell('cut', from, to)));
  }

  async mend(pairs) {
    await Promise.all(pairs.map(([from, to]) => this.tell('mend', from, to)));
  }

  async shape(pairs, weather) {
    await Promise.all(pairs.map(([from, to]) => this.tell('shape', from, to, weather)));
  }

  /** The member's own interface goes down: its sockets are told, unlike those of a link that swallows packets. */
  linkDown(index) {
    run(`ip -n ${this.namespace(index)} link set peer0 down`);
  }

  linkUp(index) {
    this.#raise(index);
  }

  /** The kernel of `from` refuses to send to `to`; the other direction goes on. */
  blackhole(from, to) {
    run(`ip -n ${this.namespace(from)} route replace blackhole ${peerHost(to)}/32`);
  }

  unblackhole(from, to) {
    run(`ip -n ${this.namespace(from)} route del blackhole ${peerHost(to)}/32`);
  }

  async close() {
    if (this.#switch === undefined) return;
    await Promise.race([this.tell('close'), new Promise((done) => setTimeout(done, 1_000))]);
    await this.#switch.terminate();
  }
}
