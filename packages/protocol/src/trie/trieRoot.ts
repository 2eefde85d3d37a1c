import { numberToBytes } from '../bytes.ts';
import { encodeRlp } from '../rlp.ts';
import type { Hash } from '../types.ts';
import { type Nibbles, type TrieHasher, trieKey } from './trieNode.ts';
import { emptyTrieRoot, type TrieChange, type TrieUpdate, updateTrie } from './updateTrie.ts';

/** A whole trie: its root, and its nodes by place for proofs. */
export interface Trie {
  readonly root: Hash;
  readonly nodes: ReadonlyMap<Nibbles, Uint8Array | undefined>;
}

/** The trie of these entries, in any order; the keys differ and no value is empty. */
export function trieOf(entries: Iterable<readonly [Uint8Array, Uint8Array]>, hasher: TrieHasher): Trie {
  return build(
    Array.from(entries, ([key, value]): TrieChange => [trieKey(key), value]),
    hasher,
  );
}

/** The same with every key replaced by its hash, as the tries of the state are. */
export function secureTrieOf(entries: Iterable<readonly [Uint8Array, Uint8Array]>, hasher: TrieHasher): Trie {
  return build(
    Array.from(entries, ([key, value]): TrieChange => [trieKey(hasher.hash(key)), value]),
    hasher,
  );
}

export function secureTrieRoot(entries: Iterable<readonly [Uint8Array, Uint8Array]>, hasher: TrieHasher): Hash {
  return secureTrieOf(entries, hasher).root;
}

/**
 * The trie of a block's transactions or receipts: each encoding under the RLP of its index (Yellow Paper, section 4.4.2,
 * equation 36). A typed one is its EIP-2718 envelope as it is.
 */
export function orderedTrie(values: readonly Uint8Array[], hasher: TrieHasher): Trie {
  return build(
    values.map((value, index): TrieChange => [orderedTrieKey(index), value]),
    hasher,
  );
}

export function orderedTrieRoot(values: readonly Uint8Array[], hasher: TrieHasher): Hash {
  return orderedTrie(values, hasher).root;
}

/** The key of an index in the trie of transactions or receipts. */
export function orderedTrieKey(index: number): Nibbles {
  return trieKey(encodeRlp(numberToBytes(index)));
}

function build(changes: TrieChange[], hasher: TrieHasher): TrieUpdate {
  changes.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  return updateTrie(() => undefined, emptyTrieRoot(hasher), changes, hasher);
}
