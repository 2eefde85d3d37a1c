import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtModule } from '../runtime/services.ts';
import type { Entry, KeyValueStore } from './keyValueStore.ts';
import { LMDBKeyValueStore } from './lmdbKeyValueStore.ts';
import { MemoryDatabase } from './memoryKeyValueStore.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const text = (entries: Iterable<Entry>): string[] => Array.from(entries, ({ key }) => key.join('.'));

function put(store: KeyValueStore, ...entries: [Uint8Array, Uint8Array][]): void {
  store.transaction((batch) => {
    for (const [key, value] of entries) batch.put('meta', key, value);
  });
}

/** Where stores of one kind are opened: the folder of LMDB, the database of its twin. */
interface Place {
  open(): KeyValueStore;
  remove(): void;
}

const folders = (): { place: Place; folder: string } => {
  const folder = mkdtempSync(join(tmpdir(), 'hanse-storage-'));
  return {
    folder,
    place: {
      open: () => new LMDBKeyValueStore(folder),
      remove: () => rmSync(folder, { recursive: true, force: true }),
    },
  };
};

const memory = (): Place => {
  const database = new MemoryDatabase();
  return { open: () => database.open(), remove: () => {} };
};

describe.each([
  ['LMDB', () => folders().place],
  ['the in-memory twin', memory],
])('the contract of a key-value store: %s', (_, make) => {
  let place: Place;
  let store: KeyValueStore;

  beforeEach(() => {
    place = make();
    store = place.open();
  });

  afterEach(async () => {
    await store.close();
    place.remove();
  });

  it('gives what was put, nothing for another table or key, and nothing after a delete', () => {
    put(store, [bytes(1), bytes(2, 3)]);
    expect(store.get('meta', bytes(1))).toEqual(bytes(2, 3));
    expect(store.get('meta', bytes(1, 0))).toBeUndefined();
    expect(store.get('headers', bytes(1))).toBeUndefined();
    put(store, [bytes(1), bytes(4)]);
    expect(store.get('meta', bytes(1))).toEqual(bytes(4));
    store.transaction((batch) => {
      batch.delete('meta', bytes(1));
      batch.delete('meta', bytes(9));
    });
    expect(store.get('meta', bytes(1))).toBeUndefined();
  });

  it('keeps empty values, values of 3 MiB, and keys of 1 and 1,900 bytes', () => {
    const large = new Uint8Array(3 * 1024 * 1024).map((_, i) => i % 251);
    const long = new Uint8Array(1900).fill(255);
    put(store, [bytes(0), bytes()], [bytes(1), large], [long, bytes(7)]);
    expect(store.get('meta', bytes(0))).toEqual(bytes());
    // Not toEqual, which takes seconds for so much.
    expect(Buffer.compare(store.get('meta', bytes(1))!, large)).toBe(0);
    expect(store.get('meta', long)).toEqual(bytes(7));
    expect(Array.from(store.range('meta', {}), ({ value }) => value.length)).toEqual([0, large.length, 1]);
  });

  it('refuses empty and overlong keys', () => {
    const long = new Uint8Array(1901);
    for (const key of [bytes(), long]) {
      expect(() => store.get('meta', key)).toThrow(RangeError);
      expect(() => put(store, [key, bytes(1)])).toThrow(RangeError);
      expect(() => store.transaction((batch) => batch.delete('meta', key))).toThrow(RangeError);
    }
  });

  it('hands out copies, and keeps copies of what it was given', () => {
    const value = bytes(1, 2);
    put(store, [bytes(1), value]);
    value[0] = 9;
    const first = store.get('meta', bytes(1))!;
    expect(first).toEqual(bytes(1, 2));
    expect(Buffer.isBuffer(first)).toBe(false);
    first[0] = 9;
    const [entry] = store.range('meta', {});
    expect(Buffer.isBuffer(entry!.value) || Buffer.isBuffer(entry!.key)).toBe(false);
    entry!.value[0] = 9;
    expect(store.get('meta', bytes(2))).toBeUndefined();
    expect(store.get('meta', bytes(1))).toEqual(bytes(1, 2));
  });

  it('walks ranges in the order of unsigned bytes, from start to before end, both ways', () => {
    const keys = [bytes(0), bytes(0, 0), bytes(0, 255), bytes(1), bytes(127), bytes(128), bytes(255), bytes(255, 255)];
    put(store, ...keys.toReversed().map((key): [Uint8Array, Uint8Array] => [key, key]));
    const all = keys.map((key) => key.join('.'));
    expect(text(store.range('meta', {}))).toEqual(all);
    expect(text(store.range('meta', { reverse: true }))).toEqual(all.toReversed());
    expect(text(store.range('meta', { start: bytes(0, 0), end: bytes(128) }))).toEqual(['0.0', '0.255', '1', '127']);
    expect(text(store.range('meta', { start: bytes(0, 0), end: bytes(128), reverse: true }))).toEqual([
      '127',
      '1',
      '0.255',
      '0.0',
    ]);
    expect(text(store.range('meta', { start: bytes(2), end: bytes(128, 1), limit: 1 }))).toEqual(['127']);
    expect(text(store.range('meta', { end: bytes(200), reverse: true, limit: 2 }))).toEqual(['128', '127']);
    expect(text(store.range('meta', { start: bytes(5), end: bytes(5) }))).toEqual([]);
    expect(text(store.range('meta', { start: bytes(9), end: bytes(3), reverse: true }))).toEqual([]);
    expect(text(store.range('meta', { limit: 0 }))).toEqual([]);
    expect(text(store.range('headers', {}))).toEqual([]);
  });

  it('agrees with a sorted list on any ranges', () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 3 }).map((k) => k.map((byte) => byte & 0x83));
    const bound = fc.option(key, { nil: undefined });
    fc.assert(
      fc.property(
        fc.array(key, { maxLength: 60 }),
        fc.array(key, { maxLength: 10 }),
        bound,
        bound,
        fc.boolean(),
        fc.option(fc.nat(40), { nil: undefined }),
        (puts, deletes, start, end, reverse, limit) => {
          store.transaction((batch) => {
            for (const { key: old } of [...store.range('slots', {})]) batch.delete('slots', old);
            for (const k of puts) batch.put('slots', k, k);
            for (const k of deletes) batch.delete('slots', k);
          });
          const gone = new Set(deletes.map(String));
          const kept = [...new Map(puts.map((k) => [String(k), k])).values()]
            .filter((k) => !gone.has(String(k)))
            .sort((a, b) => Buffer.compare(a, b))
            .filter((k) => (!start || Buffer.compare(k, start) >= 0) && (!end || Buffer.compare(k, end) < 0));
          const expected = (reverse ? kept.toReversed() : kept).slice(0, limit ?? kept.length);
          const found = [
            ...store.range('slots', {
              ...(start && { start }),
              ...(end && { end }),
              reverse,
              ...(limit !== undefined && { limit }),
            }),
          ];
          expect(found.map((entry) => entry.key)).toEqual(expected);
          expect(found.map((entry) => entry.value)).toEqual(expected);
        },
      ),
      { seed: 20241, numRuns: 60 },
    );
  });

  it('walks thousands of entries without holding the store, also when the walk is abandoned', () => {
    const entries = Array.from({ length: 3000 }, (_, i): [Uint8Array, Uint8Array] => [bytes(i >> 8, i), bytes(i)]);
    put(store, ...entries);
    expect([...store.range('meta', {})].map((entry) => entry.key)).toEqual(entries.map(([key]) => key));
    expect([...store.range('meta', { reverse: true, limit: 2500 })].length).toBe(2500);
    for (let i = 0; i < 300; i++) for (const _entry of store.range('meta', {})) break;
    put(store, [bytes(1), bytes(1)]);
    expect(store.get('meta', bytes(1))).toEqual(bytes(1));
  });

  it('rolls back everything when the callback throws, and goes on', () => {
    put(store, [bytes(1), bytes(1)]);
    const failure = new Error('stop');
    expect(() =>
      store.transaction((batch) => {
        batch.put('meta', bytes(1), bytes(2));
        batch.put('headers', bytes(2), bytes(2));
        batch.delete('meta', bytes(1));
        throw failure;
      }),
    ).toThrow(failure);
    expect(store.get('meta', bytes(1))).toEqual(bytes(1));
    expect(store.get('headers', bytes(2))).toBeUndefined();
    put(store, [bytes(3), bytes(3)]);
    expect(text(store.range('meta', {}))).toEqual(['1', '3']);
  });

  it('lets a batch read its own writes', () => {
    put(store, [bytes(1), bytes(1)]);
    store.transaction((batch) => {
      batch.put('meta', bytes(2), bytes(2));
      batch.delete('meta', bytes(1));
      expect(batch.get('meta', bytes(2))).toEqual(bytes(2));
      expect(batch.get('meta', bytes(1))).toBeUndefined();
      batch.put('meta', bytes(1), bytes(9));
      expect(batch.get('meta', bytes(1))).toEqual(bytes(9));
    });
  });

  it('refuses a transaction in a transaction', () => {
    expect(() =>
      store.transaction((batch) => {
        batch.put('meta', bytes(1), bytes(1));
        store.transaction(() => {});
      }),
    ).toThrow('already running');
    expect(store.get('meta', bytes(1))).toBeUndefined();
    put(store, [bytes(1), bytes(1)]);
  });

  it('still has everything after it was closed and opened again', async () => {
    put(store, [bytes(1), bytes(1)], [bytes(2), bytes()]);
    await store.close();
    store = place.open();
    expect(text(store.range('meta', {}))).toEqual(['1', '2']);
    expect(store.get('meta', bytes(2))).toEqual(bytes());
  });

  it('shows a second opener every commit after refresh, and outlives its closing', async () => {
    const reader = place.open();
    for (let i = 0; i < 20; i++) {
      expect(reader.get('meta', bytes(1))).toEqual(i === 0 ? undefined : bytes(i - 1));
      put(store, [bytes(1), bytes(i)]);
      reader.refresh();
      expect(reader.get('meta', bytes(1))).toEqual(bytes(i));
      expect(Array.from(reader.range('meta', {}), ({ value }) => value)).toEqual([bytes(i)]);
    }
    await reader.close();
    put(store, [bytes(1), bytes(100)]);
    expect(store.get('meta', bytes(1))).toEqual(bytes(100));
  });
});

/** Opens the folder in its own thread, counts what it sees, and answers messages; ends on 'close'. */
const READER = `
const { parentPort, workerData } = require('node:worker_threads');
import(workerData.module).then(({ LMDBKeyValueStore }) => {
  const store = new LMDBKeyValueStore(workerData.folder);
  parentPort.on('message', async (message) => {
    if (message === 'close') {
      await store.close();
      parentPort.postMessage('closed');
      parentPort.close();
      return;
    }
    store.refresh();
    const entries = [...store.range('meta', {})];
    parentPort.postMessage({ entries: entries.length, sums: new Set(entries.map(({ value }) => value.join())).size });
  });
  parentPort.postMessage('open');
});
`;

describe('LMDB in several threads', () => {
  it('shows whole commits to a reader in a worker, while the file grows', async () => {
    const { place, folder } = folders();
    const store = place.open();
    const module = builtModule('./lmdbKeyValueStore.ts', import.meta.url).href;
    const worker = new Worker(READER, { eval: true, execArgv: [], workerData: { folder, module } });
    const answer = async (): Promise<unknown> => (await once(worker, 'message'))[0];
    expect(await answer()).toBe('open');
    for (let round = 1; round <= 30; round++) {
      // Every commit gives all entries the same value, so that a torn read would show two.
      store.transaction((batch) => {
        for (let i = 0; i < 200; i++) batch.put('meta', bytes(i), new Uint8Array(4000).fill(round));
        for (let i = 0; i < 50; i++) batch.put('slots', bytes(round, i), new Uint8Array(4000).fill(round));
      });
      worker.postMessage('read');
      expect(await answer()).toEqual({ entries: 200, sums: 1 });
    }
    worker.postMessage('close');
    expect(await answer()).toBe('closed');
    put(store, [bytes(201), bytes(1)]);
    expect(text(store.range('slots', {})).length).toBe(1500);
    await store.close();
    place.remove();
  });
});
