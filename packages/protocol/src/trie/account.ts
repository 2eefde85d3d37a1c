import { bigintToBytes, bytesToBigint, bytesToHex, hexToBytes } from '../bytes.ts';
import { ProtocolError } from '../errors.ts';
import { decodeRlp, encodeRlp } from '../rlp.ts';
import type { Account } from '../state.ts';
import { HASH_STRING, type RlpSpan, readItem } from './trieRlp.ts';

/** What follows nonce and balance: two hashes of 32 bytes, each behind its prefix. */
const HASHES_LENGTH = 66;

/**
 * An account as the state trie holds it: RLP of [nonce, balance, storageRoot, codeHash] (Yellow Paper, section 4.1). Written
 * without the general encoder, in a third of its time, because a block encodes every changed account.
 */
export function encodeAccount(account: Account): Uint8Array {
  const nonce = encodeRlp(bigintToBytes(account.nonce));
  const balance = encodeRlp(bigintToBytes(account.balance));
  const payload = nonce.length + balance.length + HASHES_LENGTH;
  const encoded = new Uint8Array(2 + payload);
  // The two hashes alone make the list longer than 55 bytes, and everything together is at most 108.
  encoded[0] = 0xf8;
  encoded[1] = payload;
  encoded.set(nonce, 2);
  encoded.set(balance, 2 + nonce.length);
  const hashes = encoded.length - HASHES_LENGTH;
  encoded[hashes] = HASH_STRING;
  encoded.set(hexToBytes(account.storageRoot), hashes + 1);
  encoded[hashes + 33] = HASH_STRING;
  encoded.set(hexToBytes(account.codeHash), hashes + 34);
  return encoded;
}

/** Throws `invalid-rlp`; what it accepts re-encodes to the same bytes. Read in place, because execution waits for it. */
export function decodeAccount(encoded: Uint8Array): Account {
  const span: RlpSpan = { start: 0, end: 0, isList: false };
  readItem(encoded, 0, encoded.length, span);
  if (!span.isList || span.end !== encoded.length) throw invalidAccount();
  span.end = span.start;
  const nonce = readInteger(encoded, span, 8);
  const balance = readInteger(encoded, span, 32);
  const storageRoot = span.end;
  const codeHash = storageRoot + 33;
  if (
    encoded.length !== storageRoot + HASHES_LENGTH ||
    encoded[storageRoot] !== HASH_STRING ||
    encoded[codeHash] !== HASH_STRING
  ) {
    throw invalidAccount();
  }
  return {
    nonce,
    balance,
    storageRoot: bytesToHex(encoded.subarray(storageRoot + 1, codeHash)),
    codeHash: bytesToHex(encoded.subarray(codeHash + 1)),
  };
}

/** The canonical integer after `span`, which moves on to it. */
function readInteger(encoded: Uint8Array, span: RlpSpan, maxBytes: number): bigint {
  readItem(encoded, span.end, encoded.length, span);
  const { start, end, isList } = span;
  if (isList || end - start > maxBytes || (end > start && encoded[start] === 0)) throw invalidAccount();
  return end === start ? 0n : bytesToBigint(encoded.subarray(start, end));
}

function invalidAccount(): ProtocolError {
  return new ProtocolError('invalid-rlp', 'an account must be [nonce, balance, storageRoot, codeHash]');
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
