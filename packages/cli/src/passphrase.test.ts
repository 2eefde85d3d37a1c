import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { readNewPassphrase, readPassphrase } from './passphrase.ts';

const root = mkdtempSync(join(tmpdir(), 'hanse-passphrase-'));
const file = join(root, 'password');
afterAll(() => {
  rmSync(root, { recursive: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('a passphrase', () => {
  it.each([
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    [' two words \n\n', ' two words \n'],
    ['', ''],
  ])('comes from a file, less one line end: %j', async (content, passphrase) => {
    writeFileSync(file, content);
    expect(await readPassphrase({ passwordFile: file }, 'x')).toBe(passphrase);
  });

  it('comes from the environment where no file is named', async () => {
    vi.stubEnv('HANSE_PASSWORD', 'from outside');
    writeFileSync(file, 'from the file');
    expect(await readNewPassphrase({})).toBe('from outside');
    expect(await readNewPassphrase({ passwordFile: file })).toBe('from the file');
  });

  it('cannot come from a file that is not there, nor from a terminal that is none', async () => {
    vi.stubEnv('HANSE_PASSWORD', undefined);
    await expect(readPassphrase({ passwordFile: join(root, 'nowhere') }, 'x')).rejects.toThrow('cannot be read');
    const { isTTY } = process.stdin;
    process.stdin.isTTY = false;
    try {
      await expect(readPassphrase({}, 'x')).rejects.toThrow('give --password-file or HANSE_PASSWORD');
    } finally {
      process.stdin.isTTY = isTTY;
    }
  });
});

describe('the prompt', () => {
  it('shows nothing of what is typed, and obeys erasing and Ctrl-C', async () => {
    vi.stubEnv('HANSE_PASSWORD', undefined);
    let shown = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      shown += String(text);
      return true;
    });
    const { stdin } = process;
    const { isTTY } = stdin;
    const raw: boolean[] = [];
    const setRawMode = (on: boolean): typeof stdin => {
      raw.push(on);
      return stdin;
    };
    Object.assign(stdin, { isTTY: true, setRawMode });
    try {
      const asked = readPassphrase({}, 'bank.json');
      stdin.emit('data', 'secrex');
      stdin.emit('data', '\u007ft\r');
      expect(await asked).toBe('secret');
      expect(shown).toBe('Passphrase of bank.json: \n');
      const stopped = readPassphrase({}, 'bank.json');
      stdin.emit('data', 'sec\u0003');
      await expect(stopped).rejects.toMatchObject({ message: 'Stopped.', exitCode: 130 });
      expect(raw).toEqual([true, false, true, false]);
    } finally {
      Object.assign(stdin, { isTTY, setRawMode: undefined });
    }
  });
});
