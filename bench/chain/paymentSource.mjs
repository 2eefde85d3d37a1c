// Accounts of a generated chain and the payments that they make to one another, round a circle, so that nobody runs out of money.
// The accounts follow from the genesis, so that a later run goes on with the same ones.
import { currencyAbi, membersAbi, membersAddress } from '@hanse/modules/abi';
import { addressOfPrivateKey } from '@hanse/node';
import { bytesToBigint, encodeTransaction, hexToBytes, signingHash, utf8ToBytes } from '@hanse/protocol';
import { encodeFunctionData } from 'viem';

const MONEY = 1_000_000n;
const PREPARATION_GAS = 400_000n;
const PAYMENT_GAS = 100_000n;

export class PaymentSource {
  #suite;
  #chainId;
  #currency;
  #accounts = [];
  #owners;
  #turn = 0;

  /** `nonceOf(address)` and `balanceOf(address)` read the state that the chain goes on from. */
  constructor({ suite, genesis, genesisHash, accounts, currency, nonceOf }, count) {
    this.#suite = suite;
    this.#chainId = BigInt(genesis.chainId);
    this.#currency = currency;
    const account = (key) => {
      const address = addressOfPrivateKey(key, suite);
      return { key, address, nonce: nonceOf(address) };
    };
    this.#owners = new Map(accounts.map(({ name, privateKey }) => [name, account(hexToBytes(privateKey))]));
    for (let index = 0; index < count; index++) {
      const seed = utf8ToBytes(`generated chain ${genesisHash} ${index}`);
      this.#accounts.push(account(suite.privateKeyFrom(new Uint8Array([...suite.hash(seed), ...new Uint8Array(16)]))));
    }
    const one = encodeFunctionData({
      abi: currencyAbi,
      functionName: 'transfer',
      args: [this.#accounts[0].address, 1n],
    });
    this.#accounts.forEach((from, index) => {
      const to = this.#accounts[(index + 1) % count].address;
      from.payment = hexToBytes(one.replace(this.#accounts[0].address.slice(2), to.slice(2)));
    });
  }

  /** What gives the accounts that `isReady` says no of a place on the chain and money, in the order in which it must run. */
  preparation(isReady) {
    const [authority, bank] = [
      this.#owners.get('authority'),
      this.#owners.get('bank') ?? this.#owners.get('authority'),
    ];
    const raw = this.#accounts.filter(({ address }) => !isReady(address));
    if (raw.length === 0) return [];
    const money = (functionName, ...args) => encodeFunctionData({ abi: currencyAbi, functionName, args });
    const register = (address) =>
      encodeFunctionData({ abi: membersAbi, functionName: 'registerAccount', args: [address, false] });
    return [
      ...raw.map(({ address }) => this.#sign(bank, membersAddress, hexToBytes(register(address)), PREPARATION_GAS)),
      this.#sign(
        authority,
        this.#currency,
        hexToBytes(money('issue', bank.address, MONEY * BigInt(raw.length))),
        PREPARATION_GAS,
      ),
      ...raw.map(({ address }) =>
        this.#sign(bank, this.#currency, hexToBytes(money('transfer', address, MONEY)), PREPARATION_GAS),
      ),
    ];
  }

  /** The next payments, each of another account. */
  next(count) {
    return Array.from({ length: count }, () => {
      const account = this.#accounts[this.#turn++ % this.#accounts.length];
      return this.#sign(account, this.#currency, account.payment, PAYMENT_GAS);
    });
  }

  #sign(account, to, data, gasLimit) {
    const fees = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n };
    const nonce = account.nonce++;
    const content = { type: 2, chainId: this.#chainId, nonce, gasLimit, ...fees, to, value: 0n, data, accessList: [] };
    // `signTransaction` would compute the sender anew and decode what it made, which together cost as much as the signature.
    const { signature, recovery } = this.#suite.primitives.secp256k1Sign(
      signingHash(content, this.#suite),
      account.key,
    );
    const raw = encodeTransaction(content, {
      r: bytesToBigint(signature.subarray(0, 32)),
      s: bytesToBigint(signature.subarray(32)),
      yParity: recovery,
    });
    return { hash: this.#suite.hashHex(raw), raw, sender: account.address };
  }
}
