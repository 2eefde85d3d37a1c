import { AbiCodecError } from './abiCodecError.ts';

export const WORD_BYTES = 32;

/** Bytes being decoded. `tail` is where the next dynamic part must begin if the encoding is canonical. */
export class AbiInput {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  tail = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Throws unless `length` bytes exist from `at` on; to be called before anything is read or allocated. */
  require(at: number, length: number): void {
    if (at + length > this.bytes.length) {
      throw new AbiCodecError('too-short', `the encoding ends at byte ${this.bytes.length}, needs ${at + length}`);
    }
  }

  /** The word at `at` as a number for lengths and offsets; throws `problem` beyond 2^32. */
  readSize(at: number, problem: 'bad-offset' | 'bad-length'): number {
    const { view } = this;
    const high =
      view.getUint32(at) |
      view.getUint32(at + 4) |
      view.getUint32(at + 8) |
      view.getUint32(at + 12) |
      view.getUint32(at + 16) |
      view.getUint32(at + 20) |
      view.getUint32(at + 24);
    if (high !== 0) throw new AbiCodecError(problem, `the ${problem.slice(4)} at byte ${at} is beyond any encoding`);
    return view.getUint32(at + 28);
  }
}

/** Bytes being encoded, growing as they need; fresh bytes are zero. */
export class AbiOutput {
  bytes: Uint8Array;
  view: DataView;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room up to `end`. */
  reserve(end: number): void {
    if (end <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(end, this.bytes.length * 2));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

const MASK_64 = 0xffffffffffffffffn;

/** The big-endian word at `at`; most words of real data fit 64 bits, which spares the long arithmetic. */
export function readWord(view: DataView, at: number): bigint {
  const low = view.getBigUint64(at + 24);
  const high =
    view.getUint32(at) |
    view.getUint32(at + 4) |
    view.getUint32(at + 8) |
    view.getUint32(at + 12) |
    view.getUint32(at + 16) |
    view.getUint32(at + 20);
  if (high === 0) return low;
  return (
    (view.getBigUint64(at) << 192n) | (view.getBigUint64(at + 8) << 128n) | (view.getBigUint64(at + 16) << 64n) | low
  );
}

/** Writes a word of 0 to 2^256 - 1 over zeroed or old bytes. */
export function writeWord(view: DataView, at: number, value: bigint): void {
  if (value <= MASK_64) {
    view.setBigUint64(at, 0n);
    view.setBigUint64(at + 8, 0n);
    view.setBigUint64(at + 16, 0n);
    view.setBigUint64(at + 24, value);
    return;
  }
  view.setBigUint64(at, value >> 192n);
  view.setBigUint64(at + 8, (value >> 128n) & MASK_64);
  view.setBigUint64(at + 16, (value >> 64n) & MASK_64);
  view.setBigUint64(at + 24, value & MASK_64);
}

/** A word as 32 bytes. */
export function wordToBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(WORD_BYTES);
  writeWord(new DataView(bytes.buffer), 0, value);
  return bytes;
}

/** The word in 32 bytes. */
export function bytesToWord(bytes: Uint8Array): bigint {
  return readWord(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
}

/** The number of bytes up to the next multiple of 32. */
export const paddedLength = (length: number): number => (length + 31) & ~31;

/** Whether all bytes of a range are zero. */
export function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}
