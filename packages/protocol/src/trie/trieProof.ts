import { bytesToHex } from '../bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { Hash } from '../types.ts';
import { decodeTrieNode, type Nibbles, nibbleAt, nibbleDigit, type TrieHasher, type TrieNode } from './trieNode.ts';
import { emptyTrieRoot, loadRoot, type TrieNodeReader } from './updateTrie.ts';

/**
 * The proof that a key has its value, or has none: the encodings of the stored nodes from the root down to where the key
 * ends, as `eth_getProof` gives them (EIP-1186). Empty for the empty trie. Throws if the store lacks a node.
 */
export function createTrieProof(
  reader: TrieNodeReader,
  root: Hash,
  key: Nibbles,
  hasher: TrieHasher,
): readonly Uint8Array[] {
  const rootNode = loadRoot(reader, root, hasher);
  if (rootNode === undefined) return [];
  const proof: Uint8Array[] = [reader('')!];
  descend(rootNode, key, (_hash, path) => {
    const encoded = reader(path);
    if (encoded === undefined) throw new Error(`The store lacks the trie node at '${path}'.`);
    proof.push(encoded);
    return encoded;
  });
  return proof;
}

/**
 * The value that the proof gives the key in the trie of this root, or undefined if it proves that there is none.
 * For every root and key exactly one proof is accepted: no node too many, none too few, none encoded otherwise. Throws
 * `invalid-proof`. The caller bounds the size of the proof before it reads it.
 */
export function verifyTrieProof(
  root: Hash,
  key: Nibbles,
  proof: readonly Uint8Array[],
  hasher: TrieHasher,
): Uint8Array | undefined {
  let used = 0;
  const next = (expected: Hash): Uint8Array => {
    const encoded = proof[used++];
    if (encoded === undefined) throw new ProtocolError('invalid-proof', 'the proof ends before the key does');
    if (bytesToHex(hasher.hash(encoded)) !== expected) {
      throw new ProtocolError('invalid-proof', `node ${used - 1} of the proof is not the one that its parent names`);
    }
    return encoded;
  };
  let value: Uint8Array | undefined;
  if (root !== emptyTrieRoot(hasher)) {
    try {
      value = descend(decodeTrieNode(next(root)), key, (hash) => next(bytesToHex(hash)));
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'invalid-rlp') {
        throw new ProtocolError('invalid-proof', `node ${used - 1} of the proof: ${error.message}`);
      }
      throw error;
    }
  }
  if (used !== proof.length) throw new ProtocolError('invalid-proof', 'the proof has nodes that it does not need');
  return value;
}

/** Follows the key down from the root; `fetch` gives the encoding of a child that is not embedded in its parent. */
function descend(
  root: TrieNode,
  key: Nibbles,
  fetch: (hash: Uint8Array, path: Nibbles) => Uint8Array,
): Uint8Array | undefined {
  let node = root;
  let depth = 0;
  for (;;) {
    if (node.kind === 'leaf') return key.slice(depth) === node.nibbles ? node.value : undefined;
    let child: Uint8Array | undefined;
    let path = key.slice(0, depth);
    if (node.kind === 'extension') {
      if (!key.startsWith(node.nibbles, depth)) return undefined;
      depth += node.nibbles.length;
      path += node.nibbles;
      child = node.child as Uint8Array;
    } else {
      if (depth === key.length) return node.value;
      const nibble = nibbleAt(key, depth);
      depth += 1;
      path += nibbleDigit(nibble);
      child = node.child(nibble) as Uint8Array | undefined;
      if (child === undefined) return undefined;
    }
    node = decodeTrieNode(child.length === 32 ? fetch(child, path) : child);
  }
}
