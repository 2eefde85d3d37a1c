import { currencyAbi, currencyAddress } from '@hanse/modules';
import {
  type Address,
  CompiledAbi,
  type Hash,
  type Height,
  type SignedTransaction,
  signTransaction,
} from '@hanse/protocol';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';
import type { Cluster, Observer } from './cluster.ts';
import type { Machine } from './machine.ts';
import type { ToldBlock } from './memberProcess.ts';
import { CHAIN_ID, simulatedAccount } from './networkSetup.ts';
import { SimulationRandom } from './simulationRandom.ts';

const CLIENTS = 6;
const FIRST_CLIENT = 200;
/** Transactions of one account that wait at once. */
const MAX_WAITING = 6;
/** How long a client waits for a receipt before it goes to another member, in milliseconds. */
const PATIENCE_MS = 1_500;
const GAS_LIMIT = 4_000_000n;

interface Account {
  readonly number: number;
  readonly privateKey: Uint8Array;
  readonly address: Address;
  /** The next nonce to use, and the first that is not final. */
  nonce: number;
  finalNonce: number;
  /** By nonce; two where the client spent twice. */
  readonly waiting: Map<number, { readonly transactions: readonly SignedTransaction[]; sentAtMs: number }>;
}

/**
 * Clients that use a currency: the authority issues, the bank pays out, accounts pay one another. They send to members at random, also to
 * such that fail or lie, repeat what they see no receipt of, now and then spend twice, and at times do nothing.
 */
export class Workload implements Observer {
  readonly #cluster: Cluster;
  readonly #random: SimulationRandom;
  readonly #abi: CompiledAbi<typeof currencyAbi>;
  readonly #currency = currencyAddress(1n);
  readonly #accounts: readonly Account[];
  /** The own accounts of members, by the member's id; those of the first two are clients as well. */
  readonly #members = new Map<number, Account>();
  readonly #byAddress: ReadonlyMap<Address, Account>;
  #busy = true;
  #ended = false;
  #readUpTo = 0;
  /** Transactions that became final. */
  final = 0;

  constructor(cluster: Cluster, seed: number) {
    this.#cluster = cluster;
    this.#random = new SimulationRandom(seed, 'workload');
    const { suite } = cluster.setup;
    this.#abi = new CompiledAbi(currencyAbi, suite);
    const numbers = [1, 2, ...Array.from({ length: CLIENTS }, (_, index) => FIRST_CLIENT + index)];
    const open = (number: number): Account => ({
      number,
      ...simulatedAccount(number, suite),
      nonce: 0,
      finalNonce: 0,
      waiting: new Map(),
    });
    this.#accounts = numbers.map(open);
    for (const place of cluster.setup.names.keys())
      this.#members.set(place + 1, this.#accounts.find(({ number }) => number === place + 1) ?? open(place + 1));
    this.#byAddress = new Map(this.#all().map((account) => [account.address, account]));
  }

  start(): void {
    // Money first, so that most of what follows moves some.
    this.#send(this.#accounts[0]!);
    this.#act();
    this.#alternate();
    this.#repeat();
  }

  /** No new transactions, but those that wait are repeated until they are final. */
  end(): void {
    this.#ended = true;
  }

  /** A transaction of an account that does nothing else, to every member: what liveness is measured by. */
  probe(): Hash {
    const account = this.#accounts.at(-1)!;
    const transaction = this.#sign(account, account.nonce, account.address, new Uint8Array(0));
    this.#note(account, [transaction]);
    for (const machine of this.#cluster.machines) this.#submit(machine, transaction);
    return transaction.hash;
  }

  /** A call by a member's own account, through some member. */
  act(member: number, to: Address, data: Uint8Array): void {
    const account = this.#members.get(member);
    if (account === undefined || account.waiting.size >= MAX_WAITING) return;
    const transaction = this.#sign(account, account.nonce, to, data);
    this.#note(account, [transaction]);
    this.#submit(this.#random.pick(this.#cluster.machines), transaction);
  }

  get allFinal(): boolean {
    return this.#all().every(({ waiting }) => waiting.size === 0);
  }

  finalized(machine: Machine, blocks: readonly ToldBlock[], reader: LedgerReader): void {
    if (!machine.honest) return;
    for (const { height } of blocks) {
      if (height <= this.#readUpTo) continue;
      this.#readUpTo = height;
      for (const { sender, nonce } of reader.transactions(height as Height) ?? []) {
        const account = this.#byAddress.get(sender);
        if (account === undefined) continue;
        account.waiting.delete(Number(nonce));
        account.finalNonce = Number(nonce) + 1;
        this.final++;
      }
    }
  }

  #all(): readonly Account[] {
    return [...new Set([...this.#accounts, ...this.#members.values()])];
  }

  /** Busy for some seconds, then idle for some, so that both ways of entering a view are seen. */
  #alternate(): void {
    const idle = this.#busy && this.#random.chance(30);
    this.#busy = !idle;
    const forMs = idle ? this.#random.milliseconds(500, 12_000) : this.#random.milliseconds(500, 8_000);
    this.#cluster.clock.schedule(forMs, () => this.#alternate());
  }

  #act(): void {
    if (this.#ended) return;
    // The last account is the probe's.
    if (this.#busy) this.#send(this.#random.pick(this.#accounts.slice(0, -1)));
    this.#cluster.clock.schedule(this.#random.milliseconds(5, 150), () => this.#act());
  }

  #send(account: Account): void {
    if (account.waiting.size >= MAX_WAITING) return;
    const transactions = [this.#next(account)];
    if (this.#random.chance(4)) transactions.push(this.#next(account));
    this.#note(account, transactions);
    for (const transaction of transactions) this.#submit(this.#random.pick(this.#cluster.machines), transaction);
  }

  #next(account: Account): SignedTransaction {
    const { address } = this.#random.pick(this.#accounts);
    const amount = BigInt(this.#random.between(1, 1_000));
    const [authority, bank] = this.#accounts as [Account, Account];
    let call: Uint8Array;
    if (account === authority) {
      const act = account.nonce === 0 || this.#random.chance(80) ? 'issue' : 'redeem';
      call = this.#abi.function(act).encodeCall([bank.address, act === 'issue' ? amount * 100n : amount]);
    } else if (this.#random.chance(10)) {
      // A payment of nothing to nobody in particular, without a module.
      return this.#sign(account, account.nonce, address, new Uint8Array(this.#random.between(0, 40)));
    } else {
      // It fails where there is too little, which is a result like any other.
      call = this.#abi.function('transfer').encodeCall([address, amount]);
    }
    return this.#sign(account, account.nonce, this.#currency, call);
  }

  #sign(account: Account, nonce: number, to: Address, data: Uint8Array): SignedTransaction {
    return signTransaction(
      {
        type: 2,
        chainId: BigInt(CHAIN_ID),
        nonce: BigInt(nonce),
        gasLimit: GAS_LIMIT,
        maxFeePerGas: 0n,
        maxPriorityFeePerGas: 0n,
        to,
        value: 0n,
        data,
        accessList: [],
      },
      account.privateKey,
      this.#cluster.setup.suite,
    );
  }

  #note(account: Account, transactions: readonly SignedTransaction[]): void {
    account.waiting.set(account.nonce, { transactions, sentAtMs: this.#cluster.clock.monotonicMs() });
    account.nonce++;
  }

  #submit(machine: Machine, { raw }: SignedTransaction): void {
    const { process } = machine;
    if (process?.member === undefined || process.state !== 'running') return;
    const { member, life } = process;
    life.run('frame', () => {
      member.submit(raw).then(
        () => undefined,
        (error: unknown) => {
          if (life.alive) this.#cluster.tell((observer) => observer.threw?.(machine, error));
        },
      );
    });
  }

  /** Whoever waits for long asks another member, in the order of the nonces; in the end everybody. */
  #repeat(): void {
    const nowMs = this.#cluster.clock.monotonicMs();
    for (const account of this.#all()) {
      for (const nonce of [...account.waiting.keys()].sort((a, b) => a - b)) {
        const waiting = account.waiting.get(nonce)!;
        if (nowMs - waiting.sentAtMs < PATIENCE_MS) continue;
        waiting.sentAtMs = nowMs;
        const machines = this.#ended ? this.#cluster.machines : [this.#random.pick(this.#cluster.machines)];
        for (const machine of machines) this.#submit(machine, this.#random.pick(waiting.transactions));
      }
    }
    this.#cluster.clock.schedule(this.#random.milliseconds(300, 700), () => this.#repeat());
  }
}
