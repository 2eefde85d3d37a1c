import { ModuleHost } from '@hanse/modules';
import { CallService } from '../execution/callService.ts';
import { executionRules } from '../execution/executionRules.ts';
import { createRealClock } from '../runtime/realClock.ts';
import type { ServiceFactory } from '../runtime/services.ts';
import { LedgerReader } from '../storage/ledgerReader.ts';
import { LMDBKeyValueStore } from '../storage/lmdbKeyValueStore.ts';
import { readServiceOptions } from './serviceOptions.ts';

/** Calls from outside on a thread of their own, so that no endless one delays a block. Reads storage, writes nothing. */
export const createService: ServiceFactory = (options, context) => {
  const { genesis, ledgerFolder, suite } = readServiceOptions(options, context);
  const store = new LMDBKeyValueStore(ledgerFolder);
  const calls = new CallService(
    { suite, rules: executionRules(genesis, suite) },
    { ledger: new LedgerReader(store, { suite }), modules: new ModuleHost(suite), clock: createRealClock() },
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
