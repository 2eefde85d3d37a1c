import {
  createCipheriv,
  createDecipheriv,
  pbkdf2 as pbkdf2Callback,
  randomBytes,
  randomUUID,
  scrypt as scryptCallback,
  timingSafeEqual,
} from 'node:crypto';
import { promisify } from 'node:util';
import { addressOfPrivateKey } from '@hanse/node';
import { type Hex, hexToBytes, isHex, type Suite } from '@hanse/protocol';
import { scrypt as portableScrypt } from '@noble/hashes/scrypt.js';
import { CLIError } from './cliError.ts';

const scrypt = promisify<Buffer, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scryptCallback,
);
const pbkdf2 = promisify(pbkdf2Callback);

/** An Ethereum keystore of version 3 (the "Web3 Secret Storage Definition"). */
export interface Keystore {
  readonly version: 3;
  readonly id: string;
  /** Lower-case, without 0x. */
  readonly address: string;
  readonly crypto: {
    readonly cipher: 'aes-128-ctr';
    readonly ciphertext: string;
    readonly cipherparams: { readonly iv: string };
    readonly kdf: 'scrypt' | 'pbkdf2';
    readonly kdfparams: Readonly<Record<string, unknown>>;
    readonly mac: string;
  };
}

/** geth's "standard" cost: about a second and 256 MiB, so that a stolen file resists guessing. */
export const STANDARD_SCRYPT_COST = 262_144;
/** Costs above this would let a hostile file take the machine's memory. */
const MAX_SCRYPT_MEMORY = 1024 * 1024 * 1024;

export async function encryptKeystore(
  privateKey: Uint8Array,
  passphrase: string,
  suite: Suite,
  cost = STANDARD_SCRYPT_COST,
): Promise<Keystore> {
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const kdfparams = { dklen: 32, n: cost, r: 8, p: 1, salt: salt.toString('hex') };
  const derived = await deriveByScrypt(passphrase, kdfparams);
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv);
  const ciphertext = Buffer.concat([cipher.update(privateKey), cipher.final()]);
  return {
    version: 3,
    id: randomUUID(),
    address: addressOfPrivateKey(privateKey, suite).slice(2),
    crypto: {
      cipher: 'aes-128-ctr',
      ciphertext: ciphertext.toString('hex'),
      cipherparams: { iv: iv.toString('hex') },
      kdf: 'scrypt',
      kdfparams,
      mac: Buffer.from(macOf(derived, ciphertext, suite)).toString('hex'),
    },
  };
}

/** Gives the private key; a wrong passphrase and a damaged file are CLIErrors. */
export async function decryptKeystore(json: unknown, passphrase: string, suite: Suite): Promise<Uint8Array> {
  const keystore = parseKeystore(json);
  const { ciphertext, cipherparams, kdf, kdfparams, mac } = keystore.crypto;
  const derived =
    kdf === 'scrypt' ? await deriveByScrypt(passphrase, kdfparams) : await deriveByPbkdf2(passphrase, kdfparams);
  const encrypted = Buffer.from(ciphertext, 'hex');
  const expected = Buffer.from(mac, 'hex');
  const actual = Buffer.from(macOf(derived, encrypted, suite));
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual))
    throw new CLIError('The passphrase is wrong (or the key file is damaged).');
  const decipher = createDecipheriv('aes-128-ctr', derived.subarray(0, 16), Buffer.from(cipherparams.iv, 'hex'));
  const key = new Uint8Array(Buffer.concat([decipher.update(encrypted), decipher.final()]));
  if (key.length !== 32 || !suite.primitives.secp256k1IsPrivateKey(key))
    throw new CLIError('The key file holds no private key of this curve.');
  return key;
}

/** keccak256(derived[16..32] || ciphertext), whatever the suite: the format is Ethereum's. */
function macOf(derived: Uint8Array, ciphertext: Uint8Array, suite: Suite): Uint8Array {
  return suite.keccak256(new Uint8Array(Buffer.concat([derived.subarray(16, 32), ciphertext])));
}

async function deriveByScrypt(passphrase: string, parameters: Readonly<Record<string, unknown>>): Promise<Buffer> {
  const { n, r, p, dklen, salt } = parameters;
  const numbers = [n, r, p, dklen];
  if (
    !numbers.every((value) => Number.isSafeInteger(value) && (value as number) > 0) ||
    (dklen as number) < 32 ||
    typeof salt !== 'string'
  ) {
    throw new CLIError('The key file is damaged: its scrypt parameters are not numbers.');
  }
  const [N, blockSize, parallel, length] = numbers as [number, number, number, number];
  if (N < 2 || !Number.isInteger(Math.log2(N)))
    throw new CLIError('The key file is damaged: the cost of scrypt is no power of two.');
  const memory = 128 * blockSize * (N + parallel + 2);
  if (memory > MAX_SCRYPT_MEMORY || parallel > 16 || length > 1024)
    throw new CLIError('The key file asks for more memory or time than is sensible; it is refused.');
  const password = Buffer.from(passphrase, 'utf8');
  const saltBytes = Buffer.from(salt, 'hex');
  // RFC 7914 wants N < 2^(16 r), and OpenSSL insists. Old programs wrote r = 1 with a larger N, which is no less safe.
  if (blockSize === 1 && N >= 2 ** 16) {
    const parameters = { N, r: blockSize, p: parallel, dkLen: length, maxmem: MAX_SCRYPT_MEMORY };
    return Buffer.from(portableScrypt(password, saltBytes, parameters));
  }
  return await scrypt(password, saltBytes, length, { N, r: blockSize, p: parallel, maxmem: memory + 1024 * 1024 });
}

async function deriveByPbkdf2(passphrase: string, parameters: Readonly<Record<string, unknown>>): Promise<Buffer> {
  const { c, dklen, salt, prf } = parameters;
  if (
    prf !== 'hmac-sha256' ||
    !Number.isSafeInteger(c) ||
    (c as number) < 1 ||
    (c as number) > 10_000_000 ||
    dklen !== 32 ||
    typeof salt !== 'string'
  ) {
    throw new CLIError('The key file is damaged: its PBKDF2 parameters are not known here.');
  }
  return await pbkdf2(Buffer.from(passphrase, 'utf8'), Buffer.from(salt, 'hex'), c as number, 32, 'sha256');
}

function parseKeystore(json: unknown): Keystore {
  const damaged = (what: string): CLIError =>
    new CLIError(`The key file is no Ethereum keystore of version 3: ${what}.`);
  if (typeof json !== 'object' || json === null) throw damaged('it is no JSON object');
  const file = json as Record<string, unknown>;
  // Old files write "Crypto".
  const crypto = (file.crypto ?? file.Crypto) as Record<string, unknown> | undefined;
  if (file.version !== 3) throw damaged('version is not 3');
  if (typeof crypto !== 'object' || crypto === null) throw damaged('crypto is missing');
  if (crypto.cipher !== 'aes-128-ctr') throw damaged(`cipher ${String(crypto.cipher)} is not aes-128-ctr`);
  if (crypto.kdf !== 'scrypt' && crypto.kdf !== 'pbkdf2')
    throw damaged(`kdf ${String(crypto.kdf)} is neither scrypt nor pbkdf2`);
  const iv = (crypto.cipherparams as Record<string, unknown> | undefined)?.iv;
  const hexFields = [crypto.ciphertext, crypto.mac, iv];
  if (!hexFields.every((field) => typeof field === 'string' && /^([0-9a-fA-F]{2})+$/.test(field)))
    throw damaged('ciphertext, mac or iv is not hexadecimal');
  if (typeof crypto.kdfparams !== 'object' || crypto.kdfparams === null) throw damaged('kdfparams is missing');
  return {
    version: 3,
    id: String(file.id ?? ''),
    address: String(file.address ?? ''),
    crypto: { ...(crypto as unknown as Keystore['crypto']), cipherparams: { iv: iv as string } },
  };
}

/** Reads a private key as 64 hexadecimal digits, with or without 0x. */
export function parsePrivateKey(text: string, suite: Suite): Uint8Array {
  const trimmed = text.trim().toLowerCase();
  const hex = (trimmed.startsWith('0x') ? trimmed : `0x${trimmed}`) as Hex;
  if (!isHex(hex, 32)) throw new CLIError('This is no private key: give 64 hexadecimal digits.');
  const key = hexToBytes(hex);
  if (!suite.primitives.secp256k1IsPrivateKey(key))
    throw new CLIError("This is no private key: the number is outside the curve's range.");
  return key;
}

/** The file name that geth gives a keystore. */
export function keystoreFileName(address: string, nowMs: number): string {
  return `UTC--${new Date(nowMs).toISOString().replaceAll(':', '-')}--${address}`;
}
