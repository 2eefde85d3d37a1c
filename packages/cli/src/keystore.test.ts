import { readFileSync } from 'node:fs';
import { loadSuite } from '@hanse/node';
import { bytesToHex } from '@hanse/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { CLIError } from './cliError.ts';
import { decryptKeystore, encryptKeystore, type Keystore, keystoreFileName, parsePrivateKey } from './keystore.ts';

/** Vectors of https://github.com/ethereum/tests (testdata/keystore/SOURCE.md). */
interface Vector {
  readonly json: { readonly crypto?: Record<string, unknown>; readonly Crypto?: Record<string, unknown> };
  readonly password: string;
  readonly priv: string;
}

const file = new URL('../testdata/keystore/basic_tests.json', import.meta.url);
const vectors = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Vector>);

/** Cheap, so that tests are quick. */
const COST = 2;
const KEY = new Uint8Array(32).fill(7);

let suite: Awaited<ReturnType<typeof loadSuite>>;
let sound: Keystore;
beforeAll(async () => {
  suite = await loadSuite('international');
  sound = await encryptKeystore(KEY, 'passphrase', suite, COST);
});

describe('keystore files of other programs (ethereum/tests, KeyStoreTests)', () => {
  it.each(vectors)('opens %s', async (_, { json, password, priv }) => {
    expect(bytesToHex(await decryptKeystore(json, password, suite))).toBe(`0x${priv}`);
  });

  // The one with r = 1 takes a second to derive: once is enough.
  it.each(vectors.filter(([name]) => name !== 'test2'))('refuses another passphrase for %s', async (_, {
    json,
    password,
  }) => {
    await expect(decryptKeystore(json, `${password}.`, suite)).rejects.toThrow('The passphrase is wrong');
  });
});

describe('a keystore of our own', () => {
  it('gives back the key, and names its address', async () => {
    expect(await decryptKeystore(JSON.parse(JSON.stringify(sound)), 'passphrase', suite)).toEqual(KEY);
    expect(`0x${sound.address}`).toBe(suite.addressOf(suite.primitives.secp256k1PublicKey(KEY, true)));
  });

  it('never encrypts the same way twice', async () => {
    const again = await encryptKeystore(KEY, 'passphrase', suite, COST);
    expect(again.crypto.ciphertext).not.toBe(sound.crypto.ciphertext);
    expect(again.id).not.toBe(sound.id);
  });

  it('takes passphrases in any script', async () => {
    const keystore = await encryptKeystore(KEY, '密码 пароль 🔑', suite, COST);
    expect(await decryptKeystore(keystore, '密码 пароль 🔑', suite)).toEqual(KEY);
  });
});

describe('a damaged keystore', () => {
  const crypto = (change: Record<string, unknown>): unknown => ({ ...sound, crypto: { ...sound.crypto, ...change } });
  const scrypt = (change: Record<string, unknown>): unknown =>
    crypto({ kdfparams: { ...sound.crypto.kdfparams, ...change } });

  it.each<[string, () => unknown, RegExp]>([
    ['is no object', () => 'text', /no JSON object/],
    ['is null', () => null, /no JSON object/],
    ['has another version', () => ({ ...sound, version: 1 }), /version is not 3/],
    ['has no crypto', () => ({ version: 3 }), /crypto is missing/],
    ['has another cipher', () => crypto({ cipher: 'des' }), /cipher des/],
    ['has another kdf', () => crypto({ kdf: 'none' }), /kdf none/],
    ['has no hexadecimal mac', () => crypto({ mac: 'zz' }), /not hexadecimal/],
    ['has half a byte', () => crypto({ ciphertext: 'abc' }), /not hexadecimal/],
    ['has no kdfparams', () => crypto({ kdfparams: undefined }), /kdfparams is missing/],
    ['has a flipped bit', () => crypto({ ciphertext: `00${sound.crypto.ciphertext.slice(2)}` }), /passphrase is wrong/],
    ['wants a cost that is no number', () => scrypt({ n: 'many' }), /not numbers/],
    ['wants a cost that is no power of two', () => scrypt({ n: 3 }), /no power of two/],
    ['wants more memory than the machine has', () => scrypt({ n: 2 ** 40 }), /more memory or time than is sensible/],
    ['wants endless time', () => scrypt({ p: 2 ** 20 }), /more memory or time than is sensible/],
    [
      'wants endless rounds',
      () => crypto({ kdf: 'pbkdf2', kdfparams: { prf: 'hmac-sha256', c: 1e12, dklen: 32, salt: '' } }),
      /PBKDF2/,
    ],
  ])('that %s is refused in one line', async (_, json, message) => {
    const failure = await decryptKeystore(json(), 'passphrase', suite).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CLIError);
    expect((failure as CLIError).message).toMatch(message);
    expect((failure as CLIError).message).not.toContain('\n');
  });

  it('that holds no key of the curve is refused', async () => {
    // Encrypting refuses such a key, so the vector is made from a sound file: XOR turns the key into zeros.
    const bytes = Buffer.from(sound.crypto.ciphertext, 'hex').map((byte) => byte ^ 7);
    const stream = { ...sound.crypto, ciphertext: Buffer.from(bytes).toString('hex') };
    await expect(decryptKeystore({ ...sound, crypto: stream }, 'passphrase', suite)).rejects.toThrow(CLIError);
  });
});

describe('parsePrivateKey', () => {
  it.each([
    `0x${'07'.repeat(32)}`,
    '07'.repeat(32),
    `  0x${'07'.repeat(32)}\n`,
    `0X${'07'.repeat(32)}`,
  ])('reads %j', (text) => {
    expect(parsePrivateKey(text, suite)).toEqual(KEY);
  });

  it.each([
    '',
    '0x',
    '07'.repeat(31),
    '07'.repeat(33),
    `0x${'zz'.repeat(32)}`,
    '00'.repeat(32),
    'ff'.repeat(32),
  ])('refuses %j without repeating it', (text) => {
    expect(() => parsePrivateKey(text, suite)).toThrow(CLIError);
  });
});

describe('keystoreFileName', () => {
  it("is geth's", () => {
    expect(keystoreFileName('ab'.repeat(20), 0)).toBe(`UTC--1970-01-01T00-00-00.000Z--${'ab'.repeat(20)}`);
  });
});
