// Payments between many accounts: signed ahead of time, so that the generator takes as little of the processors as it can.
import { currencyAbi, membersAbi, membersAddress } from '@hanse/modules/abi';
import { addressOfPrivateKey, loadSuite, newPrivateKey } from '@hanse/node';
import { bytesToHex, hexToBytes, signTransaction } from '@hanse/protocol';
import { encodeFunctionData } from 'viem';
import { batch, call } from '../soak/jsonRPC.mjs';
import { BlockWatch } from './blockWatch.mjs';

/** One request a tick, to one member: what a request costs by itself should not be what is measured. */
const TICK_MS = 20;
/** Payments of one request; members refuse more than 1,000 calls. */
const MAX_BATCH = 100;
const PAYMENT_GAS = 100_000n;
const SETUP_GAS = 400_000n;
const MONEY = 1_000_000_000n;
/** Longer than the 2 s of demand in which a silence shows an absence, so that each payment finds a network that knows nothing. */
const IDLE_MS = 2_100;
/** The longest that a payment may take before the measurement counts it as lost. */
const LOST_MS = 30_000;
/** What a rate is counted from at least. */
const FEWEST_BLOCKS = 6;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class PaymentLoad {
  #network;
  #suite;
  #chainId;
  #currency;
  #accounts = [];
  #turn = 0;

  constructor(network) {
    this.#network = network;
    this.#chainId = BigInt(network.description.chainId);
    this.#currency = network.description.currencies[0].address;
  }

  /** Registers `count` accounts and gives them money. All members must run. */
  async prepare(count) {
    this.#suite = await loadSuite(this.#network.description.suite);
    const [authority, bank] = ['authority', 'bank'].map((name) => {
      const { address, privateKey } = this.#network.description.accounts.find((entry) => entry.name === name);
      return { address, key: hexToBytes(privateKey), nonce: 0n };
    });
    this.#accounts = Array.from({ length: count }, () => {
      const key = newPrivateKey(this.#suite);
      return { key, address: addressOfPrivateKey(key, this.#suite), nonce: 0n };
    });
    const setup = (account, to, data) => this.#sign(account, to, data, SETUP_GAS);
    const issue = encodeFunctionData({
      abi: currencyAbi,
      functionName: 'issue',
      args: [bank.address, MONEY * BigInt(count)],
    });
    await this.#settle([setup(authority, this.#currency, issue)]);
    await this.#settle(
      this.#accounts.flatMap(({ address }) => [
        setup(
          bank,
          membersAddress,
          encodeFunctionData({ abi: membersAbi, functionName: 'registerAccount', args: [address, false] }),
        ),
        setup(bank, this.#currency, this.#transfer(address, MONEY)),
      ]),
    );
  }

  /** Signs payments, each account in its turn. */
  async sign(count) {
    const payments = [];
    while (payments.length < count) {
      const place = this.#turn++ % this.#accounts.length;
      const account = this.#accounts[place];
      const to = this.#accounts[(place * 7 + 1 + this.#turn) % this.#accounts.length];
      payments.push({ place, ...this.#sign(account, this.#currency, this.#transfer(to.address, 1n), PAYMENT_GAS) });
      // Connections that members close meanwhile have to be noticed.
      if (payments.length % 100 === 0) await pause(0);
    }
    return payments;
  }

  /**
   * Sends signed payments at a constant rate whatever the network does, each account through one of `members`. `events`: what to do
   * how many seconds after the start. Resolves to the blocks seen at `observer`, and to the latency of each payment, counted from
   * the moment at which it was due.
   */
  async steady(payments, { rate, members, observer, events = [] }) {
    const dueMs = new Map();
    const seen = [];
    const watch = await BlockWatch.open(this.#network.wsUrl(observer), (block) => {
      for (const hash of block.hashes) {
        const due = dueMs.get(hash);
        if (due === undefined) continue;
        dueMs.delete(hash);
        seen.push({ dueMs: due, latencyMs: block.atMs - due, height: block.height, leader: block.leader });
      }
    });
    const startMs = performance.now();
    const happening = events.map(async ({ afterSeconds, action }) => {
      await pause(afterSeconds * 1_000);
      await action();
    });
    const queues = this.#byMember(payments, members.length);
    const sending = [];
    for (let sent = 0, tick = 0; sent < payments.length; tick++) {
      const due = Math.min(payments.length, Math.floor(((performance.now() - startMs) * rate) / 1_000));
      const queue = queues[tick % queues.length];
      const next = queue.splice(0, due - sent);
      for (const [offset, { hash }] of next.entries()) dueMs.set(hash, startMs + ((sent + offset) * 1_000) / rate);
      sent += next.length;
      sending.push(...this.#send(next, members));
      await pause(TICK_MS);
    }
    await Promise.all([...sending, ...happening]);
    for (let waitedMs = 0; dueMs.size > 0 && waitedMs < LOST_MS; waitedMs += 20) await pause(20);
    watch.close();
    return { startMs, payments: seen, blocks: watch.blocks, lost: dueMs.size };
  }

  /** Sends signed payments one at a time to an idle network. Resolves to the latency of each, in milliseconds. */
  async alone(payments, { members, observer }) {
    const waiting = new Map();
    const watch = await BlockWatch.open(this.#network.wsUrl(observer), (block) => {
      for (const hash of block.hashes) waiting.get(hash)?.(block.atMs);
    });
    const times = [];
    for (const [turn, payment] of payments.entries()) {
      await pause(IDLE_MS + (turn % 7) * 37);
      const final = new Promise((resolve) => waiting.set(payment.hash, resolve));
      const startMs = performance.now();
      await Promise.all(this.#send([payment], members));
      times.push((await final) - startMs);
    }
    watch.close();
    return times;
  }

  /**
   * Keeps `inFlight` of the signed payments waiting at all times. Resolves to the payments a second in the blocks after the first
   * `warmSeconds`, and to those blocks.
   */
  async saturate(payments, { seconds, warmSeconds, inFlight, members, observer }) {
    let waiting = 0;
    let sent = 0;
    let running = true;
    const ours = new Set();
    const failures = [];
    const more = () => {
      const next = payments.slice(sent, sent + inFlight - waiting);
      if (!running || next.length < MAX_BATCH) return;
      sent += next.length;
      waiting += next.length;
      for (const { hash } of next) ours.add(hash);
      for (const request of this.#send(next, members)) request.catch((error) => failures.push(error));
    };
    const watch = await BlockWatch.open(this.#network.wsUrl(observer), (block) => {
      for (const hash of block.hashes) if (ours.delete(hash)) waiting -= 1;
      more();
    });
    const startMs = performance.now();
    more();
    await pause((warmSeconds + seconds) * 1_000);
    const measured = () => watch.blocks.filter(({ atMs }) => atMs >= startMs + warmSeconds * 1_000);
    // A busy machine makes few blocks; between the first and the last of them the rate is counted.
    for (let waitedMs = 0; measured().length < FEWEST_BLOCKS && waitedMs < LOST_MS; waitedMs += 20) await pause(20);
    const blocks = measured();
    running = false;
    if (sent + MAX_BATCH > payments.length) console.log('   the generator ran out of signed payments');
    // What was signed and not sent must not leave a gap in the accounts' nonces.
    this.#forget(payments.slice(sent));
    for (let waitedMs = 0; waiting > 0 && waitedMs < LOST_MS; waitedMs += 20) await pause(20);
    watch.close();
    if (failures.length > 0) throw failures[0];
    if (waiting > 0) throw new Error(`${waiting} payments were not final after ${LOST_MS / 1_000} s.`);
    if (blocks.length < 2)
      throw new Error(`There were ${blocks.length} blocks: the machine is too busy to measure on.`);
    const count = blocks.slice(1).reduce((sum, { hashes }) => sum + hashes.length, 0);
    const rate = (count * 1_000) / (blocks.at(-1).atMs - blocks[0].atMs);
    return { rate, blocks: blocks.length, perBlock: count / (blocks.length - 1) };
  }

  /** Unsent payments are the last of their accounts. */
  #forget(payments) {
    for (const { place } of payments) this.#accounts[place].nonce -= 1n;
    this.#turn -= payments.length;
  }

  /** One account's payments always go through one member, which therefore sees them in order. */
  #byMember(payments, count) {
    const groups = Array.from({ length: count }, () => []);
    for (const payment of payments) groups[payment.place % count].push(payment);
    return groups;
  }

  #send(payments, members) {
    return this.#byMember(payments, members.length).flatMap((group, index) => {
      const url = this.#network.url(members[index]);
      const parts = [];
      for (let at = 0; at < group.length; at += MAX_BATCH) parts.push(group.slice(at, at + MAX_BATCH));
      return parts.map((part) => submit(url, part));
    });
  }

  async #settle(signed) {
    const url = this.#network.url(0);
    for (let at = 0; at < signed.length; at += MAX_BATCH) {
      const part = signed.slice(at, at + MAX_BATCH);
      await submit(url, part);
      await untilFinal(url, part.at(-1).hash);
    }
  }

  #transfer(address, amount) {
    return encodeFunctionData({ abi: currencyAbi, functionName: 'transfer', args: [address, amount] });
  }

  #sign(account, to, data, gasLimit) {
    const fees = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n };
    const nonce = account.nonce++;
    const body = { type: 2, chainId: this.#chainId, nonce, gasLimit, ...fees, to, value: 0n, accessList: [] };
    const { hash, raw } = signTransaction({ ...body, data: hexToBytes(data) }, account.key, this.#suite);
    return { hash, raw: bytesToHex(raw) };
  }
}

async function submit(url, payments) {
  const calls = payments.map(({ raw }) => ['eth_sendRawTransaction', [raw]]);
  let repeated = false;
  const answers = await batch(url, calls).catch(() => {
    // A member may close a kept connection at the very moment at which it is used again.
    repeated = true;
    return batch(url, calls);
  });
  const known = /already known|nonce too low/;
  const refused = answers.find(({ error }) => error !== undefined && !(repeated && known.test(error.message)));
  if (refused !== undefined) throw new Error(`${url} refused a payment: ${refused.error.message}`);
}

async function untilFinal(url, hash) {
  for (let waitedMs = 0; waitedMs < LOST_MS; waitedMs += 20) {
    const receipt = await call(url, 'eth_getTransactionReceipt', [hash]);
    if (receipt?.status === '0x1') return;
    if (receipt) throw new Error(`${hash} of the preparation failed.`);
    await pause(20);
  }
  throw new Error(`${hash} of the preparation was not final within ${LOST_MS / 1_000} s.`);
}
