import { TokenBucket } from '../runtime/tokenBucket.ts';
import type { Envelope } from './envelope.ts';
import type { PeerLimits } from './peerLimits.ts';

/**
 * What a peer may still send unasked, over all its connections. More than that no honest member sends, however busy it
 * is, so whoever does is cut off.
 */
export class PeerBudget {
  readonly #bytes: TokenBucket;
  readonly #messages: TokenBucket;
  readonly #requests: TokenBucket;
  readonly #pings: TokenBucket;
  readonly #connects: TokenBucket;

  constructor(limits: PeerLimits, nowMs: number) {
    this.#bytes = new TokenBucket(limits.bytesPerSecond, limits.bytesBurst, nowMs);
    this.#messages = new TokenBucket(limits.messagesPerSecond, limits.messagesBurst, nowMs);
    this.#requests = new TokenBucket(limits.requestsPerSecond, limits.requestsBurst, nowMs);
    this.#pings = new TokenBucket(limits.pingsPerSecond, limits.pingsBurst, nowMs);
    this.#connects = new TokenBucket(limits.connectsPerSecond, limits.connectsBurst, nowMs);
  }

  /** Pays for what arrived; the offence, if there is not enough left for it. */
  pay(type: Envelope['type'], bytes: number, nowMs: number): string | undefined {
    if (!this.#messages.take(1, nowMs)) return 'over its budget of messages';
    if (!this.#bytes.take(bytes, nowMs)) return 'over its budget of bytes';
    if (type === 'request' && !this.#requests.take(1, nowMs)) return 'over its budget of requests';
    // Honest members ping every few seconds; each ping may tell of a new height, which makes this side look around.
    const isPing = type === 'ping' || type === 'pong';
    return isPing && !this.#pings.take(1, nowMs) ? 'over its budget of pings' : undefined;
  }

  /** Whether it may begin one more connection now. No offence: a member may crash and start again in a loop. */
  mayConnect(nowMs: number): boolean {
    return this.#connects.take(1, nowMs);
  }
}
