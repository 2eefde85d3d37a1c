import type { Disk, DiskFile } from '../../src/runtime/disk.ts';
import type { KeyValueStore } from '../../src/storage/keyValueStore.ts';
import { type Boundary, type Life, never } from './life.ts';

/** A machine's disk as one process sees it: the process may end around every append and flush, and hears nothing afterwards. */
export function processDisk(disk: Disk, life: Life): Disk {
  const gated = <T>(work: () => Promise<T>, boundary?: Boundary): Promise<T> => {
    if (!life.alive || (boundary !== undefined && !life.before(boundary))) return never();
    return new Promise((resolve, reject) => {
      const heard = (answer: () => void): void => {
        if (boundary !== undefined) life.after(boundary);
        life.run(undefined, answer);
      };
      work().then(
        (value) => heard(() => resolve(value)),
        (error: unknown) => heard(() => reject(error as Error)),
      );
    });
  };
  const file = (opened: DiskFile): DiskFile => ({
    size: () => gated(() => opened.size()),
    read: (offset, length) => gated(() => opened.read(offset, length)),
    append: (data) => gated(() => opened.append(data), 'append'),
    truncate: (size) => gated(() => opened.truncate(size), 'append'),
    flush: () => gated(() => opened.flush(), 'flush'),
    close: () => gated(() => opened.close()),
  });
  return {
    open: (path) => gated(async () => file(await disk.open(path))),
    exists: (path) => gated(() => disk.exists(path)),
    list: (folder) => gated(() => disk.list(folder)),
    rename: (from, to) => gated(() => disk.rename(from, to), 'append'),
    remove: (path) => gated(() => disk.remove(path), 'append'),
    flushDirectory: (folder) => gated(() => disk.flushDirectory(folder), 'flush'),
  };
}

/** The ledger's storage as one process sees it; a transaction is durable when it returns, as LMDB's are. */
export function processStore(store: KeyValueStore, life: Life, isFull: () => boolean): KeyValueStore {
  return {
    get: (table, key) => store.get(table, key),
    range: (table, options) => store.range(table, options),
    refresh: () => store.refresh(),
    close: () => store.close(),
    transaction: (write) => {
      // The ledger's thread ends with its process, in the middle of whatever it does.
      if (!life.before('commit')) throw new Error('the process ended');
      if (isFull()) throw new Error('no space left on device');
      store.transaction(write);
      if (!life.after('commit')) throw new Error('the process ended');
    },
  };
}
