import { bytesToHex } from '../bytes.ts';
import { ProtocolError } from '../errors.ts';

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

export interface BranchNode {
  readonly kind: 'branch';
  /** 16 of them. */
  readonly children: readonly (TrieChild | undefined)[];
  /** Only in tries whose keys may be prefixes of one another; never in a secure trie. */
  readonly value: Uint8Array | undefined;
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

const BRANCH_ITEMS = 17;
const EMPTY_STRING = 0x80;
const LIST = 0xc0;

/** The RLP of a node, all of whose children are references. */
export function encodeTrieNode(node: TrieNode): Uint8Array {
  return node.kind === 'branch' ? encodeBranch(node) : encodeShort(node);
}

function encodeBranch(node: BranchNode): Uint8Array {
  let payload = node.value === undefined ? 1 : stringLength(node.value);
  for (let i = 0; i < 16; i++) {
    const child = node.children[i];
    payload += child === undefined ? 1 : referenceLength(child as TrieReference);
  }
  const target = new Uint8Array(prefixLength(payload) + payload);
  let at = writePrefix(target, 0, LIST, payload);
  for (let i = 0; i < 16; i++) {
    const child = node.children[i];
    if (child === undefined) target[at++] = EMPTY_STRING;
    else at = writeReference(target, at, child as TrieReference);
  }
  if (node.value === undefined) target[at] = EMPTY_STRING;
  else writeString(target, at, node.value);
  return target;
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

function prefixLength(payload: number): number {
  if (payload < 56) return 1;
  if (payload < 0x100) return 2;
  return payload < 0x10000 ? 3 : payload < 0x1000000 ? 4 : 5;
}

function stringLength(bytes: Uint8Array): number {
  return bytes.length === 1 && bytes[0]! < 0x80 ? 1 : prefixLength(bytes.length) + bytes.length;
}

function referenceLength(reference: TrieReference): number {
  return reference.length === 32 ? 33 : reference.length;
}

function writePrefix(target: Uint8Array, at: number, offset: number, payload: number): number {
  if (payload < 56) {
    target[at] = offset + payload;
    return at + 1;
  }
  const bytes = prefixLength(payload) - 1;
  target[at] = offset + 55 + bytes;
  for (let i = bytes, rest = payload; i > 0; i--, rest >>>= 8) target[at + i] = rest & 0xff;
  return at + 1 + bytes;
}

function writeString(target: Uint8Array, at: number, bytes: Uint8Array): number {
  if (bytes.length === 1 && bytes[0]! < 0x80) {
    target[at] = bytes[0]!;
    return at + 1;
  }
  const start = writePrefix(target, at, EMPTY_STRING, bytes.length);
  target.set(bytes, start);
  return start + bytes.length;
}

function writeReference(target: Uint8Array, at: number, reference: TrieReference): number {
  if (reference.length !== 32) {
    target.set(reference, at);
    return at + reference.length;
  }
  target[at] = EMPTY_STRING + 32;
  target.set(reference, at + 1);
  return at + 33;
}

/**
 * Reads a node's RLP; whatever it accepts re-encodes to the same bytes. Byte strings in the result are views
 * into `rlp`. Throws `invalid-rlp`.
 */
export function decodeTrieNode(rlp: Uint8Array): TrieNode {
  const cursor = { start: 0, end: 0, isList: false };
  readItem(rlp, 0, rlp.length, cursor);
  if (!cursor.isList || cursor.end !== rlp.length) throw invalid('is not one list');
  const starts: number[] = [];
  const ends: number[] = [];
  const heads: number[] = [];
  let lists = 0;
  for (let at = cursor.start; at < rlp.length; at = cursor.end) {
    if (heads.length === BRANCH_ITEMS) throw invalid('has more than 17 items');
    readItem(rlp, at, rlp.length, cursor);
    if (cursor.isList) lists |= 1 << heads.length;
    heads.push(at);
    starts.push(cursor.start);
    ends.push(cursor.end);
  }
  if (heads.length === 2) {
    if ((lists & 1) !== 0) throw invalid('has a list for a path');
    const isLeaf = rlp[starts[0]!]! >= 0x20;
    const nibbles = nibblesOf(rlp, starts[0]!, ends[0]!);
    if (isLeaf) {
      if ((lists & 2) !== 0 || starts[1] === ends[1]) throw invalid('has no value in a leaf');
      return { kind: 'leaf', nibbles, value: rlp.subarray(starts[1], ends[1]) };
    }
    const child = referenceOf(rlp, heads[1]!, starts[1]!, ends[1]!, (lists & 2) !== 0);
    if (nibbles.length === 0 || child === undefined) throw invalid('is an extension without path or child');
    return { kind: 'extension', nibbles, child };
  }
  if (heads.length !== BRANCH_ITEMS) throw invalid(`has ${heads.length} items`);
  const children: (TrieReference | undefined)[] = new Array(16);
  for (let i = 0; i < 16; i++) {
    children[i] = referenceOf(rlp, heads[i]!, starts[i]!, ends[i]!, (lists & (1 << i)) !== 0);
  }
  if ((lists & (1 << 16)) !== 0) throw invalid('has a list for a value');
  const value = starts[16] === ends[16] ? undefined : rlp.subarray(starts[16], ends[16]);
  return { kind: 'branch', children, value };
}

function invalid(reason: string): ProtocolError {
  return new ProtocolError('invalid-rlp', `a trie node ${reason}`);
}

/** Finds the content of the item at `at`, which must end by `limit` and use the shortest prefix. */
function readItem(
  rlp: Uint8Array,
  at: number,
  limit: number,
  found: { start: number; end: number; isList: boolean },
): void {
  if (at >= limit) throw invalid('ends where an item should begin');
  const first = rlp[at]!;
  found.isList = first >= LIST;
  if (first < EMPTY_STRING) {
    found.start = at;
    found.end = at + 1;
    return;
  }
  let length = first - (found.isList ? LIST : EMPTY_STRING);
  let start = at + 1;
  if (length > 55) {
    const bytes = length - 55;
    if (bytes > 4 || start + bytes > limit || rlp[start] === 0) throw invalid('has a wrong length');
    length = 0;
    for (let i = 0; i < bytes; i++) length = length * 256 + rlp[start++]!;
    if (length < 56) throw invalid('has a length that is not the shortest');
  }
  if (length > limit - start) throw invalid('ends inside an item');
  if (length === 1 && !found.isList && rlp[start]! < EMPTY_STRING) throw invalid('wraps a small byte');
  found.start = start;
  found.end = start + length;
}

function nibblesOf(rlp: Uint8Array, start: number, end: number): Nibbles {
  if (start === end) throw invalid('has an empty path');
  const first = rlp[start]!;
  if (first >= 0x40 || ((first & 0x10) === 0 && (first & 0x0f) !== 0)) throw invalid('has a wrong path flag');
  // The flag's own digit goes, and the padding digit after it if the number of nibbles is even.
  return bytesToHex(rlp.subarray(start, end)).slice((first & 0x10) === 0 ? 4 : 3);
}

function referenceOf(
  rlp: Uint8Array,
  head: number,
  start: number,
  end: number,
  isList: boolean,
): TrieReference | undefined {
  if (isList) {
    if (end - head >= 32) throw invalid('embeds a child of 32 bytes or more');
    return rlp.subarray(head, end);
  }
  if (start === end) return undefined;
  if (end - start !== 32) throw invalid('has a reference that is no hash');
  return rlp.subarray(start, end);
}
