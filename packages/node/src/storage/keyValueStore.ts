/**
 * An ordered key-value store with named tables and atomic, durable writes; LMDB, or its in-memory twin. Keys are at most 1,900
 * bytes, ordered as unsigned bytes. Synchronous. Values returned are copies the caller may keep.
 */
export interface KeyValueStore {
  get(table: TableName, key: Uint8Array): Uint8Array | undefined;
  /** Entries with start <= key < end in order (or reversed), lazily. */
  range(table: TableName, options: RangeOptions): Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>;
  /** Runs `write` in one atomic transaction, durable (fdatasync) when this returns; a throw rolls back and is rethrown. */
  transaction(write: (batch: WriteBatch) => void): void;
  /** Makes reads see the newest commit of other threads (a reader holds one snapshot at most until its turn of the event loop ends). */
  refresh(): void;
  close(): Promise<void>;
}

export interface RangeOptions {
  readonly start?: Uint8Array;
  readonly end?: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
}

export interface WriteBatch {
  get(table: TableName, key: Uint8Array): Uint8Array | undefined;
  put(table: TableName, key: Uint8Array, value: Uint8Array): void;
  delete(table: TableName, key: Uint8Array): void;
}

/** A table's documentation (key, value, who writes it) stands in tables.ts, one entry each. */
export type TableName =
  | 'meta' | 'headers' | 'bodies' | 'receipts' | 'proposals' | 'certificates' | 'heights' | 'transactions'
  | 'accounts' | 'slots' | 'codes' | 'accountTrie' | 'storageTrie';
