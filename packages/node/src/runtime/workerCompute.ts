import { type ResourceLimits, Worker } from 'node:worker_threads';
import type { Compute, ServiceHandle } from './compute.ts';
import type { Logger } from './logger.ts';
import { fromErrorRecord, serviceProxy } from './serviceCalls.ts';
import { builtModule, type ServiceRegistry } from './services.ts';
import { compacted, transferList } from './transfer.ts';
import type { FromWorker, ToWorker, WorkerStart } from './workerMessages.ts';

export interface WorkerComputeOptions {
  readonly services: ServiceRegistry;
  /** The heap that one worker may use; beyond it the worker dies instead of the machine. */
  readonly resourceLimits?: ResourceLimits;
}

/** One worker thread per service. */
export class WorkerCompute implements Compute {
  readonly #options: WorkerComputeOptions;
  readonly #logger: Logger;

  constructor(options: WorkerComputeOptions, modules: { readonly logger: Logger }) {
    this.#options = options;
    this.#logger = modules.logger;
  }

  /** Resolves when the service was created in its thread; rejects with what its factory threw. */
  async spawn<S extends object>(service: string, options: unknown): Promise<ServiceHandle<S>> {
    const module = Object.hasOwn(this.#options.services, service) ? this.#options.services[service] : undefined;
    if (module === undefined) throw new Error(`there is no service ${JSON.stringify(service)}`);
    const start: WorkerStart = { service, module: module.href, options: compacted(options) };
    const worker = new Worker(builtModule('./workerEntry.ts', import.meta.url), {
      name: `hanse-${service}`,
      workerData: start,
      // Flags of the main program (a test runner's loaders, an inspector's port) are not for the worker.
      execArgv: [],
      ...(this.#options.resourceLimits === undefined ? {} : { resourceLimits: this.#options.resourceLimits }),
    });
    const handle = new WorkerHandle(service, worker, this.#logger);
    await handle.started;
    return handle as unknown as ServiceHandle<S>;
  }
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

class WorkerHandle implements ServiceHandle<object> {
  readonly service: object;
  readonly started: Promise<void>;
  readonly #name: string;
  readonly #worker: Worker;
  readonly #logger: Logger;
  readonly #pending = new Map<number, Pending>();
  readonly #handlers: ((error: Error) => void)[] = [];
  readonly #exited: Promise<void>;
  #nextId = 1;
  #ended: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(name: string, worker: Worker, logger: Logger) {
    this.#name = name;
    this.#worker = worker;
    this.#logger = logger;
    this.service = serviceProxy((method, parameters) => this.#call(method, parameters));
    this.started = new Promise((resolve, reject) => {
      this.#pending.set(0, { resolve: () => resolve(), reject });
    });
    worker.on('message', (message: FromWorker) => this.#received(message));
    worker.on('messageerror', (error) => this.#fail(error));
    worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#exited = new Promise((resolve) => {
      worker.on('exit', (code) => {
        if (this.#closing === undefined) this.#fail(new Error(`the worker of service ${name} ended with code ${code}`));
        resolve();
      });
    });
  }

  onFailure(handler: (error: Error) => void): void {
    this.#handlers.push(handler);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#ended === undefined) {
      const closed = this.#post({ type: 'close', id: this.#nextId++ }, []);
      this.#ended = new Error(`the service ${this.#name} was closed`);
      try {
        await closed;
      } finally {
        await this.#worker.terminate();
        this.#rejectPending(this.#ended);
      }
    }
    await this.#exited;
  }

  #call(method: string, parameters: readonly unknown[]): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const transfer = transferList(parameters);
    return this.#post({ type: 'call', id: this.#nextId++, method, parameters: parameters.map(compacted) }, transfer);
  }

  #post(message: ToWorker, transfer: ArrayBuffer[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#pending.set(message.id, { resolve, reject });
      try {
        this.#worker.postMessage(message, transfer);
      } catch (error) {
        this.#pending.delete(message.id);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  #received(message: FromWorker): void {
    if (message.type === 'log') {
      this.#logger.child({ service: this.#name }).log(message.level, message.text, message.fields);
      return;
    }
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (pending === undefined) return;
    if (message.type === 'result') {
      pending.resolve(message.value);
      return;
    }
    pending.reject(fromErrorRecord(message.error));
    // A service that could not even be created leaves a worker that nobody can use.
    if (message.id === 0) this.close().catch(() => undefined);
  }

  #fail(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#rejectPending(error);
    for (const handler of this.#handlers) handler(error);
    this.#worker.terminate().catch(() => undefined);
  }

  #rejectPending(error: Error): void {
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of waiting) reject(error);
  }
}
