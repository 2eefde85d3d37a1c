import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { addressOfPrivateKey } from '@hanse/node';
import type { Address, Suite } from '@hanse/protocol';
import { writeNewFileAtomically } from './atomicFile.ts';
import { CLIError } from './cliError.ts';
import { decryptKeystore, encryptKeystore, keystoreFileName, parsePrivateKey } from './keystore.ts';
import { type PassphraseOptions, readPassphrase } from './passphrase.ts';

/** A key file holds a few hundred bytes. */
const MAX_KEY_FILE_BYTES = 16 * 1024;

/** An account whose key lies encrypted in a keystore folder. */
export interface KeystoreEntry {
  readonly address: Address;
  readonly file: string;
}

/** The accounts of a keystore folder, by the address that each file names; files of other kinds are passed over. */
export function listKeystore(folder: string): readonly KeystoreEntry[] {
  if (!existsSync(folder)) return [];
  let names: readonly string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    throw new CLIError(`The keystore ${folder} cannot be read: ${(error as Error).message}`);
  }
  return names.flatMap((name) => {
    const file = join(folder, name);
    const address = addressInFile(file);
    return address === undefined ? [] : [{ address, file }];
  });
}

function addressInFile(file: string): Address | undefined {
  try {
    const stat = statSync(file);
    if (!stat.isFile() || stat.size > MAX_KEY_FILE_BYTES) return undefined;
    const { version, address } = JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown; address?: unknown };
    if (version !== 3 || typeof address !== 'string') return undefined;
    const match = /^(?:0x)?([0-9a-f]{40})$/i.exec(address);
    return match === null ? undefined : (`0x${match[1]?.toLowerCase()}` as Address);
  } catch {
    // No JSON, no permission: not a key file of ours.
    return undefined;
  }
}

/** Encrypts a key into a new file of the folder; refuses an account that is there already. */
export async function storeKey(
  folder: string,
  key: Uint8Array,
  passphrase: string,
  modules: { readonly suite: Suite; readonly nowMs: number; readonly cost?: number },
): Promise<KeystoreEntry> {
  const { suite, nowMs, cost } = modules;
  const address = addressOfPrivateKey(key, suite);
  const there = listKeystore(folder).find((entry) => entry.address === address);
  if (there !== undefined) throw new CLIError(`${address} is in the keystore already: ${there.file}`);
  const keystore = await encryptKeystore(key, passphrase, suite, cost);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, keystoreFileName(keystore.address, nowMs));
  if (!writeNewFileAtomically(file, `${JSON.stringify(keystore, null, 2)}\n`, 0o600))
    throw new CLIError(`${file} exists already: a key is never overwritten.`);
  return { address, file };
}

/** A private key from a file: a keystore (asks for its passphrase), or 64 hexadecimal digits that only the owner can read. */
export async function loadKeyFile(file: string, suite: Suite, options: PassphraseOptions): Promise<Uint8Array> {
  const text = readKeyText(file);
  if (text.trimStart().startsWith('{')) {
    const json = parseJson(text, file);
    return await decryptKeystore(json, await readPassphrase(options, file), suite);
  }
  // An encrypted file may be seen by others; a raw key must not.
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0)
    throw new CLIError(`${file} can be read by others on this machine. Run: chmod 600 '${file}'`);
  return parsePrivateKey(text, suite);
}

function readKeyText(file: string): string {
  try {
    const stat = statSync(file);
    if (!stat.isFile() || stat.size > MAX_KEY_FILE_BYTES) throw new Error('it is no file of at most 16 KiB');
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CLIError(`The key file ${file} cannot be read: ${(error as Error).message}`);
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CLIError(`The key file ${file} is damaged: ${(error as Error).message}`);
  }
}
