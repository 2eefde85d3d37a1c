import type { AbiParameter } from 'abitype';
import { bytesToHex, bytesToUtf8, hexToBytes, utf8ToBytes } from '../bytes.ts';
import { AbiCodecError } from './abiCodecError.ts';
import { type AbiInput, type AbiOutput, isZero, paddedLength, readWord, WORD_BYTES, writeWord } from './words.ts';

/**
 * The encoder and decoder of one ABI type (Solidity documentation, "Contract ABI Specification"). Decoding accepts
 * the canonical encoding alone: every dynamic part must lie exactly where the standard encoder puts it, so each byte is read
 * once, no part can be shared or looped over, and the work is bounded by the length of the input.
 */
export interface TypeCodec {
  /** The canonical name that selectors and topics are made of, for example `(uint256,address)[]`. */
  readonly signature: string;
  readonly dynamic: boolean;
  /** Bytes that the type takes in its sequence's head: its own static size, or 32 for an offset. */
  readonly headBytes: number;
  /** Writes the encoding at `at` (room for `headBytes` of a static type is there) and returns where it ends. */
  write(value: unknown, output: AbiOutput, at: number): number;
  /** Reads what begins at `at`; a dynamic type leaves `input.tail` at its end. The caller checked that a static type's bytes exist. */
  read(input: AbiInput, at: number): unknown;
  /** Writes the in-place encoding that hashed event topics use: no offsets, no lengths, elements padded to words. */
  writeInPlace(value: unknown, output: AbiOutput, at: number): number;
}

/** Arrays and tuples nest at most this deep; deeper types are refused, so recursion is bounded by the type. */
export const MAX_TYPE_DEPTH = 16;

/** A static type takes at most this many bytes, far beyond what calls can carry. */
const MAX_HEAD_BYTES = 1 << 20;

const invalid = (expected: string): AbiCodecError => new AbiCodecError('invalid-value', `the value is not ${expected}`);

/** Builds the codec of a parameter's type; throws `unsupported-type`, `too-deep` or `too-large`. */
export function typeCodec(parameter: AbiParameter, depth = 0): TypeCodec {
  if (depth > MAX_TYPE_DEPTH) throw new AbiCodecError('too-deep', `types nest more than ${MAX_TYPE_DEPTH} deep`);
  const { type } = parameter;
  const array = /^(.+)\[(\d{0,6})\]$/.exec(type);
  if (array !== null) {
    const element = typeCodec({ ...parameter, type: array[1]! } as AbiParameter, depth + 1);
    return array[2] === '' ? dynamicArrayCodec(element) : fixedArrayCodec(element, Number(array[2]), type);
  }
  if (type === 'tuple') {
    const components = (parameter as { readonly components?: readonly AbiParameter[] }).components ?? [];
    return tupleCodec(components, depth);
  }
  return elementaryCodec(type);
}

function elementaryCodec(type: string): TypeCodec {
  switch (type) {
    case 'address':
      return addressCodec;
    case 'bool':
      return boolCodec;
    case 'bytes':
      return bytesCodec;
    case 'string':
      return stringCodec;
    case 'function':
      return fixedBytesCodec('function', 24);
    case 'uint':
      return integerCodec(false, 256);
    case 'int':
      return integerCodec(true, 256);
    default: {
      const integer = /^(u?)int(\d{1,3})$/.exec(type);
      const bits = Number(integer?.[2]);
      if (integer !== null && bits >= 8 && bits <= 256 && bits % 8 === 0) return integerCodec(integer[1] === '', bits);
      const size = Number(/^bytes(\d{1,2})$/.exec(type)?.[1]);
      if (size >= 1 && size <= 32) return fixedBytesCodec(type, size);
      throw new AbiCodecError('unsupported-type', `the ABI type ${JSON.stringify(type.slice(0, 64))} is not supported`);
    }
  }
}

/** A type of one word whose in-place encoding is the word itself. */
function wordCodec(
  signature: string,
  write: (value: unknown, output: AbiOutput, at: number) => void,
  read: (input: AbiInput, at: number) => unknown,
): TypeCodec {
  const writeAndAdvance = (value: unknown, output: AbiOutput, at: number): number => {
    output.reserve(at + WORD_BYTES);
    write(value, output, at);
    return at + WORD_BYTES;
  };
  return {
    signature,
    dynamic: false,
    headBytes: WORD_BYTES,
    write: writeAndAdvance,
    read,
    writeInPlace: writeAndAdvance,
  };
}

const addressCodec = wordCodec(
  'address',
  (value, output, at) => {
    if (typeof value !== 'string' || value.length !== 42) throw invalid('an address of 20 bytes');
    output.bytes.set(hexToBytes(value), at + 12);
  },
  (input, at) => {
    if (!isZero(input.bytes, at, at + 12)) {
      throw new AbiCodecError('dirty-padding', `the address at byte ${at} has more than 20 bytes`);
    }
    return bytesToHex(input.bytes.subarray(at + 12, at + 32));
  },
);

const boolCodec = wordCodec(
  'bool',
  (value, output, at) => {
    if (typeof value !== 'boolean') throw invalid('a bool');
    output.bytes[at + 31] = value ? 1 : 0;
  },
  (input, at) => {
    const last = input.bytes[at + 31]!;
    if (last > 1 || !isZero(input.bytes, at, at + 31)) {
      throw new AbiCodecError('out-of-range', `the bool at byte ${at} is neither 0 nor 1`);
    }
    return last === 1;
  },
);

/** Integers of at most 48 bits are numbers, wider ones bigint, as abitype types them. Both are accepted for encoding. */
function integerCodec(signed: boolean, bits: number): TypeCodec {
  const name = `${signed ? '' : 'u'}int${bits}`;
  const asNumber = bits <= 48;
  const limit = 1n << BigInt(signed ? bits - 1 : bits);
  const minimum = signed ? -limit : 0n;
  return wordCodec(
    name,
    (value, output, at) => {
      let word: bigint;
      if (typeof value === 'bigint') word = value;
      else if (typeof value === 'number' && Number.isSafeInteger(value)) word = BigInt(value);
      else throw invalid(name);
      if (word < minimum || word >= limit) throw new AbiCodecError('out-of-range', `${word} does not fit ${name}`);
      writeWord(output.view, at, word < 0n ? BigInt.asUintN(256, word) : word);
    },
    (input, at) => {
      const word = signed ? BigInt.asIntN(256, readWord(input.view, at)) : readWord(input.view, at);
      if (word < minimum || word >= limit) {
        throw new AbiCodecError('out-of-range', `the integer at byte ${at} does not fit ${name}`);
      }
      return asNumber ? Number(word) : word;
    },
  );
}

function fixedBytesCodec(signature: string, size: number): TypeCodec {
  return wordCodec(
    signature,
    (value, output, at) => {
      if (typeof value !== 'string' || value.length !== 2 + 2 * size) throw invalid(`${size} bytes in hexadecimal`);
      output.bytes.set(hexToBytes(value), at);
    },
    (input, at) => {
      if (!isZero(input.bytes, at + size, at + 32)) {
        throw new AbiCodecError('dirty-padding', `the ${signature} at byte ${at} is longer than ${size} bytes`);
      }
      return bytesToHex(input.bytes.subarray(at, at + size));
    },
  );
}

function writeByteString(content: Uint8Array, output: AbiOutput, at: number): number {
  const end = at + WORD_BYTES + paddedLength(content.length);
  output.reserve(end);
  output.view.setUint32(at + 28, content.length);
  output.bytes.set(content, at + WORD_BYTES);
  return end;
}

function writeRaw(content: Uint8Array, output: AbiOutput, at: number): number {
  const end = at + paddedLength(content.length);
  output.reserve(end);
  output.bytes.set(content, at);
  return end;
}

function readByteString(input: AbiInput, at: number): Uint8Array {
  input.require(at, WORD_BYTES);
  const length = input.readSize(at, 'bad-length');
  const start = at + WORD_BYTES;
  const end = start + length;
  // The sum is taken in floating integers, not by bit operations, because a length may be close to 2^32.
  const paddedEnd = start + Math.ceil(length / WORD_BYTES) * WORD_BYTES;
  if (paddedEnd > input.bytes.length) {
    throw new AbiCodecError('bad-length', `${length} bytes from byte ${start} on are more than the encoding has`);
  }
  if (!isZero(input.bytes, end, paddedEnd)) {
    throw new AbiCodecError('dirty-padding', `the bytes at ${start} are not padded with zeros`);
  }
  input.tail = paddedEnd;
  return input.bytes.subarray(start, end);
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== 'string') throw invalid('bytes in hexadecimal');
  return hexToBytes(value);
}

const bytesCodec: TypeCodec = {
  signature: 'bytes',
  dynamic: true,
  headBytes: WORD_BYTES,
  write: (value, output, at) => writeByteString(bytesOf(value), output, at),
  read: (input, at) => bytesToHex(readByteString(input, at)),
  writeInPlace: (value, output, at) => writeRaw(bytesOf(value), output, at),
};

/** A lone surrogate has no UTF-8: encoding it would silently change the text. */
const LONE_SURROGATE = /\p{Surrogate}/u;

function textOf(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw invalid('a string');
  if (LONE_SURROGATE.test(value)) throw invalid('well-formed Unicode');
  return utf8ToBytes(value);
}

const stringCodec: TypeCodec = {
  signature: 'string',
  dynamic: true,
  headBytes: WORD_BYTES,
  write: (value, output, at) => writeByteString(textOf(value), output, at),
  read: (input, at) => {
    const content = readByteString(input, at);
    try {
      return bytesToUtf8(content);
    } catch {
      throw new AbiCodecError('invalid-utf8', `the string at byte ${at} is not valid UTF-8`);
    }
  },
  writeInPlace: (value, output, at) => writeRaw(textOf(value), output, at),
};

/** Head and tail of consecutive values (a tuple's components, an array's elements), base of their offsets at `base`. */
export class SequenceCodec {
  readonly codecs: readonly TypeCodec[];
  readonly headBytes: number;
  readonly dynamic: boolean;

  constructor(codecs: readonly TypeCodec[]) {
    this.codecs = codecs;
    this.headBytes = codecs.reduce((sum, codec) => sum + codec.headBytes, 0);
    this.dynamic = codecs.some((codec) => codec.dynamic);
    if (this.headBytes > MAX_HEAD_BYTES) throw new AbiCodecError('too-large', 'the type is too large');
  }

  write(values: readonly unknown[], output: AbiOutput, base: number): number {
    const { codecs } = this;
    if (values.length !== codecs.length) throw invalid(`a list of ${codecs.length} values`);
    output.reserve(base + this.headBytes);
    let head = base;
    let tail = base + this.headBytes;
    for (let i = 0; i < codecs.length; i++) {
      const codec = codecs[i]!;
      if (codec.dynamic) {
        output.view.setUint32(head + 28, tail - base);
        tail = codec.write(values[i], output, tail);
      } else {
        codec.write(values[i], output, head);
      }
      head += codec.headBytes;
    }
    return tail;
  }

  read(input: AbiInput, base: number): unknown[] {
    const { codecs } = this;
    input.require(base, this.headBytes);
    const values: unknown[] = new Array(codecs.length);
    let head = base;
    if (this.dynamic) input.tail = base + this.headBytes;
    for (let i = 0; i < codecs.length; i++) {
      const codec = codecs[i]!;
      values[i] = codec.dynamic ? readDynamic(codec, input, base, head) : codec.read(input, head);
      head += codec.headBytes;
    }
    return values;
  }
}

function readDynamic(codec: TypeCodec, input: AbiInput, base: number, head: number): unknown {
  const offset = input.readSize(head, 'bad-offset');
  if (base + offset !== input.tail) {
    throw new AbiCodecError('bad-offset', `the offset at byte ${head} is ${offset}, canonical is ${input.tail - base}`);
  }
  return codec.read(input, input.tail);
}

function tupleCodec(components: readonly AbiParameter[], depth: number): TypeCodec {
  // A value that takes no bytes could be repeated without end in an array; Solidity has no empty struct either.
  if (components.length === 0) throw new AbiCodecError('unsupported-type', 'a tuple without components');
  const codecs = components.map((component) => typeCodec(component, depth + 1));
  const sequence = new SequenceCodec(codecs);
  const names = components.map((component) => component.name ?? '');
  const named = names.every((name) => name !== '');
  const valuesOf = (value: unknown): readonly unknown[] => {
    if (Array.isArray(value)) return value;
    if (typeof value !== 'object' || value === null || !named) throw invalid('a tuple');
    return names.map((name) => (value as Record<string, unknown>)[name]);
  };
  return {
    signature: `(${codecs.map((codec) => codec.signature).join(',')})`,
    dynamic: sequence.dynamic,
    headBytes: sequence.dynamic ? WORD_BYTES : sequence.headBytes,
    write: (value, output, at) => sequence.write(valuesOf(value), output, at),
    read: (input, at) => {
      const values = sequence.read(input, at);
      return named ? Object.fromEntries(names.map((name, i) => [name, values[i]])) : values;
    },
    writeInPlace: (value, output, at) => writeAllInPlace(codecs, valuesOf(value), output, at),
  };
}

function writeAllInPlace(
  codecs: readonly TypeCodec[],
  values: readonly unknown[],
  output: AbiOutput,
  at: number,
): number {
  if (values.length !== codecs.length) throw invalid(`a list of ${codecs.length} values`);
  let end = at;
  for (let i = 0; i < codecs.length; i++) end = codecs[i]!.writeInPlace(values[i], output, end);
  return end;
}

function fixedArrayCodec(element: TypeCodec, count: number, type: string): TypeCodec {
  if (count === 0 || element.headBytes * count > MAX_HEAD_BYTES) {
    throw new AbiCodecError('unsupported-type', `the ABI type ${type.slice(0, 64)} is not supported`);
  }
  const codecs = new Array<TypeCodec>(count).fill(element);
  const sequence = new SequenceCodec(codecs);
  const valuesOf = (value: unknown): readonly unknown[] => {
    if (!Array.isArray(value)) throw invalid('a list');
    return value;
  };
  return {
    signature: `${element.signature}[${count}]`,
    dynamic: sequence.dynamic,
    headBytes: sequence.dynamic ? WORD_BYTES : sequence.headBytes,
    write: (value, output, at) => sequence.write(valuesOf(value), output, at),
    read: (input, at) => sequence.read(input, at),
    writeInPlace: (value, output, at) => writeAllInPlace(codecs, valuesOf(value), output, at),
  };
}

function dynamicArrayCodec(element: TypeCodec): TypeCodec {
  return {
    signature: `${element.signature}[]`,
    dynamic: true,
    headBytes: WORD_BYTES,
    write: (value, output, at) => writeElements(element, value, output, at),
    read: (input, at) => readElements(element, input, at),
    writeInPlace: (value, output, at) => {
      if (!Array.isArray(value)) throw invalid('a list');
      let end = at;
      for (const item of value) end = element.writeInPlace(item, output, end);
      return end;
    },
  };
}

function writeElements(element: TypeCodec, value: unknown, output: AbiOutput, at: number): number {
  if (!Array.isArray(value)) throw invalid('a list');
  const base = at + WORD_BYTES;
  let head = base;
  let tail = base + element.headBytes * value.length;
  output.reserve(tail);
  output.view.setUint32(at + 28, value.length);
  for (const item of value) {
    if (element.dynamic) {
      output.view.setUint32(head + 28, tail - base);
      tail = element.write(item, output, tail);
    } else {
      element.write(item, output, head);
    }
    head += element.headBytes;
  }
  return tail;
}

function readElements(element: TypeCodec, input: AbiInput, at: number): unknown[] {
  input.require(at, WORD_BYTES);
  const count = input.readSize(at, 'bad-length');
  const base = at + WORD_BYTES;
  const headBytes = element.headBytes * count;
  // Every element takes at least a word, so the list that is allocated is never longer than the input.
  if (base + headBytes > input.bytes.length) {
    throw new AbiCodecError('bad-length', `${count} elements from byte ${base} on are more than the encoding has`);
  }
  input.tail = base + headBytes;
  const values: unknown[] = new Array(count);
  for (let i = 0; i < count; i++) {
    const head = base + i * element.headBytes;
    values[i] = element.dynamic ? readDynamic(element, input, base, head) : element.read(input, head);
  }
  return values;
}
