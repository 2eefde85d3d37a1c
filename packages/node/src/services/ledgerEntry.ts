import { ModuleHost, ModuleReaders } from '@hanse/modules';
import { LedgerService } from '../chain/ledgerService.ts';
import { BlockExecutor } from '../execution/blockExecutor.ts';
import { executionRules } from '../execution/executionRules.ts';
import { buildGenesisBlock } from '../execution/genesisBlock.ts';
import { createRealClock } from '../runtime/realClock.ts';
import type { ServiceFactory } from '../runtime/services.ts';
import { LedgerStore } from '../storage/ledgerStore.ts';
import { LMDBKeyValueStore } from '../storage/lmdbKeyValueStore.ts';
import { StateKeys } from '../storage/stateKeys.ts';
import { readServiceOptions } from './serviceOptions.ts';

/** The ledger, with storage and execution, on a thread of its own. Writes the genesis into an empty folder. */
export const createService: ServiceFactory = (options, context) => {
  const { genesis, ledgerFolder, recoveries, promises, suite, supported } = readServiceOptions(options, context);
  const keys = new StateKeys(suite);
  const modules = new ModuleHost(suite);
  const rules = executionRules(genesis, suite);
  const block = buildGenesisBlock(genesis, suite, { modules, keys });
  const store = new LedgerStore(new LMDBKeyValueStore(ledgerFolder), { suite, keys });
  store.initialize(block);
  const executor = new BlockExecutor({ suite, rules, genesisHash: block.hash }, { modules, keys });
  return new LedgerService(
    { suite, genesisHash: block.hash, rules, recoveries, promises, ...(supported === undefined ? {} : { supported }) },
    {
      store,
      executor,
      clock: createRealClock(),
      readers: new ModuleReaders(suite),
    },
  );
};
