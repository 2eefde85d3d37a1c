import { ProtocolError } from '../errors.ts';
import type { TrieReference } from './trieNode.ts';

// RLP as trie nodes need it: into buffers of known size, and without a list of views for every node that is read.

export const EMPTY_STRING = 0x80;
export const HASH_STRING = EMPTY_STRING + 32;
export const LIST = 0xc0;

export function prefixLength(payload: number): number {
  if (payload < 56) return 1;
  if (payload < 0x100) return 2;
  return payload < 0x10000 ? 3 : payload < 0x1000000 ? 4 : 5;
}

export function stringLength(bytes: Uint8Array): number {
  return bytes.length === 1 && bytes[0]! < 0x80 ? 1 : prefixLength(bytes.length) + bytes.length;
}

export function referenceLength(reference: TrieReference): number {
  return reference.length === 32 ? 33 : reference.length;
}

export function writePrefix(target: Uint8Array, at: number, offset: number, payload: number): number {
  if (payload < 56) {
    target[at] = offset + payload;
    return at + 1;
  }
  const bytes = prefixLength(payload) - 1;
  target[at] = offset + 55 + bytes;
  for (let i = bytes, rest = payload; i > 0; i--, rest >>>= 8) target[at + i] = rest & 0xff;
  return at + 1 + bytes;
}

export function writeString(target: Uint8Array, at: number, bytes: Uint8Array): number {
  if (bytes.length === 1 && bytes[0]! < 0x80) {
    target[at] = bytes[0]!;
    return at + 1;
  }
  const start = writePrefix(target, at, EMPTY_STRING, bytes.length);
  target.set(bytes, start);
  return start + bytes.length;
}

export function writeReference(target: Uint8Array, at: number, reference: TrieReference): number {
  if (reference.length !== 32) {
    target.set(reference, at);
    return at + reference.length;
  }
  target[at] = HASH_STRING;
  target.set(reference, at + 1);
  return at + 33;
}

/** The content of an item, without its prefix. */
export interface RlpSpan {
  start: number;
  end: number;
  isList: boolean;
}

/** Finds the content of the item at `at`, which must end by `limit` and use the shortest prefix. */
export function readItem(rlp: Uint8Array, at: number, limit: number, found: RlpSpan): void {
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

export function invalid(reason: string): ProtocolError {
  return new ProtocolError('invalid-rlp', `a trie node ${reason}`);
}

/** The reference that the item [head, end) is, whose canonical form `readItem` has checked; undefined for the empty string. */
export function referenceAt(rlp: Uint8Array, head: number, end: number): TrieReference | undefined {
  const first = rlp[head]!;
  if (first === HASH_STRING) return rlp.subarray(head + 1, end);
  if (first === EMPTY_STRING) return undefined;
  if (first < LIST) throw invalid('has a reference that is no hash');
  if (end - head >= 32) throw invalid('embeds a child of 32 bytes or more');
  return rlp.subarray(head, end);
}
