import type { LogLevel } from './logger.ts';
import type { ErrorRecord } from './serviceCalls.ts';

/** What a worker is started with. */
export interface WorkerStart {
  readonly service: string;
  /** The URL of the service's entry module. */
  readonly module: string;
  readonly options: unknown;
}

/** From the main thread to a worker. Ids count from 1; 0 is the creation of the service. */
export type ToWorker =
  | { readonly type: 'call'; readonly id: number; readonly method: string; readonly parameters: readonly unknown[] }
  | { readonly type: 'close'; readonly id: number };

/** From a worker to the main thread. */
export type FromWorker =
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: ErrorRecord }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly text: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
