import { bytesToHex, type Hash, hexToBytes, ProtocolError } from '@hanse/protocol';

/** Writes fixed-width big-endian fields and length-prefixed byte strings into a growing buffer. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u16(value: number): this {
    return this.u8(value >> 8).u8(value & 0xff);
  }

  u32(value: number): this {
    this.#reserve(4);
    new DataView(this.#bytes.buffer).setUint32(this.#length, value);
    this.#length += 4;
    return this;
  }

  /** A safe integer, not negative, in 8 bytes. */
  u64(value: number): this {
    return this.u32(Math.floor(value / 0x1_0000_0000)).u32(value % 0x1_0000_0000);
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  hash(hash: Hash): this {
    return this.raw(hexToBytes(hash));
  }

  /** A byte string behind its length in 32 bits. */
  bytes(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** Reads what `ByteWriter` wrote. Everything is bounded; what breaks the form throws a ProtocolError `invalid-message`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#what = what;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  u64(): number {
    const value = this.u32() * 0x1_0000_0000 + this.u32();
    if (!Number.isSafeInteger(value)) throw this.fail('a number is beyond 2^53 - 1');
    return value;
  }

  /** A view of the next bytes. */
  raw(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  hash(): Hash {
    return bytesToHex(this.raw(32));
  }

  /** A view of a byte string of at most `maxLength` bytes. */
  bytes(maxLength: number): Uint8Array {
    const length = this.u32();
    if (length > maxLength) throw this.fail(`${length} bytes where at most ${maxLength} may be`);
    return this.raw(length);
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** Nothing may follow. */
  end(): void {
    if (this.remaining !== 0) throw this.fail(`${this.remaining} bytes too many`);
  }

  fail(reason: string): ProtocolError {
    return new ProtocolError('invalid-message', `${this.#what}: ${reason}`);
  }

  #advance(length: number): number {
    const start = this.#at;
    if (length > this.remaining) throw this.fail('it ends too early');
    this.#at = start + length;
    return start;
  }
}
