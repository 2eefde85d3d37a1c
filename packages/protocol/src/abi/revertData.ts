import { bytesToHex } from '../bytes.ts';
import type { Hex } from '../types.ts';
import { AbiCodecError } from './abiCodecError.ts';
import { readSelector, SELECTOR_BYTES } from './functionCodec.ts';
import { ParameterCodec } from './parameterCodec.ts';

/** The selectors of `Error(string)` and `Panic(uint256)` (Solidity documentation, "Panic via assert and Error via require"). */
const ERROR_PREFIX = Uint8Array.of(0x08, 0xc3, 0x79, 0xa0);
const PANIC_PREFIX = Uint8Array.of(0x4e, 0x48, 0x7b, 0x71);
const ERROR_SELECTOR = readSelector(ERROR_PREFIX);
const PANIC_SELECTOR = readSelector(PANIC_PREFIX);

const errorParameters = new ParameterCodec([{ type: 'string' }]);
const panicParameters = new ParameterCodec([{ type: 'uint256' }]);

/** The codes of `Panic` that Solidity documents. */
export const panicReasons: Readonly<Record<string, string>> = {
  '0': 'generic panic',
  '1': 'assertion failed',
  '17': 'arithmetic overflow or underflow',
  '18': 'division by zero',
  '33': 'conversion to an enum out of range',
  '34': 'byte array in storage is wrongly encoded',
  '49': 'pop of an empty array',
  '50': 'array index out of bounds',
  '65': 'too much memory or too large an array',
  '81': 'call of an uninitialized function',
};

/** What revert data says. `unknown` carries a custom error's selector, or none if the data is shorter or malformed. */
export type RevertReason =
  | { readonly kind: 'empty' }
  | { readonly kind: 'error'; readonly reason: string }
  | { readonly kind: 'panic'; readonly code: bigint; readonly reason: string }
  | { readonly kind: 'unknown'; readonly selector: Hex | undefined };

/** The revert data of `require(false, reason)`. */
export function encodeErrorReason(reason: string): Uint8Array {
  return errorParameters.encode([reason], ERROR_PREFIX);
}

/** The revert data of a failed assertion or checked arithmetic. */
export function encodePanic(code: bigint): Uint8Array {
  return panicParameters.encode([code], PANIC_PREFIX);
}

/** Reads revert data from any contract; never throws. */
export function decodeRevertReason(data: Uint8Array): RevertReason {
  if (data.length === 0) return { kind: 'empty' };
  const selector = readSelector(data);
  try {
    if (selector === ERROR_SELECTOR) {
      const [reason] = errorParameters.decode(data, SELECTOR_BYTES);
      return { kind: 'error', reason };
    }
    if (selector === PANIC_SELECTOR) {
      const [code] = panicParameters.decode(data, SELECTOR_BYTES);
      return { kind: 'panic', code, reason: panicReasons[code.toString()] ?? 'unknown panic' };
    }
  } catch (error) {
    if (!(error instanceof AbiCodecError)) throw error;
  }
  return {
    kind: 'unknown',
    selector: selector === undefined ? undefined : bytesToHex(data.subarray(0, SELECTOR_BYTES)),
  };
}
