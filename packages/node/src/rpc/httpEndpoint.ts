import type { IncomingMessage, ServerResponse } from 'node:http';
import { addressGroup } from '../runtime/addressGroup.ts';
import type { Counter, Metrics } from '../runtime/metrics.ts';
import { ByteBudget } from './byteBudget.ts';
import { RPCError, type RPCErrorName } from './codes.ts';
import type { HealthReport } from './dependencies.ts';
import { type Dispatcher, refusalText } from './dispatcher.ts';
import { JSONGuard } from './jsonGuard.ts';
import type { RPCLimits } from './limits.ts';

export interface HTTPEndpointModules {
  readonly dispatcher: Dispatcher;
  readonly metrics: Metrics;
  readonly health: () => HealthReport;
  readonly access: AccessRules;
  readonly limits: RPCLimits;
  /** Bounds what is received or in work, over WebSocket too. */
  readonly bodies: ByteBudget;
}

export interface AccessRules {
  /** Values of the Origin header that browsers' pages may have; `*` allows every page. */
  readonly corsOrigins: readonly string[];
  /** Values of the Host header without port that are answered; undefined answers all. Guards against DNS rebinding. */
  readonly allowedHosts: readonly string[] | undefined;
}

/** A refused upload is read and thrown away up to here, so that the client reads the answer; then the connection is cut. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;

/** Answers are handed to the socket in pieces of this many characters. */
const WRITE_PIECE = 256 * 1024;

const JSON_TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/json-rpc',
  'application/jsonrequest',
]);

class Refusal extends Error {
  readonly status: number;
  readonly errorName: RPCErrorName;
  readonly detail: string;

  constructor(status: number, errorName: RPCErrorName, detail: string) {
    super(detail);
    this.status = status;
    this.errorName = errorName;
    this.detail = detail;
  }
}

/** `POST /` is JSON-RPC, `GET /metrics` and `GET /health` are for operators. */
export class HTTPEndpoint {
  readonly #modules: HTTPEndpointModules;
  readonly #sending: ByteBudget;
  readonly #refused: Counter<'reason'>;
  #requests = 0;

  constructor(modules: HTTPEndpointModules) {
    this.#modules = modules;
    this.#sending = new ByteBudget(modules.limits.maxResponseBytesTotal);
    this.#refused = modules.metrics.counter({
      name: 'hanse_rpc_http_refused_total',
      help: 'HTTP requests refused before their content was looked at.',
      labels: ['reason'],
    });
    modules.metrics.gauge({
      name: 'hanse_rpc_http_requests',
      help: 'HTTP requests in work.',
      read: () => this.#requests,
    });
  }

  /** Answers one request. Never rejects: what goes wrong here ends the connection. */
  async handle(request: IncomingMessage, response: ServerResponse, expectsContinue = false): Promise<void> {
    request.on('error', () => response.destroy());
    response.on('error', () => {});
    try {
      await this.#route(request, response, expectsContinue);
    } catch (error) {
      if (!(error instanceof Refusal)) {
        response.destroy();
        return;
      }
      this.#refuse(request, response, error, expectsContinue);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void> {
    const { access, metrics, health } = this.#modules;
    if (!isHostAllowed(request, access)) throw new Refusal(403, 'invalid-request', 'this host name is not answered');
    setCORSHeaders(request, response, access);
    const path = request.url?.split('?', 1)[0];
    switch (request.method) {
      case 'OPTIONS':
        response.writeHead(204).end();
        return;
      case 'POST':
        if (path !== '/') throw new Refusal(404, 'invalid-request', 'JSON-RPC is at /');
        if (expectsContinue) this.#checkLength(request);
        if (expectsContinue) response.writeContinue();
        await this.#handleRPC(request, response);
        return;
      case 'GET':
      case 'HEAD':
        if (path === '/metrics') send(response, 200, metrics.contentType, await metrics.render());
        else if (path === '/health') sendHealth(response, health());
        else
          throw new Refusal(path === '/' ? 405 : 404, 'invalid-request', 'POST JSON-RPC to /, GET /health or /metrics');
        return;
      default:
        throw new Refusal(405, 'invalid-request', 'POST JSON-RPC to /');
    }
  }

  async #handleRPC(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
    if (!JSON_TYPES.has(type)) {
      throw new Refusal(415, 'invalid-request', 'invalid content type, only application/json is supported');
    }
    if (this.#requests >= this.#modules.limits.maxRequests) {
      throw new Refusal(503, 'limit-exceeded', `${this.#requests} requests are in work, try again later`);
    }
    this.#requests++;
    const aborted = new AbortController();
    response.on('close', () => aborted.abort());
    const held = { bytes: 0 };
    try {
      const body = await this.#receive(request, held);
      const { text, afterSending } = await this.#modules.dispatcher.handle(body, {
        client: clientOf(request),
        signal: aborted.signal,
      });
      this.#letGo(held);
      if (text === undefined) response.writeHead(204).end();
      else await this.#sendAnswer(response, text);
      afterSending();
    } catch (error) {
      if (!(error instanceof RPCError)) throw error;
      throw new Refusal(400, error.errorName, error.message);
    } finally {
      this.#letGo(held);
      this.#requests--;
    }
  }

  /** go-ethereum's wording; refused by the header alone, before a byte of the body is read. */
  #checkLength(request: IncomingMessage): void {
    const { maxBodyBytes } = this.#modules.limits;
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > maxBodyBytes) {
      throw new Refusal(413, 'body-too-large', `content length too large (${announced}>${maxBodyBytes})`);
    }
  }

  #letGo(held: { bytes: number }): void {
    this.#modules.bodies.release(held.bytes);
    held.bytes = 0;
  }

  /** `held` counts what was taken of the budget, also when the body is refused half way. */
  async #receive(request: IncomingMessage, held: { bytes: number }): Promise<Uint8Array> {
    this.#checkLength(request);
    const { maxBodyBytes, maxJsonDepth, maxJsonValues } = this.#modules.limits;
    const guard = new JSONGuard({ maxDepth: maxJsonDepth, maxValues: maxJsonValues });
    const chunks: Buffer[] = [];
    await eachChunk(request, (chunk) => {
      if (!this.#modules.bodies.tryTake(chunk.length)) {
        throw new Refusal(503, 'limit-exceeded', 'too many requests are being received, try again later');
      }
      held.bytes += chunk.length;
      if (held.bytes > maxBodyBytes) {
        throw new Refusal(413, 'body-too-large', `content length too large (more than ${maxBodyBytes})`);
      }
      guard.feed(chunk);
      chunks.push(chunk);
    });
    return Buffer.concat(chunks, held.bytes);
  }

  async #sendAnswer(response: ServerResponse, text: string): Promise<void> {
    const bytes = Buffer.byteLength(text);
    if (!this.#sending.tryTake(bytes)) {
      throw new Refusal(503, 'limit-exceeded', 'too many answers are being sent, try again later');
    }
    response.on('close', () => this.#sending.release(bytes));
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes });
    for (let at = 0; at < text.length && !response.destroyed; at += WRITE_PIECE) {
      const piece = text.slice(at, at + WRITE_PIECE);
      // A client that reads slowly holds only what it has not read, and the socket's time-out ends one that does not read at all.
      if (!response.write(piece)) await drained(response);
    }
    response.end();
  }

  #refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal, neverContinued: boolean): void {
    this.#refused.increment({ reason: refusal.errorName });
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    // After refusing `Expect: 100-continue`, one cannot know whether the body still comes, so the connection ends.
    if (neverContinued) response.setHeader('connection', 'close');
    if (refusal.status === 405) response.setHeader('allow', 'POST, GET, OPTIONS');
    if (!request.readableEnded) lingerAtClose(request);
    send(response, refusal.status, 'application/json', refusalText(refusal.errorName, refusal.detail));
    discard(request);
  }
}

/** Resolves at the end of the body; rejects when the client is gone, or with what `take` threw, and then leaves the rest unread. */
function eachChunk(request: IncomingMessage, take: (chunk: Buffer) => void): Promise<void> {
  // Not `for await`: leaving that loop destroys the connection before the refusal could be sent.
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      request.pause();
      if (error === undefined) resolve();
      else reject(error);
    };
    const onData = (chunk: Buffer): void => {
      try {
        take(chunk);
      } catch (error) {
        settle(error);
      }
    };
    const onEnd = (): void => settle();
    const onClose = (): void => settle(new Error('the client closed the connection'));
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

/** Resolves when the response can take more, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

/**
 * A client that asked for `Connection: close` and still writes would meet a reset instead of the answer. So only this side's half is closed,
 * and the other is read until the client ends it or a time-out of the server does (RFC 9112, section 9.6).
 */
function lingerAtClose({ socket }: IncomingMessage): void {
  socket.destroySoon = () => socket.end();
}

/** Lets the rest of an upload pass by without keeping it. */
function discard(request: IncomingMessage): void {
  let discarded = 0;
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > MAX_DISCARDED_BYTES) request.destroy();
  });
  request.resume();
}

function send(response: ServerResponse, status: number, contentType: string, text: string): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }).end(text);
}

function sendHealth(response: ServerResponse, report: HealthReport): void {
  send(response, report.healthy ? 200 : 503, 'application/json', JSON.stringify(report));
}

function setCORSHeaders({ headers }: IncomingMessage, response: ServerResponse, { corsOrigins }: AccessRules): void {
  const { origin } = headers;
  if (origin === undefined || !isOriginAllowed(origin, corsOrigins)) return;
  response.setHeader('access-control-allow-origin', corsOrigins.includes('*') ? '*' : origin);
  response.setHeader('access-control-allow-methods', 'POST, GET, OPTIONS');
  response.setHeader('access-control-allow-headers', 'content-type');
  response.setHeader('access-control-max-age', '600');
  response.setHeader('vary', 'origin');
}

/** Who asks, as far as an address tells: everybody behind one proxy counts as one client. */
export function clientOf({ socket }: IncomingMessage): string {
  return addressGroup(socket.remoteAddress ?? '');
}

/** Whether a browser's page may talk to this member; programs other than browsers send no Origin. */
export function isOriginAllowed(origin: string | undefined, corsOrigins: readonly string[]): boolean {
  return origin === undefined || corsOrigins.includes('*') || corsOrigins.includes(origin);
}

export function isHostAllowed({ headers }: IncomingMessage, { allowedHosts }: AccessRules): boolean {
  if (allowedHosts === undefined) return true;
  const host = headers.host?.replace(/:\d+$/, '').toLowerCase();
  return host !== undefined && allowedHosts.includes(host);
}
