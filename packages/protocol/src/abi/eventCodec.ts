import type { AbiEvent, AbiEventParameter, AbiParameter, AbiParameterToPrimitiveType } from 'abitype';
import type { Keccak256 } from '../bloom.ts';
import { bytesToHex, hexToBytes, isAddress, isHash, utf8ToBytes } from '../bytes.ts';
import type { Hash } from '../types.ts';
import { AbiCodecError } from './abiCodecError.ts';
import { type NamedValues, ParameterCodec, type ParameterValues } from './parameterCodec.ts';
import { type TypeCodec, typeCodec } from './typeCodec.ts';
import { AbiInput, AbiOutput, WORD_BYTES } from './words.ts';

/** What a log carries besides its address. */
export interface EventData {
  readonly topics: readonly Hash[];
  readonly data: Uint8Array;
}

type HashedType = 'string' | 'bytes' | 'tuple' | `${string}]`;

/** The values of a decoded event by name; an indexed value of a reference type left only its hash in the log. */
export type EventValues<Inputs extends readonly AbiEventParameter[]> = {
  readonly [Input in Inputs[number] as Input['name'] & string]: Input extends { indexed: true; type: HashedType }
    ? Hash
    : AbiParameterToPrimitiveType<Input>;
};

interface IndexedInput {
  readonly name: string;
  readonly codec: TypeCodec;
  /** Reference types appear as the hash of their in-place encoding. */
  readonly hashed: boolean;
}

/** An event of an ABI, ready to encode and decode. Its inputs must have distinct names. */
export class EventCodec<const Item extends AbiEvent = AbiEvent> {
  readonly item: Item;
  readonly signature: string;
  /** The hash of the signature, the first topic unless the event is anonymous. */
  readonly topic: Hash;
  readonly #hasher: Keccak256;
  readonly #indexed: readonly IndexedInput[];
  readonly #plainNames: readonly string[];
  readonly #plain: ParameterCodec;

  constructor(item: Item, hasher: Keccak256) {
    this.item = item;
    this.#hasher = hasher;
    this.signature = `${item.name}${new ParameterCodec(item.inputs).signature}`;
    this.topic = bytesToHex(hasher.keccak256(utf8ToBytes(this.signature)));
    const names = item.inputs.map((input, i) => input.name || String(i));
    if (new Set(names).size !== names.length) {
      throw new AbiCodecError('unsupported-type', `the event ${item.name} has two inputs of one name`);
    }
    const all = item.inputs.map((input, i) => ({ input: input as AbiEventParameter, name: names[i]! }));
    this.#indexed = all
      .filter(({ input }) => input.indexed === true)
      .map(({ input, name }) => ({
        name,
        codec: typeCodec(input as AbiParameter),
        hashed: /^(string|bytes|tuple)$|\]$/.test(input.type),
      }));
    const plain = all.filter(({ input }) => input.indexed !== true);
    this.#plainNames = plain.map(({ name }) => name);
    this.#plain = new ParameterCodec(plain.map(({ input }) => input as AbiParameter));
  }

  /** The topics and data of a log with these values. */
  encode(values: NamedValues<Item['inputs']>): EventData {
    const byName = values as Readonly<Record<string, unknown>>;
    const topics: Hash[] = this.item.anonymous === true ? [] : [this.topic];
    for (const input of this.#indexed) topics.push(this.#encodeTopic(input, byName[input.name]));
    const plain = this.#plainNames.map((name) => byName[name]) as ParameterValues<readonly AbiParameter[]>;
    return { topics, data: this.#plain.encode(plain) };
  }

  /** The topic of an indexed input, to filter by; throws an AbiCodecError for a name that is not indexed. */
  topicOf(name: string, value: unknown): Hash {
    const input = this.#indexed.find((candidate) => candidate.name === name);
    if (input === undefined) throw new AbiCodecError('unknown-name', `${this.signature} has no indexed ${name}`);
    return this.#encodeTopic(input, value);
  }

  /** Reads a log of this event; throws an AbiCodecError if it is another's or not canonical. */
  decode(log: EventData): EventValues<Item['inputs']> {
    const topics = this.item.anonymous === true ? log.topics : log.topics.slice(1);
    if (this.item.anonymous !== true && log.topics[0] !== this.topic) {
      throw new AbiCodecError('unknown-selector', `the log is not of ${this.signature}`);
    }
    if (topics.length !== this.#indexed.length) {
      throw new AbiCodecError('bad-length', `the log of ${this.signature} has ${topics.length} indexed topics`);
    }
    const values: Record<string, unknown> = {};
    this.#indexed.forEach((input, i) => {
      const topic = topics[i]!;
      if (!isHash(topic)) throw new AbiCodecError('bad-length', 'a topic is not 32 bytes');
      values[input.name] = input.hashed ? topic : input.codec.read(new AbiInput(hexToBytes(topic)), 0);
    });
    const plain = this.#plain.decode(log.data) as readonly unknown[];
    this.#plainNames.forEach((name, i) => {
      values[name] = plain[i];
    });
    return values as EventValues<Item['inputs']>;
  }

  #encodeTopic(input: IndexedInput, value: unknown): Hash {
    const { codec } = input;
    // Most indexed inputs are addresses, and those are hexadecimal on both sides already.
    if (codec.signature === 'address' && isAddress(value)) return `0x${'0'.repeat(24)}${value.slice(2)}`;
    if (!input.hashed) {
      const output = new AbiOutput(WORD_BYTES);
      codec.write(value, output, 0);
      return bytesToHex(output.bytes);
    }
    return bytesToHex(this.#hasher.keccak256(hashedContent(codec, value)));
  }
}

/** Bytes and strings are hashed as they are, without padding, unlike inside arrays and structs. */
function hashedContent(codec: TypeCodec, value: unknown): Uint8Array {
  const output = new AbiOutput(256);
  if (codec.signature === 'bytes' || codec.signature === 'string') {
    const end = codec.write(value, output, 0);
    const length = output.view.getUint32(WORD_BYTES - 4);
    return output.bytes.subarray(WORD_BYTES, Math.min(WORD_BYTES + length, end));
  }
  const end = codec.writeInPlace(value, output, 0);
  return output.bytes.subarray(0, end);
}
