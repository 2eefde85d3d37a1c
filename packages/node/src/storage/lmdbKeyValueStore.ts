import { type Database, open, type RootDatabase } from 'lmdb';
import {
  assertKey,
  type Entry,
  type KeyValueStore,
  type RangeOptions,
  type WriteBatch,
  walkInPieces,
} from './keyValueStore.ts';
import { StorageError } from './storageError.ts';
import { TABLE_NAMES, type TableName } from './tables.ts';

type ByteTable = Database<Uint8Array, Uint8Array>;

/**
 * The address space set aside for the file's map: the file itself grows with its content, and the map never has
 * to move under a reader. Where so much cannot be had (a limit on address space, Windows) LMDB grows the map itself.
 */
const MAP_BYTES = 2 ** 40;

/**
 * LMDB in a folder of its own, one named database a table. Several openers of a folder in one process, other threads included, share
 * one environment; a second process must be kept out by the folder's lock.
 *
 * Only `transactionSync` writes: with lmdb 3.5 the promise-based transactions were seen to hang, to keep the puts of a callback that
 * threw, and to lose puts. `overlappingSync` is off, so that the classic order holds: data pages, fdatasync, then
 * the meta page through a descriptor opened with O_DSYNC; a commit is durable when it returns.
 */
export class LMDBKeyValueStore implements KeyValueStore {
  readonly #root: RootDatabase<Uint8Array, Uint8Array>;
  readonly #tables: ReadonlyMap<TableName, ByteTable>;
  #writing = false;

  /** Throws a StorageError with `disk-failed` where the folder cannot be opened for writing. */
  constructor(folder: string) {
    try {
      this.#root = openRoot(folder);
      this.#tables = new Map(TABLE_NAMES.map((name) => [name, this.#root.openDB({ name, ...BYTES })]));
    } catch (error) {
      throw diskFailure(`The ledger in ${folder} cannot be opened`, error);
    }
  }

  get(table: TableName, key: Uint8Array): Uint8Array | undefined {
    assertKey(key);
    return read(this.#table(table), key);
  }

  range(table: TableName, options: RangeOptions): Iterable<Entry> {
    const database = this.#table(table);
    return walkInPieces((piece) => readPiece(database, piece), options);
  }

  transaction(write: (batch: WriteBatch) => void): void {
    // LMDB would turn a nested transaction into a child transaction, which is not to be trusted.
    if (this.#writing) throw new Error('A transaction is already running.');
    this.#writing = true;
    let mistake: { readonly error: unknown } | undefined;
    try {
      this.#root.transactionSync(() => {
        try {
          write(this.#batch());
        } catch (error) {
          mistake = { error };
          throw error;
        }
      });
    } catch (error) {
      // What the callback threw is its own affair; everything else is LMDB's, which has rolled the transaction back.
      if (mistake !== undefined) throw mistake.error;
      throw diskFailure('The ledger could not be written', error);
    } finally {
      this.#writing = false;
    }
  }

  refresh(): void {
    this.#root.resetReadTxn();
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  #batch(): WriteBatch {
    return {
      get: (table, key) => {
        assertKey(key);
        return read(this.#table(table), key);
      },
      put: (table, key, value) => {
        assertKey(key);
        written(() => this.#table(table).putSync(key, value));
      },
      delete: (table, key) => {
        assertKey(key);
        written(() => this.#table(table).removeSync(key));
      },
    };
  }

  #table(name: TableName): ByteTable {
    return this.#tables.get(name)!;
  }
}

/** A large transaction writes pages before its commit, so that a put too can meet a full disk. */
function written(put: () => unknown): void {
  try {
    put();
  } catch (error) {
    throw diskFailure('The ledger could not be written', error);
  }
}

function diskFailure(what: string, error: unknown): StorageError {
  const why = error instanceof Error ? error.message : String(error);
  return new StorageError('disk-failed', `${what}: ${why}`, { cause: error });
}

const BYTES = { encoding: 'binary', keyEncoding: 'binary', cache: false } as const;

function openRoot(folder: string): RootDatabase<Uint8Array, Uint8Array> {
  const options = { path: folder, noSubdir: false, maxDbs: 64, maxReaders: 126, overlappingSync: false, ...BYTES };
  if (process.platform === 'win32') return open(options);
  try {
    return open({ ...options, mapSize: MAP_BYTES });
  } catch (error) {
    if (error instanceof Error && /cannot allocate memory/i.test(error.message)) return open(options);
    throw error;
  }
}

function read(table: ByteTable, key: Uint8Array): Uint8Array | undefined {
  const shared = table.getBinaryFast(key);
  return shared === undefined ? undefined : copyOf(shared);
}

/**
 * A plain copy. LMDB's shared buffer is longer than the value and tells the value's size in a property that hides its
 * own length; and a Buffer would surprise its owner, because a Buffer's `slice` is no copy.
 */
function copyOf(shared: Uint8Array): Uint8Array {
  const { length } = shared;
  const copy = new Uint8Array(length);
  // Making a view for `set` costs more than copying an account by hand.
  if (length <= 128) for (let i = 0; i < length; i++) copy[i] = shared[i]!;
  else copy.set(new Uint8Array(shared.buffer, shared.byteOffset, length));
  return copy;
}

const LEAST_KEY = Uint8Array.of(0);

function readPiece(table: ByteTable, { start, end, reverse, limit }: RangeOptions): Entry[] {
  // Reversed, LMDB goes down from `start` to `end`; the bounds keep their own inclusiveness. Left to itself it would stop
  // before the least of all keys.
  const range =
    reverse === true
      ? { ...(end && { start: end, exclusiveStart: true }), end: start ?? LEAST_KEY, inclusiveEnd: true }
      : { ...(start && { start }), ...(end && { end }) };
  const entries: Entry[] = [];
  for (const { key, value } of table.getRange({ ...range, reverse: reverse === true, limit: limit! })) {
    entries.push({ key: new Uint8Array(key), value: new Uint8Array(value) });
  }
  return entries;
}
