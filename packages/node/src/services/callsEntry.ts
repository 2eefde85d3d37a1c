import { ModuleHost, ModuleReaders } from '@hanse/modules';
import { CallService } from '../execution/callService.ts';
import { executionRules } from '../execution/executionRules.ts';
import { lowerThreadPriority } from '../runtime/lowerThreadPriority.ts';
import { createRealClock } from '../runtime/realClock.ts';
import type { ServiceFactory } from '../runtime/services.ts';
import { LedgerReader } from '../storage/ledgerReader.ts';
import { LMDBKeyValueStore } from '../storage/lmdbKeyValueStore.ts';
import { readServiceOptions } from './serviceOptions.ts';

/** As nice as a batch job: on a machine with few cores, calls must not take the time that consensus needs. */
const NICENESS = 10;

/** Calls from outside on a thread of their own, so that no endless one delays a block. Reads storage, writes nothing. */
export const createService: ServiceFactory = (options, context) => {
  lowerThreadPriority(NICENESS);
  const { genesis, ledgerFolder, suite } = readServiceOptions(options, context);
  const store = new LMDBKeyValueStore(ledgerFolder);
  const readers = new ModuleReaders(suite);
  const calls = new CallService(
    { suite, rules: executionRules(genesis, suite) },
    {
      ledger: new LedgerReader(store, { suite }),
      modules: new ModuleHost(suite),
      scheduledRules: (state) => readers.readScheduledRules(state),
      clock: createRealClock(),
    },
  );
  return {
    call: calls.call.bind(calls),
    estimateGas: calls.estimateGas.bind(calls),
    close: async () => {
      await calls.close();
      await store.close();
    },
  };
};
