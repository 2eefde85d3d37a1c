import type { Hex } from '@hanse/protocol';

/**
 * Authenticated, encrypted, ordered connections between members, of whole frames. The real one is TLS 1.3 with both
 * sides authenticated by their transport keys; the simulator replaces it.
 */
export interface Network {
  /** Accepts connections at `host:port` until closed. Every connection handed over has proved its peer's key. */
  listen(endpoint: string, onConnection: (connection: Connection) => void): Promise<Listener>;
  /** Dials; rejects with an Error that says why. Proves that the other side holds `expectedKey`. */
  dial(endpoint: string, expectedKey: Hex): Promise<Connection>;
}

export interface Listener {
  /** The endpoint actually bound (port 0 becomes a real one). */
  readonly endpoint: string;
  close(): Promise<void>;
}

export interface Connection {
  /** The transport key that the peer proved to hold. */
  readonly peerKey: Hex;
  readonly remoteEndpoint: string;
  /** Queues a frame. Returns false if the send buffer is past its bound: hold back until `onDrain`. */
  send(frame: Uint8Array): boolean;
  readonly bufferedBytes: number;
  onFrame(handler: (frame: Uint8Array) => void): void;
  onDrain(handler: () => void): void;
  onClose(handler: (reason: string) => void): void;
  /** Stops reading (back-pressure) and starts again. */
  pause(): void;
  resume(): void;
  close(reason: string): void;
}
