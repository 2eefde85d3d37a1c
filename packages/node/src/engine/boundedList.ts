import { encodeRlp, ProtocolError } from '@hanse/protocol';

/**
 * Messages and log records are RLP lists of byte strings one level deep; nested structures are byte strings that
 * hold an encoding of their own. So a decoder can bound count and size before it makes a single object, and a message of
 * a few million tiny items costs nothing.
 */
export function encodeList(items: readonly Uint8Array[]): Uint8Array {
  return encodeRlp(items);
}

/** Reads what `encodeList` wrote, canonical only: copies of the items, at most `maxItems`. Throws `invalid-rlp` or `too-large`. */
export function decodeList(bytes: Uint8Array, maxItems: number): Uint8Array[] {
  const payload = readHeader(bytes, 0);
  if (!payload.isList || payload.end !== bytes.length) throw invalid('not exactly one list');
  const items: Uint8Array[] = [];
  for (let at = payload.start; at < payload.end; ) {
    if (items.length === maxItems) throw new ProtocolError('too-large', `a list of more than ${maxItems} items`);
    const item = readHeader(bytes, at);
    if (item.isList) throw invalid('a list where bytes should be');
    items.push(bytes.slice(item.start, item.end));
    at = item.end;
  }
  return items;
}

interface Span {
  readonly isList: boolean;
  readonly start: number;
  readonly end: number;
}

function readHeader(bytes: Uint8Array, at: number): Span {
  const first = bytes[at];
  if (first === undefined) throw invalid('the input ends where an item should begin');
  if (first < 0x80) return { isList: false, start: at, end: at + 1 };
  const isList = first >= 0xc0;
  const short = first - (isList ? 0xc0 : 0x80);
  let length = short;
  let start = at + 1;
  if (short > 55) {
    const lengthBytes = short - 55;
    // Four bytes of length are more than any message has.
    if (lengthBytes > 4 || start + lengthBytes > bytes.length || bytes[start] === 0) throw invalid('a bad length');
    length = 0;
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + bytes[start + i]!;
    if (length < 56) throw invalid('a short length must use the short form');
    start += lengthBytes;
  }
  if (start + length > bytes.length) throw invalid('the input ends inside an item');
  if (!isList && length === 1 && bytes[start]! < 0x80) throw invalid('a small byte must stand for itself');
  return { isList, start, end: start + length };
}

function invalid(reason: string): ProtocolError {
  return new ProtocolError('invalid-rlp', `invalid list: ${reason}`);
}
