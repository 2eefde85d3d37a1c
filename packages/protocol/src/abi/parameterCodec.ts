import type { AbiParameter, AbiParametersToPrimitiveTypes, AbiParameterToPrimitiveType } from 'abitype';
import { AbiCodecError } from './abiCodecError.ts';
import { SequenceCodec, typeCodec } from './typeCodec.ts';
import { AbiInput, AbiOutput } from './words.ts';

/** The values of a list of parameters, in order. */
export type ParameterValues<Parameters extends readonly AbiParameter[]> = AbiParametersToPrimitiveTypes<Parameters>;

/** The values of a list of named parameters, by name. */
export type NamedValues<Parameters extends readonly AbiParameter[]> = {
  readonly [Parameter in Parameters[number] as Parameter['name'] & string]: AbiParameterToPrimitiveType<Parameter>;
};

/** Longer encodings are refused before anything is read: 4 MiB, twice the largest block. */
export const MAX_ENCODING_BYTES = 4 << 20;

/** Encodes and decodes a list of parameters; made once per function, event or error. */
export class ParameterCodec<const Parameters extends readonly AbiParameter[] = readonly AbiParameter[]> {
  /** The canonical types in brackets, for example `(address,uint256)`. */
  readonly signature: string;
  readonly #sequence: SequenceCodec;
  readonly #capacity: number;

  /** Throws an AbiCodecError for a type that is not supported. */
  constructor(parameters: Parameters) {
    const codecs = parameters.map((parameter) => typeCodec(parameter));
    this.signature = `(${codecs.map((codec) => codec.signature).join(',')})`;
    this.#sequence = new SequenceCodec(codecs);
    this.#capacity = this.#sequence.headBytes + (this.#sequence.dynamic ? 256 : 0);
  }

  get count(): number {
    return this.#sequence.codecs.length;
  }

  /** The encoding, after `prefix` if given (a selector). Throws an AbiCodecError for values that do not fit. */
  encode(values: ParameterValues<Parameters>, prefix?: Uint8Array): Uint8Array {
    const start = prefix?.length ?? 0;
    const output = new AbiOutput(start + this.#capacity);
    if (prefix !== undefined) output.bytes.set(prefix);
    const end = this.#sequence.write(values as readonly unknown[], output, start);
    return end === output.bytes.length ? output.bytes : output.bytes.subarray(0, end);
  }

  /** Reads the canonical encoding that begins at `start` and fills the rest of `data`; throws an AbiCodecError. */
  decode(data: Uint8Array, start = 0): ParameterValues<Parameters> {
    if (data.length - start > MAX_ENCODING_BYTES) throw new AbiCodecError('too-large', 'the encoding is too large');
    const input = new AbiInput(data);
    input.tail = start + this.#sequence.headBytes;
    const values = this.#sequence.read(input, start);
    if (input.tail !== data.length) {
      throw new AbiCodecError('trailing-data', `${data.length - input.tail} bytes follow the encoding`);
    }
    return values as ParameterValues<Parameters>;
  }
}

/** Encodes values once; a caller that encodes often keeps a `ParameterCodec`. */
export function encodeParameters<const Parameters extends readonly AbiParameter[]>(
  parameters: Parameters,
  values: ParameterValues<Parameters>,
): Uint8Array {
  return new ParameterCodec(parameters).encode(values);
}

/** Decodes the canonical encoding of values once; throws an AbiCodecError. */
export function decodeParameters<const Parameters extends readonly AbiParameter[]>(
  parameters: Parameters,
  data: Uint8Array,
): ParameterValues<Parameters> {
  return new ParameterCodec<Parameters>(parameters).decode(data);
}
