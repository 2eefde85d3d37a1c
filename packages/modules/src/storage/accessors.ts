import { bytesToUtf8, bytesToWord, utf8ToBytes, wordToBytes } from '@hanse/protocol';
import { type PlacedField, placeFields, slotsOf } from './placement.ts';
import type { SlotHasher } from './slotHasher.ts';
import type {
  AnyValueType,
  ArrayType,
  BytesType,
  MappingType,
  StorageFields,
  StorageType,
  StructType,
  TextType,
  ValueType,
} from './storageType.ts';

/** The slots of one account, to read. */
export interface SlotReader {
  readonly hasher: SlotHasher;
  read(slot: bigint): bigint;
}

/** The slots of one account, to read and write. */
export interface SlotAccess extends SlotReader {
  write(slot: bigint, word: bigint): void;
}

export interface ValueReader<Value> {
  get(): Value;
}
export interface ValueAccessor<Value> extends ValueReader<Value> {
  set(value: Value): void;
}
export interface ArrayReader<Element> {
  length(): number;
  /** The element at an index below the length (the caller checks: beyond it throws a RangeError). */
  at(index: number): Element;
}
export interface ArrayAccessor<Element> extends ArrayReader<Element> {
  /** Makes the array one longer and returns its new last element, zero until it is set. */
  push(): Element;
  /** Takes the last element away and clears it. */
  pop(): void;
}
export interface MappingReader<Key, Value> {
  at(key: Key): Value;
}

type KeyOf<Key> = Key extends ValueType<infer Value> ? Value : string;

/** What a handler that may only read has of a storage type. */
export type Reader<Type> =
  Type extends ValueType<infer Value>
    ? ValueReader<Value>
    : Type extends TextType
      ? ValueReader<string>
      : Type extends BytesType
        ? ValueReader<Uint8Array>
        : Type extends MappingType<infer Key, infer Value>
          ? MappingReader<KeyOf<Key>, Reader<Value>>
          : Type extends ArrayType<infer Element>
            ? ArrayReader<Reader<Element>>
            : Type extends StructType<infer Fields>
              ? FieldReaders<Fields>
              : never;

/** What a handler that may write has of a storage type. */
export type Accessor<Type> =
  Type extends ValueType<infer Value>
    ? ValueAccessor<Value>
    : Type extends TextType
      ? ValueAccessor<string>
      : Type extends BytesType
        ? ValueAccessor<Uint8Array>
        : Type extends MappingType<infer Key, infer Value>
          ? MappingReader<KeyOf<Key>, Accessor<Value>>
          : Type extends ArrayType<infer Element>
            ? ArrayAccessor<Accessor<Element>>
            : Type extends StructType<infer Fields>
              ? FieldAccessors<Fields>
              : never;

export type FieldReaders<Fields> = { readonly [Label in keyof Fields]: Reader<Fields[Label]> };
export type FieldAccessors<Fields> = { readonly [Label in keyof Fields]: Accessor<Fields[Label]> };

/** Clears what stands at a place: values and byte strings to zero, arrays and structs with all they hold. Mappings stay, as in Solidity. */
const clear = Symbol('clear');

interface Clearable {
  [clear](): void;
}

/** Sets a value, byte string, array or struct back to zero; what mappings inside hold stays, as with Solidity's `delete`. */
export function clearStorage(accessor: object): void {
  (accessor as Clearable)[clear]();
}

class Value implements ValueAccessor<unknown>, Clearable {
  readonly #access: SlotAccess;
  readonly #type: AnyValueType;
  readonly #slot: bigint;
  readonly #shift: bigint;

  constructor(access: SlotAccess, type: AnyValueType, slot: bigint, offset: number) {
    this.#access = access;
    this.#type = type;
    this.#slot = slot;
    this.#shift = BigInt(offset * 8);
  }

  get(): unknown {
    const word = this.#access.read(this.#slot);
    if (this.#type.bytes === 32) return this.#type.fromBits(word);
    return this.#type.fromBits(BigInt.asUintN(this.#type.bytes * 8, word >> this.#shift));
  }

  set(value: unknown): void {
    const bits = this.#type.toBits(value);
    if (this.#type.bytes === 32) {
      this.#access.write(this.#slot, bits);
      return;
    }
    const word = this.#access.read(this.#slot);
    const old = BigInt.asUintN(this.#type.bytes * 8, word >> this.#shift);
    if (old !== bits) this.#access.write(this.#slot, word ^ ((old ^ bits) << this.#shift));
  }

  [clear](): void {
    if (this.#type.bytes === 32) this.#access.write(this.#slot, 0n);
    else this.set(this.#type.fromBits(0n));
  }
}

/** The longest byte string that a module stores, far beyond what one transaction can pay for. */
const MAX_STORED_BYTES = 1 << 20;

/** Up to 31 bytes stand in the slot itself with twice their length in the last byte; longer ones elsewhere, the slot has twice the length plus one. */
class ByteString implements Clearable {
  readonly #access: SlotAccess;
  readonly #slot: bigint;

  constructor(access: SlotAccess, slot: bigint) {
    this.#access = access;
    this.#slot = slot;
  }

  read(): Uint8Array {
    const head = this.#access.read(this.#slot);
    const length = storedLength(head);
    if (length < 32) return wordToBytes(head).subarray(0, length);
    const content = new Uint8Array(length);
    let slot = this.#access.hasher.contentSlot(this.#slot);
    for (let at = 0; at < length; at += 32, slot++) {
      const word = wordToBytes(this.#access.read(slot));
      content.set(at + 32 <= length ? word : word.subarray(0, length - at), at);
    }
    return content;
  }

  write(content: Uint8Array): void {
    const { length } = content;
    if (length > MAX_STORED_BYTES) throw new RangeError(`${length} bytes are too many for one string`);
    const oldLength = storedLength(this.#access.read(this.#slot));
    if (length < 32) {
      const word = new Uint8Array(32);
      word.set(content);
      word[31] = length * 2;
      this.#access.write(this.#slot, bytesToWord(word));
    } else {
      this.#access.write(this.#slot, BigInt(length) * 2n + 1n);
    }
    const words = length < 32 ? 0 : Math.ceil(length / 32);
    const oldWords = oldLength < 32 ? 0 : Math.ceil(oldLength / 32);
    if (words === 0 && oldWords === 0) return;
    const start = this.#access.hasher.contentSlot(this.#slot);
    for (let i = 0; i < words; i++) {
      const word = new Uint8Array(32);
      word.set(content.subarray(i * 32, i * 32 + 32));
      this.#access.write(start + BigInt(i), bytesToWord(word));
    }
    for (let i = words; i < oldWords; i++) this.#access.write(start + BigInt(i), 0n);
  }

  [clear](): void {
    this.write(new Uint8Array(0));
  }
}

function storedLength(head: bigint): number {
  if ((head & 1n) === 0n) return Number(head & 0xffn) >> 1;
  const length = head >> 1n;
  if (length > BigInt(MAX_STORED_BYTES)) throw new Error('a byte string in storage is wrongly encoded');
  return Number(length);
}

class Bytes extends ByteString implements ValueAccessor<Uint8Array> {
  get(): Uint8Array {
    return this.read();
  }
  set(value: Uint8Array): void {
    this.write(value);
  }
}

class Text extends ByteString implements ValueAccessor<string> {
  get(): string {
    return bytesToUtf8(this.read());
  }
  set(value: string): void {
    this.write(utf8ToBytes(value));
  }
}

class Mapping implements MappingReader<unknown, unknown>, Clearable {
  readonly #access: SlotAccess;
  readonly #type: MappingType<AnyValueType | TextType, StorageType>;
  readonly #slot: bigint;

  constructor(access: SlotAccess, type: MappingType<AnyValueType | TextType, StorageType>, slot: bigint) {
    this.#access = access;
    this.#type = type;
    this.#slot = slot;
  }

  at(key: unknown): unknown {
    const { key: keyType, value } = this.#type;
    const { hasher } = this.#access;
    const slot =
      keyType.kind === 'string'
        ? hasher.textMappingSlot(this.#slot, key as string)
        : hasher.mappingSlot(
            this.#slot,
            keyType.toBits(key),
            typeof key === 'bigint' || typeof key === 'boolean' ? undefined : String(key),
          );
    return bindType(this.#access, value, slot, 0);
  }

  /** Nobody knows which keys a mapping has, so nothing can be cleared. */
  [clear](): void {}
}

class List implements ArrayAccessor<unknown>, Clearable {
  readonly #access: SlotAccess;
  readonly #type: ArrayType<StorageType>;
  readonly #slot: bigint;

  constructor(access: SlotAccess, type: ArrayType<StorageType>, slot: bigint) {
    this.#access = access;
    this.#type = type;
    this.#slot = slot;
  }

  length(): number {
    const length = this.#access.read(this.#slot);
    if (length > 0xffffffffn) throw new Error('an array in storage is wrongly encoded');
    return Number(length);
  }

  at(index: number): unknown {
    if (!Number.isInteger(index) || index < 0 || index >= this.length()) throw new RangeError('index out of bounds');
    return this.#element(index);
  }

  push(): unknown {
    const length = this.length();
    this.#access.write(this.#slot, BigInt(length + 1));
    return this.#element(length);
  }

  pop(): void {
    const length = this.length();
    if (length === 0) throw new RangeError('pop of an empty array');
    clearStorage(this.#element(length - 1));
    this.#access.write(this.#slot, BigInt(length - 1));
  }

  [clear](): void {
    for (let length = this.length(); length > 0; length--) clearStorage(this.#element(length - 1));
    this.#access.write(this.#slot, 0n);
  }

  #element(index: number): object {
    const { element } = this.#type;
    const start = this.#access.hasher.contentSlot(this.#slot);
    const size = element.kind === 'value' ? element.bytes : 32;
    // Small values share words, counted from the low end; everything else begins a slot of its own.
    const perSlot = Math.floor(32 / size);
    if (element.kind === 'value' && perSlot > 1) {
      return bindType(this.#access, element, start + BigInt(Math.floor(index / perSlot)), (index % perSlot) * size);
    }
    return bindType(this.#access, element, start + BigInt(index * slotsOf(element)), 0);
  }
}

const accessOf = Symbol('access');
const firstSlot = Symbol('first slot');

type StructClass = new (access: SlotAccess, slot: bigint) => object;

/** One class a struct type, with a getter a member, made when it is first bound. */
const structClasses = new WeakMap<StorageFields, StructClass>();

function structClass(fields: StorageFields): StructClass {
  const known = structClasses.get(fields);
  if (known !== undefined) return known;
  const placed: readonly PlacedField[] = placeFields(fields);
  // The members' names are the module's to choose, so what the class itself has stands under symbols.
  class Struct implements Clearable {
    readonly [accessOf]: SlotAccess;
    readonly [firstSlot]: bigint;

    constructor(access: SlotAccess, slot: bigint) {
      this[accessOf] = access;
      this[firstSlot] = slot;
    }

    [clear](): void {
      for (const { type, slot, offset } of placed) {
        clearStorage(bindType(this[accessOf], type, this[firstSlot] + BigInt(slot), offset));
      }
    }
  }
  for (const { label, type, slot, offset } of placed) {
    const place = BigInt(slot);
    Object.defineProperty(Struct.prototype, label, {
      get(this: Struct) {
        return bindType(this[accessOf], type, this[firstSlot] + place, offset);
      },
    });
  }
  structClasses.set(fields, Struct);
  return Struct;
}

function bindType(access: SlotAccess, type: StorageType, slot: bigint, offset: number): object {
  switch (type.kind) {
    case 'value':
      return new Value(access, type, slot, offset);
    case 'mapping':
      return new Mapping(access, type, slot);
    case 'struct':
      return new (structClass(type.fields))(access, slot);
    case 'array':
      return new List(access, type, slot);
    case 'string':
      return new Text(access, slot);
    case 'bytes':
      return new Bytes(access, slot);
  }
}

/** The variables of an account's storage, from slot 0 on, to read and write. */
export function bindStorage<Fields extends StorageFields>(access: SlotAccess, fields: Fields): FieldAccessors<Fields> {
  return new (structClass(fields))(access, 0n) as FieldAccessors<Fields>;
}

/** The variables of an account's storage, from slot 0 on, to read. */
export function readStorage<Fields extends StorageFields>(reader: SlotReader, fields: Fields): FieldReaders<Fields> {
  return new (structClass(fields))(reader as SlotAccess, 0n) as unknown as FieldReaders<Fields>;
}
