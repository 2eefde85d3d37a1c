import type { Compute, ServiceHandle } from './compute.ts';
import { CallQueue, fromErrorRecord, invoke, serviceProxy, toErrorRecord } from './serviceCalls.ts';
import type { ServiceContext, ServiceFactory } from './services.ts';
import { compacted, transferList } from './transfer.ts';

/**
 * Services in the caller's own thread, for tests and the simulator, with what a worker would do to them: arguments and results
 * are cloned, marked buffers detached, calls run in order and never inside the call that made them, errors lose their class.
 */
export class InlineCompute implements Compute {
  readonly #factories: Readonly<Record<string, ServiceFactory>>;
  readonly #context: ServiceContext;
  readonly #running = new Map<string, Set<InlineHandle>>();

  constructor(factories: Readonly<Record<string, ServiceFactory>>, context: ServiceContext) {
    this.#factories = factories;
    this.#context = context;
  }

  async spawn<S extends object>(service: string, options: unknown): Promise<ServiceHandle<S>> {
    const factory = Object.hasOwn(this.#factories, service) ? this.#factories[service] : undefined;
    if (factory === undefined) throw new Error(`there is no service ${JSON.stringify(service)}`);
    let instance: object;
    try {
      instance = await factory(structuredClone(compacted(options)), this.#context);
    } catch (error) {
      throw fromErrorRecord(toErrorRecord(error));
    }
    const handle = new InlineHandle(service, instance);
    const running = this.#running.get(service) ?? new Set();
    this.#running.set(service, running.add(handle));
    return handle as unknown as ServiceHandle<S>;
  }

  /** Lets every running service of this name die as a worker would, for tests of what comes after. */
  kill(service: string, error: Error): void {
    for (const handle of this.#running.get(service) ?? []) handle.fail(error);
    this.#running.delete(service);
  }
}

class InlineHandle implements ServiceHandle<object> {
  readonly service: object;
  readonly #instance: object;
  readonly #queue = new CallQueue();
  readonly #handlers: ((error: Error) => void)[] = [];
  readonly #pending = new Set<(error: Error) => void>();
  #ended: Error | undefined;
  #closing: Promise<void> | undefined;
  readonly #name: string;

  constructor(name: string, instance: object) {
    this.#name = name;
    this.#instance = instance;
    this.service = serviceProxy((method, parameters) => this.#call(method, parameters));
  }

  onFailure(handler: (error: Error) => void): void {
    this.#handlers.push(handler);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  fail(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    for (const reject of this.#pending) reject(error);
    this.#pending.clear();
    for (const handler of this.#handlers) handler(error);
  }

  async #close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const closed = 'close' in this.#instance ? this.#call('close', []) : this.#queue.run(() => undefined);
    this.#ended = new Error(`the service ${this.#name} was closed`);
    await closed;
  }

  #call(method: string, parameters: readonly unknown[]): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    // Cloned at once, as a message is: what the caller changes afterwards does not reach the service.
    let cloned: unknown[];
    try {
      cloned = structuredClone(parameters.map(compacted), { transfer: transferList(parameters) });
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    return new Promise((resolve, reject) => {
      this.#pending.add(reject);
      this.#queue
        .run(async () => {
          const result = await invoke(this.#instance, method, cloned);
          return structuredClone(compacted(result), { transfer: transferList([result]) });
        })
        .then(resolve, (error: unknown) => reject(fromErrorRecord(toErrorRecord(error))))
        .finally(() => this.#pending.delete(reject));
    });
  }
}
