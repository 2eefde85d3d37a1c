import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { Counter, Metrics } from '../runtime/metrics.ts';
import type { ByteBudget } from './byteBudget.ts';
import { RPCError } from './codes.ts';
import { type Dispatcher, refusalText } from './dispatcher.ts';
import type { FilterRegistry } from './filterRegistry.ts';
import { type AccessRules, clientOf, isHostAllowed, isOriginAllowed } from './httpEndpoint.ts';
import { JSONGuard } from './jsonGuard.ts';
import type { RPCLimits } from './limits.ts';
import type { Subscriber, SubscriptionHub } from './subscriptionHub.ts';

export interface WebSocketEndpointModules {
  readonly dispatcher: Dispatcher;
  readonly subscriptions: SubscriptionHub;
  readonly filters: FilterRegistry;
  readonly metrics: Metrics;
  readonly access: AccessRules;
  readonly clock: Clock;
  readonly limits: RPCLimits;
  /** Bounds what is received or in work, over HTTP too. */
  readonly bodies: ByteBudget;
}

/** RFC 6455, section 7.4.1. */
const CLOSE_GOING_AWAY = 1001;

/** JSON-RPC over WebSocket at `/`, with subscriptions. */
export class WebSocketEndpoint {
  readonly #modules: WebSocketEndpointModules;
  readonly #server: WebSocketServer;
  readonly #connections = new Set<WebSocketConnection>();
  readonly #dropped: Counter<'reason'>;
  #pingTimer: Timer | undefined;
  /** What all clients together have not read. */
  #unread = 0;

  constructor(modules: WebSocketEndpointModules) {
    this.#modules = modules;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // Compression would let a small message become a large one, and costs memory for every connection.
      perMessageDeflate: false,
      maxPayload: modules.limits.maxWebSocketMessageBytes,
    });
    this.#dropped = modules.metrics.counter({
      name: 'hanse_rpc_websocket_dropped_total',
      help: 'WebSocket connections that were dropped.',
      labels: ['reason'],
    });
    modules.metrics.gauge({
      name: 'hanse_rpc_websocket_connections',
      help: 'Open WebSocket connections.',
      read: () => this.#connections.size,
    });
  }

  /** Takes over a connection that asks for `Upgrade: websocket`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { access, limits } = this.#modules;
    socket.on('error', () => socket.destroy());
    if (!isHostAllowed(request, access) || !isOriginAllowed(request.headers.origin, access.corsOrigins)) {
      refuseUpgrade(socket, '403 Forbidden');
    } else if (request.url?.split('?', 1)[0] !== '/') {
      refuseUpgrade(socket, '404 Not Found');
    } else if (this.#connections.size >= limits.maxWebSocketConnections) {
      this.#dropped.increment({ reason: 'too-many' });
      refuseUpgrade(socket, '503 Service Unavailable');
    } else {
      this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, clientOf(request)));
    }
  }

  /** Says goodbye to everybody; the sockets end when the clients answered, or with the HTTP server. */
  close(): void {
    this.#pingTimer?.cancel();
    for (const connection of this.#connections) connection.close();
  }

  #accept(webSocket: WebSocket, client: string): void {
    const { subscriptions, filters } = this.#modules;
    const connection = new WebSocketConnection(webSocket, client, {
      ...this.#modules,
      onDropped: (reason) => this.#dropped.increment({ reason }),
      onUnread: (bytes) => this.#countUnread(bytes),
    });
    this.#connections.add(connection);
    webSocket.on('close', () => {
      this.#connections.delete(connection);
      subscriptions.dropSubscriber(connection);
      filters.dropOwner(connection);
    });
    if (this.#connections.size === 1) this.#armPing();
  }

  /** When all together hold too much, those who read least are dropped, not those who come next. */
  #countUnread(bytes: number): void {
    this.#unread += bytes;
    while (bytes > 0 && this.#unread > this.#modules.limits.maxResponseBytesTotal) {
      let slowest: WebSocketConnection | undefined;
      for (const connection of this.#connections) {
        if (slowest === undefined || connection.unread > slowest.unread) slowest = connection;
      }
      if (slowest === undefined || slowest.unread === 0) return;
      slowest.drop('slow');
    }
  }

  #armPing(): void {
    this.#pingTimer?.cancel();
    this.#pingTimer = this.#modules.clock.schedule(this.#modules.limits.webSocketPingIntervalMs, () => {
      for (const connection of this.#connections) connection.ping();
      if (this.#connections.size > 0) this.#armPing();
    });
  }
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

interface ConnectionModules {
  readonly dispatcher: Dispatcher;
  readonly limits: RPCLimits;
  readonly bodies: ByteBudget;
  readonly onDropped: (reason: string) => void;
  /** By how much more or less this client has not read. */
  readonly onUnread: (bytes: number) => void;
}

/** One client. Messages are answered side by side up to a bound; beyond it the socket is not read, so the client waits. */
class WebSocketConnection implements Subscriber {
  readonly #webSocket: WebSocket;
  readonly #client: string;
  readonly #modules: ConnectionModules;
  readonly #aborted = new AbortController();
  readonly #waiting: Buffer[] = [];
  #requests = 0;
  #answeredPing = true;
  #unread = 0;

  constructor(webSocket: WebSocket, client: string, modules: ConnectionModules) {
    this.#webSocket = webSocket;
    this.#client = client;
    this.#modules = modules;
    webSocket.on('message', (message) => this.#receive(message));
    webSocket.on('pong', () => {
      this.#answeredPing = true;
    });
    webSocket.on('close', () => {
      for (const { length } of this.#waiting.splice(0)) modules.bodies.release(length);
      this.#forgetUnread();
      this.#aborted.abort();
    });
    // Errors (a broken frame, a message over the limit) are followed by `close`.
    webSocket.on('error', () => {});
  }

  /** Bytes that the client has not read, as far as this program holds them. */
  get unread(): number {
    return this.#unread;
  }

  send(text: string): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    if (this.#unread > this.#modules.limits.maxWebSocketBufferedBytes) {
      this.drop('slow');
      return;
    }
    const bytes = Buffer.byteLength(text);
    this.#unread += bytes;
    this.#webSocket.send(text, () => {
      // After a drop nothing is counted any more.
      const read = Math.min(bytes, this.#unread);
      this.#unread -= read;
      this.#modules.onUnread(-read);
    });
    this.#modules.onUnread(bytes);
  }

  ping(): void {
    if (!this.#answeredPing) {
      this.drop('silent');
      return;
    }
    this.#answeredPing = false;
    this.#webSocket.ping();
  }

  close(): void {
    this.#webSocket.close(CLOSE_GOING_AWAY, 'the member is stopping');
  }

  drop(reason: string): void {
    this.#modules.onDropped(reason);
    this.#forgetUnread();
    this.#webSocket.terminate();
  }

  #forgetUnread(): void {
    const unread = this.#unread;
    this.#unread = 0;
    this.#modules.onUnread(-unread);
  }

  /** Takes messages in order as places are free. What one read of the socket held beyond that waits here, the rest in the socket. */
  #receive(message: RawData): void {
    // `ws` gives one Buffer for a message unless told otherwise.
    const body = message as Buffer;
    const { limits, bodies } = this.#modules;
    if (!bodies.tryTake(body.length)) {
      this.send(refusalText('limit-exceeded', 'too many requests are being received, try again later'));
      return;
    }
    this.#waiting.push(body);
    const { maxWebSocketRequests } = limits;
    if (this.#requests >= maxWebSocketRequests) this.#webSocket.pause();
    else this.#startNext();
  }

  #startNext(): void {
    const body = this.#waiting.shift();
    if (body === undefined) {
      if (this.#webSocket.isPaused) this.#webSocket.resume();
      return;
    }
    this.#requests++;
    void this.#handle(body).then(() => {
      this.#requests--;
      this.#modules.bodies.release(body.length);
      this.#startNext();
    });
  }

  async #handle(body: Buffer): Promise<void> {
    const { dispatcher, limits } = this.#modules;
    try {
      new JSONGuard({ maxDepth: limits.maxJsonDepth, maxValues: limits.maxJsonValues }).feed(body);
      const origin = { subscriber: this, client: this.#client, signal: this.#aborted.signal };
      const { text, afterSending } = await dispatcher.handle(body, origin);
      if (text !== undefined) this.send(text);
      afterSending();
    } catch (error) {
      if (error instanceof RPCError) this.send(refusalText(error.errorName, error.message));
      else this.drop('failed');
    }
  }
}
