import { ModuleReaders } from '@hanse/modules';
import type { Recovery, RecoveryPlan } from '@hanse/protocol';
import { LedgerService } from '../../src/chain/ledgerService.ts';
import { BlockExecutor } from '../../src/execution/blockExecutor.ts';
import type { SupportedRules } from '../../src/execution/ruleVersions.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { KeyValueStore } from '../../src/storage/keyValueStore.ts';
import { LedgerStore } from '../../src/storage/ledgerStore.ts';
import type { NetworkSetup } from './networkSetup.ts';

/** The real ledger of this network over a store that holds block 0 at the least. */
export function openLedger(
  { suite, genesisHash, rules, keys, modules }: NetworkSetup,
  { store, clock }: { readonly store: KeyValueStore; readonly clock: Clock },
  {
    supported,
    recoveries,
    promises,
  }: {
    readonly supported: SupportedRules;
    readonly recoveries: readonly Recovery[];
    readonly promises: readonly RecoveryPlan[];
  },
): LedgerService {
  return new LedgerService(
    { suite, genesisHash, rules, supported, recoveries, promises },
    {
      store: new LedgerStore(store, { suite, keys }),
      executor: new BlockExecutor({ suite, rules, genesisHash }, { modules, keys }),
      clock,
      readers: new ModuleReaders(suite),
    },
  );
}
