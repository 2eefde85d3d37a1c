import { TokenBucket } from '../runtime/tokenBucket.ts';
import type { GossipOptions } from './gossip.ts';

/** So many times what is taken from a peer is a flood: no honest member comes near it, however busy it is. */
const FLOOD = 3;

/**
 * What is taken from one peer, over all its connections. A little above its budget what a peer sends is passed over, since it can be
 * fetched when it is needed; far above, the peer is cut off.
 */
export class GossipAccount {
  /** Transactions that are being processed. */
  unprocessed = 0;
  /** When the pool's hashes were last offered to it. */
  offeredMs: number | undefined;
  readonly #transactions: TokenBucket;
  readonly #transactionFlood: TokenBucket;
  readonly #hashes: TokenBucket;
  readonly #hashFlood: TokenBucket;
  readonly #answers: TokenBucket;

  constructor(options: GossipOptions, nowMs: number) {
    const { transactionsPerSecond, transactionsBurst, hashesPerSecond, hashesBurst } = options;
    const { answerBytesPerSecond, answerBytesBurst } = options;
    this.#transactions = new TokenBucket(transactionsPerSecond, transactionsBurst, nowMs);
    this.#transactionFlood = new TokenBucket(FLOOD * transactionsPerSecond, FLOOD * transactionsBurst, nowMs);
    this.#hashes = new TokenBucket(hashesPerSecond, hashesBurst, nowMs);
    this.#hashFlood = new TokenBucket(FLOOD * hashesPerSecond, FLOOD * hashesBurst, nowMs);
    this.#answers = new TokenBucket(answerBytesPerSecond, answerBytesBurst, nowMs);
  }

  takeTransactions(count: number, nowMs: number): 'taken' | 'passed over' | 'flood' {
    if (!this.#transactionFlood.take(count, nowMs)) return 'flood';
    return this.#transactions.take(count, nowMs) ? 'taken' : 'passed over';
  }

  takeHashes(count: number, nowMs: number): 'taken' | 'passed over' | 'flood' {
    if (!this.#hashFlood.take(count, nowMs)) return 'flood';
    return this.#hashes.take(count, nowMs) ? 'taken' : 'passed over';
  }

  /** Bytes of answers to its requests, or what looking for them costs. */
  takeAnswer(bytes: number, nowMs: number): boolean {
    return this.#answers.take(bytes, nowMs);
  }
}
