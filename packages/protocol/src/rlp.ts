import { bytesToBigint, bytesToHex, bytesToNumber, EMPTY_BYTES } from './bytes.ts';
import { ProtocolError, type ProtocolErrorCode } from './errors.ts';
import type { Address, Hash, Hex } from './types.ts';

/** What RLP encodes (Ethereum Yellow Paper, appendix B): byte strings and lists of these. */
export type RlpItem = Uint8Array | readonly RlpItem[];

/** Deeper nesting than any structure of the protocol, and shallow enough for every stack. */
const MAX_DEPTH = 64;

/** Encodes in two passes: lengths of lists first, then one buffer of exactly the right size. */
export function encodeRlp(item: RlpItem): Uint8Array {
  const listLengths: number[] = [];
  const target = new Uint8Array(measure(item, listLengths));
  const state: WriteState = { target, at: 0, listLengths, nextList: 0 };
  write(item, state);
  return target;
}

interface WriteState {
  readonly target: Uint8Array;
  at: number;
  /** The payload lengths of all lists in the order in which they open. */
  readonly listLengths: readonly number[];
  nextList: number;
}

function isList(item: RlpItem): item is readonly RlpItem[] {
  return Array.isArray(item);
}

function measure(item: RlpItem, listLengths: number[]): number {
  if (!isList(item)) return item.length === 1 && item[0]! < 0x80 ? 1 : prefixLength(item.length) + item.length;
  const slot = listLengths.length;
  listLengths.push(0);
  let length = 0;
  for (const child of item) length += measure(child, listLengths);
  listLengths[slot] = length;
  return prefixLength(length) + length;
}

function prefixLength(payload: number): number {
  if (payload < 56) return 1;
  let bytes = 1;
  for (let rest = payload; rest > 0; rest = Math.floor(rest / 256)) bytes++;
  return bytes;
}

function write(item: RlpItem, state: WriteState): void {
  if (isList(item)) {
    writePrefix(0xc0, state.listLengths[state.nextList++]!, state);
    for (const child of item) write(child, state);
    return;
  }
  if (item.length === 1 && item[0]! < 0x80) {
    state.target[state.at++] = item[0]!;
    return;
  }
  writePrefix(0x80, item.length, state);
  state.target.set(item, state.at);
  state.at += item.length;
}

function writePrefix(offset: number, payload: number, state: WriteState): void {
  if (payload < 56) {
    state.target[state.at++] = offset + payload;
    return;
  }
  const bytes = prefixLength(payload) - 1;
  state.target[state.at++] = offset + 55 + bytes;
  for (let i = bytes - 1, rest = payload; i >= 0; i--, rest = Math.floor(rest / 256)) {
    state.target[state.at + i] = rest % 256;
  }
  state.at += bytes;
}

/**
 * Decodes exactly one item that fills all of `bytes`. Only the canonical encoding is accepted, so whatever decodes
 * re-encodes to the same bytes. Byte strings in the result are views into `bytes`. Throws `invalid-rlp`.
 */
export function decodeRlp(bytes: Uint8Array): RlpItem {
  const reader: ReadState = { bytes, at: 0 };
  const item = read(reader, bytes.length, 0);
  if (reader.at !== bytes.length) throw invalid('bytes after the end of the item');
  return item;
}

interface ReadState {
  readonly bytes: Uint8Array;
  at: number;
}

function invalid(reason: string): ProtocolError {
  return new ProtocolError('invalid-rlp', `invalid RLP: ${reason}`);
}

function read(state: ReadState, end: number, depth: number): RlpItem {
  if (state.at >= end) throw invalid('the input ends where an item should begin');
  const first = state.bytes[state.at]!;
  if (first < 0x80) return state.bytes.subarray(state.at, ++state.at);
  if (first < 0xc0) {
    const length = readLength(state, first - 0x80, end);
    const start = state.at;
    state.at += length;
    if (length === 1 && state.bytes[start]! < 0x80) throw invalid('a small byte must stand for itself');
    return length === 0 ? EMPTY_BYTES : state.bytes.subarray(start, state.at);
  }
  if (depth >= MAX_DEPTH) throw invalid(`lists nest deeper than ${MAX_DEPTH}`);
  const length = readLength(state, first - 0xc0, end);
  const listEnd = state.at + length;
  const items: RlpItem[] = [];
  while (state.at < listEnd) items.push(read(state, listEnd, depth + 1));
  return items;
}

/** Moves past the prefix whose low bits are `short` and returns the payload's length, checked against `end`. */
function readLength(state: ReadState, short: number, end: number): number {
  state.at++;
  let length = short;
  if (short > 55) {
    const bytes = short - 55;
    if (state.at + bytes > end) throw invalid('the input ends inside a length');
    if (state.bytes[state.at] === 0) throw invalid('a length has leading zeros');
    // Six bytes hold more than any input of this program; more could leave the safe integers.
    if (bytes > 6) throw invalid('a length is larger than the input');
    length = 0;
    for (let i = 0; i < bytes; i++) length = length * 256 + state.bytes[state.at++]!;
    if (length < 56) throw invalid('a short length must use the short form');
  }
  if (length > end - state.at) throw invalid('the input ends inside an item');
  return length;
}

/**
 * Reads the fields of decoded RLP into the program's types. Each function throws a ProtocolError with the reader's
 * code that names the field, so that decoders of whole structures read as lists of fields.
 */
export class RlpFields {
  private readonly code: ProtocolErrorCode;
  private readonly structure: string;

  constructor(code: ProtocolErrorCode, structure: string) {
    this.code = code;
    this.structure = structure;
  }

  fail(field: string, reason: string): ProtocolError {
    return new ProtocolError(this.code, `${this.structure}: ${field} ${reason}`);
  }

  /** A list; of exactly `length` items if given. */
  list(item: RlpItem | undefined, field: string, length?: number): readonly RlpItem[] {
    if (item === undefined || !isList(item)) throw this.fail(field, 'must be a list');
    if (length !== undefined && item.length !== length) {
      throw this.fail(field, `must have ${length} items, not ${item.length}`);
    }
    return item;
  }

  /** A byte string, at most `maximum` bytes long if given. */
  bytes(item: RlpItem | undefined, field: string, maximum?: number): Uint8Array {
    if (item === undefined || isList(item)) throw this.fail(field, 'must be a byte string');
    if (maximum !== undefined && item.length > maximum) throw this.fail(field, `must be at most ${maximum} bytes`);
    return item;
  }

  /** A byte string of exactly `length` bytes. */
  fixed(item: RlpItem | undefined, field: string, length: number): Uint8Array {
    const bytes = this.bytes(item, field);
    if (bytes.length !== length) throw this.fail(field, `must be ${length} bytes, not ${bytes.length}`);
    return bytes;
  }

  hex(item: RlpItem | undefined, field: string, length: number): Hex {
    return bytesToHex(this.fixed(item, field, length));
  }

  hash(item: RlpItem | undefined, field: string): Hash {
    return this.hex(item, field, 32);
  }

  address(item: RlpItem | undefined, field: string): Address {
    return this.hex(item, field, 20);
  }

  /** A canonical integer (no leading zeros) below 2^(8 * maxBytes). */
  bigint(item: RlpItem | undefined, field: string, maxBytes: number): bigint {
    return bytesToBigint(this.integer(item, field, maxBytes));
  }

  /** A canonical integer that is a safe integer. */
  number(item: RlpItem | undefined, field: string): number {
    const bytes = this.integer(item, field, 7);
    if (bytes.length === 7 && bytes[0]! > 0x1f) throw this.fail(field, 'is beyond 2^53 - 1');
    return bytesToNumber(bytes);
  }

  private integer(item: RlpItem | undefined, field: string, maxBytes: number): Uint8Array {
    const bytes = this.bytes(item, field);
    if (bytes.length > maxBytes) throw this.fail(field, `must be an integer of at most ${maxBytes} bytes`);
    if (bytes[0] === 0) throw this.fail(field, 'must be an integer without leading zeros');
    return bytes;
  }
}
