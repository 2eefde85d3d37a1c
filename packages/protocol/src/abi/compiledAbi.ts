import type {
  Abi,
  AbiError,
  AbiEvent,
  AbiFunction,
  ExtractAbiError,
  ExtractAbiErrorNames,
  ExtractAbiEvent,
  ExtractAbiEventNames,
  ExtractAbiFunction,
  ExtractAbiFunctionNames,
} from 'abitype';
import type { Keccak256 } from '../bloom.ts';
import type { Hash } from '../types.ts';
import { AbiCodecError } from './abiCodecError.ts';
import { EventCodec } from './eventCodec.ts';
import { CustomErrorCodec, FunctionCodec } from './functionCodec.ts';

/**
 * An ABI with the codecs of all its functions, events and errors made once. Functions and errors are found by name or selector,
 * events by name or topic. Overloaded names are refused: modules have none, and a contract's can be split into two ABIs.
 */
export class CompiledAbi<const Items extends Abi = Abi> {
  readonly abi: Items;
  readonly #functions = new Map<string, FunctionCodec>();
  readonly #functionsBySelector = new Map<number, FunctionCodec>();
  readonly #events = new Map<string, EventCodec>();
  readonly #eventsByTopic = new Map<Hash, EventCodec>();
  readonly #errors = new Map<string, CustomErrorCodec>();
  readonly #errorsBySelector = new Map<number, CustomErrorCodec>();

  /** Throws an AbiCodecError for unsupported types, overloaded names and colliding selectors. */
  constructor(abi: Items, hasher: Keccak256) {
    this.abi = abi;
    for (const item of abi as Abi) {
      if (item.type === 'function') {
        const codec = new FunctionCodec(item as AbiFunction, hasher);
        add(this.#functions, item.name, codec);
        add(this.#functionsBySelector, codec.selectorNumber, codec);
      } else if (item.type === 'event') {
        const codec = new EventCodec(item as AbiEvent, hasher);
        add(this.#events, item.name, codec);
        if (item.anonymous !== true) add(this.#eventsByTopic, codec.topic, codec);
      } else if (item.type === 'error') {
        const codec = new CustomErrorCodec(item as AbiError, hasher);
        add(this.#errors, item.name, codec);
        add(this.#errorsBySelector, codec.selectorNumber, codec);
      }
    }
  }

  function<Name extends ExtractAbiFunctionNames<Items>>(name: Name): FunctionCodec<ExtractAbiFunction<Items, Name>> {
    return named(this.#functions, name) as unknown as FunctionCodec<ExtractAbiFunction<Items, Name>>;
  }

  event<Name extends ExtractAbiEventNames<Items>>(name: Name): EventCodec<ExtractAbiEvent<Items, Name>> {
    return named(this.#events, name) as unknown as EventCodec<ExtractAbiEvent<Items, Name>>;
  }

  error<Name extends ExtractAbiErrorNames<Items>>(name: Name): CustomErrorCodec<ExtractAbiError<Items, Name>> {
    return named(this.#errors, name) as unknown as CustomErrorCodec<ExtractAbiError<Items, Name>>;
  }

  functionBySelector(selector: number): FunctionCodec | undefined {
    return this.#functionsBySelector.get(selector);
  }

  eventByTopic(topic: Hash): EventCodec | undefined {
    return this.#eventsByTopic.get(topic);
  }

  errorBySelector(selector: number): CustomErrorCodec | undefined {
    return this.#errorsBySelector.get(selector);
  }
}

function add<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  if (map.has(key)) throw new AbiCodecError('unsupported-type', `the ABI has two items ${String(key)}`);
  map.set(key, value);
}

function named<Value>(map: ReadonlyMap<string, Value>, name: string): Value {
  const value = map.get(name);
  if (value === undefined) throw new AbiCodecError('unknown-name', `the ABI has no ${name}`);
  return value;
}
