import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Disk } from './disk.ts';
import { createRealDisk } from './realDisk.ts';

let root = '';
let disk: Disk;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hanse-disk-'));
  disk = createRealDisk(join(root, 'data'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

describe('the real disk', () => {
  it('appends in the order of the calls and reads what was appended', async () => {
    const file = await disk.open('log/0001');
    const calls = ['one ', 'two ', 'three'].map((word) => file.append(bytes(word)));
    await file.flush();
    await Promise.all(calls);
    expect(await file.size()).toBe(13);
    expect(text(await file.read(4, 100))).toBe('two three');
    expect(await file.read(13, 5)).toEqual(new Uint8Array(0));
    expect(await file.read(99, 5)).toEqual(new Uint8Array(0));
    await file.close();
    expect(await readFile(join(root, 'data/log/0001'), 'utf8')).toBe('one two three');
  });

  it('goes on at the end of a file that was there, and after a truncation', async () => {
    const first = await disk.open('log');
    await first.append(bytes('0123456789'));
    await first.close();
    const again = await disk.open('log');
    await again.truncate(4);
    await again.append(bytes('ab'));
    await again.flush();
    expect(text(await again.read(0, 100))).toBe('0123ab');
    await again.close();
  });

  it('keeps files for their owner', async () => {
    await (await disk.open('keys/secret')).close();
    expect((await stat(join(root, 'data/keys/secret'))).mode & 0o077).toBe(0);
    expect((await stat(join(root, 'data/keys'))).mode & 0o077).toBe(0);
  });

  it('lists, renames and removes', async () => {
    expect(await disk.list('range')).toEqual([]);
    expect(await disk.exists('range/b')).toBe(false);
    for (const name of ['b', 'a', 'c']) await (await disk.open(`range/${name}`)).close();
    await disk.rename('range/c', 'sealed/c');
    await disk.flushDirectory('range');
    await disk.flushDirectory('');
    await disk.remove('range/b');
    await disk.remove('range/b');
    expect(await disk.list('range')).toEqual(['a']);
    expect([await disk.exists('sealed/c'), await disk.exists('range/c')]).toEqual([true, false]);
  });

  it('replaces a file atomically by a rename over it', async () => {
    for (const [name, content] of [
      ['new', 'fresh'],
      ['current', 'stale'],
    ] as const) {
      const file = await disk.open(name);
      await file.append(bytes(content));
      await file.close();
    }
    await disk.rename('new', 'current');
    expect(await readFile(join(root, 'data/current'), 'utf8')).toBe('fresh');
  });

  it.each([
    '../outside',
    'a/../../outside',
    '/etc/passwd',
    'a//b',
    './a',
    'a\\..\\b',
    'a\0b',
    'c:d',
  ])('refuses the path %j', async (path) => {
    await writeFile(join(root, 'outside'), 'kept');
    await expect(disk.open(path)).rejects.toThrow(/not a plain relative path/);
    await expect(disk.remove(path)).rejects.toThrow(/not a plain relative path/);
    await expect(disk.rename('a', path)).rejects.toThrow(/not a plain relative path/);
    expect(await readFile(join(root, 'outside'), 'utf8')).toBe('kept');
  });

  it('finishes what was called before a close and refuses what comes after', async () => {
    const file = await disk.open('log');
    const before = file.append(bytes('last'));
    await file.close();
    await before;
    await expect(file.append(bytes('late'))).rejects.toThrow('log was closed');
    await file.close();
    expect(await readFile(join(root, 'data/log'), 'utf8')).toBe('last');
  });
});
