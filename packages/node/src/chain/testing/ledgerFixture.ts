import { ModuleHost, ModuleReaders } from '@hanse/modules';
import {
  type Address,
  type Certificate,
  createInternationalSuite,
  DEFAULT_GENESIS_PARAMETERS,
  type FinalizeStatement,
  type Genesis,
  type Hash,
  type Hex,
  hexToBytes,
  parseGenesis,
  portablePrimitives,
  quorum,
  type SignedTransaction,
  type Suite,
  signTransaction,
  statementBytes,
  type UnsignedTransaction,
  type View,
} from '@hanse/protocol';
import { BlockExecutor } from '../../execution/blockExecutor.ts';
import { executionRules } from '../../execution/executionRules.ts';
import { buildGenesisBlock } from '../../execution/genesisBlock.ts';
import { ManualClock } from '../../runtime/manualClock.ts';
import { LedgerStore } from '../../storage/ledgerStore.ts';
import { MemoryDatabase } from '../../storage/memoryKeyValueStore.ts';
import { StateKeys } from '../../storage/stateKeys.ts';
import type { ExecutionResult, TransactionBody } from '../ledger.ts';
import { LedgerService } from '../ledgerService.ts';

const suite: Suite = createInternationalSuite(portablePrimitives);
const NAMES = ['authority', 'bank', 'farm', 'market'] as const;

const keyOf = (number: number): Uint8Array => new Uint8Array(32).fill(number);
const addressOf = (key: Uint8Array): Address => suite.addressOf(hexToBytes(suite.publicKey(key))) as Address;

/** A network of four members with known keys: member i has account key i + 1 and vote key i + 101. */
export function fixtureGenesis(): Genesis {
  return parseGenesis({
    format: 1,
    name: 'fixture',
    chainId: 77,
    suite: 'international',
    timeMs: 1_000_000,
    parameters: { ...DEFAULT_GENESIS_PARAMETERS, accounts: 'registered' },
    members: NAMES.map((name, index) => ({
      name,
      role: index === 0 ? 'authority' : 'company',
      validator: true,
      address: addressOf(keyOf(index + 1)),
      voteKey: suite.publicKey(keyOf(index + 101)),
      transportKey: `0x${(index + 1).toString(16).padStart(64, '0')}` as Hex,
      endpoints: [`127.0.0.1:${9_000 + index}`],
    })),
    accounts: [],
    currencies: [],
    alloc: {},
  });
}

/** One member's ledger over a database that outlives it, so that a restart can be tried. */
export class LedgerFixture {
  readonly database: MemoryDatabase;
  readonly clock = new ManualClock();
  readonly genesisHash: Hash;
  readonly store: LedgerStore;
  readonly ledger: LedgerService;

  constructor(database = new MemoryDatabase()) {
    this.database = database;
    const genesis = fixtureGenesis();
    const keys = new StateKeys(suite);
    const modules = new ModuleHost(suite);
    const rules = executionRules(genesis, suite);
    const block = buildGenesisBlock(genesis, suite, { modules, keys });
    this.genesisHash = block.hash;
    this.store = new LedgerStore(database.open(), { suite, keys });
    this.store.initialize(block);
    this.ledger = new LedgerService(
      { suite, genesisHash: block.hash, rules },
      {
        store: this.store,
        executor: new BlockExecutor({ suite, rules }, { modules, keys }),
        clock: this.clock,
        readers: new ModuleReaders(suite),
      },
    );
  }

  /** A transaction of member `member`'s account that calls nothing and moves nothing. */
  transaction(member: number, nonce: number, fields: Partial<UnsignedTransaction> = {}): SignedTransaction {
    const key = keyOf(member + 1);
    return signTransaction(
      {
        type: 2,
        chainId: 77n,
        nonce: BigInt(nonce),
        gasLimit: 100_000n,
        maxFeePerGas: 0n,
        maxPriorityFeePerGas: 0n,
        to: addressOf(key),
        value: 0n,
        data: new Uint8Array(0),
        accessList: [],
        ...fields,
      },
      key,
      suite,
    );
  }

  /** Builds and executes a block on a parent, in a view of epoch 0. */
  async extend(
    parentDigest: Hash,
    view: number,
    candidates: readonly SignedTransaction[] = [],
  ): Promise<ExecutionResult & { readonly built: Awaited<ReturnType<LedgerService['build']>> }> {
    const head = await this.ledger.finalizedHead();
    const leader = view % NAMES.length;
    const request = { epoch: head.epoch, view: view as View, leader, parentDigest, nowMs: 2_000_000 + view * 100 };
    const built = await this.ledger.build({ ...request, candidates: candidates.map(bodyOf) });
    return { ...(await this.ledger.execute(built.digest)), built };
  }

  /** What a quorum of the members would sign for a result. */
  certify(
    result: Pick<ExecutionResult, 'digest' | 'height' | 'blockHash'>,
    view: number,
  ): Certificate<FinalizeStatement> {
    const { digest, height, blockHash } = result;
    const statement: FinalizeStatement = {
      kind: 'finalize',
      epoch: 0 as FinalizeStatement['epoch'],
      view: view as View,
      digest,
      height,
      blockHash,
    };
    const message = statementBytes(this.genesisHash, statement);
    const signatures = NAMES.slice(0, quorum(NAMES.length)).map((_, signer) => ({
      signer,
      signature: suite.sign(keyOf(signer + 101), message),
    }));
    return { statement, signatures };
  }
}

export const bodyOf = ({ hash, raw, sender }: SignedTransaction): TransactionBody => ({ hash, raw, sender });
