import { bytesToHex, Height, type Hex, type SignedTransaction, type Suite } from '@hanse/protocol';
import type { Logger } from '../runtime/logger.ts';
import type { Random } from '../runtime/random.ts';
import type { BlockHead, BlockReader } from './blockReader.ts';
import { rpcError } from './codes.ts';
import type { ChainEvents, TransactionSubmitter } from './dependencies.ts';
import { formatHeader } from './formatBlock.ts';
import { formatLog } from './formatLog.ts';
import { formatTransaction } from './formatTransaction.ts';
import type { RPCLimits } from './limits.ts';
import { type LogCriteria, LogMatcher } from './logQuery.ts';
import type { TurnScheduler } from './turnScheduler.ts';

/** A connection that can be sent to; it drops itself when its client reads too slowly. */
export interface Subscriber {
  send(text: string): void;
}

export type SubscriptionRequest =
  | { readonly kind: 'newHeads' }
  | { readonly kind: 'logs'; readonly criteria: LogCriteria }
  | { readonly kind: 'newPendingTransactions'; readonly full: boolean };

interface Subscription {
  readonly id: Hex;
  readonly subscriber: Subscriber;
  readonly request: SubscriptionRequest;
  readonly matcher: LogMatcher | undefined;
  /** Blocks up to here were final before the subscription began; unlimited before it began. */
  afterHeight: number;
  /** Nothing is sent before the client has the identifier. */
  active: boolean;
}

export interface SubscriptionHubModules {
  readonly blocks: BlockReader;
  readonly events: ChainEvents;
  readonly pool: Pick<TransactionSubmitter, 'onPending'>;
  readonly suite: Suite;
  readonly random: Random;
  readonly turns: TurnScheduler;
  readonly limits: RPCLimits;
  readonly logger: Logger;
}

/** Sends new blocks, logs and waiting transactions to those who subscribed, each block in height order, none left out. */
export class SubscriptionHub {
  readonly #modules: SubscriptionHubModules;
  readonly #subscriptions = new Map<Hex, Subscription>();
  #deliveredHeight: number;
  #delivering = false;

  constructor(modules: SubscriptionHubModules) {
    this.#modules = modules;
    this.#deliveredHeight = modules.blocks.headHeight();
    modules.events.onFinalized(() => void this.#deliverBlocks());
    modules.pool.onPending((transactions) => this.#deliverPending(transactions));
  }

  get size(): number {
    return this.#subscriptions.size;
  }

  /** Prepares a subscription; `activate` begins it, once the client has been told the identifier. */
  subscribe(subscriber: Subscriber, request: SubscriptionRequest): { readonly id: Hex; readonly activate: () => void } {
    const { limits, random, suite, blocks } = this.#modules;
    if (this.#subscriptions.size >= limits.maxSubscriptions) {
      throw rpcError('limit-exceeded', `${limits.maxSubscriptions} subscriptions exist already`);
    }
    const own = [...this.#subscriptions.values()].filter(
      (subscription) => subscription.subscriber === subscriber,
    ).length;
    if (own >= limits.maxSubscriptionsPerConnection) {
      throw rpcError('limit-exceeded', `${own} subscriptions exist on this connection already`);
    }
    const id = bytesToHex(random.bytes(16));
    const subscription: Subscription = {
      id,
      subscriber,
      request,
      matcher: request.kind === 'logs' ? new LogMatcher(request.criteria, suite) : undefined,
      afterHeight: Number.MAX_SAFE_INTEGER,
      active: false,
    };
    this.#subscriptions.set(id, subscription);
    const activate = () => {
      subscription.afterHeight = blocks.headHeight();
      subscription.active = true;
    };
    return { id, activate };
  }

  /** Only the connection that subscribed can unsubscribe. */
  unsubscribe(subscriber: Subscriber, id: Hex): boolean {
    if (this.#subscriptions.get(id)?.subscriber !== subscriber) return false;
    return this.#subscriptions.delete(id);
  }

  /** Removes what a connection that closed had. */
  dropSubscriber(subscriber: Subscriber): void {
    for (const [id, subscription] of this.#subscriptions) {
      if (subscription.subscriber === subscriber) this.#subscriptions.delete(id);
    }
  }

  async #deliverBlocks(): Promise<void> {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      while (this.#deliveredHeight < this.#modules.blocks.headHeight()) {
        const listening = [...this.#subscriptions.values()].filter(
          ({ active, request }) => active && request.kind !== 'newPendingTransactions',
        );
        if (listening.length === 0) {
          this.#deliveredHeight = this.#modules.blocks.headHeight();
          break;
        }
        this.#deliveredHeight++;
        await this.#deliverBlock(Height(this.#deliveredHeight), listening);
      }
    } catch (error) {
      this.#modules.logger.log('error', 'could not deliver a block to subscribers', {
        height: this.#deliveredHeight,
        error: String(error),
      });
    } finally {
      this.#delivering = false;
    }
  }

  async #deliverBlock(height: Height, listening: readonly Subscription[]): Promise<void> {
    const { blocks, turns } = this.#modules;
    const head = blocks.head(height);
    if (head === undefined) return;
    let headerJSON: string | undefined;
    for (const subscription of listening) {
      if (subscription.afterHeight >= height) continue;
      const turn = turns.pause();
      if (turn !== undefined) await turn;
      if (subscription.request.kind === 'newHeads') {
        headerJSON ??= JSON.stringify(formatHeader(head));
        this.#send(subscription, headerJSON);
      } else {
        await this.#deliverLogs(subscription, head);
      }
    }
  }

  async #deliverLogs(subscription: Subscription, head: BlockHead): Promise<void> {
    const { blocks, turns } = this.#modules;
    const { matcher } = subscription;
    if (matcher === undefined || !matcher.mayMatch(head.header)) return;
    const block = await blocks.block(head.height);
    if (block === undefined) return;
    for (const [index, receipt] of block.receipts.entries()) {
      for (const [position, log] of receipt.logs.entries()) {
        if (!matcher.matches(log)) continue;
        this.#send(
          subscription,
          JSON.stringify(formatLog(log, block, index, block.firstLogIndexes[index]! + position)),
        );
        const turn = turns.pause();
        if (turn !== undefined) await turn;
      }
    }
  }

  #deliverPending(transactions: readonly SignedTransaction[]): void {
    for (const subscription of this.#subscriptions.values()) {
      const { request, active } = subscription;
      if (!active || request.kind !== 'newPendingTransactions') continue;
      for (const transaction of transactions) {
        this.#send(subscription, JSON.stringify(request.full ? formatTransaction(transaction) : transaction.hash));
      }
    }
  }

  #send({ id, subscriber }: Subscription, resultJSON: string): void {
    // It may have unsubscribed, or been dropped, while this block was being delivered.
    if (!this.#subscriptions.has(id)) return;
    subscriber.send(
      `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${id}","result":${resultJSON}}}`,
    );
  }
}
