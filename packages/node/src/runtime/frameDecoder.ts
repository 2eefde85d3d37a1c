/** Every frame on the wire: 1 byte of type, 4 bytes of length (big-endian), the payload. */
export const FRAME_HEADER_BYTES = 5;

/** A payload for the layer above. */
export const FRAME_DATA = 0;
/** The accepting side's first frame: the peer is admitted. Empty. */
export const FRAME_ADMITTED = 1;
/** The sender ends the connection; the payload says why, UTF-8, at most MAX_REASON_BYTES. */
export const FRAME_CLOSING = 2;

export const MAX_REASON_BYTES = 200;

export interface Frame {
  readonly type: number;
  /** Owned by the reader: a copy, never a view into a socket's buffer. */
  readonly payload: Uint8Array;
}

export function encodeFrameHeader(type: number, length: number): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  header[0] = type;
  header.writeUInt32BE(length, 1);
  return header;
}

/** A closing frame with as much of the reason as fits. */
export function encodeClosingFrame(reason: string): Buffer {
  const payload = encodeReason(reason);
  return Buffer.concat([encodeFrameHeader(FRAME_CLOSING, payload.length), payload]);
}

export function encodeReason(reason: string): Uint8Array {
  const { read, written } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON_BYTES));
  const bytes = new Uint8Array(written);
  new TextEncoder().encodeInto(reason.slice(0, read), bytes);
  return bytes;
}

export function decodeReason(payload: Uint8Array): string {
  // Not fatal: a reason is only shown, and the logger escapes what a terminal would obey.
  return new TextDecoder().decode(payload.subarray(0, MAX_REASON_BYTES));
}

/** Chunks smaller than this are copied together: a buffer costs far more than the single byte that a peer may put into it. */
const SMALL_CHUNK_BYTES = 1_024;
const PIECE_BYTES = 64 * 1024;

/**
 * Cuts a stream into frames. Holds at most one incomplete frame besides the chunk that was pushed last, and refuses a frame longer than
 * the limit as soon as its header is there, before any of it is stored.
 */
export class FrameDecoder {
  readonly #chunks: Uint8Array[] = [];
  /** The last chunk, if it is a piece for small ones, and how much of it they fill. */
  #piece: { readonly bytes: Uint8Array; filled: number } | undefined;
  #available = 0;
  #header: { readonly type: number; readonly length: number } | undefined;
  /** The longest payload that is accepted of a data frame, and of any other. */
  readonly #maxDataBytes: number;

  constructor(maxDataBytes: number) {
    this.#maxDataBytes = maxDataBytes;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#available += chunk.length;
    if (chunk.length >= SMALL_CHUNK_BYTES || this.#chunks.length === 0) {
      this.#piece = undefined;
      this.#chunks.push(chunk);
      return;
    }
    if (this.#piece === undefined || this.#piece.filled + chunk.length > PIECE_BYTES) {
      this.#piece = { bytes: new Uint8Array(PIECE_BYTES), filled: 0 };
      this.#chunks.push(this.#piece.bytes.subarray(0, 0));
    }
    const { bytes, filled } = this.#piece;
    bytes.set(chunk, filled);
    this.#piece.filled += chunk.length;
    // The part that was taken already is gone from the chunk's front.
    const last = this.#chunks.length - 1;
    const start = filled - this.#chunks[last]!.length;
    this.#chunks[last] = bytes.subarray(start, this.#piece.filled);
  }

  /** Buffers that are held. */
  get held(): number {
    return this.#chunks.length;
  }

  /** The next whole frame, or undefined until more was pushed. Throws an Error on a header that breaks the rules. */
  next(): Frame | undefined {
    if (this.#header === undefined) {
      if (this.#available < FRAME_HEADER_BYTES) return undefined;
      this.#header = this.#readHeader();
    }
    if (this.#available < this.#header.length) return undefined;
    const { type, length } = this.#header;
    this.#header = undefined;
    return { type, payload: this.#take(length) };
  }

  #readHeader(): { readonly type: number; readonly length: number } {
    const bytes = this.#take(FRAME_HEADER_BYTES);
    const type = bytes[0]!;
    const length = new DataView(bytes.buffer).getUint32(1);
    if (type > FRAME_CLOSING) throw new Error(`unknown frame type ${type}`);
    const limit = type === FRAME_DATA ? this.#maxDataBytes : type === FRAME_CLOSING ? MAX_REASON_BYTES : 0;
    if (length > limit) throw new Error(`a frame of ${length} bytes is over the limit of ${limit}`);
    return { type, length };
  }

  #take(length: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(length);
    let filled = 0;
    let used = 0;
    while (filled < length) {
      const chunk = this.#chunks[used]!;
      const part = chunk.length <= length - filled ? chunk : chunk.subarray(0, length - filled);
      out.set(part, filled);
      filled += part.length;
      if (part.length === chunk.length) used++;
      else this.#chunks[used] = chunk.subarray(part.length);
    }
    this.#chunks.splice(0, used);
    if (this.#chunks.length === 0) this.#piece = undefined;
    this.#available -= length;
    return out;
  }
}
