import type { UnsignedTransaction } from './transaction.ts';

/** EIP-3860: the largest initcode. */
export const MAX_INITCODE_BYTES = 49_152;

const TRANSACTION_GAS = 21_000n;
const CREATE_GAS = 32_000n; // EIP-2
const ZERO_BYTE_GAS = 4n;
const NON_ZERO_BYTE_GAS = 16n; // EIP-2028
const INITCODE_WORD_GAS = 2n; // EIP-3860
const ACCESS_LIST_ADDRESS_GAS = 2400n; // EIP-2930
const ACCESS_LIST_KEY_GAS = 1900n; // EIP-2930
const FLOOR_GAS_PER_TOKEN = 10n; // EIP-7623

type Charged = Pick<UnsignedTransaction, 'data' | 'to' | 'accessList'>;

function countNonZero(data: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) count++;
  return count;
}

/** What a transaction costs before its first instruction, by the rules of Prague (EIP-2, 2028, 2930, 3860). */
export function intrinsicGas(transaction: Charged): bigint {
  const { data, accessList } = transaction;
  const nonZero = countNonZero(data);
  let gas = TRANSACTION_GAS + BigInt(nonZero) * NON_ZERO_BYTE_GAS + BigInt(data.length - nonZero) * ZERO_BYTE_GAS;
  if (transaction.to === undefined) gas += CREATE_GAS + BigInt(Math.ceil(data.length / 32)) * INITCODE_WORD_GAS;
  for (const entry of accessList) {
    gas += ACCESS_LIST_ADDRESS_GAS + BigInt(entry.storageKeys.length) * ACCESS_LIST_KEY_GAS;
  }
  return gas;
}

/** EIP-7623: what a transaction pays at least, however little it executes; its gas limit must cover this too. */
export function floorGas(transaction: Pick<Charged, 'data'>): bigint {
  const nonZero = countNonZero(transaction.data);
  const tokens = BigInt(transaction.data.length - nonZero) + BigInt(nonZero) * 4n;
  return TRANSACTION_GAS + tokens * FLOOR_GAS_PER_TOKEN;
}
