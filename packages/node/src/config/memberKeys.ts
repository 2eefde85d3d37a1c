import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Address, bytesToHex, type Hex, hexToBytes, type Suite } from '@hanse/protocol';
import { transportPublicKey } from '../runtime/transportKey.ts';
import { flush, flushFolder } from './flushPath.ts';

/** The private keys that a member's node needs; raw bytes, never logged. */
export interface MemberKeys {
  /** Signs votes; a key of the network's suite. */
  readonly vote: Uint8Array;
  /** Proves the member to other members; an Ed25519 seed of 32 bytes in the international suite. */
  readonly transport: Uint8Array;
}

/** The public halves, as they stand in a member's descriptor and on the chain. */
export interface PublicMemberKeys {
  readonly voteKey: Hex;
  readonly transportKey: Hex;
}

export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

export function publicMemberKeys(keys: MemberKeys, suite: Suite): PublicMemberKeys {
  return { voteKey: suite.publicKey(keys.vote), transportKey: transportPublicKey(bytesToHex(keys.transport)) };
}

export function newPrivateKey(suite: Suite): Uint8Array {
  return suite.privateKeyFrom(new Uint8Array(randomBytes(48)));
}

export function newMemberKeys(suite: Suite): MemberKeys {
  return { vote: newPrivateKey(suite), transport: new Uint8Array(randomBytes(32)) };
}

/** The account address of a private key. */
export function addressOfPrivateKey(privateKey: Uint8Array, suite: Suite): Address {
  const address = suite.addressOf(hexToBytes(suite.publicKey(privateKey)));
  if (address === undefined) throw new KeyFileError('The private key gives no account.');
  return address;
}

/**
 * Writes a new key file that only its owner can read, whole or not at all, and durable when this returns: a key must not be lost
 * after the chain has its public half. Refuses to overwrite one.
 */
export function writeKeyFile(path: string, key: Uint8Array): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // A leading dot, so that nobody takes half a key for one of the folder's keys.
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`);
  rmSync(temporary, { force: true });
  try {
    writeFileSync(temporary, `${bytesToHex(key)}\n`, { mode: 0o600, flag: 'wx' });
    chmodSync(temporary, 0o600);
    flush(temporary);
    // Unlike a rename, a link fails where a file stands.
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new KeyFileError(`${path} exists already: a key is never overwritten. Choose another folder.`);
  } finally {
    rmSync(temporary, { force: true });
  }
  flushFolder(folder);
}

/** Reads a key file: 32 bytes as hexadecimal. Refuses one that others on this machine can read. */
export function readKeyFile(path: string): Uint8Array {
  let text: string;
  try {
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
      throw new KeyFileError(`${path} can be read by others on this machine. Run: chmod 600 '${path}'`);
    }
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    throw new KeyFileError(`The key file ${path} cannot be read: ${(error as Error).message}`);
  }
  if (!/^0x[0-9a-f]{64}$/.test(text))
    throw new KeyFileError(`${path} is no key file: it must hold 32 bytes as 0x and 64 hexadecimal digits.`);
  return hexToBytes(text);
}

export const keyFileNames = { vote: 'vote.key', transport: 'transport.key', account: 'account.key' } as const;

export function writeMemberKeys(folder: string, keys: MemberKeys): void {
  writeKeyFile(join(folder, keyFileNames.vote), keys.vote);
  writeKeyFile(join(folder, keyFileNames.transport), keys.transport);
}

export function readMemberKeys(folder: string): MemberKeys {
  return {
    vote: readKeyFile(join(folder, keyFileNames.vote)),
    transport: readKeyFile(join(folder, keyFileNames.transport)),
  };
}

/** A private key and the file that it stands in. */
export interface StoredKey {
  readonly file: string;
  readonly key: Uint8Array;
}

/** All keys in a member's folder. Which of them count is for the chain to say. */
export interface MemberKeyRing {
  readonly votes: readonly StoredKey[];
  readonly transports: readonly StoredKey[];
}

/**
 * The keys in a member's folder: `vote.key` and `transport.key`, which must be there, then those put beside them before a key
 * is replaced (`vote-NAME.key`, `transport-NAME.key`), by name. A file that cannot be used throws a KeyFileError, unless
 * `unusable` takes it: a member that runs must not stop for a file that somebody puts beside its keys.
 */
export function readMemberKeyRing(folder: string, unusable?: (error: KeyFileError) => void): MemberKeyRing {
  const readOne = (name: string): readonly StoredKey[] => {
    const file = join(folder, name);
    try {
      return [{ file, key: readKeyFile(file) }];
    } catch (error) {
      if (unusable === undefined || !(error instanceof KeyFileError)) throw error;
      unusable(error);
      return [];
    }
  };
  const read = (first: string, further: RegExp): readonly StoredKey[] => {
    const names = existsSync(folder) ? readdirSync(folder).filter((name) => further.test(name)) : [];
    return [first, ...names.sort()].flatMap(readOne);
  };
  return {
    votes: read(keyFileNames.vote, /^vote-[\w.-]+\.key$/),
    transports: read(keyFileNames.transport, /^transport-[\w.-]+\.key$/),
  };
}

/** A file beside a vote key, which says that a log of votes was begun for it (see `KeyUsage`): backups of the folder carry it along. */
export function keyUsage(file: string): { wasUsed(): Promise<boolean>; markUsed(): Promise<void> } {
  const mark = `${file}.used`;
  return {
    wasUsed: async () => existsSync(mark),
    markUsed: async () => {
      const text =
        'A log of votes was begun for this key. Without that log the key must not vote at once; do not delete this file.\n';
      writeFileSync(mark, text, { mode: 0o600 });
      flush(mark);
      flushFolder(dirname(mark));
    },
  };
}
