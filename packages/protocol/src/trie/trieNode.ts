import { bytesToHex } from '../bytes.ts';
import { BranchNode } from './branchNode.ts';
import {
  invalid,
  LIST,
  prefixLength,
  type RlpSpan,
  readItem,
  referenceAt,
  referenceLength,
  stringLength,
  writePrefix,
  writeReference,
  writeString,
} from './trieRlp.ts';

export { BranchNode } from './branchNode.ts';

/** Nibbles as lower-case hexadecimal digits without `0x`: a key of a trie, a node's place, or a part of either. */
export type Nibbles = string;

/** What hashes the nodes: a network's suite, or anything with its 32-byte hash. */
export interface TrieHasher {
  hash(data: Uint8Array): Uint8Array;
}

/**
 * How a node names its child: the 32-byte hash of the child's encoding, or the encoding itself when it is shorter
 * than 32 bytes (Yellow Paper, appendix D, equation 202). The length tells the two apart.
 */
export type TrieReference = Uint8Array;

/** A child while a trie is being changed: a reference that still holds, or a node that has no encoding yet. */
export type TrieChild = TrieReference | TrieNode;

export interface LeafNode {
  readonly kind: 'leaf';
  readonly nibbles: Nibbles;
  readonly value: Uint8Array;
}

export interface ExtensionNode {
  readonly kind: 'extension';
  readonly nibbles: Nibbles;
  readonly child: TrieChild;
}

export type TrieNode = LeafNode | ExtensionNode | BranchNode;

/** The key of a trie for a key in bytes. */
export function trieKey(key: Uint8Array): Nibbles {
  return bytesToHex(key).slice(2);
}

/** The value of the digit at a position of the nibbles. */
export function nibbleAt(nibbles: Nibbles, index: number): number {
  const code = nibbles.charCodeAt(index);
  return code < 58 ? code - 48 : code - 87;
}

const NIBBLE_DIGITS = '0123456789abcdef';

export function nibbleDigit(nibble: number): string {
  return NIBBLE_DIGITS[nibble]!;
}

/** The RLP of a node, all of whose children are references. */
export function encodeTrieNode(node: TrieNode): Uint8Array {
  return node.kind === 'branch' ? node.encode(noReference) : encodeShort(node);
}

function noReference(): never {
  throw new Error('A child of the branch has no encoding yet.');
}

function encodeShort(node: LeafNode | ExtensionNode): Uint8Array {
  const path = compactPath(node.nibbles, node.kind === 'leaf');
  const second = node.kind === 'leaf' ? stringLength(node.value) : referenceLength(node.child as TrieReference);
  const payload = stringLength(path) + second;
  const target = new Uint8Array(prefixLength(payload) + payload);
  const at = writeString(target, writePrefix(target, 0, LIST, payload), path);
  if (node.kind === 'leaf') writeString(target, at, node.value);
  else writeReference(target, at, node.child as TrieReference);
  return target;
}

/** The hex-prefix encoding of nibbles (Yellow Paper, appendix C). */
function compactPath(nibbles: Nibbles, isLeaf: boolean): Uint8Array {
  const flag = isLeaf ? 0x20 : 0;
  const odd = nibbles.length & 1;
  const path = new Uint8Array((nibbles.length >> 1) + 1);
  path[0] = odd === 1 ? flag | 0x10 | nibbleAt(nibbles, 0) : flag;
  for (let i = odd, at = 1; i < nibbles.length; i += 2, at++) {
    path[at] = (nibbleAt(nibbles, i) << 4) | nibbleAt(nibbles, i + 1);
  }
  return path;
}

/**
 * Reads a node's RLP; whatever it accepts re-encodes to the same bytes. Byte strings in the result are views
 * into `rlp`. Throws `invalid-rlp`.
 */
export function decodeTrieNode(rlp: Uint8Array): TrieNode {
  readItem(rlp, 0, rlp.length, item);
  if (!item.isList || item.end !== rlp.length) throw invalid('is not one list');
  const first = item.start;
  readItem(rlp, first, rlp.length, item);
  // A branch has 17 items, a leaf and an extension have two.
  const { isList, start, end } = item;
  if (end === rlp.length) throw invalid('has one item');
  readItem(rlp, end, rlp.length, item);
  if (item.end !== rlp.length) return BranchNode.decode(rlp, first);
  if (isList) throw invalid('has a list for a path');
  const nibbles = nibblesOf(rlp, start, end);
  if (rlp[start]! >= 0x20) {
    if (item.isList || item.start === item.end) throw invalid('has no value in a leaf');
    return { kind: 'leaf', nibbles, value: rlp.subarray(item.start, item.end) };
  }
  const child = referenceAt(rlp, end, item.end);
  if (nibbles.length === 0 || child === undefined) throw invalid('is an extension without path or child');
  return { kind: 'extension', nibbles, child };
}

/** Where the item read last was; there is one, because a node is decoded in one go. */
const item: RlpSpan = { start: 0, end: 0, isList: false };

function nibblesOf(rlp: Uint8Array, start: number, end: number): Nibbles {
  if (start === end) throw invalid('has an empty path');
  const first = rlp[start]!;
  if (first >= 0x40 || ((first & 0x10) === 0 && (first & 0x0f) !== 0)) throw invalid('has a wrong path flag');
  // The flag's own digit goes, and the padding digit after it if the number of nibbles is even.
  return bytesToHex(rlp.subarray(start, end)).slice((first & 0x10) === 0 ? 4 : 3);
}
