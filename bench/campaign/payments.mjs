// The load: every payer pays one unit at a time, through any member, and repeats the same transaction until it sees it final.
// So each account's payments must run once and in order, and its balance is known exactly.
import { encodeFunctionData, keccak256, parseAbi } from 'viem';
import { call } from '../soak/jsonRPC.mjs';
import { sleep } from './waiting.mjs';

const abi = parseAbi([
  'function transfer(address to, uint256 value) returns (bool)',
  'function issue(address bank, uint256 value)',
]);
/** A member that did not answer in time is not asked for so long: a paused one must not hold up every payer. */
const AVOID_MS = 3_000;

export class Payments {
  /** When the newest payment became final, and how long it took at most, in milliseconds of `performance.now()`. */
  lastFinalMs = performance.now();
  /** The longest time between two final payments. */
  longestGapMs = 0;
  final = 0;
  #urls;
  #accounts;
  #currency;
  #chainId;
  #witness;
  #findings;
  #requestMs;
  #nonces = new Map();
  #balances = new Map();
  #avoidedUntilMs = new Map();
  #supply = 0n;
  #stopped = false;
  #running = [];

  /** `accounts`: name -> viem account. */
  constructor({ urls, accounts, currency, chainId, witness, findings, requestMs = 5_000 }) {
    this.#urls = urls;
    this.#accounts = accounts;
    this.#currency = currency;
    this.#chainId = chainId;
    this.#witness = witness;
    this.#findings = findings;
    this.#requestMs = requestMs;
  }

  /** The authority issues to a bank, and the bank gives every other payer something to pay with. */
  async fund({ authority, bank, payers }) {
    this.#supply = 1_000_000_000n;
    await this.#pay(authority, 'issue', bank, this.#supply);
    for (const name of payers) if (name !== bank) await this.#pay(bank, 'transfer', name, 1_000_000n);
  }

  /** Every payer pays the next one in the list until `stop`. */
  start(payers) {
    this.#running = payers.map(async (name, place) => {
      const to = payers[(place + 1) % payers.length];
      while (!this.#stopped) await this.#pay(name, 'transfer', to, 1n);
    });
  }

  /** Resolves to whether the payments on their way became final within the time. */
  async stop(limitMs) {
    this.#stopped = true;
    const ended = Promise.all(this.#running).then(() => true);
    return await Promise.race([ended, sleep(limitMs).then(() => false)]);
  }

  /** Nonces, balances and supply at one member, against what was paid. */
  async check({ name, url }) {
    let held = 0n;
    for (const [payer, { address }] of this.#accounts) {
      const sent = this.#nonces.get(payer) ?? 0;
      const count = Number(await call(url, 'eth_getTransactionCount', [address, 'latest']));
      if (count !== sent) this.#findings.add(`${payer} sent ${sent} transactions, ${name} counts ${count}`);
      const balance = BigInt(await this.#view(url, `0x70a08231${address.slice(2).padStart(64, '0')}`));
      const expected = this.#balances.get(payer) ?? 0n;
      held += balance;
      if (balance !== expected)
        this.#findings.add(
          `${payer} must hold ${expected}, but ${name} shows ${balance}: a payment ran twice or never`,
        );
    }
    const supply = BigInt(await this.#view(url, '0x18160ddd'));
    if (held !== this.#supply || supply !== this.#supply)
      this.#findings.add(`supply at ${name}: ${supply}, held ${held}, issued ${this.#supply}`);
  }

  async #pay(name, functionName, to, value) {
    const account = this.#accounts.get(name);
    const nonce = this.#nonces.get(name) ?? 0;
    this.#nonces.set(name, nonce + 1);
    const raw = await account.signTransaction({
      to: this.#currency,
      data: encodeFunctionData({ abi, functionName, args: [this.#accounts.get(to).address, value] }),
      nonce,
      gas: 300_000n,
      maxFeePerGas: 0n,
      maxPriorityFeePerGas: 0n,
      type: 'eip1559',
      chainId: this.#chainId,
    });
    const receipt = await this.#settle(name, nonce, raw);
    if (receipt.status !== '0x1') this.#findings.add(`${receipt.transactionHash} of ${name} failed`);
    if (functionName === 'transfer') this.#move(name, -value);
    this.#move(to, value);
    this.#noteFinal();
  }

  async #settle(name, nonce, raw) {
    // Known without an answer: a member that took the transaction may not have come to say so.
    const hash = keccak256(raw);
    for (;;) {
      const url = this.#choose();
      try {
        await call(url, 'eth_sendRawTransaction', [raw], this.#requestMs);
      } catch (error) {
        if (error.refused === undefined) this.#avoid(url);
        else if (!/already known|nonce too low/.test(error.refused))
          this.#findings.add(`${name}, nonce ${nonce}: ${error.refused}`);
      }
      const receipt = await this.#receipt(hash, 1_500);
      if (receipt) return receipt;
      await sleep(50);
    }
  }

  async #receipt(hash, patienceMs) {
    const untilMs = performance.now() + patienceMs;
    while (performance.now() < untilMs) {
      const url = this.#choose();
      try {
        const receipt = await call(url, 'eth_getTransactionReceipt', [hash], this.#requestMs);
        if (receipt) {
          this.#witness.noteReceipt(url, hash, receipt);
          return receipt;
        }
      } catch {
        this.#avoid(url);
      }
      await sleep(20);
    }
    return undefined;
  }

  #choose() {
    const nowMs = performance.now();
    const free = this.#urls.filter((url) => (this.#avoidedUntilMs.get(url) ?? 0) <= nowMs);
    const from = free.length > 0 ? free : this.#urls;
    return from[Math.floor(Math.random() * from.length)];
  }

  #avoid(url) {
    this.#avoidedUntilMs.set(url, performance.now() + AVOID_MS);
  }

  #move(name, value) {
    this.#balances.set(name, (this.#balances.get(name) ?? 0n) + value);
  }

  #noteFinal() {
    this.final += 1;
    const nowMs = performance.now();
    this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.lastFinalMs);
    this.lastFinalMs = nowMs;
  }

  async #view(url, data) {
    return await call(url, 'eth_call', [{ to: this.#currency, data }, 'latest']);
  }
}
