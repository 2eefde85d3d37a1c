import {
  assertKey,
  type Entry,
  type KeyValueStore,
  type RangeOptions,
  type WriteBatch,
  walkInPieces,
} from './keyValueStore.ts';
import { TABLE_NAMES, type TableName } from './tables.ts';

/** What a folder is to LMDB: it outlives the stores that are opened on it. */
export class MemoryDatabase {
  readonly tables: ReadonlyMap<TableName, MemoryTable>;

  /** Empty, or a copy of another one, which costs nothing for each value: no value is ever changed in its place. */
  constructor(copied?: MemoryDatabase) {
    this.tables = new Map(TABLE_NAMES.map((name) => [name, new MemoryTable(copied?.tables.get(name))]));
  }

  open(): KeyValueStore {
    return new MemoryKeyValueStore(this);
  }
}

/** The in-memory twin of LMDB, for tests and the simulator. It passes the same contract suite. */
export class MemoryKeyValueStore implements KeyValueStore {
  readonly #database: MemoryDatabase;
  #open = true;
  #writing = false;

  constructor(database: MemoryDatabase = new MemoryDatabase()) {
    this.#database = database;
  }

  get(table: TableName, key: Uint8Array): Uint8Array | undefined {
    assertKey(key);
    return this.#table(table).get(nameOf(key))?.slice();
  }

  range(table: TableName, options: RangeOptions): Iterable<Entry> {
    const entries = this.#table(table);
    return walkInPieces((piece) => entries.range(piece), options);
  }

  transaction(write: (batch: WriteBatch) => void): void {
    if (this.#writing) throw new Error('A transaction is already running.');
    const written = new Map<MemoryTable, Map<string, Uint8Array | undefined>>();
    const of = (name: TableName): Map<string, Uint8Array | undefined> => {
      const table = this.#table(name);
      const changes = written.get(table) ?? new Map<string, Uint8Array | undefined>();
      written.set(table, changes);
      return changes;
    };
    this.#writing = true;
    try {
      write({
        get: (table, key) => {
          assertKey(key);
          const name = nameOf(key);
          const changes = of(table);
          return (changes.has(name) ? changes.get(name) : this.#table(table).get(name))?.slice();
        },
        put: (table, key, value) => {
          assertKey(key);
          of(table).set(nameOf(key), value.slice());
        },
        delete: (table, key) => {
          assertKey(key);
          of(table).set(nameOf(key), undefined);
        },
      });
    } finally {
      this.#writing = false;
    }
    for (const [table, changes] of written) table.apply(changes);
  }

  refresh(): void {
    this.#assertOpen();
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  #table(name: TableName): MemoryTable {
    this.#assertOpen();
    return this.#database.tables.get(name)!;
  }

  #assertOpen(): void {
    if (!this.#open) throw new Error('The store is closed.');
  }
}

/** A key as a string of one character a byte, whose order is that of the bytes. */
function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}

/** A map whose keys are put in order only when somebody asks for a range. */
class MemoryTable {
  readonly #values: Map<string, Uint8Array>;
  #ordered: readonly string[] | undefined;

  constructor(copied?: MemoryTable) {
    this.#values = new Map(copied === undefined ? [] : copied.#values);
    this.#ordered = copied === undefined ? undefined : copied.#ordered;
  }

  get(name: string): Uint8Array | undefined {
    return this.#values.get(name);
  }

  apply(changes: ReadonlyMap<string, Uint8Array | undefined>): void {
    for (const [name, value] of changes) {
      if (this.#values.has(name) === (value === undefined)) this.#ordered = undefined;
      if (value === undefined) this.#values.delete(name);
      else this.#values.set(name, value);
    }
  }

  range({ start, end, reverse, limit }: RangeOptions): Entry[] {
    const names = this.#order();
    const from = start === undefined ? 0 : firstNotBefore(names, nameOf(start));
    const to = end === undefined ? names.length : firstNotBefore(names, nameOf(end));
    const entries: Entry[] = [];
    for (let i = from; i < to && entries.length < limit!; i++) {
      const name = names[reverse === true ? from + to - 1 - i : i]!;
      entries.push({ key: new Uint8Array(Buffer.from(name, 'latin1')), value: this.#values.get(name)!.slice() });
    }
    return entries;
  }

  #order(): readonly string[] {
    this.#ordered ??= [...this.#values.keys()].sort((a, b) => (a < b ? -1 : 1));
    return this.#ordered;
  }
}

function firstNotBefore(names: readonly string[], name: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (names[middle]! < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
