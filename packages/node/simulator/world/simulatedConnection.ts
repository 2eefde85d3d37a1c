import type { Hex } from '@hanse/protocol';
import { decodeReason, encodeReason } from '../../src/runtime/frameDecoder.ts';
import { type Connection, DEFAULT_MAX_FRAME_BYTES } from '../../src/runtime/network.ts';
import type { Place, SimulatedNetwork } from './simulatedNetwork.ts';

/** As the real connection has it. */
const SEND_BUFFER_BYTES = 256 * 1024;

/** A frame on its way, or the end of the connection with its reason. */
interface Item {
  readonly frame: Uint8Array | undefined;
  readonly reason: string;
  lost: boolean;
}

/** One side of a connection between two processes. */
export class SimulatedConnection implements Connection {
  readonly own: Place;
  readonly peer: Place;
  readonly peerKey: Hex;
  readonly remoteEndpoint: string;
  readonly #network: SimulatedNetwork;
  #other: SimulatedConnection | undefined;
  /** Left here, not yet there, in order. */
  #travelling: Item[] = [];
  /** Came to a closed way, and wait for the kernel's next try, in order. */
  #held: Item[] = [];
  #lastArrivalMs = 0;
  #travellingBytes = 0;
  /** Arrived here and not yet handed over. */
  readonly #inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  #paused = false;
  #full = false;
  /** Nothing passes any more, although the program may not know it yet. */
  #broken = false;
  #closeReason: string | undefined;
  #frameHandler: ((frame: Uint8Array) => void) | undefined;
  #drainHandler: (() => void) | undefined;
  #closeHandler: ((reason: string) => void) | undefined;

  constructor(network: SimulatedNetwork, own: Place, peer: Place, peerKey: Hex, remoteEndpoint: string) {
    this.#network = network;
    this.own = own;
    this.peer = peer;
    this.peerKey = peerKey;
    this.remoteEndpoint = remoteEndpoint;
  }

  join(other: SimulatedConnection): void {
    this.#other = other;
  }

  /** Hands the connection to its program, and tells a Byzantine one of it. */
  open(hand: () => void): void {
    if (this.#closeReason === undefined) {
      this.own.interceptor?.connected(this.peer.member, (frame) => {
        if (this.own.life.alive && this.#closeReason === undefined) this.#transmit(frame);
      });
    }
    hand();
  }

  get #far(): SimulatedConnection {
    if (this.#other === undefined) throw new Error('the two ends of a connection are joined before use');
    return this.#other;
  }

  get bufferedBytes(): number {
    return this.#travellingBytes + this.#far.#inboxBytes;
  }

  send(frame: Uint8Array): boolean {
    if (frame.length > DEFAULT_MAX_FRAME_BYTES) throw new RangeError(`a frame of ${frame.length} bytes`);
    const { life, interceptor, member } = this.own;
    if (this.#closeReason !== undefined || !life.before('send')) return false;
    this.#network.events.sent(this.own, this.peer.member, frame);
    if (interceptor === undefined) this.#transmit(frame);
    else for (const instead of interceptor.outgoing(this.peer.member, frame)) this.#transmit(instead);
    if (!life.after('send') || this.#closeReason !== undefined) return false;
    if (this.bufferedBytes > 4 * SEND_BUFFER_BYTES + DEFAULT_MAX_FRAME_BYTES) {
      this.#end('the send buffer overran');
      this.#put(undefined, 'the connection was lost');
      return false;
    }
    if (this.bufferedBytes >= SEND_BUFFER_BYTES) this.#full = true;
    const { resetPercent } = this.#network.link(member, this.peer.member);
    if (resetPercent > 0 && this.#network.random.chance(resetPercent)) this.break();
    return !this.#full;
  }

  onFrame(handler: (frame: Uint8Array) => void): void {
    this.#frameHandler = handler;
    queueMicrotask(() => this.#handOver());
  }

  onDrain(handler: () => void): void {
    this.#drainHandler = handler;
  }

  onClose(handler: (reason: string) => void): void {
    this.#closeHandler = handler;
    const reason = this.#closeReason;
    if (reason !== undefined) queueMicrotask(() => this.#reportClose(reason));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    queueMicrotask(() => this.#handOver());
  }

  close(reason: string): void {
    if (this.#closeReason !== undefined || !this.own.life.before('send')) return;
    this.#end(reason);
    this.#put(undefined, decodeReason(encodeReason(reason)));
  }

  // What the world does to it.

  /** Both ends are told that the connection is gone; what travelled is lost. */
  break(): void {
    for (const end of [this, this.#far]) {
      end.#lose(0);
      end.#broken = true;
      if (end.#closeReason === undefined && end.own.life.alive) {
        end.own.life.run('frame', () => end.#end('the connection was reset'));
      }
      this.#network.forget(end);
    }
  }

  /** The process at this end is gone. Of what it had sent last, some never left the machine. */
  abandon(how: 'kill' | 'power'): void {
    this.#lose(this.#network.random.below(this.#travelling.length + 1));
    if (how === 'kill') {
      if (this.#closeReason === undefined) this.#put(undefined, 'the connection was lost');
      this.#network.forget(this);
    }
    this.#closeReason ??= 'the process ended';
  }

  /** The machine at the other end does not know this connection any more, and says so to whoever uses it. */
  refuse(): void {
    const { clock, random } = this.#network;
    this.#network.forget(this.#far);
    clock.schedule(random.milliseconds(1, 1_000), () => {
      if (this.#closeReason === undefined) this.own.life.run('frame', () => this.#end('the connection was reset'));
      this.#network.forget(this);
    });
  }

  /** The way is open again. */
  retry(): void {
    if (this.#held.length === 0) return;
    const { clock, random } = this.#network;
    const delayMs = random.milliseconds(0, 400);
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, clock.monotonicMs() + delayMs);
    clock.schedule(delayMs, () => {
      if (this.#network.link(this.own.member, this.peer.member).blocked) return;
      const held = this.#held;
      this.#held = [];
      for (const item of held) this.#arrive(item);
    });
  }

  #transmit(frame: Uint8Array): void {
    this.#put(frame, '');
    const { duplicatePercent } = this.#network.link(this.own.member, this.peer.member);
    // Messages alone: they are what two connections between the same members could bring twice.
    const mayDouble = duplicatePercent > 0 && frame[0] === MESSAGE;
    if (mayDouble && this.#network.random.chance(duplicatePercent)) this.#put(frame, '');
  }

  #put(frame: Uint8Array | undefined, reason: string): void {
    if (this.#broken) return;
    const { clock } = this.#network;
    const item: Item = { frame: frame === undefined ? undefined : Uint8Array.from(frame), reason, lost: false };
    const latencyMs = this.#network.latencyMs(this.own.member, this.peer.member);
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, clock.monotonicMs() + latencyMs);
    this.#travelling.push(item);
    this.#travellingBytes += frame?.length ?? 0;
    clock.schedule(this.#lastArrivalMs - clock.monotonicMs(), () => this.#arrive(item));
  }

  /** All but the first `kept` of what travels never arrives. */
  #lose(kept: number): void {
    for (const item of this.#travelling.splice(kept)) {
      item.lost = true;
      this.#travellingBytes -= item.frame?.length ?? 0;
    }
    this.#held = this.#held.filter(({ lost }) => !lost);
  }

  #arrive(item: Item): void {
    if (item.lost) return;
    if (this.#held.length > 0 || this.#network.link(this.own.member, this.peer.member).blocked) {
      this.#held.push(item);
      return;
    }
    this.#travelling.shift();
    this.#travellingBytes -= item.frame?.length ?? 0;
    const far = this.#far;
    far.own.life.run('frame', () => far.#receive(item));
    this.#drain();
  }

  #receive({ frame, reason }: Item): void {
    if (this.#closeReason !== undefined) return;
    if (frame === undefined) {
      this.#end(reason);
      return;
    }
    this.#inbox.push(frame);
    this.#inboxBytes += frame.length;
    this.#handOver();
  }

  #handOver(): void {
    while (
      !this.#paused &&
      this.#closeReason === undefined &&
      this.#frameHandler !== undefined &&
      this.own.life.alive
    ) {
      const frame = this.#inbox.shift();
      if (frame === undefined) break;
      this.#inboxBytes -= frame.length;
      const { interceptor } = this.own;
      const seen = interceptor === undefined ? frame : interceptor.incoming(this.peer.member, frame);
      this.#network.events.delivered(this.peer.member, this.own, frame);
      if (seen !== undefined) this.#frameHandler(seen);
    }
    this.#far.#drain();
  }

  #drain(): void {
    if (!this.#full || this.bufferedBytes > 0 || this.#closeReason !== undefined) return;
    this.#full = false;
    this.own.life.run('frame', () => this.#drainHandler?.());
  }

  #end(reason: string): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    if (this.#far.#closeReason !== undefined) for (const end of [this, this.#far]) this.#network.forget(end);
    this.own.interceptor?.disconnected(this.peer.member);
    queueMicrotask(() => this.#reportClose(reason));
  }

  #reportClose(reason: string): void {
    const handler = this.#closeHandler;
    this.#closeHandler = undefined;
    if (this.own.life.alive) handler?.(reason);
  }
}

/** The first byte of an envelope that asks for no answer (network/envelope.ts). */
const MESSAGE = 1;
