import type { Account, Address, Hash, SignedTransaction, StateReader } from '@hanse/protocol';
import { BinaryHeap } from '../runtime/binaryHeap.ts';
import type { Clock } from '../runtime/clock.ts';
import type { TransactionBody } from './ledger.ts';
import { type PoolEntry, SenderQueue } from './senderQueue.ts';
import type { Rejection } from './transactionRejection.ts';

export interface PoolOptions {
  /** Waiting transactions of one sender, queued ones included. */
  readonly maxPerSender: number;
  readonly maxTransactions: number;
  readonly maxBytes: number;
  /** How long a transaction behind a nonce gap may wait. */
  readonly queuedLifetimeMs: number;
}

export const defaultPoolOptions: PoolOptions = {
  maxPerSender: 4_096,
  maxTransactions: 32_768,
  maxBytes: 128 * 1024 * 1024,
  queuedLifetimeMs: 3 * 60 * 60 * 1000,
};

export interface PoolModules {
  readonly clock: Clock;
  /** The newest finalized state. */
  readonly state: () => StateReader;
  /** Every rule that needs no other transaction (fees, gas, permission, funds); undefined if it may wait here. */
  readonly check: (
    transaction: SignedTransaction,
    account: Account | undefined,
    state: StateReader,
  ) => Rejection | undefined;
}

/** geth's rule: a replacement must raise both fees, by at least a tenth. */
const REPLACEMENT_BUMP_PERCENT = 10n;

/**
 * The transactions that wait for a block: bounded in number, bytes and per sender, ordered by tip and arrival, each
 * sender's in nonce order. Holds verified transactions only; synchronous, on the consensus thread.
 */
export class TransactionPool {
  readonly #options: PoolOptions;
  readonly #modules: PoolModules;
  readonly #byHash = new Map<Hash, PoolEntry>();
  readonly #senders = new Map<Address, SenderQueue>();
  readonly #addedHandlers: ((transactions: readonly SignedTransaction[]) => void)[] = [];
  #bytes = 0;
  #arrivals = 0;

  constructor(options: PoolOptions, modules: PoolModules) {
    this.#options = options;
    this.#modules = modules;
  }

  get size(): number {
    return this.#byHash.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(hash: Hash): SignedTransaction | undefined {
    return this.#byHash.get(hash)?.transaction;
  }

  /** Everything that waits, in the order in which it came. */
  hashes(): Iterable<Hash> {
    return this.#byHash.keys();
  }

  /** The next free nonce of an account that has waiting transactions; undefined if it has none. */
  pendingNonce(address: Address): bigint | undefined {
    return this.#senders.get(address)?.pendingNonce();
  }

  /** Calls after transactions were taken, with those that were. */
  onAdded(handler: (transactions: readonly SignedTransaction[]) => void): void {
    this.#addedHandlers.push(handler);
  }

  /** Takes transactions whose senders were verified; one answer each, undefined where taken. */
  add(transactions: readonly SignedTransaction[]): readonly (Rejection | undefined)[] {
    const state = this.#modules.state();
    const added: SignedTransaction[] = [];
    const answers = transactions.map((transaction) => {
      const rejection = this.#addOne(transaction, state);
      if (rejection === undefined) added.push(transaction);
      return rejection;
    });
    if (added.length > 0) for (const handler of this.#addedHandlers) handler(added);
    return answers;
  }

  #addOne(transaction: SignedTransaction, state: StateReader): Rejection | undefined {
    if (this.#byHash.has(transaction.hash)) return { code: 'already-known', message: 'already known' };
    const account = state.account(transaction.sender);
    const accountNonce = account?.nonce ?? 0n;
    if (transaction.nonce < accountNonce) {
      return {
        code: 'nonce-too-low',
        message: `nonce too low: next nonce ${accountNonce}, tx nonce ${transaction.nonce}`,
      };
    }
    const refused = this.#modules.check(transaction, account, state);
    if (refused !== undefined) return refused;
    const queue = this.#senders.get(transaction.sender) ?? new SenderQueue(accountNonce);
    const replaced = queue.entries.get(transaction.nonce);
    if (replaced !== undefined && !outbids(transaction, replaced.transaction)) {
      return { code: 'replacement-underpriced', message: 'replacement transaction underpriced' };
    }
    const full = this.#makeRoom(queue, transaction, replaced);
    if (full !== undefined) return full;
    if (replaced !== undefined) this.#forget(replaced);
    this.#remember(queue, transaction);
    return undefined;
  }

  #remember(queue: SenderQueue, transaction: SignedTransaction): void {
    const entry = { transaction, arrival: this.#arrivals++, receivedAtMs: this.#modules.clock.monotonicMs() };
    queue.entries.set(transaction.nonce, entry);
    this.#senders.set(transaction.sender, queue);
    this.#byHash.set(transaction.hash, entry);
    this.#bytes += transaction.raw.length;
  }

  #forget(entry: PoolEntry): void {
    const { hash, sender, nonce, raw } = entry.transaction;
    if (!this.#byHash.delete(hash)) return;
    this.#bytes -= raw.length;
    const queue = this.#senders.get(sender);
    if (queue?.entries.get(nonce) === entry) queue.entries.delete(nonce);
    if (queue?.size === 0) this.#senders.delete(sender);
  }

  /** When the pool is full, a sender with few waiting transactions takes the last place of the sender with the most. */
  #makeRoom(
    queue: SenderQueue,
    transaction: SignedTransaction,
    replaced: PoolEntry | undefined,
  ): Rejection | undefined {
    const { maxPerSender, maxTransactions, maxBytes } = this.#options;
    const count = replaced === undefined ? 1 : 0;
    const bytes = transaction.raw.length - (replaced?.transaction.raw.length ?? 0);
    if (queue.size + count > maxPerSender) {
      return {
        code: 'account-limit',
        message: `account limit exceeded: ${maxPerSender} transactions of this sender wait already`,
      };
    }
    while (this.#byHash.size + count > maxTransactions || this.#bytes + bytes > maxBytes) {
      let largest: SenderQueue | undefined;
      for (const candidate of this.#senders.values()) {
        if (largest === undefined || candidate.size > largest.size) largest = candidate;
      }
      const victim = largest?.last();
      if (largest === undefined || victim === undefined || largest.size <= queue.size + 1) {
        return { code: 'pool-full', message: 'txpool is full' };
      }
      this.#forget(victim);
    }
    return undefined;
  }

  /**
   * Transactions to propose: the best tip first, among equals the earliest, each sender's in nonce order without a gap. Those in
   * `exclude` stand in unfinalized blocks: they are stepped over, and their successors may follow.
   */
  candidates(limits: { maxCount: number; maxBytes: number; exclude: ReadonlySet<Hash> }): readonly TransactionBody[] {
    const heads = new BinaryHeap<{ readonly queue: SenderQueue; readonly entry: PoolEntry }>((a, b) =>
      goesFirst(a.entry, b.entry),
    );
    for (const queue of this.#senders.values()) {
      const entry = firstRunnable(queue, queue.nextNonce, limits.exclude);
      if (entry !== undefined) heads.push({ queue, entry });
    }
    const chosen: TransactionBody[] = [];
    let bytes = 0;
    for (let head = heads.pop(); head !== undefined && chosen.length < limits.maxCount; head = heads.pop()) {
      const { hash, raw, sender, nonce } = head.entry.transaction;
      if (bytes + raw.length > limits.maxBytes) continue;
      bytes += raw.length;
      chosen.push({ hash, raw, sender });
      const next = firstRunnable(head.queue, nonce + 1n, limits.exclude);
      if (next !== undefined) heads.push({ queue: head.queue, entry: next });
    }
    return chosen;
  }

  /** Whether `candidates` would give any. */
  hasRunnable(exclude: ReadonlySet<Hash>): boolean {
    for (const queue of this.#senders.values()) {
      if (firstRunnable(queue, queue.nextNonce, exclude) !== undefined) return true;
    }
    return false;
  }

  /**
   * Up to `maxCount` transactions that could run and have waited at least `ageMs`, oldest first: to be sent again. Those behind
   * a nonce gap are left out, or enough of them would keep out for hours whatever came later.
   */
  waitingSince(ageMs: number, maxCount: number): readonly SignedTransaction[] {
    const newest = this.#modules.clock.monotonicMs() - ageMs;
    const runnableEnds = new Map<Address, bigint>();
    const found: SignedTransaction[] = [];
    for (const entry of this.#byHash.values()) {
      if (found.length >= maxCount || entry.receivedAtMs > newest) break;
      const { sender, nonce } = entry.transaction;
      let end = runnableEnds.get(sender);
      if (end === undefined) {
        end = this.#senders.get(sender)?.pendingNonce() ?? 0n;
        runnableEnds.set(sender, end);
      }
      if (nonce < end) found.push(entry.transaction);
    }
    return found;
  }

  /**
   * Blocks with transactions of these senders became final: what was included or overtaken leaves, the senders move on, and what
   * can no longer run is dropped. By sender, because a block may hold another transaction of a nonce than the one that waits here.
   */
  finalized(senders: Iterable<Address>): void {
    const state = this.#modules.state();
    for (const sender of new Set(senders)) this.#advance(sender, state);
    this.#expire();
  }

  #advance(sender: Address, state: StateReader): void {
    const queue = this.#senders.get(sender);
    if (queue === undefined) return;
    const account = state.account(sender);
    for (const entry of queue.advanceTo(account?.nonce ?? 0n)) this.#forget(entry);
    // The sender may have lost a permission or its funds; then the rest of its transactions cannot run either.
    for (const entry of [...queue.entries.values()]) {
      if (this.#modules.check(entry.transaction, account, state) !== undefined) this.#forget(entry);
    }
    if (queue.size === 0) this.#senders.delete(sender);
  }

  /** Drops transactions that a proposal on the finalized state showed to be impossible. */
  drop(hashes: readonly Hash[]): void {
    for (const hash of hashes) {
      const entry = this.#byHash.get(hash);
      if (entry !== undefined) this.#forget(entry);
    }
  }

  #expire(): void {
    const oldest = this.#modules.clock.monotonicMs() - this.#options.queuedLifetimeMs;
    for (const entry of this.#byHash.values()) {
      if (entry.receivedAtMs > oldest) break;
      const queue = this.#senders.get(entry.transaction.sender);
      if (queue !== undefined && entry.transaction.nonce >= queue.pendingNonce()) this.#forget(entry);
    }
  }
}

function goesFirst(a: PoolEntry, b: PoolEntry): boolean {
  const tipA = a.transaction.maxPriorityFeePerGas;
  const tipB = b.transaction.maxPriorityFeePerGas;
  return tipA === tipB ? a.arrival < b.arrival : tipA > tipB;
}

function firstRunnable(queue: SenderQueue, from: bigint, exclude: ReadonlySet<Hash>): PoolEntry | undefined {
  for (let nonce = from; ; nonce += 1n) {
    const entry = queue.entries.get(nonce);
    if (entry === undefined || !exclude.has(entry.transaction.hash)) return entry;
  }
}

function outbids(next: SignedTransaction, previous: SignedTransaction): boolean {
  const enough = (fee: bigint, old: bigint): boolean =>
    fee > old && fee * 100n >= old * (100n + REPLACEMENT_BUMP_PERCENT);
  return (
    enough(next.maxFeePerGas, previous.maxFeePerGas) && enough(next.maxPriorityFeePerGas, previous.maxPriorityFeePerGas)
  );
}
