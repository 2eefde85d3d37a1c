import { ProtocolError } from '@hanse/protocol';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { Connection } from '../runtime/network.ts';
import { decodeEnvelope, type Envelope, encodeEnvelope } from './envelope.ts';
import { decodeHello, encodeHello, type Hello, incompatibility } from './hello.ts';
import type { PeerBudget } from './peerBudget.ts';
import type { PeerLimits } from './peerLimits.ts';

export type Direction = 'inbound' | 'outbound';

/** Messages, requests and what answers them; the session keeps the rest to itself. */
export type Traffic = Extract<Envelope, { readonly payload: Uint8Array }>;

/** What a session tells its owner. Nothing is told after `ended`. */
export interface SessionEvents {
  /** The hello was read and fits; called once, before any traffic. */
  established(session: PeerSession, hello: Hello): void;
  traffic(session: PeerSession, envelope: Traffic): void;
  /** Whether a response with this id was asked for: it then costs the peer nothing. */
  expects(session: PeerSession, id: number): boolean;
  /** The connection can take frames again. */
  writable(session: PeerSession): void;
  headChanged(session: PeerSession, headHeight: number): void;
  /** The peer broke a rule: the owner must end the session. */
  offence(session: PeerSession, reason: string): void;
  ended(session: PeerSession, reason: string): void;
}

export interface SessionCounters {
  framesIn: number;
  bytesIn: number;
  framesOut: number;
  bytesOut: number;
}

/**
 * One connection to a member: hello on both sides, then traffic. Charges the peer's budget, lets it have a bounded number of frames per turn of
 * the event loop so that others have theirs, and watches by pings that it still lives.
 */
export class PeerSession {
  readonly connection: Connection;
  readonly direction: Direction;
  /** What the peer said first; undefined until then. */
  hello: Hello | undefined;
  rttMs: number | undefined;
  readonly #ownHello: Hello;
  readonly #headHeight: () => number;
  readonly #limits: PeerLimits;
  readonly #clock: Clock;
  readonly #events: SessionEvents;
  readonly #counters: SessionCounters;
  readonly #budget: PeerBudget;
  #waiting: { readonly envelope: Envelope; readonly bytes: number }[] = [];
  #waitingBytes = 0;
  #handledThisTurn = 0;
  #handledBytesThisTurn = 0;
  #turnTimer: Timer | undefined;
  #paused = false;
  #writable = true;
  #timer: Timer;
  #lastHeardMs: number;
  /** When the peer last answered a ping. */
  #answeredMs: number;
  #ping: { readonly id: number; readonly atMs: number } | undefined;
  #nextPingId = 1;
  #ended = false;

  constructor(
    options: {
      readonly connection: Connection;
      readonly direction: Direction;
      readonly ownHello: Hello;
      readonly headHeight: () => number;
      readonly limits: PeerLimits;
      readonly budget: PeerBudget;
      readonly counters: SessionCounters;
    },
    modules: { readonly clock: Clock; readonly events: SessionEvents },
  ) {
    const { connection, limits } = options;
    this.connection = connection;
    this.direction = options.direction;
    this.#ownHello = options.ownHello;
    this.#headHeight = options.headHeight;
    this.#limits = limits;
    this.#counters = options.counters;
    this.#clock = modules.clock;
    this.#events = modules.events;
    const nowMs = this.#clock.monotonicMs();
    this.#lastHeardMs = nowMs;
    this.#answeredMs = nowMs;
    this.#budget = options.budget;
    this.#timer = this.#clock.schedule(limits.helloTimeoutMs, () => this.close('no hello in time'));
    connection.onClose((reason) => this.#end(reason));
    connection.onDrain(() => {
      this.#writable = true;
      if (!this.#ended) this.#events.writable(this);
    });
    connection.onFrame((frame) => this.#arrived(frame));
    this.send(encodeHello(this.#ownHello));
  }

  get isWritable(): boolean {
    return this.#writable && !this.#ended;
  }

  /** What was read and waits for its turn. */
  get waiting(): { readonly frames: number; readonly bytes: number } {
    return { frames: this.#waiting.length, bytes: this.#waitingBytes };
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  /** Hands a frame to the connection; see `isWritable`. */
  send(frame: Uint8Array): void {
    if (this.#ended) return;
    this.#counters.framesOut++;
    this.#counters.bytesOut += frame.length;
    if (!this.connection.send(frame)) this.#writable = false;
  }

  /** Asks for a sign of life soon, because something suggests that the peer has lost this connection. */
  probe(): void {
    if (this.#ended || this.hello === undefined) return;
    this.#sendPing();
    this.#timer.cancel();
    const heardMs = this.#lastHeardMs;
    this.#timer = this.#clock.schedule(this.#limits.probeMs, () => {
      if (this.#lastHeardMs === heardMs) this.close('no answer to a probe');
      else this.#keepAlive();
    });
  }

  close(reason: string): void {
    if (this.#ended) return;
    this.connection.close(reason);
    this.#end(reason);
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer.cancel();
    this.#turnTimer?.cancel();
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#events.ended(this, reason);
  }

  #arrived(frame: Uint8Array): void {
    if (this.#ended) return;
    this.#lastHeardMs = this.#clock.monotonicMs();
    this.#counters.framesIn++;
    this.#counters.bytesIn += frame.length;
    try {
      if (this.hello === undefined) this.#readHello(frame);
      else this.#admit(decodeEnvelope(frame), frame.length);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#events.offence(this, error.message);
    }
  }

  #readHello(frame: Uint8Array): void {
    const hello = decodeHello(frame);
    const reason = incompatibility(this.#ownHello, hello);
    if (reason !== undefined) {
      // No offence: somebody has to look at a configuration, and both logs say what is wrong.
      this.close(reason);
      return;
    }
    this.hello = hello;
    this.#timer.cancel();
    this.#keepAlive();
    this.#sendPing();
    this.#events.established(this, hello);
  }

  /** Charges the peer's budget and handles the envelope now or in a later turn. */
  #admit(envelope: Envelope, bytes: number): void {
    const answer = envelope.type === 'response' || envelope.type === 'refusal';
    if (!(answer && this.#events.expects(this, envelope.id))) {
      const offence = this.#budget.pay(envelope.type, bytes, this.#lastHeardMs);
      if (offence !== undefined) {
        this.#events.offence(this, offence);
        return;
      }
    }
    if (this.#waiting.length === 0 && this.#mayHandle(bytes)) {
      this.#handle(envelope, bytes);
      return;
    }
    this.#waiting.push({ envelope, bytes });
    this.#waitingBytes += bytes;
    const full =
      this.#waiting.length >= this.#limits.maxWaitingFrames || this.#waitingBytes >= this.#limits.maxWaitingBytes;
    if (full && !this.#paused) {
      this.#paused = true;
      this.connection.pause();
    }
  }

  /** Whether others can wait for one more frame in this turn. */
  #mayHandle(bytes: number): boolean {
    if (this.#handledThisTurn === 0) return true;
    const { framesPerTurn, bytesPerTurn } = this.#limits;
    return this.#handledThisTurn < framesPerTurn && this.#handledBytesThisTurn + bytes <= bytesPerTurn;
  }

  #handle(envelope: Envelope, bytes: number): void {
    this.#handledThisTurn++;
    this.#handledBytesThisTurn += bytes;
    this.#turnTimer ??= this.#clock.schedule(0, () => this.#nextTurn());
    if (envelope.type === 'ping') {
      this.#events.headChanged(this, envelope.headHeight);
      this.send(encodeEnvelope({ type: 'pong', id: envelope.id, headHeight: this.#headHeight() }));
    } else if (envelope.type === 'pong') {
      if (envelope.id === this.#ping?.id) this.rttMs = this.#lastHeardMs - this.#ping.atMs;
      this.#answeredMs = this.#lastHeardMs;
      this.#events.headChanged(this, envelope.headHeight);
    } else {
      this.#events.traffic(this, envelope);
    }
  }

  #nextTurn(): void {
    this.#turnTimer = undefined;
    this.#handledThisTurn = 0;
    this.#handledBytesThisTurn = 0;
    let taken = 0;
    for (const { envelope, bytes } of this.#waiting) {
      if (!this.#mayHandle(bytes)) break;
      taken++;
      this.#waitingBytes -= bytes;
      this.#handle(envelope, bytes);
      if (this.#ended) return;
    }
    this.#waiting.splice(0, taken);
    if (this.#paused && this.#waiting.length === 0 && !this.#ended) {
      this.#paused = false;
      this.#lastHeardMs = this.#clock.monotonicMs();
      // What it answered meanwhile was not read.
      this.#answeredMs = this.#lastHeardMs;
      this.connection.resume();
    }
  }

  #keepAlive(): void {
    this.#timer = this.#clock.schedule(this.#limits.pingIntervalMs, () => {
      const silentMs = this.#clock.monotonicMs() - this.#lastHeardMs;
      // While this side does not read, silence says nothing about the peer.
      if (silentMs >= this.#limits.silenceMs && !this.#paused) {
        this.close(`silent for ${Math.round(silentMs)} ms`);
        return;
      }
      const unansweredMs = this.#clock.monotonicMs() - this.#answeredMs;
      if (unansweredMs >= this.#limits.unansweredMs && !this.#paused) {
        this.close(`no ping was answered for ${Math.round(unansweredMs)} ms`);
        return;
      }
      this.#sendPing();
      this.#keepAlive();
    });
  }

  #sendPing(): void {
    const id = this.#nextPingId++;
    this.#ping = { id, atMs: this.#clock.monotonicMs() };
    this.send(encodeEnvelope({ type: 'ping', id, headHeight: this.#headHeight() }));
  }
}
