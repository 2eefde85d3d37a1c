import type { Hex } from '@hanse/protocol';

/**
 * Authenticated, encrypted, ordered connections between members, of whole frames. The real one is TLS 1.3 with both
 * sides authenticated by their transport keys; the simulator replaces it.
 */
export interface Network {
  /** Accepts connections at `host:port` until closed. Every connection handed over has proved its peer's key. */
  listen(endpoint: string, acceptor: Acceptor): Promise<Listener>;
  /**
   * Dials; rejects with an Error that says why, also when the other side does not admit this one. Proves that the other
   * side holds `expectedKey` before a byte is sent to it; it is told which key is expected, so that one that replaced it and
   * still has it can prove it to those who do not know yet. This side proves `ownKey`, one of `ownKeys()`; the present one if absent.
   */
  dial(endpoint: string, expectedKey: Hex, ownKey?: Hex): Promise<Connection>;
  /** The keys that this side can prove, the present one first. */
  ownKeys(): readonly Hex[];
}

export interface Acceptor {
  /** Consulted at the handshake, before a byte of the peer is looked at: undefined admits the peer, else the reason why not. */
  refusal(peerKey: Hex): string | undefined;
  /** Takes over an admitted connection; handlers must be set before it returns. */
  accepted(connection: Connection): void;
}

export interface Listener {
  /** The endpoint actually bound (port 0 becomes a real one). */
  readonly endpoint: string;
  /** Stops accepting; connections that were handed over stay. */
  close(): Promise<void>;
}

export interface Connection {
  /** The transport key that the peer proved to hold. */
  readonly peerKey: Hex;
  readonly remoteEndpoint: string;
  /**
   * Queues a frame of at most the network's bound (a longer one throws). Returns false if the send buffer is past its
   * bound: hold back until `onDrain`. A sender that does not hold back is cut off.
   */
  send(frame: Uint8Array): boolean;
  readonly bufferedBytes: number;
  /** Frames come in order; one that arrives before the handler is set waits for it. The bytes belong to the handler. */
  onFrame(handler: (frame: Uint8Array) => void): void;
  onDrain(handler: () => void): void;
  /** Called once, also for `close` from this side; with the other side's reason if it gave one. */
  onClose(handler: (reason: string) => void): void;
  /** Stops reading (back-pressure) and starts again. */
  pause(): void;
  resume(): void;
  /** Sends what is queued and the reason (at most 200 bytes) as far as the other side reads it, and ends the connection. */
  close(reason: string): void;
}

/** The longest frame of a network unless it is configured otherwise. */
export const DEFAULT_MAX_FRAME_BYTES = 8 * 1024 * 1024;
