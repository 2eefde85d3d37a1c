import type { ManualClock } from '../../src/runtime/manualClock.ts';
import { fromErrorRecord, toErrorRecord } from '../../src/runtime/serviceCalls.ts';
import { compacted } from '../../src/runtime/transfer.ts';
import { type Life, never } from './life.ts';
import type { SimulationRandom } from './simulationRandom.ts';

export interface WorkerOptions {
  /** The longest time that a call takes to reach the thread, and an answer to come back; read at each. */
  readonly longestMs: () => number;
  /** Whether what passes is cloned, as between threads; costs more than all else, so only some runs do it. */
  readonly cloning: boolean;
}

/**
 * A service as over a thread of its own: calls and answers keep their order, take their time, and the process may end between a call
 * and its effect, and between the effect and its answer.
 */
export function onSimulatedThread<S extends object>(
  service: S,
  methods: readonly (keyof S & string)[],
  { longestMs, cloning }: WorkerOptions,
  world: { readonly clock: ManualClock; readonly random: SimulationRandom; readonly life: Life },
): S {
  const { clock, random, life } = world;
  const copy = <T>(value: T): T => (cloning ? structuredClone(compacted(value)) : value);
  let callAtMs = 0;
  let answerAtMs = 0;
  const pass = (previousMs: number): number =>
    Math.max(previousMs, clock.monotonicMs() + random.milliseconds(0, longestMs()));
  const answer = (deliver: () => void): void => {
    answerAtMs = pass(answerAtMs);
    clock.schedule(answerAtMs - clock.monotonicMs(), () => life.run('ledger answer', deliver));
  };
  const call = (method: keyof S & string, parameters: readonly unknown[]): Promise<unknown> => {
    if (!life.alive) return never();
    const passed = copy(parameters);
    return new Promise((resolve, reject) => {
      callAtMs = pass(callAtMs);
      clock.schedule(callAtMs - clock.monotonicMs(), () => {
        if (!life.before('ledger call')) return;
        const run = service[method] as (...values: readonly unknown[]) => Promise<unknown>;
        run.apply(service, passed as unknown[]).then(
          (value) => {
            const result = copy(value);
            answer(() => resolve(result));
          },
          (error: unknown) => answer(() => reject(fromErrorRecord(toErrorRecord(error)))),
        );
      });
    });
  };
  return Object.fromEntries(
    methods.map((method) => [method, (...parameters: readonly unknown[]) => call(method, parameters)]),
  ) as S;
}
