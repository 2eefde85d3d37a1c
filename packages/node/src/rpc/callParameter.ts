import { type AccessListItem, type Address, type Hash, ZERO_ADDRESS } from '@hanse/protocol';
import { RPCError } from './codes.ts';
import type { CallRequest } from './dependencies.ts';
import {
  ArgumentError,
  optional,
  type Parameter,
  readAddress,
  readArray,
  readBytes,
  readHash,
  readObject,
  readQuantity,
  readUint64,
  required,
} from './parameters.ts';

/** The transaction object of `eth_call` and `eth_estimateGas`. */
export const callParameter: Parameter<CallRequest> = required(
  'transaction',
  'object',
  '`from` (default the zero address), `to` (absent creates a contract), `gas`, `gasPrice` or `maxFeePerGas` and `maxPriorityFeePerGas`, `value`, `input` (or `data`), `accessList`.',
  readCall,
);

const unsupported = ['blobVersionedHashes', 'blobs', 'maxFeePerBlobGas', 'authorizationList'] as const;

function readCall(value: unknown): CallRequest {
  const fields = readObject(value);
  for (const name of unsupported) {
    if (!absent(fields[name])) throw new RPCError('transaction-type', `transaction type not supported: ${name}`);
  }
  const read = <T>(name: string, reader: (value: unknown) => T): T | undefined => readField(fields, name, reader);
  return {
    from: read('from', readAddress) ?? ZERO_ADDRESS,
    to: read('to', readAddress),
    gas: read('gas', readUint64),
    gasPrice: readPrice(
      read('gasPrice', readQuantity),
      read('maxFeePerGas', readQuantity),
      read('maxPriorityFeePerGas', readQuantity),
    ),
    value: read('value', readQuantity) ?? 0n,
    data: readInput(read('input', readBytes), read('data', readBytes)),
    accessList: read('accessList', readAccessList) ?? [],
  };
}

const absent = (value: unknown): value is undefined | null => value === undefined || value === null;

function readField<T>(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  reader: (value: unknown) => T,
): T | undefined {
  const value = fields[name];
  if (absent(value)) return undefined;
  try {
    return reader(value);
  } catch (error) {
    if (error instanceof ArgumentError) throw new ArgumentError(`${name}: ${error.message}`);
    throw error;
  }
}

/** Nobody pays for a call, so the fee cap serves as the price; the messages are go-ethereum's. */
function readPrice(gasPrice: bigint | undefined, maxFee: bigint | undefined, tip: bigint | undefined): bigint {
  if (gasPrice !== undefined && (maxFee !== undefined || tip !== undefined)) {
    throw new ArgumentError('both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified');
  }
  if (maxFee !== undefined && tip !== undefined && maxFee < tip) {
    throw new ArgumentError(`maxFeePerGas (${maxFee}) < maxPriorityFeePerGas (${tip})`);
  }
  return gasPrice ?? maxFee ?? 0n;
}

function readInput(input: Uint8Array | undefined, data: Uint8Array | undefined): Uint8Array {
  if (input !== undefined && data !== undefined && Buffer.compare(input, data) !== 0) {
    throw new ArgumentError(
      'both "data" and "input" are set and not equal. Please use "input" to pass transaction call data',
    );
  }
  return input ?? data ?? new Uint8Array();
}

function readAccessList(value: unknown): readonly AccessListItem[] {
  return readArray(value).map((item): { address: Address; storageKeys: readonly Hash[] } => {
    const { address, storageKeys } = readObject(item);
    return {
      address: readAddress(address),
      storageKeys: absent(storageKeys) ? [] : readArray(storageKeys).map(readHash),
    };
  });
}

/** Overrides of state and block, which some clients send as an empty object. */
export const overrides = (name: string): Parameter<undefined> =>
  optional(name, 'object', 'Not supported: absent, null or empty.', readNoOverride, undefined);

function readNoOverride(value: unknown): undefined {
  if (Object.keys(readObject(value)).length > 0) throw new ArgumentError('overrides are not supported');
  return undefined;
}
