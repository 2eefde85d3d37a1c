import { parentPort, workerData } from 'node:worker_threads';
import type { Logger } from './logger.ts';
import { loadNodePrimitives } from './nodePrimitives.ts';
import { CallQueue, invoke, toErrorRecord } from './serviceCalls.ts';
import type { ServiceModule } from './services.ts';
import { compacted, transferList } from './transfer.ts';
import type { FromWorker, ToWorker, WorkerStart } from './workerMessages.ts';

/** The program of every worker thread: it makes the one service that it was started for and answers calls in order. */
const port = parentPort;
if (port === null) throw new Error('workerEntry runs in a worker thread only');

const post = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

function portLogger(inherited: Readonly<Record<string, unknown>>): Logger {
  return {
    log(level, text, fields = {}): void {
      const all: Record<string, unknown> = {};
      for (const [name, value] of Object.entries({ ...inherited, ...fields })) {
        all[name] = typeof value === 'function' || typeof value === 'symbol' ? String(value) : compacted(value);
      }
      post({ type: 'log', level, text, fields: all });
    },
    child: (fields) => portLogger({ ...inherited, ...fields }),
  };
}

async function answer(id: number, work: () => unknown): Promise<void> {
  try {
    const value = await work();
    const transfer = transferList([value]);
    post({ type: 'result', id, value: compacted(value) }, transfer);
  } catch (error) {
    post({ type: 'error', id, error: toErrorRecord(error) });
  }
}

const queue = new CallQueue();
let service: object = {};

void queue.run(() =>
  answer(0, async () => {
    const start = workerData as WorkerStart;
    const [module, primitives] = await Promise.all([
      import(start.module) as Promise<ServiceModule>,
      loadNodePrimitives(),
    ]);
    service = await module.createService(start.options, { primitives, logger: portLogger({}) });
  }),
);

port.on('message', (message: ToWorker) => {
  void queue.run(() =>
    answer(message.id, () => {
      if (message.type === 'call') return invoke(service, message.method, message.parameters);
      return 'close' in service ? invoke(service, 'close', []) : undefined;
    }),
  );
});
