import { type Address, type Hash, Height, type Hex, hexToBytes } from '@hanse/protocol';
import { RPCError } from './codes.ts';

/** One positional parameter of a method: how it is read from JSON, and how the reference describes it. */
export interface Parameter<T> {
  readonly name: string;
  /** The word for the form in the reference, for example `address`. */
  readonly form: string;
  readonly description: string;
  readonly required: boolean;
  /** Reads what the client sent (undefined if nothing); throws an ArgumentError. */
  readonly parse: (value: unknown) => T;
}

/** Why a parameter is refused; the dispatcher adds which one. */
export class ArgumentError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ArgumentError';
  }
}

type Reader<T> = (value: unknown) => T;

export function required<T>(name: string, form: string, description: string, read: Reader<T>): Parameter<T> {
  return { name, form, description, required: true, parse: read };
}

/** Absent and null give the default. */
export function optional<T, D>(
  name: string,
  form: string,
  description: string,
  read: Reader<T>,
  whenAbsent: D,
): Parameter<T | D> {
  const parse = (value: unknown): T | D => (value === undefined || value === null ? whenAbsent : read(value));
  return { name, form, description, required: false, parse };
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function hexDigits(value: unknown): string {
  if (typeof value !== 'string') throw new ArgumentError(`cannot use ${describe(value)} as a hex string`);
  if (value === '') throw new ArgumentError('empty hex string');
  if (!value.startsWith('0x') && !value.startsWith('0X')) throw new ArgumentError('hex string without 0x prefix');
  return value.slice(2);
}

/** A quantity of at most 256 bits, strictly as EIP-1474 writes it: no leading zeros. */
export function readQuantity(value: unknown): bigint {
  const digits = hexDigits(value);
  if (digits === '') throw new ArgumentError('hex string "0x"');
  if (!/^[0-9a-fA-F]+$/.test(digits)) throw new ArgumentError('invalid hex string');
  if (digits.length > 1 && digits.startsWith('0')) throw new ArgumentError('hex number with leading zero digits');
  if (digits.length > 64) throw new ArgumentError('hex number > 256 bits');
  return BigInt(`0x${digits}`);
}

/** A quantity of at most 64 bits that is also a safe integer when used as a number. */
export function readUint64(value: unknown): bigint {
  const result = readQuantity(value);
  if (result >= 1n << 64n) throw new ArgumentError('hex number > 64 bits');
  return result;
}

/** A block number or index; beyond 2^53 - 1 nothing exists, and the largest safe integer stands for it. */
export function readIndex(value: unknown): number {
  const result = readUint64(value);
  return result > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(result);
}

/** Bytes of any length; the body's limit bounds them. */
export function readBytes(value: unknown): Uint8Array {
  const digits = hexDigits(value);
  if (digits.length % 2 !== 0) throw new ArgumentError('hex string of odd length');
  if (!/^[0-9a-fA-F]*$/.test(digits)) throw new ArgumentError('invalid hex string');
  return hexToBytes(`0x${digits}`);
}

function readFixed(value: unknown, bytes: number, what: string): Hex {
  const digits = hexDigits(value);
  if (digits.length % 2 !== 0) throw new ArgumentError('hex string of odd length');
  if (digits.length !== 2 * bytes) {
    throw new ArgumentError(`hex string has length ${digits.length}, want ${2 * bytes} for ${what}`);
  }
  if (!/^[0-9a-fA-F]*$/.test(digits)) throw new ArgumentError('invalid hex string');
  return `0x${digits.toLowerCase()}`;
}

/** An address in either case; a checksum (EIP-55) is not demanded and not checked, as in go-ethereum. */
export const readAddress = (value: unknown): Address => readFixed(value, 20, 'address');

export const readHash = (value: unknown): Hash => readFixed(value, 32, 'hash');

/** The identifier of a filter or subscription: any hexadecimal that could be one. */
export function readIdentifier(value: unknown): Hex {
  const digits = hexDigits(value);
  if (!/^[0-9a-fA-F]{1,64}$/.test(digits)) throw new ArgumentError('invalid identifier');
  return `0x${digits.toLowerCase()}`;
}

export function readBoolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new ArgumentError(`cannot use ${describe(value)} as a boolean`);
  return value;
}

export function readString(value: unknown): string {
  if (typeof value !== 'string') throw new ArgumentError(`cannot use ${describe(value)} as a string`);
  return value;
}

export function readObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ArgumentError(`cannot use ${describe(value)} as an object`);
  }
  return value as Readonly<Record<string, unknown>>;
}

export function readArray(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new ArgumentError(`cannot use ${describe(value)} as an array`);
  return value;
}

/** A storage slot: up to 32 bytes, leading zeros welcome because everybody writes them. The messages are go-ethereum's. */
export function readSlot(value: unknown): bigint {
  const text = readString(value);
  const digits = text.replace(/^0x/i, '');
  if (digits.length > 64) {
    throw new RPCError(
      'invalid-params',
      `storage key too long (want at most 32 bytes): ${JSON.stringify(text.slice(0, 100))}`,
    );
  }
  if (!/^[0-9a-fA-F]*$/.test(digits))
    throw new RPCError('invalid-params', `invalid hex in storage key: ${JSON.stringify(text)}`);
  return digits === '' ? 0n : BigInt(`0x${digits}`);
}

export type BlockTag = 'earliest' | 'latest' | 'safe' | 'finalized' | 'pending';

/** Which block a client means; still to be looked up. */
export type BlockReference =
  | { readonly kind: 'tag'; readonly tag: BlockTag }
  | { readonly kind: 'number'; readonly height: Height }
  | { readonly kind: 'hash'; readonly hash: Hash };

export const latestBlock: BlockReference = { kind: 'tag', tag: 'latest' };

const tags: ReadonlySet<string> = new Set(['earliest', 'latest', 'safe', 'finalized', 'pending']);

export function readBlockNumberOrTag(value: unknown): BlockReference {
  if (typeof value === 'string' && tags.has(value)) return { kind: 'tag', tag: value as BlockTag };
  return { kind: 'number', height: Height(readIndex(value)) };
}

/** A tag, a number, a hash, or EIP-1898's object. */
export function readBlockReference(value: unknown): BlockReference {
  if (typeof value === 'object' && value !== null) return readBlockObject(readObject(value));
  if (typeof value === 'string' && value.length === 66) return { kind: 'hash', hash: readHash(value) };
  return readBlockNumberOrTag(value);
}

function readBlockObject(fields: Readonly<Record<string, unknown>>): BlockReference {
  const { blockNumber, blockHash } = fields;
  if (blockNumber !== undefined && blockHash !== undefined) {
    throw new ArgumentError('cannot specify both BlockHash and BlockNumber, choose one or the other');
  }
  if (blockNumber !== undefined) return readBlockNumberOrTag(blockNumber);
  if (blockHash !== undefined) return { kind: 'hash', hash: readHash(blockHash) };
  throw new ArgumentError('a block object needs blockNumber or blockHash');
}

export const BLOCK_FORM = 'block number, tag or hash';

/** The block that a state query is about; absent means the newest. */
export const stateBlock = optional(
  'block',
  BLOCK_FORM,
  'The newest block (`latest`, the default); older states are not kept.',
  readBlockReference,
  latestBlock,
);
