import type { Hash } from '@hanse/protocol';
import { ByteReader, ByteWriter } from './byteCodec.ts';

/** Bounds of a message of transactions, both of what is sent and of what is accepted. */
export const MAX_TRANSACTIONS_PER_MESSAGE = 1_024;
export const MAX_HASHES_PER_MESSAGE = 4_096;

/** Count, then each EIP-2718 encoding behind its length. */
export function encodeTransactions(raws: readonly Uint8Array[]): Uint8Array {
  const bytes = raws.reduce((sum, raw) => sum + raw.length + 4, 2);
  const writer = new ByteWriter(bytes).u16(raws.length);
  for (const raw of raws) writer.bytes(raw);
  return writer.finish();
}

/** How many a message says to hold, before anything else of it is read. Throws a ProtocolError if they are too many. */
export function countTransactions(payload: Uint8Array): number {
  const reader = new ByteReader(payload, 'transactions');
  const count = reader.u16();
  if (count > MAX_TRANSACTIONS_PER_MESSAGE)
    throw reader.fail(`${count} where at most ${MAX_TRANSACTIONS_PER_MESSAGE} may be`);
  return count;
}

/** Copies, so that keeping one transaction does not keep the whole message. */
export function decodeTransactions(payload: Uint8Array, maxTransactionBytes: number): Uint8Array[] {
  const count = countTransactions(payload);
  const reader = new ByteReader(payload, 'transactions');
  reader.u16();
  const raws: Uint8Array[] = [];
  for (let index = 0; index < count; index++) raws.push(Uint8Array.from(reader.bytes(maxTransactionBytes)));
  reader.end();
  return raws;
}

export function encodeHashes(hashes: readonly Hash[]): Uint8Array {
  const writer = new ByteWriter(2 + hashes.length * 32).u16(hashes.length);
  for (const hash of hashes) writer.hash(hash);
  return writer.finish();
}

export function decodeHashes(payload: Uint8Array): Hash[] {
  const reader = new ByteReader(payload, 'transaction hashes');
  const count = reader.u16();
  if (count > MAX_HASHES_PER_MESSAGE) throw reader.fail(`${count} where at most ${MAX_HASHES_PER_MESSAGE} may be`);
  const hashes: Hash[] = [];
  for (let index = 0; index < count; index++) hashes.push(reader.hash());
  reader.end();
  return hashes;
}
