import { bigintToBytes, bytesToBigint, hexToBytes } from '../bytes.ts';
import { ProtocolError } from '../errors.ts';
import { decodeRlp, encodeRlp, RlpFields } from '../rlp.ts';
import type { Account } from '../state.ts';

const fields = new RlpFields('invalid-rlp', 'account');

/** An account as the state trie holds it: RLP of [nonce, balance, storageRoot, codeHash] (Yellow Paper, section 4.1). */
export function encodeAccount(account: Account): Uint8Array {
  return encodeRlp([
    bigintToBytes(account.nonce),
    bigintToBytes(account.balance),
    hexToBytes(account.storageRoot),
    hexToBytes(account.codeHash),
  ]);
}

/** Throws `invalid-rlp`; what it accepts re-encodes to the same bytes. */
export function decodeAccount(encoded: Uint8Array): Account {
  const [nonce, balance, storageRoot, codeHash] = fields.list(decodeRlp(encoded), 'account', 4);
  return {
    nonce: fields.bigint(nonce, 'nonce', 8),
    balance: fields.bigint(balance, 'balance', 32),
    storageRoot: fields.hash(storageRoot, 'storageRoot'),
    codeHash: fields.hash(codeHash, 'codeHash'),
  };
}

/** A word other than zero as a storage trie holds it: the RLP of its bytes without leading zeros. */
export function encodeStorageWord(word: bigint): Uint8Array {
  return encodeRlp(bigintToBytes(word));
}

/** Throws `invalid-rlp`; what it accepts re-encodes to the same bytes. */
export function decodeStorageWord(encoded: Uint8Array): bigint {
  const item = decodeRlp(encoded);
  if (!(item instanceof Uint8Array) || item.length === 0 || item.length > 32 || item[0] === 0) {
    throw new ProtocolError('invalid-rlp', 'a storage word must be 1 to 32 bytes without leading zeros');
  }
  return bytesToBigint(item);
}
