// Sends payments one at a time to an idle local network, through every member in turn, and measures until each of the members
// shows the receipt. Usage: node bench/idleLatency.mjs [--data DIR] [--count N]
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createHanseClient } from '../packages/sdk/dist/index.js';

const { values } = parseArgs({ options: { data: { type: 'string', default: '.hanse' }, count: { type: 'string', default: '40' } } });
const network = JSON.parse(readFileSync(join(values.data, 'network.json'), 'utf8'));
const account = (name) => network.accounts.find((candidate) => candidate.name === name);

async function post(url, method, params) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = await response.json();
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

async function readable(url, hash) {
  for (;;) {
    if (await post(url, 'eth_getTransactionReceipt', [hash])) return performance.now();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const authority = await createHanseClient({ rpcUrl: network.members[0].rpcUrl, account: account('authority').privateKey });
const dcny = await authority.currency('DCNY');
await (await dcny.issue({ bank: account('bank').address, amount: '1000000' })).final();
const bank = await createHanseClient({ rpcUrl: network.members[1].rpcUrl, account: account('bank').privateKey });
const wallet = bank.requireWallet();
const token = await bank.currency('DCNY');
let nonce = await bank.publicClient.getTransactionCount({ address: account('bank').address });

const times = [];
for (let index = 0; index < Number(values.count); index++) {
  // Long enough for the chain to be idle again.
  await new Promise((resolve) => setTimeout(resolve, 300 + (index % 7) * 37));
  const raw = await wallet.signTransaction({
    to: token.address,
    data: `0xa9059cbb${account('farm').address.slice(2).padStart(64, '0')}${(1n).toString(16).padStart(64, '0')}`,
    nonce: nonce++,
    gas: 200_000n,
    maxFeePerGas: 0n,
    maxPriorityFeePerGas: 0n,
    type: 'eip1559',
    chainId: network.chainId,
  });
  const entry = network.members[index % network.members.length];
  const started = performance.now();
  const hash = await post(entry.rpcUrl, 'eth_sendRawTransaction', [raw]);
  const ends = await Promise.all(network.members.map(({ rpcUrl }) => readable(rpcUrl, hash)));
  times.push(Math.max(...ends) - started);
}
times.sort((a, b) => a - b);
const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(0);
console.log(`${times.length} payments, final and readable on all ${network.members.length} members: median ${at(0.5)} ms, p90 ${at(0.9)} ms, max ${at(1)} ms`);
