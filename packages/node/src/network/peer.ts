import type { Hex } from '@hanse/protocol';
import type { Clock, Timer } from '../runtime/clock.ts';
import { TokenBucket } from '../runtime/tokenBucket.ts';
import { encodeEnvelope } from './envelope.ts';
import { PeerBudget } from './peerBudget.ts';
import type { PeerLimits } from './peerLimits.ts';
import type { PeerSession, SessionCounters } from './peerSession.ts';
import { RequestError } from './requestError.ts';
import { type Priority, SendQueue } from './sendQueue.ts';

/** Another member, as the chain's list of members has it. */
export interface PeerMember {
  readonly name: string;
  /** Raw transport public key, 32 bytes. */
  readonly transportKey: Hex;
  /** `host:port`, tried one after another. */
  readonly endpoints: readonly string[];
}

export interface PeerCounters extends SessionCounters {
  /** Frames dropped from the send queue, and frames it had no room for. */
  dropped: number;
  refused: number;
  requestsTimedOut: number;
  /** Requests of the peer that were refused because too many ran already. */
  requestsRefused: number;
  connects: number;
  /** Connections of the peer that were refused because they came too often. */
  connectsRefused: number;
  dialFailures: number;
  offences: number;
}

export interface PeerStatus {
  readonly name: string;
  readonly transportKey: Hex;
  readonly endpoints: readonly string[];
  readonly state: 'connected' | 'disconnected' | 'penalized';
  readonly direction: 'inbound' | 'outbound' | undefined;
  readonly remoteEndpoint: string | undefined;
  /** Round trip of the last ping that was answered. */
  readonly rttMs: number | undefined;
  /** The newest finalized height that the peer told. */
  readonly headHeight: number | undefined;
  readonly queuedFrames: number;
  readonly queuedBytes: number;
  /** What of it was read and waits for its turn. */
  readonly waitingFrames: number;
  readonly waitingBytes: number;
  /** Until when it may not come back, on the monotonic clock, and how many offences in a row are remembered. */
  readonly penalizedUntilMs: number;
  readonly offencesRemembered: number;
  /** Why there is no connection, or why the last one ended. */
  readonly lastError: string | undefined;
  readonly counters: Readonly<PeerCounters>;
}

interface PendingRequest {
  readonly resolve: (payload: Uint8Array) => void;
  readonly reject: (error: RequestError) => void;
  readonly timer: Timer;
}

/** What this member keeps about another one across connections. Owned by PeerNetwork, which alone uses it. */
export class Peer {
  member: PeerMember;
  session: PeerSession | undefined;
  headHeight: number | undefined;
  lastError: string | undefined;
  /** Dialling: attempts in vain since the last connection, the armed or running dial. */
  dialAttempts = 0;
  /** Which of this member's keys it is dialled with; absent: the present one. */
  ownKey: Hex | undefined;
  dialTimer: Timer | undefined;
  dialling = false;
  /** When the present session became the one in use. */
  connectedMs = 0;
  offences = 0;
  penalizedUntilMs = 0;
  inboundRequests = 0;
  /** Connections that proved the member's key and have not said hello. */
  readonly unestablished: PeerSession[] = [];
  readonly #counters: PeerCounters = {
    framesIn: 0,
    bytesIn: 0,
    framesOut: 0,
    bytesOut: 0,
    dropped: 0,
    refused: 0,
    requestsTimedOut: 0,
    requestsRefused: 0,
    connects: 0,
    connectsRefused: 0,
    dialFailures: 0,
    offences: 0,
  };
  /** What it may still send, over all its connections. */
  readonly budget: PeerBudget;
  /** Lines about requests that failed here: a bug that a peer can trigger must not fill the disk. */
  readonly failureLines: TokenBucket;
  readonly #limits: PeerLimits;
  readonly #clock: Clock;
  readonly #queue: SendQueue;
  readonly #pending = new Map<number, PendingRequest>();
  #nextRequestId = 1;

  constructor(member: PeerMember, limits: PeerLimits, clock: Clock) {
    this.member = member;
    this.#limits = limits;
    this.#clock = clock;
    this.#queue = new SendQueue(limits.sendQueue);
    this.budget = new PeerBudget(limits, clock.monotonicMs());
    this.failureLines = new TokenBucket(0.1, 5, clock.monotonicMs());
  }

  get counters(): PeerCounters {
    this.#counters.dropped = this.#queue.dropped;
    this.#counters.refused = this.#queue.refused;
    return this.#counters;
  }

  get isPenalized(): boolean {
    return this.#clock.monotonicMs() < this.penalizedUntilMs;
  }

  status(): PeerStatus {
    return {
      name: this.member.name,
      transportKey: this.member.transportKey,
      endpoints: this.member.endpoints,
      state: this.session !== undefined ? 'connected' : this.isPenalized ? 'penalized' : 'disconnected',
      direction: this.session?.direction,
      remoteEndpoint: this.session?.connection.remoteEndpoint,
      rttMs: this.session?.rttMs,
      headHeight: this.headHeight,
      queuedFrames: this.#queue.frames,
      queuedBytes: this.#queue.bytes,
      waitingFrames: this.session?.waiting.frames ?? 0,
      waitingBytes: this.session?.waiting.bytes ?? 0,
      penalizedUntilMs: this.penalizedUntilMs,
      offencesRemembered: this.offences,
      lastError: this.lastError,
      counters: { ...this.counters },
    };
  }

  /** Queues an encoded envelope. False: not connected, or no room. */
  enqueue(priority: Priority, kind: number, droppable: boolean, frame: Uint8Array): boolean {
    if (this.session === undefined) return false;
    const queued = this.#queue.push(priority, kind, droppable, frame);
    this.flush();
    return queued;
  }

  /** Moves frames from the queue to the connection while it takes them. */
  flush(): void {
    while (this.session?.isWritable === true) {
      const frame = this.#queue.shift();
      if (frame === undefined) return;
      this.session.send(frame);
    }
  }

  request(priority: Priority, kind: number, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const { name } = this.member;
    if (this.session === undefined)
      return Promise.reject(new RequestError('not-connected', `${name} is not connected`));
    if (this.#pending.size >= this.#limits.maxPendingRequests) {
      return Promise.reject(new RequestError('overloaded', `too many requests to ${name} wait for an answer`));
    }
    const id = this.#nextRequestId;
    this.#nextRequestId = (id + 1) % 0x1_0000_0000;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.schedule(timeoutMs, () => {
        this.#pending.delete(id);
        this.counters.requestsTimedOut++;
        reject(new RequestError('timeout', `${name} did not answer in ${timeoutMs} ms`));
      });
      this.#pending.set(id, { resolve, reject, timer });
      if (!this.enqueue(priority, kind, false, encodeEnvelope({ type: 'request', kind, id, payload }))) {
        this.#settle(id)?.reject(new RequestError('overloaded', `the queue to ${name} is full`));
      }
    });
  }

  expects(id: number): boolean {
    return this.#pending.has(id);
  }

  /** An answer arrived; one that nobody waits for any more is passed over. */
  answered(id: number, payload: Uint8Array): void {
    this.#settle(id)?.resolve(payload);
  }

  refused(id: number, reason: string): void {
    this.#settle(id)?.reject(new RequestError('refused', `${this.member.name} refused: ${reason}`));
  }

  /** The connection is gone, and with it what was queued and asked for: whoever needs it asks again. */
  disconnected(reason: string): void {
    this.session = undefined;
    this.lastError = reason;
    this.#queue.clear();
    for (const id of [...this.#pending.keys()]) {
      this.#settle(id)?.reject(new RequestError('disconnected', `${this.member.name} was disconnected: ${reason}`));
    }
  }

  #settle(id: number): PendingRequest | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.timer.cancel();
    return pending;
  }
}
