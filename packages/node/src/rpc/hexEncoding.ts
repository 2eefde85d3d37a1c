import { bytesToHex, type Hex } from '@hanse/protocol';

/** A JSON-RPC quantity: hexadecimal without leading zeros. */
export function quantity(value: number | bigint): Hex {
  return `0x${value.toString(16)}`;
}

/** A 256-bit word as 32 bytes. */
export function word(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

/** Bytes as JSON-RPC data. Buffer's own encoder is many times faster than any loop, which shows with large receipts and inputs. */
export function data(bytes: Uint8Array): Hex {
  if (bytes.length < 32) return bytesToHex(bytes);
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
}
