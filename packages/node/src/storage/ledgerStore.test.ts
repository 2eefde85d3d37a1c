import {
  type Account,
  type Address,
  bytesToHex,
  type Certificate,
  constantHeaderFields,
  createInternationalSuite,
  decodeTransaction,
  Epoch,
  emptyHashes,
  type FinalizeStatement,
  type Hash,
  type Header,
  Height,
  headerHash,
  numberToFixedBytes,
  type Proposal,
  portablePrimitives,
  type StoredReceipt,
  signTransaction,
  View,
  ZERO_HASH,
} from '@hanse/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { KeyValueStore } from './keyValueStore.ts';
import { LEDGER_FORMAT, LedgerReader, META_KEYS } from './ledgerReader.ts';
import { type FinalizedBlockWrite, type GenesisBlockWrite, LedgerStore } from './ledgerStore.ts';
import { MemoryDatabase } from './memoryKeyValueStore.ts';
import { SlotMap } from './slotMap.ts';
import type { StateChanges } from './stateOverlay.ts';
import { StorageError } from './storageError.ts';
import { TABLE_NAMES } from './tables.ts';

const suite = createInternationalSuite(portablePrimitives);
const EMPTY = emptyHashes(suite);
const address = (byte: number): Address => bytesToHex(new Uint8Array(20).fill(byte));
const hash = (byte: number): Hash => bytesToHex(new Uint8Array(32).fill(byte));

const slots = (...entries: [bigint, bigint][]): SlotMap<bigint> => {
  const map = new SlotMap<bigint>();
  for (const [slot, word] of entries) map.set(slot, word);
  return map;
};

function changes(stateRoot: Hash, given: Partial<StateChanges> = {}): StateChanges {
  return {
    stateRoot,
    accounts: new Map(),
    wipedStorage: new Set(),
    slots: new Map(),
    codes: new Map(),
    accountTrie: new Map(),
    storageTries: new Map(),
    ...given,
  };
}

function headerOf(number: number, parentHash: Hash, stateRoot: Hash, timestamp = number): Header {
  return {
    ...constantHeaderFields(suite),
    parentHash,
    beneficiary: address(1),
    stateRoot,
    transactionsRoot: EMPTY.trieRoot,
    receiptsRoot: EMPTY.trieRoot,
    logsBloom: bytesToHex(new Uint8Array(256)),
    number: Height(number),
    gasLimit: 60_000_000n,
    gasUsed: 0n,
    timestamp,
    extraData: hash(9),
    mixHash: parentHash,
    baseFeePerGas: 0n,
  };
}

const genesisHeader = headerOf(0, ZERO_HASH, hash(1));
const account: Account = { nonce: 1n, balance: 10n ** 20n, storageRoot: hash(5), codeHash: hash(6) };

const genesis: GenesisBlockWrite = {
  header: genesisHeader,
  hash: headerHash(suite, genesisHeader),
  stateChanges: changes(hash(1), {
    accounts: new Map([
      [address(2), account],
      [address(3), { ...account, nonce: 0n, codeHash: EMPTY.code, storageRoot: EMPTY.trieRoot }],
    ]),
    slots: new Map([[address(2), slots([0n, 1n], [1n << 200n, (1n << 256n) - 1n])]]),
    codes: new Map([[hash(6), Uint8Array.of(1, 2, 3)]]),
    accountTrie: new Map([
      ['', Uint8Array.of(10)],
      ['a0', Uint8Array.of(11)],
    ]),
    storageTries: new Map([[address(2), new Map([['', Uint8Array.of(12)]])]]),
  }),
};

const privateKey = new Uint8Array(32).fill(0x11);
const sender = suite.addressOf(Uint8Array.from(Buffer.from(suite.publicKey(privateKey).slice(2), 'hex')))!;

function transaction(nonce: bigint): { raw: Uint8Array; sender: Address; hash: Hash } {
  const { raw } = signTransaction(
    {
      type: 2,
      chainId: 7n,
      nonce,
      gasLimit: 21_000n,
      maxFeePerGas: 0n,
      maxPriorityFeePerGas: 0n,
      to: address(4),
      value: 5n,
      data: Uint8Array.of(1, 2),
      accessList: [],
    },
    privateKey,
    suite,
  );
  return { raw, sender, hash: suite.hashHex(raw) };
}

const transactions = [transaction(0n), transaction(1n)];

const receipts: StoredReceipt[] = [
  {
    type: 2,
    success: true,
    cumulativeGasUsed: 21_000n,
    logs: [
      { address: address(2), topics: [hash(1), hash(2)], data: Uint8Array.of(1) },
      { address: address(2), topics: [], data: new Uint8Array(0) },
    ],
    gasUsed: 21_000n,
    effectiveGasPrice: 0n,
    contractAddress: address(8),
    revertData: new Uint8Array(0),
  },
  {
    type: 0,
    success: false,
    cumulativeGasUsed: 50_000n,
    logs: [],
    gasUsed: 29_000n,
    effectiveGasPrice: 1_000_000_007n,
    revertData: Uint8Array.of(8, 0xc3, 0x79, 0xa0),
  },
];

const proposal: Proposal = {
  epoch: Epoch(0),
  view: View(3),
  leader: 2,
  parentDigest: hash(7),
  height: Height(1),
  timeMs: 1_700_000_000_123,
  transactionHashes: transactions.map((each) => each.hash),
};

const blockHeader = headerOf(1, genesis.hash, hash(2));
const blockHash = headerHash(suite, blockHeader);
const certificate: Certificate<FinalizeStatement> = {
  statement: { kind: 'finalize', epoch: Epoch(0), view: View(3), digest: hash(8), height: Height(1), blockHash },
  signatures: [0, 2, 3].map((signer) => ({ signer, signature: new Uint8Array(64).fill(signer + 1) })),
};

const block: FinalizedBlockWrite = {
  header: blockHeader,
  hash: blockHash,
  proposal,
  digest: hash(8),
  transactions,
  receipts,
  certificate,
  stateChanges: changes(hash(2), {
    accounts: new Map([
      [address(2), { ...account, nonce: 2n }],
      [address(3), undefined],
    ]),
    slots: new Map([[address(2), slots([0n, 0n], [5n, 255n])]]),
    accountTrie: new Map([
      ['', Uint8Array.of(20)],
      ['a0', undefined],
    ]),
    storageTries: new Map([[address(2), new Map([['b', Uint8Array.of(21)]])]]),
  }),
};

let database: MemoryDatabase;
let base: KeyValueStore;
let ledger: LedgerStore;

beforeEach(() => {
  database = new MemoryDatabase();
  base = database.open();
  ledger = new LedgerStore(base, { suite });
});

/** Everything in the store, as text. */
function dump(): string[] {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return TABLE_NAMES.flatMap((name) =>
    Array.from(base.range(name, {}), ({ key, value }) => `${name} ${hex(key)} ${hex(value)}`),
  );
}

describe('the ledger', () => {
  it('gives back the genesis', () => {
    expect(ledger.isInitialized()).toBe(false);
    expect(ledger.genesisHash()).toBeUndefined();
    ledger.initialize(genesis);
    expect(ledger.isInitialized()).toBe(true);
    expect(ledger.genesisHash()).toBe(genesis.hash);
    expect(ledger.head()).toEqual({ height: 0, hash: genesis.hash, stateRoot: hash(1) });
    expect(ledger.header(Height(0))).toEqual({ header: genesisHeader, hash: genesis.hash });
    expect(ledger.transactions(Height(0))).toEqual([]);
    expect(ledger.receipts(Height(0))).toEqual([]);
    expect(ledger.proposal(Height(0))).toBeUndefined();
    expect(ledger.certificate(Height(0))).toBeUndefined();
  });

  it('gives back a block with everything that belongs to it', () => {
    ledger.initialize(genesis);
    ledger.appendBlock(block);
    const reader = new LedgerReader(database.open(), { suite });
    expect(reader.headHeight()).toBe(1);
    expect(reader.header(Height(1))).toEqual({ header: blockHeader, hash: blockHash });
    expect(reader.heightOf(blockHash)).toBe(1);
    expect(reader.heightOf(genesis.hash)).toBe(0);
    expect(reader.transactions(Height(1))).toEqual(
      transactions.map(({ raw }) => ({ ...decodeTransaction(raw, suite), sender })),
    );
    expect(reader.encodedTransactions(Height(1))).toEqual(transactions.map(({ raw }) => raw));
    expect(reader.receipts(Height(1))).toEqual(receipts);
    expect(reader.proposal(Height(1))).toEqual({ proposal, digest: hash(8) });
    expect(reader.certificate(Height(1))).toEqual(certificate);
    expect(reader.findTransaction(transactions[1]!.hash)).toEqual({ height: 1, index: 1 });
  });

  it('has nothing of what is not there', () => {
    ledger.initialize(genesis);
    expect(ledger.header(Height(1))).toBeUndefined();
    expect(ledger.heightOf(hash(9))).toBeUndefined();
    expect(ledger.transactions(Height(1))).toBeUndefined();
    expect(ledger.receipts(Height(1))).toBeUndefined();
    expect(ledger.findTransaction(hash(9))).toBeUndefined();
    expect(() => ledger.state().code(hash(9))).toThrow('lost the code');
  });

  it("shows the newest block's state", () => {
    ledger.initialize(genesis);
    const state = ledger.state();
    expect(state.stateRoot).toBe(hash(1));
    expect(state.account(address(2))).toEqual(account);
    expect(state.account(address(9))).toBeUndefined();
    expect(state.storage(address(2), 1n << 200n)).toBe((1n << 256n) - 1n);
    expect(state.storage(address(2), 0n)).toBe(1n);
    expect(state.storage(address(3), 0n)).toBe(0n);
    expect(state.code(hash(6))).toEqual(Uint8Array.of(1, 2, 3));
    expect(state.code(EMPTY.code)).toEqual(new Uint8Array(0));
    ledger.appendBlock(block);
    expect(state.stateRoot).toBe(hash(2));
    expect(state.account(address(2))).toEqual({ ...account, nonce: 2n });
    expect(state.account(address(3))).toBeUndefined();
    expect([0n, 5n].map((slot) => state.storage(address(2), slot))).toEqual([0n, 255n]);
    expect(['', 'a0', 'b'].map((path) => state.accountTrieNode(path))).toEqual([
      Uint8Array.of(20),
      undefined,
      undefined,
    ]);
    expect(['', 'b'].map((path) => state.storageTrieNode(address(2), path))).toEqual([
      Uint8Array.of(12),
      Uint8Array.of(21),
    ]);
    expect(state.storageTrieNode(address(3), '')).toBeUndefined();
  });

  it.each([
    {
      written: 'one after another',
      append: (blocks: FinalizedBlockWrite[]) => blocks.map((one) => ledger.appendBlock(one)),
    },
    { written: 'together', append: (blocks: FinalizedBlockWrite[]) => ledger.appendBlocks(blocks) },
  ])('removes all storage of a wiped account, and of no other, when blocks are written $written', ({ append }) => {
    ledger.initialize(genesis);
    const header = headerOf(1, genesis.hash, hash(2));
    const filled = {
      ...block,
      header,
      stateChanges: changes(hash(2), {
        slots: new Map([2, 3, 4, 5].map((byte) => [address(byte), slots([1n, 1n], [2n, 2n])])),
        storageTries: new Map([2, 3, 4, 5].map((byte) => [address(byte), new Map([['', Uint8Array.of(1)]])])),
      }),
    };
    const next = headerOf(2, blockHash, hash(3));
    const wiping = {
      ...block,
      header: next,
      hash: hash(3),
      certificate: { ...certificate, statement: { ...certificate.statement, blockHash: hash(3) } },
      stateChanges: changes(hash(3), {
        wipedStorage: new Set([address(2), address(4)]),
        slots: new Map([[address(4), slots([2n, 9n])]]),
        storageTries: new Map([[address(4), new Map([['', Uint8Array.of(9)]])]]),
      }),
    };
    append([filled, wiping]);
    const state = ledger.state();
    const words = (byte: number): bigint[] => [0n, 1n, 2n].map((slot) => state.storage(address(byte), slot));
    expect([2, 3, 4, 5].map(words)).toEqual([
      [0n, 0n, 0n],
      [0n, 1n, 2n],
      [0n, 0n, 9n],
      [0n, 1n, 2n],
    ]);
    expect([2, 3, 4].map((byte) => state.storageTrieNode(address(byte), '')?.[0])).toEqual([undefined, 1, 9]);
  });
});

describe('the ledger refuses, and changes nothing,', () => {
  it('everything before there is a genesis', () => {
    expect(() => ledger.headHeight()).toThrow(StorageError);
    expect(() => ledger.appendBlock(block)).toThrow('no genesis yet');
    expect(dump()).toEqual([]);
  });

  it('the genesis of another network; the same genesis again is fine', () => {
    ledger.initialize(genesis);
    const before = dump();
    ledger.initialize(genesis);
    const code = (run: () => void): string | undefined => {
      try {
        run();
        return undefined;
      } catch (error) {
        return (error as StorageError).code;
      }
    };
    expect(code(() => ledger.initialize({ ...genesis, hash: hash(3) }))).toBe('different-genesis');
    expect(dump()).toEqual(before);
  });

  it.each([
    [LEDGER_FORMAT + 1, 'newer-format'],
    [LEDGER_FORMAT - 1, 'older-format'],
  ])('a folder of format %i', (version, code) => {
    ledger.initialize(genesis);
    base.transaction((batch) => batch.put('meta', META_KEYS.formatVersion, numberToFixedBytes(version, 4)));
    const before = dump();
    expect(() => new LedgerStore(base, { suite })).toThrow(expect.objectContaining({ name: 'StorageError', code }));
    expect(dump()).toEqual(before);
  });

  it('a block that does not follow, or whose parts do not fit together', () => {
    ledger.initialize(genesis);
    const before = dump();
    const wrong: [Partial<FinalizedBlockWrite>, string][] = [
      [{ header: { ...blockHeader, number: Height(2) } }, 'does not follow'],
      [{ header: { ...blockHeader, number: Height(0) } }, 'does not follow'],
      [{ header: { ...blockHeader, parentHash: hash(4) } }, 'does not follow'],
      [{ stateChanges: changes(hash(9)) }, 'names state'],
      [{ receipts: [] }, '0 receipts'],
      [{ hash: hash(9) }, 'The certificate of block 1'],
    ];
    for (const [part, message] of wrong) {
      expect(() => ledger.appendBlock({ ...block, ...part })).toThrow(message);
    }
    expect(dump()).toEqual(before);
  });

  it('several blocks, if one of them does not follow the one before', () => {
    ledger.initialize(genesis);
    const before = dump();
    const other = { ...block, header: headerOf(2, hash(4), hash(2)), hash: hash(3) };
    expect(() => ledger.appendBlocks([block, other])).toThrow('does not follow block 1');
    expect(dump()).toEqual(before);
  });

  it('a block whose write fails in the middle', () => {
    ledger.initialize(genesis);
    const before = dump();
    const failing = { ...block.stateChanges, codes: new Map([['0x12' as Hash, new Uint8Array(1)]]) };
    failing.codes.set('0x' as Hash, new Uint8Array(1));
    expect(() => ledger.appendBlock({ ...block, stateChanges: failing })).toThrow(RangeError);
    expect(dump()).toEqual(before);
    ledger.appendBlock(block);
    expect(ledger.headHeight()).toBe(1);
  });
});

describe('the format of the ledger', () => {
  // A hash that changes is a new LEDGER_FORMAT with a migration, or a mistake.
  it.each([
    ['meta', '0x34b28f09bfd00b7a26306d736b3b84e842cd93bcd8bea80bdc3fabd8b38312b5'],
    ['headers', '0x5805f47a169748ef78a6ba19a10ceaf2142b134d4bba77508defbe32a89d0aa3'],
    ['heights', '0xa5d48b56a659169742a7240a0e3842028f78403515ae941015da13856f7fd257'],
    ['bodies', '0xc087d979f7aa8445793b819e02cb593fde0a37b746cc2f36d2f2b2a0c02b08b3'],
    ['receipts', '0x02bf0a875d15daac371c168db17912803c834be0851167c1787130401dcec87c'],
    ['proposals', '0x148d3991f9b4cc9bcf1976012a73fa4ba9317fa9a090a096d9d5ffb3cb52e547'],
    ['certificates', '0xa6522e3e60bf787b220b619f7ca05e3a605ee94005ca957c2fcd800224c92309'],
    ['transactions', '0x1042bcbdbd82b2ea8f8da7307465380e6bbed8119614ab95285a2db81862be04'],
    ['accounts', '0x9f3a8ac000fbfc5d3e9e1bf8f4a2edf75840c816c5c683508d9f1dd5f73bcc31'],
    ['slots', '0x45213bc5ab6e7f50ca856579e5b68e89d911be137b3de07b8b95e61225ba06b1'],
    ['codes', '0x76126b43c5b77494c33bc92af85550a96803435a5193e2a5f1c7bcb0372006e3'],
    ['accountTrie', '0x97c35fb11ea908470ba495fc7ae2b9361ef06775a2a7fe8cffba64e40f3f03a3'],
    ['storageTrie', '0xf2e4a0a351acceb1883221e0a33cf43731be4a7d9cd5b7a88674449a99d185bf'],
  ])('of %s is frozen', (table, golden) => {
    ledger.initialize(genesis);
    ledger.appendBlock(block);
    const lines = dump().filter((line) => line.startsWith(`${table} `));
    expect(lines.length).toBeGreaterThan(0);
    expect(suite.hashHex(new TextEncoder().encode(lines.join('\n')))).toBe(golden);
  });

  it('has a golden hash for every table', () => {
    expect(TABLE_NAMES.length).toBe(13);
  });
});
