// Sends payments one at a time to an idle local network, through every member in turn, and measures until each of the members
// gives the receipt. Members tell of new blocks over WebSocket, so that the measurement itself leaves the processors alone.
// Usage: node bench/idleLatency.mjs [--data DIR] [--count N] [--json]
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createHanseClient } from '../packages/sdk/dist/index.js';

const { WebSocket } = createRequire(new URL('../packages/node/package.json', import.meta.url))('ws');
const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '.hanse' },
    count: { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
  },
});
const network = JSON.parse(readFileSync(join(values.data, 'network.json'), 'utf8'));
const account = (name) => network.accounts.find((candidate) => candidate.name === name);

/** A member over WebSocket: calls, and whoever waits for the next block. */
class Connection {
  #socket;
  #calls = new Map();
  #nextId = 1;
  #onBlock = [];

  static async open({ wsUrl }) {
    const connection = new Connection();
    connection.#socket = new WebSocket(wsUrl);
    await new Promise((resolve, reject) => connection.#socket.once('open', resolve).once('error', reject));
    connection.#socket.on('message', (text) => connection.#received(JSON.parse(text)));
    await connection.call('eth_subscribe', ['newHeads']);
    return connection;
  }

  call(method, params) {
    const id = this.#nextId++;
    this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
  }

  nextBlock() {
    return new Promise((resolve) => this.#onBlock.push(resolve));
  }

  /** When the receipt was there. */
  async readable(hash) {
    for (;;) {
      const block = this.nextBlock();
      if (await this.call('eth_getTransactionReceipt', [hash])) return performance.now();
      await block;
    }
  }

  close() {
    this.#socket.close();
  }

  #received({ id, result, error }) {
    if (id === undefined) {
      for (const resolve of this.#onBlock.splice(0)) resolve();
      return;
    }
    const { resolve, reject } = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(error.message));
  }
}

const authority = await createHanseClient({
  rpcUrl: network.members[0].rpcUrl,
  account: account('authority').privateKey,
});
const dcny = await authority.currency('DCNY');
await (await dcny.issue({ bank: account('bank').address, amount: '1000000' })).final();
const bank = await createHanseClient({ rpcUrl: network.members[1].rpcUrl, account: account('bank').privateKey });
const wallet = bank.requireWallet();
const token = await bank.currency('DCNY');
let nonce = await bank.publicClient.getTransactionCount({ address: account('bank').address });
const members = await Promise.all(network.members.map((member) => Connection.open(member)));

const times = [];
for (let index = 0; index < Number(values.count); index++) {
  // Long enough for the chain to be idle again.
  await new Promise((resolve) => setTimeout(resolve, 300 + (index % 7) * 37));
  const raw = await wallet.signTransaction({
    to: token.address,
    data: `0xa9059cbb${account('farm').address.slice(2).padStart(64, '0')}${1n.toString(16).padStart(64, '0')}`,
    nonce: nonce++,
    gas: 200_000n,
    maxFeePerGas: 0n,
    maxPriorityFeePerGas: 0n,
    type: 'eip1559',
    chainId: network.chainId,
  });
  const started = performance.now();
  const hash = await members[index % members.length].call('eth_sendRawTransaction', [raw]);
  const ends = await Promise.all(members.map((member) => member.readable(hash)));
  times.push(Math.max(...ends) - started);
}
for (const member of members) member.close();
times.sort((a, b) => a - b);
const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
const summary = { payments: times.length, medianMs: at(0.5), p90Ms: at(0.9), maxMs: at(1) };
if (values.json) console.log(JSON.stringify(summary));
else
  console.log(
    `${times.length} payments, final and readable on all ${members.length} members: ` +
      `median ${at(0.5).toFixed(0)} ms, p90 ${at(0.9).toFixed(0)} ms, max ${at(1).toFixed(0)} ms`,
  );
