import { bytesToBigint, bytesToUtf8 } from '@hanse/protocol';
import { RPCError } from './codes.ts';
import { data } from './hexEncoding.ts';

/** `Error(string)` and `Panic(uint256)` of Solidity. */
const ERROR_SELECTOR = '0x08c379a0';
const PANIC_SELECTOR = '0x4e487b71';

/** go-ethereum's words for Solidity's panic codes (accounts/abi/abi.go). */
const panicReasons: ReadonlyMap<bigint, string> = new Map([
  [0x00n, 'generic panic'],
  [0x01n, 'assert(false)'],
  [0x11n, 'arithmetic underflow or overflow'],
  [0x12n, 'division or modulo by zero'],
  [0x21n, 'enum overflow'],
  [0x22n, 'invalid encoded storage byte array accessed'],
  [0x31n, 'out-of-bounds array access; popping on an empty array'],
  [0x32n, 'out-of-bounds access of an array or bytesN'],
  [0x41n, 'out of memory'],
  [0x51n, 'uninitialized function'],
]);

/** The error for a call that reverted: code 3, the reason in the message if it can be read, the revert data as data. */
export function revertError(output: Uint8Array): RPCError {
  const reason = revertReason(output);
  const message = reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`;
  return new RPCError('execution-reverted', message, data(output));
}

function revertReason(output: Uint8Array): string | undefined {
  const selector = data(output.subarray(0, 4));
  const body = output.subarray(4);
  if (selector === PANIC_SELECTOR && body.length === 32) {
    const code = bytesToBigint(body);
    return panicReasons.get(code) ?? `unknown panic code: 0x${code.toString(16)}`;
  }
  return selector === ERROR_SELECTOR ? readString(body) : undefined;
}

/** An ABI-encoded string, as tolerant as go-ethereum: padding may be missing. Undefined if it is none. */
function readString(body: Uint8Array): string | undefined {
  if (body.length < 64 || bytesToBigint(body.subarray(0, 32)) !== 32n) return undefined;
  const length = bytesToBigint(body.subarray(32, 64));
  if (length > BigInt(body.length - 64)) return undefined;
  try {
    return bytesToUtf8(body.subarray(64, 64 + Number(length)));
  } catch {
    return undefined;
  }
}
