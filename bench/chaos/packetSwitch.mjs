// The network between members, as a thread of its own: a switch of VXLAN packets that can lose, delay, reorder and duplicate them, and
// cut links, one direction at a time. Every member's interface `peer0` sends each of its packets as a UDP datagram to this socket,
// and what comes from here is what it receives. So the members' own TCP meets a bad network, packet by packet, on every Linux
// kernel that has VXLAN; `tc netem` is often left out of small kernels, and it knows interfaces, not links.
import { createSocket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';
import { seededRandom } from '../campaign/seededRandom.mjs';

export const VXLAN_PORT = 4_789;
const VXLAN_HEADER_BYTES = 8;
const ETHERNET_HEADER_BYTES = 14;
const IPV4 = 0x0800;
const TCP = 6;
/** What a long queue in a router holds; beyond it packets are lost, as there. */
const MAX_QUEUED = 20_000;
/** How much later a packet comes that others overtake, in milliseconds. */
const OVERTAKEN_MS = 25;

export class PacketSwitch {
  counts = { passed: 0, lost: 0, cut: 0, twice: 0, overtaken: 0 };
  #socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
  #members;
  #addressOf;
  #random;
  /** By `from * members + to`. */
  #links;

  constructor({ members, prefix, seed }) {
    this.#members = members;
    this.#addressOf = Array.from({ length: members }, (_, index) => `${prefix}.${index + 1}`);
    this.#random = seededRandom(seed);
    this.#links = Array.from({ length: members * members }, () => new Link());
    this.#socket.on('message', (packet) => this.#receive(packet));
    // A member's namespace that is being taken down refuses; that packet is lost.
    this.#socket.on('error', () => undefined);
  }

  listen(address) {
    return new Promise((done) => this.#socket.bind(VXLAN_PORT, address, done));
  }

  /** Cuts are counted, so that two faults on one link do not undo one another. */
  cut(from, to) {
    this.#link(from, to).cuts += 1;
  }

  mend(from, to) {
    this.#link(from, to).cuts -= 1;
  }

  /** `weather`: { delayMs, jitterMs, loss, duplicate, reorder }, undefined for a perfect link. */
  shape(from, to, weather) {
    this.#link(from, to).weather = weather;
  }

  close() {
    this.#socket.close();
  }

  #link(from, to) {
    return this.#links[from * this.#members + to];
  }

  #receive(packet) {
    const to = memberAt(packet, VXLAN_HEADER_BYTES);
    const from = memberAt(packet, VXLAN_HEADER_BYTES + 6);
    if (!(to >= 0 && to < this.#members && from >= 0 && from < this.#members)) return;
    const link = this.#link(from, to);
    if (link.cuts > 0) {
      this.counts.cut += 1;
      return;
    }
    completeChecksum(packet);
    const { weather } = link;
    if (weather === undefined) {
      link.pass(0, () => this.#deliver(link, packet, to));
      return;
    }
    const { fraction, chance } = this.#random;
    if (link.queued >= MAX_QUEUED || chance(weather.loss)) {
      this.counts.lost += 1;
      return;
    }
    const delayMs = Math.max(0, weather.delayMs + (fraction() * 2 - 1) * weather.jitterMs);
    const deliver = () => this.#deliver(link, packet, to);
    if (chance(weather.reorder)) {
      this.counts.overtaken += 1;
      setTimeout(deliver, delayMs + OVERTAKEN_MS);
    } else {
      link.pass(delayMs, deliver);
    }
    if (chance(weather.duplicate)) {
      this.counts.twice += 1;
      setTimeout(deliver, delayMs + fraction() * OVERTAKEN_MS);
    }
  }

  #deliver(link, packet, to) {
    // What was on its way when the link was cut is gone too.
    if (link.cuts === 0) this.#send(packet, to);
    else this.counts.cut += 1;
  }

  #send(packet, to) {
    this.counts.passed += 1;
    this.#socket.send(packet, VXLAN_PORT, this.#addressOf[to]);
  }
}

/** One direction between two members. Packets keep their order, however their delays differ, as they do on a real line. */
class Link {
  cuts = 0;
  weather;
  #line = [];
  #lastDueMs = 0;
  #timer;

  get queued() {
    return this.#line.length;
  }

  /** Calls `deliver` after the delay, and after everything that was passed before. */
  pass(delayMs, deliver) {
    const nowMs = performance.now();
    if (delayMs < 1 && this.#line.length === 0) {
      deliver();
      return;
    }
    this.#lastDueMs = Math.max(this.#lastDueMs, nowMs + delayMs);
    this.#line.push({ dueMs: this.#lastDueMs, deliver });
    this.#wait();
  }

  #wait() {
    const first = this.#line[0];
    if (first === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        const nowMs = performance.now();
        let due = 0;
        while (due < this.#line.length && this.#line[due].dueMs <= nowMs) due += 1;
        for (const { deliver } of this.#line.splice(0, due)) deliver();
        this.#wait();
      },
      Math.max(0, first.dueMs - performance.now()),
    );
  }
}

/** Which member an Ethernet address is of: 02:00:00:00:00:NN is member NN - 1; -1 for broadcasts and others. */
function memberAt(packet, offset) {
  if (packet.length < VXLAN_HEADER_BYTES + ETHERNET_HEADER_BYTES || packet[offset] !== 2) return -1;
  return packet[offset + 5] - 1;
}

/**
 * The kernel leaves the TCP checksum to the hardware of a virtual card, and so to nobody when a program reads the packet. RFC 9293, 3.1: the sum of
 * pseudo header, header and data.
 */
function completeChecksum(packet) {
  const ip = VXLAN_HEADER_BYTES + ETHERNET_HEADER_BYTES;
  if (packet.readUInt16BE(ip - 2) !== IPV4 || packet[ip + 9] !== TCP) return;
  const headerBytes = (packet[ip] & 15) * 4;
  const length = packet.readUInt16BE(ip + 2) - headerBytes;
  const start = ip + headerBytes;
  if (start + length > packet.length) return;
  packet.writeUInt16BE(0, start + 16);
  const pseudo = sum16(packet, ip + 12, 8, TCP + length);
  packet.writeUInt16BE(~sum16(packet, start, length, pseudo) & 0xffff, start + 16);
}

function sum16(bytes, offset, length, initial) {
  let sum = initial;
  const end = offset + length;
  let at = offset;
  for (; at + 1 < end; at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  if (at < end) sum += bytes[at] << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

// In its thread, the switch does what the campaign says.
if (parentPort !== null && workerData?.packetSwitch !== undefined) {
  const { packetSwitch: options, address } = workerData;
  const packetSwitch = new PacketSwitch(options);
  await packetSwitch.listen(address);
  parentPort.on('message', ({ id, method, parameters }) => {
    packetSwitch[method]?.(...parameters);
    parentPort.postMessage({ id, counts: packetSwitch.counts });
    if (method === 'close') parentPort.close();
  });
  parentPort.postMessage({ id: 0, counts: packetSwitch.counts });
}
