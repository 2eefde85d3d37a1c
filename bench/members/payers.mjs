// Development accounts that pay each other a unit at a time through members of a network, and how long each payment took to be final.
import { currencyAddress } from '@hanse/modules/abi';
import { encodeFunctionData, keccak256, parseAbi } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { call } from '../soak/jsonRPC.mjs';
import { pause } from './memberProcesses.mjs';

const abi = parseAbi([
  'function transfer(address to, uint256 value) returns (bool)',
  'function issue(address bank, uint256 value)',
]);
const MONEY = 100_000_000n;
const POLL_MS = 15;
/** A payment that is not final by then is sent again. */
const PATIENCE_MS = 10_000;

export class Payers {
  /** `{atMs, ms}` of every payment: when it was sent, by the clock of `performance`, and how long it took. */
  payments = [];
  failures = [];
  #members;
  #entries;
  #rate;
  #running = true;
  #loops = [];
  #payers = [];

  /** Payments enter through the members in `entries`, `rate` of them a second. */
  constructor(members, entries, rate) {
    this.#members = members;
    this.#entries = entries;
    this.#rate = rate;
  }

  async start() {
    const { accounts } = this.#members;
    const [url] = this.#urls();
    const payer = async (name) => {
      const { privateKey, address } = accounts.find((account) => account.name === name);
      const nonce = Number(await call(url, 'eth_getTransactionCount', [address, 'latest']));
      return { account: privateKeyToAccount(privateKey), nonce, last: undefined };
    };
    const authority = await payer('authority');
    const bank = await payer('bank');
    this.#payers = [bank, ...(await Promise.all(['farm', 'market', 'alice', 'bob', 'developer'].map(payer)))];
    await this.#pay(authority, url, 'issue', [bank.account.address, MONEY]);
    for (const { account } of this.#payers.slice(1))
      await this.#pay(bank, url, 'transfer', [account.address, MONEY / 100n]);
    this.payments = [];
    this.#loops = this.#payers.map((payer, index) => this.#loop(payer, index));
  }

  async stop() {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  /** Figures of the payments that were sent within a span: how many, median, 90 and 99 percent, and the longest, in milliseconds. */
  figures(fromMs, toMs) {
    const sorted = this.payments
      .filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
      .map(({ ms }) => ms)
      .sort((a, b) => a - b);
    const at = (share) =>
      Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN);
    return { count: sorted.length, median: at(0.5), p90: at(0.9), p99: at(0.99), longest: at(1) };
  }

  #urls() {
    return this.#entries.map((index) => this.#members.urls[index]);
  }

  async #loop(payer, index) {
    const everyMs = (this.#payers.length / this.#rate) * 1_000;
    const to = this.#payers[(index + 1) % this.#payers.length].account.address;
    let turn = index;
    for (
      let dueMs = performance.now() + Math.random() * everyMs;
      this.#running;
      dueMs = Math.max(dueMs + everyMs, performance.now())
    ) {
      await pause(Math.max(0, dueMs - performance.now()));
      const urls = this.#urls();
      await this.#pay(payer, urls[turn++ % urls.length], 'transfer', [to, 1n]);
    }
  }

  /** Sends until it is final; the time counts from the first try. */
  async #pay(payer, firstUrl, functionName, args) {
    const raw = await payer.account.signTransaction({
      to: currencyAddress(1n),
      data: encodeFunctionData({ abi, functionName, args }),
      nonce: payer.nonce++,
      gas: 300_000n,
      maxFeePerGas: 0n,
      maxPriorityFeePerGas: 0n,
      type: 'eip1559',
      chainId: this.#members.chainId,
    });
    const atMs = performance.now();
    let url = firstUrl;
    for (let attempt = 0; ; attempt++) {
      const receipt = await this.#final(url, raw).catch(() => undefined);
      if (receipt !== undefined) {
        this.payments.push({ atMs, ms: performance.now() - atMs });
        if (receipt.status !== '0x1')
          this.failures.push(`${functionName} failed in block ${Number(receipt.blockNumber)}`);
        return;
      }
      if (!this.#running && attempt > 3) return;
      const urls = this.#urls();
      url = urls[(urls.indexOf(url) + 1) % urls.length];
      await pause(POLL_MS);
    }
  }

  async #final(url, raw) {
    const hash = await call(url, 'eth_sendRawTransaction', [raw]).catch((error) => {
      if (/already known|nonce too low/.test(error.message)) return undefined;
      throw error;
    });
    const known = hash ?? keccak256(raw);
    for (const untilMs = performance.now() + PATIENCE_MS; performance.now() < untilMs; await pause(POLL_MS)) {
      const receipt = await call(url, 'eth_getTransactionReceipt', [known]);
      if (receipt) return receipt;
    }
    return undefined;
  }
}
