import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Address, bytesToHex, type Hex, hexToBytes, type Suite } from '@hanse/protocol';
import { transportPublicKey } from '../runtime/transportKey.ts';

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

/** Writes a new key file that only its owner can read; refuses to overwrite one. */
export function writeKeyFile(path: string, key: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (existsSync(path))
    throw new KeyFileError(`${path} exists already: a key is never overwritten. Choose another folder.`);
  writeFileSync(path, `${bytesToHex(key)}\n`, { mode: 0o600, flag: 'wx' });
  chmodSync(path, 0o600);
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
