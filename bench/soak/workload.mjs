// Accounts on a running local network and the mix of transactions that they send.
import { randomBytes } from 'node:crypto';
import { anchorAbi, anchorAddress, currencyAbi, membersAbi, membersAddress } from '@hanse/modules/abi';
import { addressOfPrivateKey, loadSuite, newPrivateKey } from '@hanse/node';
import { bytesToHex, hexToBytes, signTransaction } from '@hanse/protocol';
import { encodeFunctionData } from 'viem';
import { batch, call } from './jsonRPC.mjs';
import { compileLoadToken } from './loadToken.mjs';

const MONEY = 1_000_000n;
const TOKENS = 10n ** 21n;
const ENOUGH = 2n ** 200n;
const GAS = 400_000n;
const DEPLOY_GAS = 3_000_000n;
/** Of a thousand transactions; the rest are payments. */
const MIX = [
  ['approve', 70],
  ['transferFrom', 90],
  ['anchor', 130],
  ['anchorMany', 40],
  ['tokenTransfer', 170],
  ['moduleRevert', 40],
  ['contractRevert', 40],
  ['deploy', 4],
];
/** Members refuse more than 1,000 calls at once. */
const MAX_BATCH = 500;
const EXPECTED_TO_FAIL = new Set(['moduleRevert', 'contractRevert']);

export class Workload {
  #network;
  #watch;
  #suite;
  #token;
  #currency;
  #accounts = [];
  #idle = [];
  #developer;
  #turn = 0;
  #deploying = false;
  /** What went wrong, for the report; bounded. */
  problems = [];
  #kinds = new Map();

  constructor(network, watch) {
    this.#network = network;
    this.#watch = watch;
    this.#currency = network.currencies.find(({ symbol }) => symbol === 'DCNY').address;
  }

  get kinds() {
    return Object.fromEntries(this.#kinds);
  }

  /** Registers `count` accounts through their members, gives them money and tokens, and has each approve the next. */
  async prepare(count) {
    this.#suite = await loadSuite(this.#network.suite);
    const owners = await Promise.all(this.#network.members.map(({ name }) => this.#named(name)));
    this.#accounts = Array.from({ length: count }, () => this.#newAccount());
    await this.#sendAll(
      this.#accounts.map(({ address }, index) => [
        owners[index % owners.length],
        membersAddress,
        encodeFunctionData({ abi: membersAbi, functionName: 'registerAccount', args: [address, false] }),
      ]),
    );
    const [authority, bank] = [owners[0], await this.#named('bank')];
    await this.#sendAll([[authority, this.#currency, this.#money('issue', bank.address, MONEY * BigInt(count))]]);
    await this.#sendAll(
      this.#accounts.map(({ address }) => [bank, this.#currency, this.#money('transfer', address, MONEY)]),
    );
    this.#developer = await this.#named('developer');
    this.#token = compileLoadToken();
    const deployed = await this.#send(this.#developer, undefined, this.#token.bytecode, DEPLOY_GAS);
    this.#token.address = deployed.contractAddress;
    await this.#sendAll(
      this.#accounts.map(({ address }) => [
        this.#developer,
        this.#token.address,
        this.#tokens('transfer', address, TOKENS),
      ]),
    );
    await this.#sendAll(
      this.#accounts.map((account, index) => [
        account,
        this.#currency,
        this.#money('approve', this.#after(index).address, ENOUGH),
      ]),
    );
    this.#idle = [...this.#accounts.keys()];
  }

  /** Sends up to `count` transactions of the mix to the member whose turn it is, one per idle account. */
  async step(count, paymentsOnly = false) {
    const member = this.#network.members[this.#turn++ % this.#network.members.length];
    const sent = [];
    while (sent.length < Math.min(count, MAX_BATCH) && this.#idle.length > 0) {
      const index = this.#idle.shift();
      const kind = paymentsOnly ? 'payment' : pick();
      // One account deploys: its transactions go one at a time, like everybody's.
      sent.push(this.#make(index, kind === 'deploy' && this.#deploying ? 'payment' : kind));
    }
    const answers = await batch(
      member.rpcUrl,
      sent.map(({ signed }) => ['eth_sendRawTransaction', [bytesToHex(signed.raw)]]),
    );
    for (const [position, { error }] of answers.entries()) {
      const { signed, account, kind, release } = sent[position];
      if (error === undefined) {
        account.nonce += 1n;
        this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
        continue;
      }
      this.#watch.forget(signed.hash);
      this.#problem(`${member.name} refused ${kind}: ${error.message}`);
      release();
    }
    return sent.length;
  }

  /** Supplies equal the sums of balances, for the currency over all its holders and the token over everybody it was sent to. */
  async conserved() {
    const { rpcUrl } = this.#network.members[0];
    const read = async (to, abi, functionName, args) =>
      BigInt(await call(rpcUrl, 'eth_call', [{ to, data: encodeFunctionData({ abi, functionName, args }) }, 'latest']));
    const money = (name, args = []) => read(this.#currency, currencyAbi, name, args);
    const token = (name, args = []) => read(this.#token.address, this.#token.abi, name, args);
    let [heldMoney, heldTokens] = [0n, await token('balanceOf', [this.#developer.address])];
    const holders = Number(await money('holderCount'));
    for (let index = 0; index < holders; index++) {
      const holder = `0x${(await money('holderAt', [BigInt(index)])).toString(16).padStart(40, '0')}`;
      heldMoney += await money('balanceOf', [holder]);
    }
    for (const { address } of this.#accounts) heldTokens += await token('balanceOf', [address]);
    const supply = await money('totalSupply');
    const issued = (await money('issued')) - (await money('redeemed'));
    return supply === heldMoney && supply === issued && heldTokens === (await token('totalSupply'));
  }

  #make(index, kind) {
    const account = kind === 'deploy' ? this.#developer : this.#accounts[index];
    const [to, data, gas = GAS] = this.#content(index, kind);
    const signed = this.#sign(account, account.nonce, to, data, gas);
    if (kind === 'deploy') this.#deploying = true;
    const release = () => {
      this.#idle.push(index);
      if (kind === 'deploy') this.#deploying = false;
    };
    void this.#watch.receipt(signed.hash).then(({ status }) => {
      if ((status === '0x1') === EXPECTED_TO_FAIL.has(kind)) this.#problem(`${kind} ended with status ${status}`);
      release();
    });
    return { signed, account, kind, release };
  }

  #content(index, kind) {
    const other = this.#accounts[Math.floor(Math.random() * this.#accounts.length)].address;
    const before = this.#accounts[(index + this.#accounts.length - 1) % this.#accounts.length].address;
    const little = BigInt(1 + Math.floor(Math.random() * 20));
    switch (kind) {
      case 'approve':
        return [this.#currency, this.#money('approve', this.#after(index).address, ENOUGH + little)];
      case 'transferFrom':
        return [
          this.#currency,
          encodeFunctionData({ abi: currencyAbi, functionName: 'transferFrom', args: [before, other, little] }),
        ];
      case 'anchor':
        return [anchorAddress, encodeFunctionData({ abi: anchorAbi, functionName: 'anchor', args: [commitment()] })];
      case 'anchorMany': {
        const args = [Array.from({ length: 10 }, commitment)];
        return [anchorAddress, encodeFunctionData({ abi: anchorAbi, functionName: 'anchorMany', args }), 2_000_000n];
      }
      case 'tokenTransfer':
        return [this.#token.address, this.#tokens('transfer', other, little)];
      case 'moduleRevert':
        return [this.#currency, this.#money('transfer', other, ENOUGH)];
      case 'contractRevert':
        return [this.#token.address, this.#tokens('transfer', other, ENOUGH)];
      case 'deploy':
        return [undefined, this.#token.bytecode, DEPLOY_GAS];
      default:
        // The sum of gas limits bounds a block: what a payment does not need would keep others out.
        return [this.#currency, this.#money('transfer', other, little), 100_000n];
    }
  }

  #after(index) {
    return this.#accounts[(index + 1) % this.#accounts.length];
  }

  #money(functionName, account, amount) {
    return encodeFunctionData({ abi: currencyAbi, functionName, args: [account, amount] });
  }

  #tokens(functionName, account, amount) {
    return encodeFunctionData({ abi: this.#token.abi, functionName, args: [account, amount] });
  }

  #newAccount() {
    const key = newPrivateKey(this.#suite);
    return { key, address: addressOfPrivateKey(key, this.#suite), nonce: 0n };
  }

  /** A development account of the network; the same object every time, because it counts the nonce. */
  #known = new Map();
  async #named(name) {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const { address, privateKey } = this.#network.accounts.find((candidate) => candidate.name === name);
    const nonce = BigInt(await call(this.#network.members[0].rpcUrl, 'eth_getTransactionCount', [address, 'latest']));
    const account = { key: hexToBytes(privateKey), address, nonce };
    this.#known.set(name, account);
    return account;
  }

  #sign(account, nonce, to, data, gasLimit) {
    const chainId = BigInt(this.#network.chainId);
    const fees = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n };
    return signTransaction(
      { type: 2, chainId, nonce, gasLimit, ...fees, to, value: 0n, data: hexToBytes(data), accessList: [] },
      account.key,
      this.#suite,
    );
  }

  async #send(account, to, data, gas = GAS) {
    const signed = this.#sign(account, account.nonce, to, data, gas);
    account.nonce += 1n;
    const final = this.#watch.receipt(signed.hash);
    await call(this.#network.members[0].rpcUrl, 'eth_sendRawTransaction', [bytesToHex(signed.raw)]);
    const receipt = await final;
    if (receipt.status !== '0x1')
      throw new Error(`A transaction of the preparation failed: ${JSON.stringify(receipt)}`);
    return receipt;
  }

  /** Many at once, a bounded number in flight. */
  async #sendAll(sendings) {
    const open = sendings.values();
    const worker = async () => {
      for (const [account, to, data] of open) await this.#send(account, to, data);
    };
    await Promise.all(Array.from({ length: 100 }, worker));
  }

  #problem(text) {
    if (this.problems.length < 20) this.problems.push(text);
  }
}

const commitment = () => `0x${randomBytes(32).toString('hex')}`;

function pick() {
  let at = Math.floor(Math.random() * 1_000);
  for (const [kind, share] of MIX) {
    at -= share;
    if (at < 0) return kind;
  }
  return 'payment';
}
