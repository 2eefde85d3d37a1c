import type { Hex } from '@hanse/protocol';
import type { Clock } from './clock.ts';
import { decodeReason, encodeReason } from './frameDecoder.ts';
import { type Acceptor, type Connection, DEFAULT_MAX_FRAME_BYTES, type Listener, type Network } from './network.ts';

export interface MemoryHubOptions {
  readonly maxFrameBytes?: number;
  readonly sendBufferBytes?: number;
  /** With a clock every frame takes `latencyMs` of it; without, frames arrive in a following microtask. */
  readonly clock?: Clock;
  readonly latencyMs?: number;
}

/** A network inside one process with the behaviour of the real one, for tests: who is who is taken on trust. */
export class MemoryHub {
  readonly maxFrameBytes: number;
  readonly sendBufferBytes: number;
  readonly #options: MemoryHubOptions;
  readonly #acceptors = new Map<string, { readonly key: Hex; readonly acceptor: Acceptor }>();
  readonly #cuts = new Set<string>();
  #nextPort = 20_000;

  constructor(options: MemoryHubOptions = {}) {
    this.#options = options;
    this.maxFrameBytes = options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES;
    this.sendBufferBytes = options.sendBufferBytes ?? 256 * 1024;
  }

  /** The network as the holder of this transport key sees it. */
  network(key: Hex): Network {
    return {
      listen: async (endpoint, acceptor) => this.#listen(key, endpoint, acceptor),
      dial: (endpoint, expectedKey, ownKey = key) => this.#dial(ownKey, endpoint, expectedKey),
      ownKeys: () => [key],
    };
  }

  /** From now on nothing passes between these two, and neither notices; new dials fail. */
  cut(a: Hex, b: Hex): void {
    this.#cuts.add(pairName(a, b));
  }

  heal(a: Hex, b: Hex): void {
    this.#cuts.delete(pairName(a, b));
  }

  isCut(a: Hex, b: Hex): boolean {
    return this.#cuts.has(pairName(a, b));
  }

  deliver(work: () => void): void {
    if (this.#options.clock === undefined) queueMicrotask(work);
    else this.#options.clock.schedule(this.#options.latencyMs ?? 0, work);
  }

  #listen(key: Hex, endpoint: string, acceptor: Acceptor): Listener {
    const bound = endpoint.endsWith(':0') ? `${endpoint.slice(0, -2)}:${this.#nextPort++}` : endpoint;
    if (this.#acceptors.has(bound)) throw new Error(`listen EADDRINUSE: address already in use ${bound}`);
    this.#acceptors.set(bound, { key, acceptor });
    return { endpoint: bound, close: async () => void this.#acceptors.delete(bound) };
  }

  #dial(from: Hex, endpoint: string, expectedKey: Hex): Promise<Connection> {
    return new Promise((resolve, reject) => {
      this.deliver(() => {
        const target = this.#acceptors.get(endpoint);
        const fail = (reason: string): void => reject(new Error(`${endpoint}: ${reason}`));
        if (target === undefined || this.isCut(from, target.key)) {
          fail('connect ECONNREFUSED');
          return;
        }
        const { key } = target;
        if (key !== expectedKey) {
          fail(`proved the key ${key}, expected ${expectedKey}`);
          return;
        }
        const refusal = target.acceptor.refusal(from);
        if (refusal !== undefined) {
          fail(`refused by the other side: ${refusal}`);
          return;
        }
        const dialled = new MemoryConnection(this, from, key, endpoint);
        const accepted = new MemoryConnection(this, key, from, `memory:${this.#nextPort++}`);
        dialled.join(accepted);
        accepted.join(dialled);
        target.acceptor.accepted(accepted);
        resolve(dialled);
      });
    });
  }
}

function pairName(a: Hex, b: Hex): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

class MemoryConnection implements Connection {
  readonly peerKey: Hex;
  readonly remoteEndpoint: string;
  readonly #hub: MemoryHub;
  readonly #ownKey: Hex;
  #other: MemoryConnection | undefined;
  /** Arrived here and not yet handed over: the other side's send buffer. */
  readonly #inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  #inFlightBytes = 0;
  #paused = false;
  #full = false;
  #closeReason: string | undefined;
  #frameHandler: ((frame: Uint8Array) => void) | undefined;
  #drainHandler: (() => void) | undefined;
  #closeHandler: ((reason: string) => void) | undefined;

  constructor(hub: MemoryHub, ownKey: Hex, peerKey: Hex, remoteEndpoint: string) {
    this.#hub = hub;
    this.#ownKey = ownKey;
    this.peerKey = peerKey;
    this.remoteEndpoint = remoteEndpoint;
  }

  join(other: MemoryConnection): void {
    this.#other = other;
  }

  get #peer(): MemoryConnection {
    if (this.#other === undefined) throw new Error('the two ends of a connection are joined before use');
    return this.#other;
  }

  get bufferedBytes(): number {
    return this.#inFlightBytes + this.#peer.#inboxBytes;
  }

  send(frame: Uint8Array): boolean {
    if (frame.length > this.#hub.maxFrameBytes) {
      throw new RangeError(`a frame of ${frame.length} bytes is over the limit of ${this.#hub.maxFrameBytes}`);
    }
    if (this.#closeReason !== undefined) return false;
    const copy = Uint8Array.from(frame);
    this.#inFlightBytes += copy.length;
    this.#hub.deliver(() => {
      this.#inFlightBytes -= copy.length;
      if (!this.#hub.isCut(this.#ownKey, this.peerKey)) this.#peer.#receive(copy);
      this.#checkDrain();
    });
    if (this.bufferedBytes > 4 * this.#hub.sendBufferBytes + this.#hub.maxFrameBytes) {
      this.#end('the send buffer overran');
      this.#tellOther('the connection was lost');
      return false;
    }
    if (this.bufferedBytes >= this.#hub.sendBufferBytes) this.#full = true;
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
    if (this.#closeReason !== undefined) return;
    this.#end(reason);
    this.#tellOther(decodeReason(encodeReason(reason)));
  }

  #tellOther(reason: string): void {
    this.#hub.deliver(() => {
      if (!this.#hub.isCut(this.#ownKey, this.peerKey)) this.#peer.#end(reason);
    });
  }

  #receive(frame: Uint8Array): void {
    if (this.#closeReason !== undefined) return;
    this.#inbox.push(frame);
    this.#inboxBytes += frame.length;
    this.#handOver();
  }

  #handOver(): void {
    while (!this.#paused && this.#closeReason === undefined && this.#frameHandler !== undefined) {
      const frame = this.#inbox.shift();
      if (frame === undefined) break;
      this.#inboxBytes -= frame.length;
      this.#frameHandler(frame);
    }
    this.#peer.#checkDrain();
  }

  #checkDrain(): void {
    if (!this.#full || this.bufferedBytes > 0 || this.#closeReason !== undefined) return;
    this.#full = false;
    this.#drainHandler?.();
  }

  #end(reason: string): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    queueMicrotask(() => this.#reportClose(reason));
  }

  #reportClose(reason: string): void {
    const handler = this.#closeHandler;
    this.#closeHandler = undefined;
    handler?.(reason);
  }
}
