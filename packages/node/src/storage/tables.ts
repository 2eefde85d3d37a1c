/** What a table's documentation says. Keys sort as unsigned bytes; heights in keys are 8 bytes, big-endian. */
export interface Table {
  readonly key: string;
  readonly value: string;
  readonly writer: string;
}

/**
 * Every table of a member's ledger. All are written by the ledger's thread alone, in one transaction per finalized block;
 * every other thread reads. A table is never renamed; a new format of a value is a new `LEDGER_FORMAT` and a migration.
 */
export const TABLES = {
  meta: {
    key: '`formatVersion`, `genesisHash` or `head`, as ASCII',
    value: 'the version as 4 bytes; the hash of block 0; height (8) || block hash (32) || state root (32)',
    writer: 'LedgerStore: the first two once, `head` with every block',
  },
  headers: {
    key: 'height',
    value: 'block hash (32) || RLP of the header',
    writer: 'LedgerStore, one an executed and finalized block',
  },
  heights: {
    key: 'block hash (32)',
    value: 'height',
    writer: 'LedgerStore, one a block',
  },
  bodies: {
    key: 'height',
    value: 'RLP [[EIP-2718 encoding, sender (20)], ...] in the order of the block',
    writer: 'LedgerStore, one a block, the genesis too',
  },
  receipts: {
    key: 'height',
    value: 'RLP of the receipts with what clients ask for beside them (`encodeStoredReceipts`)',
    writer: 'LedgerStore, one a block, the genesis too',
  },
  proposals: {
    key: 'height',
    value: 'digest (32) || RLP of the proposal that consensus agreed on',
    writer: 'LedgerStore, one a block except the genesis',
  },
  certificates: {
    key: 'height',
    value: 'RLP of the finalize certificate',
    writer: 'LedgerStore, only for blocks that were certified themselves',
  },
  transactions: {
    key: 'transaction hash (32)',
    value: 'height (8) || index in the block (4)',
    writer: 'LedgerStore, one a transaction',
  },
  accounts: {
    key: 'H(address) (32)',
    value: 'RLP of the account, as in the state trie',
    writer: 'LedgerStore: the newest finalized state',
  },
  slots: {
    key: 'H(address) (32) || H(slot) (32)',
    value: 'the word, big-endian without leading zeros; a slot with zero has no entry',
    writer: 'LedgerStore: the newest finalized state',
  },
  codes: {
    key: 'code hash (32)',
    value: 'the code',
    writer: 'LedgerStore, once a code; never removed, because accounts share it',
  },
  accountTrie: {
    key: '`/` and the nibbles from the root, as lower-case hexadecimal digits in ASCII',
    value: 'RLP of the node of the account trie at that place',
    writer: 'LedgerStore: the newest finalized state',
  },
  storageTrie: {
    key: 'H(address) (32) || the nibbles from the root, as lower-case hexadecimal digits in ASCII',
    value: "RLP of the node of that account's storage trie at that place",
    writer: 'LedgerStore: the newest finalized state',
  },
} as const satisfies Readonly<Record<string, Table>>;

export type TableName = keyof typeof TABLES;

export const TABLE_NAMES = Object.keys(TABLES) as readonly TableName[];
