import type { TableName } from './tables.ts';

export type { TableName } from './tables.ts';

/** The longest key that every implementation takes, in bytes. LMDB's own limit is 1,978 with pages of 4 KiB. */
export const MAX_KEY_BYTES = 1900;

/**
 * An ordered key-value store with named tables and atomic, durable writes; LMDB, or its in-memory twin. Keys are 1 to
 * 1,900 bytes, ordered as unsigned bytes; values may be empty. Synchronous. Values returned are copies the caller may keep.
 */
export interface KeyValueStore {
  get(table: TableName, key: Uint8Array): Uint8Array | undefined;
  /**
   * Entries with start <= key < end in order (or reversed), lazily: a walk reads a few hundred at a time and holds nothing open between,
   * so that an abandoned one costs nothing. What is committed meanwhile in the part not yet read may show.
   */
  range(table: TableName, options: RangeOptions): Iterable<Entry>;
  /**
   * Runs `write` in one atomic transaction, durable (fdatasync) when this returns; a throw rolls back and is rethrown. `write` is
   * synchronous and reads through its batch only. Transactions do not nest. One thread alone writes.
   */
  transaction(write: (batch: WriteBatch) => void): void;
  /** Makes reads see the newest commit of other threads (a reader holds one snapshot at most until its turn of the event loop ends). */
  refresh(): void;
  close(): Promise<void>;
}

export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface RangeOptions {
  readonly start?: Uint8Array;
  readonly end?: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
}

export interface WriteBatch {
  /** Sees what the batch wrote so far. */
  get(table: TableName, key: Uint8Array): Uint8Array | undefined;
  put(table: TableName, key: Uint8Array, value: Uint8Array): void;
  /** Removing what is not there does nothing. */
  delete(table: TableName, key: Uint8Array): void;
}

/** Both implementations refuse the same keys. */
export function assertKey(key: Uint8Array): void {
  if (key.length === 0 || key.length > MAX_KEY_BYTES) {
    throw new RangeError(`A key of ${key.length} bytes is not 1 to ${MAX_KEY_BYTES} bytes long.`);
  }
}

/**
 * Walks a range in pieces of bounded size. `read` gives at most `limit` entries of [start, end), in order or reversed.
 */
export function* walkInPieces(
  read: (options: RangeOptions & { readonly limit: number }) => readonly Entry[],
  options: RangeOptions,
): Iterable<Entry> {
  const { reverse = false } = options;
  let { start, end } = options;
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  // Short walks are common; long ones soon read 512 entries at a time.
  for (let size = 16; left > 0; size = Math.min(size * 2, 512)) {
    const limit = Math.min(size, left);
    const piece = read({ ...(start && { start }), ...(end && { end }), reverse, limit });
    yield* piece;
    if (piece.length < limit) return;
    left -= piece.length;
    const { key } = piece.at(-1)!;
    if (reverse) {
      end = key;
    } else {
      // The first key after this one, in the order of bytes.
      start = new Uint8Array(key.length + 1);
      start.set(key);
    }
  }
}
