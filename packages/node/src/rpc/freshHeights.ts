import { type Hash, hexToBytes, isHex, MAX_TRANSACTION_BYTES, type Suite } from '@hanse/protocol';
import type { Clock } from '../runtime/clock.ts';
import type { TransactionSubmitter } from './dependencies.ts';
import type { FinalityWaiter } from './finalityWaiter.ts';
import type { RPCLimits } from './limits.ts';
import type { Subscriber } from './subscriptionHub.ts';

export interface FreshHeightsModules {
  readonly finality: FinalityWaiter;
  readonly pool: Pick<TransactionSubmitter, 'get'>;
  readonly suite: Suite;
  readonly clock: Clock;
  readonly limits: Pick<RPCLimits, 'batchFinalityMs'>;
}

const SENDING = 'eth_sendRawTransaction';
const HEIGHT = 'eth_blockNumber';
/** ethers 6 keeps nonces and heights for 250 ms. Whoever asks the next time must not be given what was true before. */
const ETHERS_CACHE_MS = 260;
/** Messages of one connection that come within so many milliseconds were sent together. */
const SAME_MOMENT_MS = 2;
/** How many transactions of one connection are awaited at most. */
const MAX_AWAITED = 64;
/** Longer texts are no transaction that the pool takes. */
const MAX_RAW_DIGITS = 2 + 2 * MAX_TRANSACTION_BYTES;

const methodOf = (call: unknown): unknown => (call as { readonly method?: unknown } | null)?.method;

/**
 * The places of `eth_blockNumber` in a batch that also sends transactions. They are answered last: JSON-RPC leaves the order
 * of a batch to the server.
 */
export function heightsBesideTransactions(calls: readonly unknown[]): ReadonlySet<number> {
  if (!calls.some((call) => methodOf(call) === SENDING)) return new Set();
  return new Set(calls.flatMap((call, index) => (methodOf(call) === HEIGHT ? [index] : [])));
}

/**
 * Lets a height that is asked for beside a transaction wait until that is final, for a moment at most. This is for ethers 6, which
 * asks for the height beside every transaction, and keeps heights and nonces for a quarter of a second. Blocks are final
 * sooner than that: it would take a receipt for unconfirmed until the next block, which on an idle network is half a
 * minute away, and use a nonce twice.
 */
export class FreshHeights {
  readonly #modules: FreshHeightsModules;
  /** Transactions that a connection sent and that are not final yet, for a moment at most. */
  readonly #sent = new WeakMap<Subscriber, Set<Hash>>();

  constructor(modules: FreshHeightsModules) {
    this.#modules = modules;
  }

  /** Waits for the transactions of a batch that the pool took; what was refused is not waited for. */
  async afterBatch(calls: readonly unknown[], remainingMs: number): Promise<void> {
    const sent = calls.flatMap((call) => this.#hashOfSent(call) ?? []);
    const waiting = sent.filter((hash) => this.#modules.pool.get(hash) !== undefined);
    if (waiting.length > 0) await this.#await(waiting, remainingMs);
  }

  /** Over a WebSocket the same two calls come as messages of their own, the height's first. Called before either is answered. */
  async onConnection(call: unknown, connection: Subscriber, remainingMs: number): Promise<void> {
    if (methodOf(call) === SENDING) this.#note(call, connection);
    if (methodOf(call) !== HEIGHT) return;
    await this.#pause(SAME_MOMENT_MS);
    const waiting = this.#sent.get(connection);
    if (waiting !== undefined && waiting.size > 0) await this.#await([...waiting], remainingMs);
  }

  #note(call: unknown, connection: Subscriber): void {
    const sent = this.#sent.get(connection) ?? new Set<Hash>();
    const hash = this.#hashOfSent(call);
    if (hash === undefined || sent.size >= MAX_AWAITED) return;
    this.#sent.set(connection, sent.add(hash));
    const { finality, limits } = this.#modules;
    void finality.wait([hash], limits.batchFinalityMs).then(() => sent.delete(hash));
  }

  async #await(hashes: readonly Hash[], remainingMs: number): Promise<void> {
    const { finality, limits } = this.#modules;
    const longestMs = Math.min(limits.batchFinalityMs, remainingMs);
    await Promise.all([finality.wait(hashes, longestMs), this.#pause(Math.min(ETHERS_CACHE_MS, longestMs))]);
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#modules.clock.schedule(delayMs, resolve);
    });
  }

  /** The hash of the transaction that a call sends, if it can be read. */
  #hashOfSent(call: unknown): Hash | undefined {
    if (methodOf(call) !== SENDING) return undefined;
    const { params } = call as { readonly params?: unknown };
    const raw: unknown = Array.isArray(params) ? params[0] : undefined;
    if (typeof raw !== 'string' || raw.length > MAX_RAW_DIGITS || !isHex(raw)) return undefined;
    return this.#modules.suite.hashHex(hexToBytes(raw));
  }
}
