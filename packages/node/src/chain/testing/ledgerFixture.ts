import { ModuleHost, ModuleReaders } from '@hanse/modules';
import {
  type Certificate,
  type Epoch,
  type FinalizeStatement,
  type Genesis,
  genesisDigest,
  type Hash,
  parseGenesis,
  type SignedTransaction,
  statementBytes,
  type View,
} from '@hanse/protocol';
import { BlockExecutor } from '../../execution/blockExecutor.ts';
import { executionRules } from '../../execution/executionRules.ts';
import { buildGenesisBlock } from '../../execution/genesisBlock.ts';
import { testAccount, testSuite } from '../../execution/testing/executionFixture.ts';
import { ManualClock } from '../../runtime/manualClock.ts';
import type { KeyValueStore } from '../../storage/keyValueStore.ts';
import { LedgerStore } from '../../storage/ledgerStore.ts';
import { MemoryDatabase } from '../../storage/memoryKeyValueStore.ts';
import { StateKeys } from '../../storage/stateKeys.ts';
import type { BuildResult, ExecutionResult, Ledger, SyncBlock } from '../ledger.ts';
import { LedgerService } from '../ledgerService.ts';

const modules = new ModuleHost(testSuite);
const MEMBERS = ['authority', 'bank', 'farm', 'market'] as const;
export const START_MS = 1_700_000_000_000;
export const epoch = 0 as Epoch;

/** Four members; accounts are open, so that test accounts may send. Each test account owns a billion wei. */
export const ledgerGenesis: Genesis = parseGenesis({
  format: 1,
  name: 'ledger',
  chainId: 1234,
  suite: 'international',
  timeMs: START_MS,
  members: MEMBERS.map((name, index) => ({
    name,
    role: index < 2 ? name : 'company',
    validator: true,
    address: testAccount(index + 1).address,
    voteKey: testSuite.publicKey(testAccount(index + 1).privateKey),
    transportKey: `0x${String(index + 1).padStart(64, '0')}`,
    endpoints: [`${name}.example:30000`],
  })),
  currencies: [{ symbol: 'DCNY', name: 'Digital yuan', decimals: 2, authority: 'authority' }],
  parameters: { accounts: 'open' },
  alloc: Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [testAccount(index + 11).address, { balance: '1000000000' }]),
  ),
});

const genesisBlock = buildGenesisBlock(ledgerGenesis, testSuite, { modules, keys: new StateKeys(testSuite) });
export const ledgerGenesisHash: Hash = genesisBlock.hash;
export const rootDigest: Hash = genesisDigest(testSuite, ledgerGenesisHash);

/** The real ledger over a database in memory, which survives `restart` as a folder would. */
export class TestLedger {
  readonly database = new MemoryDatabase();
  service: LedgerService;
  store: LedgerStore;
  /** Wraps the key-value store at the next start, to make it fail. */
  wrap: (store: KeyValueStore) => KeyValueStore = (store) => store;

  constructor() {
    this.store = this.#open();
    this.service = this.#start();
  }

  /** The process ended: everything in memory is gone. */
  restart(): void {
    this.store = this.#open();
    this.service = this.#start();
  }

  #open(): LedgerStore {
    const keys = new StateKeys(testSuite);
    const store = new LedgerStore(this.wrap(this.database.open()), { suite: testSuite, keys });
    store.initialize(genesisBlock);
    return store;
  }

  #start(): LedgerService {
    const rules = executionRules(ledgerGenesis, testSuite);
    return new LedgerService(
      { suite: testSuite, genesisHash: ledgerGenesisHash, rules },
      {
        store: this.store,
        executor: new BlockExecutor(
          { suite: testSuite, rules, genesisHash: ledgerGenesisHash },
          { modules, keys: new StateKeys(testSuite) },
        ),
        clock: new ManualClock(START_MS),
        readers: new ModuleReaders(testSuite),
      },
    );
  }
}

/** A finalize certificate by the first three members. */
export function certifyBlock(
  view: number,
  { digest, height, blockHash }: Pick<ExecutionResult, 'digest' | 'height' | 'blockHash'>,
): Certificate<FinalizeStatement> {
  const statement: FinalizeStatement = { kind: 'finalize', epoch, view: view as View, digest, height, blockHash };
  const message = statementBytes(ledgerGenesisHash, statement);
  const signatures = [0, 1, 2].map((signer) => ({
    signer,
    signature: testSuite.sign(testAccount(signer + 1).privateKey, message),
  }));
  return { statement, signatures };
}

export interface MadeBlock extends BuildResult {
  readonly result: ExecutionResult;
  readonly certificate: Certificate<FinalizeStatement>;
  readonly syncBlock: SyncBlock;
}

/** Builds and executes a block of a view on an executed parent, and certifies it. */
export async function makeBlock(
  ledger: Ledger,
  view: number,
  parentDigest: Hash,
  candidates: readonly SignedTransaction[],
): Promise<MadeBlock> {
  const leader = view % MEMBERS.length;
  const nowMs = START_MS + view * 10;
  const built = await ledger.build({ epoch, view: view as View, leader, parentDigest, nowMs, candidates });
  const result = await ledger.execute(built.digest);
  const certificate = certifyBlock(view, result);
  const transactions = built.transactions.map(({ raw }) => raw);
  return { ...built, result, certificate, syncBlock: { proposal: built.proposal, transactions, certificate } };
}
