import type { Address, Hex } from '@hanse/protocol';

/**
 * What may stand in a module's storage, as Solidity has it (Solidity documentation, "Layout of State Variables in
 * Storage"). Integers of at most 48 bits are numbers, wider ones bigint, as in the ABI.
 */
export type StorageType = AnyValueType | TextType | BytesType | AnyMappingType | AnyArrayType | AnyStructType;

/** A type that fits one word and may share it with its neighbours. */
export interface ValueType<Value> {
  readonly kind: 'value';
  /** Solidity's name. */
  readonly name: string;
  readonly bytes: number;
  /** The bits that hold the value; throws a RangeError for a value that does not fit, which is a module's mistake. */
  toBits(value: Value): bigint;
  fromBits(bits: bigint): Value;
}

export interface TextType {
  readonly kind: 'string';
}

export interface BytesType {
  readonly kind: 'bytes';
}

export interface MappingType<Key extends KeyType, Value> {
  readonly kind: 'mapping';
  readonly key: Key;
  readonly value: Value;
}

export interface ArrayType<Element> {
  readonly kind: 'array';
  readonly element: Element;
}

export interface StructType<Fields> {
  readonly kind: 'struct';
  readonly name: string;
  readonly fields: Fields;
}

// biome-ignore lint/suspicious/noExplicitAny: the value's type is known only where the type is named.
export type AnyValueType = ValueType<any>;
export type KeyType = AnyValueType | TextType;
export interface AnyMappingType extends MappingType<KeyType, StorageType> {}
export interface AnyArrayType extends ArrayType<StorageType> {}
export interface AnyStructType extends StructType<StorageFields> {}

/** The variables of a module or the members of a struct, in their order. Append only: earlier ones never move. */
export interface StorageFields {
  readonly [label: string]: StorageType;
}

function unsigned<Value extends number | bigint>(bits: number, fromBits: (bits: bigint) => Value): ValueType<Value> {
  const limit = 1n << BigInt(bits);
  const name = `uint${bits}`;
  return {
    kind: 'value',
    name,
    bytes: bits / 8,
    toBits(value) {
      const word = BigInt(value);
      if (word < 0n || word >= limit) throw new RangeError(`${word} does not fit ${name}`);
      return word;
    },
    fromBits,
  };
}

const identity = (bits: bigint): bigint => bits;

export const uint8: ValueType<number> = unsigned(8, Number);
export const uint16: ValueType<number> = unsigned(16, Number);
export const uint32: ValueType<number> = unsigned(32, Number);
export const uint48: ValueType<number> = unsigned(48, Number);
export const uint64: ValueType<bigint> = unsigned(64, identity);
export const uint128: ValueType<bigint> = unsigned(128, identity);
export const uint256: ValueType<bigint> = unsigned(256, identity);

export const bool: ValueType<boolean> = {
  kind: 'value',
  name: 'bool',
  bytes: 1,
  toBits: (value) => (value ? 1n : 0n),
  fromBits: (bits) => bits !== 0n,
};

export const address: ValueType<Address> = {
  kind: 'value',
  name: 'address',
  bytes: 20,
  toBits(value) {
    if (value.length !== 42) throw new RangeError('an address has 20 bytes');
    return BigInt(value);
  },
  fromBits: (bits) => `0x${bits.toString(16).padStart(40, '0')}`,
};

export const bytes32: ValueType<Hex> = {
  kind: 'value',
  name: 'bytes32',
  bytes: 32,
  toBits(value) {
    if (value.length !== 66) throw new RangeError('bytes32 has 32 bytes');
    return BigInt(value);
  },
  fromBits: (bits) => `0x${bits.toString(16).padStart(64, '0')}`,
};

export const string: TextType = { kind: 'string' };
export const bytes: BytesType = { kind: 'bytes' };

export const mapping = <Key extends KeyType, Value extends StorageType>(
  key: Key,
  value: Value,
): MappingType<Key, Value> => ({ kind: 'mapping', key, value });

export const array = <Element extends StorageType>(element: Element): ArrayType<Element> => ({
  kind: 'array',
  element,
});

export const struct = <const Fields extends StorageFields>(name: string, fields: Fields): StructType<Fields> => ({
  kind: 'struct',
  name,
  fields,
});
