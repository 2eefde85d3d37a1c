import { WebSocket } from 'ws';

/** A client that keeps what it receives, for tests that await it. */
export class TestWebSocket {
  readonly socket: WebSocket;
  readonly #received: unknown[] = [];
  readonly #waiting: ((message: unknown) => void)[] = [];
  readonly closed: Promise<number>;
  readonly opened: Promise<void>;
  #nextId = 1;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url, { headers });
    this.socket.on('message', (data) => {
      const message: unknown = JSON.parse(String(data));
      const waiter = this.#waiting.shift();
      if (waiter === undefined) this.#received.push(message);
      else waiter(message);
    });
    this.closed = new Promise((resolve) => this.socket.on('close', resolve));
    this.opened = new Promise((resolve, reject) => {
      this.socket.on('open', resolve);
      this.socket.on('error', reject);
    });
    // A test that expects the refusal awaits `opened` itself.
    this.opened.catch(() => {});
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The next message, whatever it is. */
  next(): Promise<Record<string, unknown>> {
    const message = this.#received.shift();
    if (message !== undefined) return Promise.resolve(message as Record<string, unknown>);
    return new Promise((resolve) => this.#waiting.push(resolve as (message: unknown) => void));
  }

  /** Sends a call and gives the next message, which is its answer if no notification comes between. */
  call(method: string, ...params: readonly unknown[]): Promise<Record<string, unknown>> {
    this.send({ jsonrpc: '2.0', id: this.#nextId++, method, params });
    return this.next();
  }
}
