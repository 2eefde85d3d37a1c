/**
 * Work off the main thread. `spawn` starts one service, by its name, in a worker of its own (the real one) or in
 * the same thread (tests and the simulator), and returns a typed proxy: every method of the service
 * is async, arguments and results are structured-clonable. Calls run one after another in the order in which they were made. A worker
 * that dies rejects what is pending and calls `onFailure`.
 */
export interface Compute {
  spawn<S extends object>(service: string, options: unknown): Promise<ServiceHandle<S>>;
}

export interface ServiceHandle<S extends object> {
  readonly service: S;
  onFailure(handler: (error: Error) => void): void;
  /** Waits for the calls made before, asks the service to close (its own `close` method), then ends the worker. */
  close(): Promise<void>;
}
