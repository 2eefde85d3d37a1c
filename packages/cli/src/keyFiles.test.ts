import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSuite } from '@hanse/node';
import type { Suite } from '@hanse/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listKeystore, loadKeyFile, storeKey } from './keyFiles.ts';

const root = mkdtempSync(join(tmpdir(), 'hanse-keys-'));
const KEY = new Uint8Array(32).fill(5);
/** Cheap, so that tests are quick. */
const cheap = { nowMs: 0, cost: 2 } as const;
const passwordFile = join(root, 'password');
let suite: Suite;

beforeAll(async () => {
  suite = await loadSuite('international');
  writeFileSync(passwordFile, 'correct horse\n');
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

describe('a keystore folder', () => {
  it('keeps a key that its passphrase opens, readable by its owner only', async () => {
    const folder = join(root, 'one');
    const stored = await storeKey(folder, KEY, 'correct horse', { suite, ...cheap });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(stored.file).mode & 0o777).toBe(0o600);
    expect(listKeystore(folder)).toEqual([stored]);
    expect(await loadKeyFile(stored.file, suite, { passwordFile })).toEqual(KEY);
  });

  it('takes an account once', async () => {
    const folder = join(root, 'twice');
    const { file } = await storeKey(folder, KEY, 'correct horse', { suite, ...cheap });
    const before = readFileSync(file, 'utf8');
    await expect(storeKey(folder, KEY, 'other', { suite, nowMs: 1, cost: 2 })).rejects.toThrow(
      'in the keystore already',
    );
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('passes over files of other kinds, and a folder that is not there is empty', async () => {
    const folder = join(root, 'mixed');
    const stored = await storeKey(folder, KEY, 'correct horse', { suite, ...cheap });
    writeFileSync(join(folder, 'notes.txt'), 'milk');
    writeFileSync(join(folder, 'other.json'), '{"version":3}');
    writeFileSync(join(folder, 'large.json'), ' '.repeat(20_000));
    expect(listKeystore(folder)).toEqual([stored]);
    expect(listKeystore(join(root, 'nowhere'))).toEqual([]);
  });
});

describe('loadKeyFile', () => {
  const raw = join(root, 'raw.key');
  beforeAll(() => {
    writeFileSync(raw, `0x${'05'.repeat(32)}\n`, { mode: 0o600 });
  });

  it('reads hexadecimal digits that only the owner can read', async () => {
    expect(await loadKeyFile(raw, suite, {})).toEqual(KEY);
    chmodSync(raw, 0o640);
    await expect(loadKeyFile(raw, suite, {})).rejects.toThrow(`Run: chmod 600 '${raw}'`);
    chmodSync(raw, 0o600);
  });

  it.each([
    ['empty', '', 'no private key'],
    ['words', 'my key', 'no private key'],
    ['half', '{"version":3', 'is damaged'],
    ['large', ' '.repeat(20_000), '16 KiB'],
  ])('refuses a file of %s without showing what is in it', async (name, content, words) => {
    const file = join(root, name);
    writeFileSync(file, content, { mode: 0o600 });
    await expect(loadKeyFile(file, suite, { passwordFile })).rejects.toThrow(words);
  });

  it('refuses what is not there, and a folder', async () => {
    await expect(loadKeyFile(join(root, 'nowhere'), suite, {})).rejects.toThrow('cannot be read');
    await expect(loadKeyFile(root, suite, {})).rejects.toThrow('cannot be read');
  });
});
