import type { Clock } from '../runtime/clock.ts';
import type { Counter, Histogram, Metrics } from '../runtime/metrics.ts';
import { RPCError, type RPCErrorName, rpcError, rpcErrors } from './codes.ts';
import { heightsBesideTransactions } from './freshHeights.ts';
import { parseJSON } from './jsonGuard.ts';
import type { Method, MethodContext, MethodServices } from './method.ts';
import { ArgumentError } from './parameters.ts';
import { responseTooLarge, serialize } from './serialize.ts';
import type { Subscriber } from './subscriptionHub.ts';

export interface DispatcherModules {
  readonly methods: ReadonlyMap<string, Method>;
  readonly services: MethodServices;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Where a request came from. */
export interface RequestOrigin {
  /** Undefined over HTTP, where nothing can be subscribed to. */
  readonly subscriber?: Subscriber;
  /** The client's address. */
  readonly client: string;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}

export interface Answer {
  /** JSON; undefined when there is nothing to answer (notifications). */
  readonly text: string | undefined;
  /** To be called when the text was handed to the connection. */
  readonly afterSending: () => void;
}

type RequestId = string | number | null;

/** What belongs to one request, a batch being one. */
interface RequestScope {
  readonly context: MethodContext;
  remainingBytes: number;
}

const nothing = (): void => {};

/** Longer method names are cut before they are repeated in an error. */
const MAX_SHOWN_NAME = 64;

/** JSON-RPC 2.0 over whatever transport: parses, checks, calls the methods one after another, and writes the answers. */
export class Dispatcher {
  readonly #modules: DispatcherModules;
  readonly #requests: Counter<'method' | 'outcome'>;
  readonly #seconds: Histogram<'method'>;

  constructor(modules: DispatcherModules) {
    this.#modules = modules;
    this.#requests = modules.metrics.counter({
      name: 'hanse_rpc_requests_total',
      help: 'JSON-RPC calls by method and outcome.',
      labels: ['method', 'outcome'],
    });
    this.#seconds = modules.metrics.histogram({
      name: 'hanse_rpc_request_seconds',
      help: 'How long JSON-RPC calls took, waiting included.',
      labels: ['method'],
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    });
  }

  /** Answers one body or message whose size and shape were bounded already. Never throws for what a client sent. */
  async handle(body: Uint8Array, origin: RequestOrigin): Promise<Answer> {
    const turn = this.#modules.services.turns.pause();
    if (turn !== undefined) await turn;
    let request: unknown;
    try {
      request = parseJSON(body);
    } catch (error) {
      return this.#refuse(error);
    }
    const actions: (() => void)[] = [];
    const scope = this.#scope(origin, actions);
    let text: string | undefined;
    try {
      if (Array.isArray(request)) text = await this.#handleBatch(request, scope);
      else {
        const { freshHeights } = this.#modules.services;
        const { subscriber } = origin;
        if (subscriber !== undefined) await freshHeights.onConnection(request, subscriber, scope.context.remainingMs());
        text = await this.#handleCall(request, scope);
      }
    } catch (error) {
      return this.#refuse(error);
    }
    return {
      text,
      afterSending: () => {
        for (const action of actions) action();
      },
    };
  }

  /** The answer to a request that could not be read as one. */
  #refuse(error: unknown): Answer {
    if (!(error instanceof RPCError)) throw error;
    this.#requests.increment({ method: 'none', outcome: error.errorName });
    return { text: errorText(null, error), afterSending: nothing };
  }

  #scope({ subscriber, client, signal }: RequestOrigin, actions: (() => void)[]): RequestScope {
    const { services, clock } = this.#modules;
    const deadlineMs = clock.monotonicMs() + services.limits.requestTimeoutMs;
    const remainingMs = (): number => Math.max(0, deadlineMs - clock.monotonicMs());
    const context: MethodContext = {
      ...services,
      subscriber,
      client,
      remainingMs,
      throwIfAborted() {
        if (signal.aborted || remainingMs() === 0) throw rpcError('request-timeout');
      },
      afterResponse: (action) => void actions.push(action),
    };
    return { context, remainingBytes: services.limits.maxResponseBytes };
  }

  async #handleBatch(calls: readonly unknown[], scope: RequestScope): Promise<string | undefined> {
    const { maxBatchCalls } = this.#modules.services.limits;
    if (calls.length === 0) throw rpcError('empty-batch');
    if (calls.length > maxBatchCalls)
      throw rpcError('batch-too-large', `${calls.length} calls, at most ${maxBatchCalls}`);
    const answers: (string | undefined)[] = [];
    const handle = async (index: number): Promise<void> => {
      answers[index] = await this.#handleCall(calls[index], scope);
      const turn = this.#modules.services.turns.pause();
      if (turn !== undefined) await turn;
    };
    const late = heightsBesideTransactions(calls);
    for (const index of calls.keys()) if (!late.has(index)) await handle(index);
    if (late.size > 0) await this.#modules.services.freshHeights.afterBatch(calls, scope.context.remainingMs());
    for (const index of late) await handle(index);
    const given = answers.filter((answer) => answer !== undefined);
    return given.length === 0 ? undefined : `[${given.join(',')}]`;
  }

  async #handleCall(call: unknown, scope: RequestScope): Promise<string | undefined> {
    const request = readRequest(call);
    if ('refused' in request) {
      this.#requests.increment({ method: 'none', outcome: 'invalid-request' });
      return errorText(request.id, request.refused);
    }
    const startedMs = this.#modules.clock.monotonicMs();
    const method = this.#modules.methods.get(request.method);
    const label = method?.name ?? 'unknown';
    let outcome: RPCErrorName | 'ok' = 'ok';
    let text: string;
    try {
      const result = await this.#run(method, request, scope.context);
      text = resultText(request.id ?? null, await serialize(result, scope.remainingBytes, scope.context.turns));
      if (text.length > scope.remainingBytes) throw responseTooLarge(scope.remainingBytes);
    } catch (error) {
      const refused = this.#expected(error, request.method);
      outcome = refused.errorName;
      text = errorText(request.id ?? null, refused);
    }
    scope.remainingBytes = Math.max(0, scope.remainingBytes - text.length);
    this.#requests.increment({ method: label, outcome });
    this.#seconds.observe({ method: label }, (this.#modules.clock.monotonicMs() - startedMs) / 1000);
    return request.id === undefined ? undefined : text;
  }

  #run(method: Method | undefined, request: ReadRequest, context: MethodContext): unknown {
    if (method === undefined) {
      const name = request.method.slice(0, MAX_SHOWN_NAME);
      throw new RPCError('method-not-found', `the method ${name} does not exist/is not available`);
    }
    context.throwIfAborted();
    return method.handle(context, readParameters(method, request.params));
  }

  /** Turns what a handler threw into an answer; what no handler should throw is logged and stays inside. */
  #expected(error: unknown, method: string): RPCError {
    if (error instanceof RPCError) return error;
    this.#modules.services.logger.log('error', 'a JSON-RPC method failed', {
      method: method.slice(0, MAX_SHOWN_NAME),
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    return rpcError('internal-error');
  }
}

interface ReadRequest {
  /** Undefined for a notification. */
  readonly id: RequestId | undefined;
  readonly method: string;
  readonly params: unknown;
}

function readRequest(call: unknown): ReadRequest | { readonly id: RequestId; readonly refused: RPCError } {
  if (typeof call !== 'object' || call === null || Array.isArray(call)) {
    return { id: null, refused: rpcError('invalid-request', 'a request is a JSON object') };
  }
  const { jsonrpc, id, method, params } = call as Record<string, unknown>;
  if (!isRequestId(id))
    return { id: null, refused: rpcError('invalid-request', 'id must be a string, a number or null') };
  if (jsonrpc !== '2.0') return { id: id ?? null, refused: rpcError('invalid-request', 'jsonrpc must be "2.0"') };
  if (typeof method !== 'string')
    return { id: id ?? null, refused: rpcError('invalid-request', 'method must be a string') };
  return { id, method, params };
}

/** A number must come back as it was sent, which JSON cannot promise beyond the safe integers. */
function isRequestId(id: unknown): id is RequestId | undefined {
  if (typeof id === 'number') return Math.abs(id) <= Number.MAX_SAFE_INTEGER;
  return id === undefined || id === null || typeof id === 'string';
}

function readParameters(method: Method, params: unknown): readonly unknown[] {
  if (params !== undefined && params !== null && !Array.isArray(params)) {
    throw new RPCError('invalid-params', 'non-array args');
  }
  const sent: readonly unknown[] = params ?? [];
  if (sent.length > method.parameters.length) {
    throw new RPCError('invalid-params', `too many arguments, want at most ${method.parameters.length}`);
  }
  return method.parameters.map((parameter, index) => {
    const value = sent[index];
    if (parameter.required && (value === undefined || value === null)) {
      throw new RPCError('invalid-params', `missing value for required argument ${index}`);
    }
    try {
      return parameter.parse(value);
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      throw new RPCError('invalid-params', `invalid argument ${index}: ${error.message}`);
    }
  });
}

function resultText(id: RequestId, resultJSON: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${resultJSON}}`;
}

function errorText(id: RequestId, error: RPCError): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: error.toObject() });
}

/** The answer for a request that its transport refuses, for example because it is too large. */
export function refusalText(errorName: RPCErrorName, detail?: string): string {
  return errorText(
    null,
    detail === undefined ? new RPCError(errorName, rpcErrors[errorName].message) : rpcError(errorName, detail),
  );
}
