import type { AbiError, AbiFunction, AbiParameter, AbiParameterToPrimitiveType } from 'abitype';
import type { Keccak256 } from '../bloom.ts';
import { bytesToHex, utf8ToBytes } from '../bytes.ts';
import type { Hex } from '../types.ts';
import { AbiCodecError } from './abiCodecError.ts';
import { ParameterCodec, type ParameterValues } from './parameterCodec.ts';

/** What a function returns to its caller: nothing, its only value, or the list of its values. */
export type ResultValue<Outputs extends readonly AbiParameter[]> = Outputs extends readonly []
  ? undefined
  : Outputs extends readonly [infer Only extends AbiParameter]
    ? AbiParameterToPrimitiveType<Only>
    : ParameterValues<Outputs>;

export const SELECTOR_BYTES = 4;

/** The first four bytes of the hash of a canonical signature such as `transfer(address,uint256)`. */
export function selectorOf(signature: string, hasher: Keccak256): Uint8Array {
  return hasher.keccak256(utf8ToBytes(signature)).slice(0, SELECTOR_BYTES);
}

/** The selector at the start of call or revert data as a number below 2^32; undefined if the data is shorter. */
export function readSelector(data: Uint8Array): number | undefined {
  if (data.length < SELECTOR_BYTES) return undefined;
  return ((data[0]! << 24) | (data[1]! << 16) | (data[2]! << 8) | data[3]!) >>> 0;
}

/** What begins with a selector and goes on with parameters: call data, or the data of a custom error. */
class SelectedCodec<Parameters extends readonly AbiParameter[]> {
  readonly signature: string;
  readonly selector: Hex;
  readonly selectorNumber: number;
  readonly #prefix: Uint8Array;
  readonly #parameters: ParameterCodec<Parameters>;

  constructor(name: string, parameters: Parameters, hasher: Keccak256) {
    this.#parameters = new ParameterCodec<Parameters>(parameters);
    this.signature = `${name}${this.#parameters.signature}`;
    this.#prefix = selectorOf(this.signature, hasher);
    this.selector = bytesToHex(this.#prefix);
    this.selectorNumber = readSelector(this.#prefix)!;
  }

  protected encodeSelected(values: ParameterValues<Parameters>): Uint8Array {
    return this.#parameters.encode(values, this.#prefix);
  }

  protected decodeSelected(data: Uint8Array): ParameterValues<Parameters> {
    if (readSelector(data) !== this.selectorNumber) {
      throw new AbiCodecError('unknown-selector', `the data does not begin with the selector of ${this.signature}`);
    }
    return this.#parameters.decode(data, SELECTOR_BYTES);
  }
}

/** A function of an ABI, ready to encode and decode. */
export class FunctionCodec<const Item extends AbiFunction = AbiFunction> extends SelectedCodec<Item['inputs']> {
  readonly item: Item;
  readonly #outputs: ParameterCodec<Item['outputs']>;

  constructor(item: Item, hasher: Keccak256) {
    super(item.name, item.inputs, hasher);
    this.item = item;
    this.#outputs = new ParameterCodec<Item['outputs']>(item.outputs);
  }

  /** Selector and arguments. */
  encodeCall(values: ParameterValues<Item['inputs']>): Uint8Array {
    return this.encodeSelected(values);
  }

  /** The arguments; throws an AbiCodecError for another selector or an encoding that is not canonical. */
  decodeCall(data: Uint8Array): ParameterValues<Item['inputs']> {
    return this.decodeSelected(data);
  }

  encodeResult(result: ResultValue<Item['outputs']>): Uint8Array {
    const { count } = this.#outputs;
    const values = count === 1 ? [result] : count === 0 ? [] : result;
    return this.#outputs.encode(values as ParameterValues<Item['outputs']>);
  }

  decodeResult(data: Uint8Array): ResultValue<Item['outputs']> {
    const values = this.#outputs.decode(data) as readonly unknown[];
    const { count } = this.#outputs;
    return (count === 1 ? values[0] : count === 0 ? undefined : values) as ResultValue<Item['outputs']>;
  }
}

/** A custom error of an ABI, ready to encode and decode. */
export class CustomErrorCodec<const Item extends AbiError = AbiError> extends SelectedCodec<Item['inputs']> {
  readonly item: Item;

  constructor(item: Item, hasher: Keccak256) {
    super(item.name, item.inputs, hasher);
    this.item = item;
  }

  encode(values: ParameterValues<Item['inputs']>): Uint8Array {
    return this.encodeSelected(values);
  }

  decode(data: Uint8Array): ParameterValues<Item['inputs']> {
    return this.decodeSelected(data);
  }
}
