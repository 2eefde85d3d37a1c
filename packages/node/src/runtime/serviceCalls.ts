/** An error in a form that crosses threads with its code and causes; a bare clone keeps the message alone. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Own fields that are plain values: codes, heights, reasons. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: ErrorRecord | undefined;
}

const MAX_CAUSES = 8;

export function toErrorRecord(error: unknown, depth = 0): ErrorRecord {
  if (!(error instanceof Error))
    return { name: 'Error', message: String(error), stack: undefined, fields: {}, cause: undefined };
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(error)) {
    if (name !== 'cause' && name !== 'name' && isPlain(value)) fields[name] = value;
  }
  const cause = error.cause === undefined || depth >= MAX_CAUSES ? undefined : toErrorRecord(error.cause, depth + 1);
  return { name: error.name, message: error.message, stack: error.stack, fields, cause };
}

export function fromErrorRecord(record: ErrorRecord): Error {
  const error = new Error(record.message, record.cause === undefined ? {} : { cause: fromErrorRecord(record.cause) });
  Object.assign(error, record.fields);
  Object.defineProperty(error, 'name', { value: record.name, configurable: true, writable: true });
  if (record.stack !== undefined)
    Object.defineProperty(error, 'stack', { value: record.stack, configurable: true, writable: true });
  return error;
}

function isPlain(value: unknown): boolean {
  return value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}

/** Runs jobs one after another in the order of `run`; a job that fails does not stop those behind it. */
export class CallQueue {
  #tail: Promise<unknown> = Promise.resolve();

  run<T>(job: () => T | Promise<T>): Promise<T> {
    const result = this.#tail.then(job);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

/** Calls a service's method by name; only functions of the service itself and its class, never of Object. */
export function invoke(service: object, method: string, parameters: readonly unknown[]): unknown {
  const candidate: unknown = method in Object.prototype ? undefined : (service as Record<string, unknown>)[method];
  if (typeof candidate !== 'function') throw new TypeError(`the service has no method ${method}`);
  return candidate.apply(service, parameters);
}

/** An object whose every method is `call(name, arguments)`. It is no promise: `then` is absent, so that it can be awaited. */
export function serviceProxy<S extends object>(
  call: (method: string, parameters: readonly unknown[]) => Promise<unknown>,
): S {
  const methods = new Map<string, (...parameters: readonly unknown[]) => Promise<unknown>>();
  return new Proxy({} as S, {
    get(_target, name) {
      if (typeof name !== 'string' || name === 'then') return undefined;
      let method = methods.get(name);
      if (method === undefined) {
        method = (...parameters) => call(name, parameters);
        methods.set(name, method);
      }
      return method;
    },
  });
}
