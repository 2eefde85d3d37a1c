import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { KeyFileError, keyUsage, readKeyFile, readMemberKeyRing, writeKeyFile } from './memberKeys.ts';

const root = mkdtempSync(join(tmpdir(), 'hanse-keys-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

describe('writeKeyFile', () => {
  it('leaves the key file alone in its folder, for its owner alone', () => {
    const file = join(root, 'alone', 'vote.key');
    writeKeyFile(file, key(1));
    expect(readdirSync(join(root, 'alone'))).toEqual(['vote.key']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readKeyFile(file)).toEqual(key(1));
  });

  it('never overwrites a key, and leaves nothing behind when it refuses', () => {
    const file = join(root, 'twice', 'vote.key');
    writeKeyFile(file, key(1));
    expect(() => writeKeyFile(file, key(2))).toThrow(KeyFileError);
    expect(readKeyFile(file)).toEqual(key(1));
    expect(readdirSync(join(root, 'twice'))).toEqual(['vote.key']);
  });

  it('goes on where a process was killed while it wrote: half a key is no key', () => {
    const folder = join(root, 'half');
    mkdirSync(folder);
    writeFileSync(join(folder, `.vote-2.key.${process.pid}.tmp`), '0x12');
    for (const name of ['vote.key', 'transport.key']) writeKeyFile(join(folder, name), key(1));
    expect(readMemberKeyRing(folder).votes).toHaveLength(1);
    writeKeyFile(join(folder, 'vote-2.key'), key(2));
    expect(readMemberKeyRing(folder).votes.map(({ key }) => key)).toEqual([key(1), key(2)]);
  });
});

describe('readMemberKeyRing', () => {
  it('refuses a folder with a file that cannot be used, or passes it over and says so', () => {
    const folder = join(root, 'damaged');
    for (const name of ['vote.key', 'transport.key']) writeKeyFile(join(folder, name), key(1));
    writeFileSync(join(folder, 'vote-2.key'), 'not a key', { mode: 0o600 });
    writeFileSync(join(folder, 'vote-3.key'), `0x${'03'.repeat(32)}`, { mode: 0o644 });
    expect(() => readMemberKeyRing(folder)).toThrow('vote-2.key is no key file');
    const complaints: string[] = [];
    const { votes } = readMemberKeyRing(folder, ({ message }) => complaints.push(message));
    expect(votes.map(({ key }) => key)).toEqual([key(1)]);
    expect(complaints.map((line) => /vote-\d/.exec(line)?.[0])).toEqual(['vote-2', 'vote-3']);
  });
});

describe('keyUsage', () => {
  it('stays with the key file, so that a copy of the folder carries it along', async () => {
    const folder = join(root, 'used');
    const file = join(folder, 'vote.key');
    writeKeyFile(file, key(1));
    expect(await keyUsage(file).wasUsed()).toBe(false);
    await keyUsage(file).markUsed();
    expect(await keyUsage(file).wasUsed()).toBe(true);
    expect(readFileSync(`${file}.used`, 'utf8')).toContain('do not delete this file');
  });
});
