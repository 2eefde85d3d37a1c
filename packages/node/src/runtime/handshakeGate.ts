import { addressGroup } from './addressGroup.ts';
import type { Clock, Timer } from './clock.ts';
import { TokenBucket } from './tokenBucket.ts';

export interface HandshakeLimits {
  /** How long a stranger may take to prove who it is. */
  readonly timeoutMs: number;
  /** Unproved connections held at once, from one address and in all. */
  readonly maxPerAddress: number;
  readonly maxTotal: number;
  /** Handshakes that an address may begin; those that prove a member do not count. */
  readonly attemptsPerSecond: number;
  readonly attemptsBurst: number;
}

export const DEFAULT_HANDSHAKE_LIMITS: HandshakeLimits = {
  timeoutMs: 5_000,
  maxPerAddress: 32,
  maxTotal: 256,
  attemptsPerSecond: 10,
  attemptsBurst: 64,
};

const MAX_ADDRESSES = 4_096;

interface HalfOpen {
  readonly address: string;
  readonly drop: (reason: string) => void;
  readonly timer: Timer;
}

/**
 * Bounds what connections that have not proved a member's key can cost. When a bound is reached the oldest unproved one of the
 * address that holds the most goes, never the newcomer: a member proves itself within a few round trips,
 * a stranger that fills the room can only push out its own.
 */
export class HandshakeGate {
  readonly #limits: HandshakeLimits;
  readonly #clock: Clock;
  /** In the order of arrival, by the caller's key. */
  readonly #halfOpen = new Map<string, HalfOpen>();
  readonly #perAddress = new Map<string, number>();
  readonly #attempts = new Map<string, TokenBucket>();

  constructor(limits: HandshakeLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get halfOpen(): number {
    return this.#halfOpen.size;
  }

  /** False: the address began too many handshakes in vain; drop the connection at once. */
  enter(key: string, remoteAddress: string, drop: (reason: string) => void): boolean {
    const address = addressGroup(remoteAddress);
    if (!this.#bucket(address).take(1, this.#clock.monotonicMs())) return false;
    if ((this.#perAddress.get(address) ?? 0) >= this.#limits.maxPerAddress) this.#dropOldest(address);
    else if (this.#halfOpen.size >= this.#limits.maxTotal) this.#dropOldest(this.#busiestAddress());
    const timer = this.#clock.schedule(this.#limits.timeoutMs, () => {
      this.leave(key);
      drop('handshake timed out');
    });
    this.#halfOpen.set(key, { address, drop, timer });
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    return true;
  }

  /** The connection proved a member's key. False if it was dropped in the meantime. */
  proved(key: string): boolean {
    const entry = this.leave(key);
    if (entry === undefined) return false;
    this.#attempts.get(entry.address)?.giveBack(1);
    return true;
  }

  /** The connection is gone; harmless if it left before. */
  leave(key: string): { readonly address: string } | undefined {
    const entry = this.#halfOpen.get(key);
    if (entry === undefined) return undefined;
    this.#halfOpen.delete(key);
    entry.timer.cancel();
    const left = (this.#perAddress.get(entry.address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(entry.address);
    else this.#perAddress.set(entry.address, left);
    return entry;
  }

  /** Drops everything, when the listener closes. */
  clear(): void {
    for (const [key, entry] of [...this.#halfOpen]) {
      this.leave(key);
      entry.drop('the listener was closed');
    }
  }

  #dropOldest(address: string): void {
    for (const [key, entry] of this.#halfOpen) {
      if (entry.address !== address) continue;
      this.leave(key);
      entry.drop('too many unproved connections');
      return;
    }
  }

  #busiestAddress(): string {
    let busiest = '';
    let most = 0;
    for (const [address, count] of this.#perAddress) {
      if (count > most) [busiest, most] = [address, count];
    }
    return busiest;
  }

  #bucket(address: string): TokenBucket {
    const nowMs = this.#clock.monotonicMs();
    let bucket = this.#attempts.get(address);
    if (bucket === undefined) {
      if (this.#attempts.size >= MAX_ADDRESSES) this.#forgetAddresses(nowMs);
      bucket = new TokenBucket(this.#limits.attemptsPerSecond, this.#limits.attemptsBurst, nowMs);
      this.#attempts.set(address, bucket);
    }
    return bucket;
  }

  #forgetAddresses(nowMs: number): void {
    for (const [address, bucket] of this.#attempts) {
      if (bucket.isFull(nowMs)) this.#attempts.delete(address);
    }
    const oldest = this.#attempts.keys().next();
    if (this.#attempts.size >= MAX_ADDRESSES && !oldest.done) this.#attempts.delete(oldest.value);
  }
}
