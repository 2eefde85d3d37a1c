import type { TLSSocket } from 'node:tls';
import type { Hex } from '@hanse/protocol';
import type { Clock } from './clock.ts';
import { formatEndpoint } from './endpoint.ts';
import {
  decodeReason,
  encodeClosingFrame,
  encodeFrameHeader,
  FRAME_CLOSING,
  FRAME_DATA,
  FRAME_HEADER_BYTES,
  type FrameDecoder,
} from './frameDecoder.ts';
import type { Connection } from './network.ts';

export interface ConnectionLimits {
  readonly maxFrameBytes: number;
  /** From so many unsent bytes on, `send` says false. */
  readonly sendBufferBytes: number;
}

/** Frames up to this are copied behind their header into one buffer: one chunk less to hand down. */
const INLINE_FRAME_BYTES = 4_096;
/** How long the other side may take to read what was queued before a close. */
const CLOSE_GRACE_MS = 2_000;

/** A proved connection: frames over a TLS socket. Reading begins when `onFrame` is called. */
export class TlsConnection implements Connection {
  readonly peerKey: Hex;
  readonly remoteEndpoint: string;
  readonly #socket: TLSSocket;
  readonly #limits: ConnectionLimits;
  readonly #clock: Clock;
  readonly #decoder: FrameDecoder;
  #frameHandler: ((frame: Uint8Array) => void) | undefined;
  #drainHandler: (() => void) | undefined;
  #closeHandler: ((reason: string) => void) | undefined;
  #closeReason: string | undefined;
  #corked = false;
  #full = false;
  #paused = false;
  #delivering = false;

  constructor(socket: TLSSocket, peerKey: Hex, decoder: FrameDecoder, limits: ConnectionLimits, clock: Clock) {
    this.peerKey = peerKey;
    this.remoteEndpoint = formatEndpoint(socket.remoteAddress ?? 'unknown', socket.remotePort ?? 0);
    this.#socket = socket;
    this.#decoder = decoder;
    this.#limits = limits;
    this.#clock = clock;
    socket.setNoDelay(true);
    socket.on('drain', () => this.#drained());
    socket.on('error', (error) => this.#ended(error.message));
    socket.on('end', () => this.#ended('the peer ended the connection'));
    socket.on('close', () => this.#ended('the connection was lost'));
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  send(frame: Uint8Array): boolean {
    if (frame.length > this.#limits.maxFrameBytes) {
      throw new RangeError(`a frame of ${frame.length} bytes is over the limit of ${this.#limits.maxFrameBytes}`);
    }
    if (this.#closeReason !== undefined) return false;
    this.#cork();
    const header = encodeFrameHeader(FRAME_DATA, frame.length);
    if (frame.length <= INLINE_FRAME_BYTES) {
      this.#socket.write(Buffer.concat([header, frame], FRAME_HEADER_BYTES + frame.length));
    } else {
      this.#socket.write(header);
      this.#socket.write(frame);
    }
    const buffered = this.#socket.writableLength;
    if (buffered > 4 * this.#limits.sendBufferBytes + this.#limits.maxFrameBytes) {
      this.#ended('the send buffer overran');
      this.#socket.destroy();
      return false;
    }
    if (buffered >= this.#limits.sendBufferBytes) this.#full = true;
    return !this.#full;
  }

  onFrame(handler: (frame: Uint8Array) => void): void {
    const first = this.#frameHandler === undefined;
    this.#frameHandler = handler;
    if (!first) return;
    this.#socket.on('data', (chunk: Buffer) => {
      this.#decoder.push(chunk);
      this.#deliver();
    });
    // The dialling side paused the socket after admission, and that outlasts a new listener.
    if (this.#paused) this.#socket.pause();
    else this.#socket.resume();
    // What came in the same packets as the handshake's end is already in the decoder.
    queueMicrotask(() => this.#deliver());
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
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#frameHandler === undefined) return;
    this.#socket.resume();
    queueMicrotask(() => this.#deliver());
  }

  close(reason: string): void {
    if (this.#closeReason !== undefined) return;
    this.#socket.end(encodeClosingFrame(reason));
    this.#ended(reason);
  }

  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      while (!this.#paused && this.#closeReason === undefined) {
        const frame = this.#nextFrame();
        if (frame === undefined) return;
        this.#frameHandler?.(frame);
      }
    } finally {
      this.#delivering = false;
    }
  }

  #nextFrame(): Uint8Array | undefined {
    try {
      const frame = this.#decoder.next();
      if (frame === undefined || frame.type === FRAME_DATA) return frame?.payload;
      if (frame.type !== FRAME_CLOSING) throw new Error(`a frame of type ${frame.type} out of place`);
      this.#socket.end();
      this.#ended(decodeReason(frame.payload));
    } catch (error) {
      this.close(error instanceof Error ? error.message : String(error));
    }
    return undefined;
  }

  #cork(): void {
    if (this.#corked) return;
    // Frames sent in one go become one write and few TLS records.
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #drained(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#drainHandler?.();
  }

  /** The first reason counts. Whatever the other side does, the socket is gone after the grace. */
  #ended(reason: string): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    // Nobody looks at what still comes, but it must be read for the end of the stream to be seen.
    if (this.#frameHandler !== undefined) this.#socket.removeAllListeners('data');
    this.#socket.resume();
    const timer = this.#clock.schedule(CLOSE_GRACE_MS, () => this.#socket.destroy());
    this.#socket.once('close', () => timer.cancel());
    if (this.#closeHandler !== undefined) queueMicrotask(() => this.#reportClose(reason));
  }

  #reportClose(reason: string): void {
    const handler = this.#closeHandler;
    this.#closeHandler = undefined;
    handler?.(reason);
  }
}
