import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { addressOfPrivateKey, keyFileNames, readKeyFile, transportPublicKey } from '@hanse/node';
import { bytesToHex, type Hex, type Suite } from '@hanse/protocol';

/** A member's three keys. The first of a kind stands in `vote.key`, later ones in `vote-2.key` and so on. */
export type KeyKind = 'vote' | 'transport' | 'account';

export interface HeldKey {
  readonly file: string;
  readonly key: Uint8Array;
  /** What the chain has of it: the public key, or the address of an account. */
  readonly publicPart: Hex;
  /** 1 for the first; 0 for a file that somebody named otherwise. */
  readonly number: number;
}

/** What the chain has of a private key. */
export function publicPartOf(kind: KeyKind, key: Uint8Array, suite: Suite): Hex {
  if (kind === 'vote') return suite.publicKey(key);
  return kind === 'transport' ? transportPublicKey(bytesToHex(key)) : addressOfPrivateKey(key, suite);
}

/** A member's keys of a kind, the newest last. Throws a KeyFileError for a file that cannot be used. */
export function readHeldKeys(folder: string, kind: KeyKind, suite: Suite): readonly HeldKey[] {
  return fileNames(folder, kind)
    .map(({ name, number }) => {
      const file = join(folder, name);
      const key = readKeyFile(file);
      return { file, key, publicPart: publicPartOf(kind, key, suite), number };
    })
    .sort((a, b) => a.number - b.number);
}

/** Where the next key of a kind goes: a file that does not exist. */
export function nextKeyFile(folder: string, kind: KeyKind): string {
  if (!existsSync(join(folder, keyFileNames[kind]))) return join(folder, keyFileNames[kind]);
  const highest = Math.max(1, ...fileNames(folder, kind).map(({ number }) => number));
  return join(folder, `${kind}-${highest + 1}.key`);
}

function fileNames(folder: string, kind: KeyKind): readonly { readonly name: string; readonly number: number }[] {
  if (!existsSync(folder)) return [];
  const further = new RegExp(`^${kind}-([\\w.-]+)\\.key$`);
  return readdirSync(folder).flatMap((name) => {
    if (name === keyFileNames[kind]) return [{ name, number: 1 }];
    const label = further.exec(name)?.[1];
    if (label === undefined) return [];
    return [{ name, number: /^\d{1,9}$/.test(label) ? Number(label) : 0 }];
  });
}
