import {
  type Certificate,
  decodeCertificate,
  decodeProposal,
  encodeCertificate,
  encodeProposal,
  type FinalizeStatement,
  MAX_CERTIFICATE_BYTES,
  MAX_PROPOSAL_BYTES,
} from '@hanse/protocol';
import type { SyncBlock } from '../chain/ledger.ts';
import { ByteReader, ByteWriter } from './byteCodec.ts';

/** A range of finalized blocks that a member lacks. */
export interface BlockRange {
  /** The first height, at least 1. */
  readonly from: number;
  /** At most so many blocks, 1 to MAX_RANGE_BLOCKS. */
  readonly maxCount: number;
  /** And so many bytes; a first block that alone is larger comes all the same. */
  readonly maxBytes: number;
}

export const MAX_RANGE_BLOCKS = 512;
export const MAX_RANGE_BYTES = 4 * 1024 * 1024;
const MAX_TRANSACTION_BYTES = 1024 * 1024;
const MAX_TRANSACTIONS = 4_096;
const RANGE_OVERHEAD_BYTES = 64;

export function encodeBlockRange(range: BlockRange): Uint8Array {
  return new ByteWriter(16).u64(range.from).u16(range.maxCount).u32(range.maxBytes).finish();
}

/** Throws a ProtocolError on a range out of bounds. */
export function decodeBlockRange(payload: Uint8Array): BlockRange {
  const reader = new ByteReader(payload, 'block range');
  const range: BlockRange = { from: reader.u64(), maxCount: reader.u16(), maxBytes: reader.u32() };
  reader.end();
  if (range.from < 1 || range.maxCount < 1 || range.maxCount > MAX_RANGE_BLOCKS || range.maxBytes > MAX_RANGE_BYTES) {
    throw reader.fail('it is out of bounds');
  }
  return range;
}

/** As many of the blocks as fit into the range's bytes, at least one. */
export function encodeSyncBlocks(blocks: readonly SyncBlock[], range: BlockRange): Uint8Array {
  const encoded: Uint8Array[] = [];
  let bytes = 2;
  for (const block of blocks.slice(0, range.maxCount)) {
    const one = encodeSyncBlock(block);
    if (encoded.length > 0 && bytes + one.length > range.maxBytes) break;
    encoded.push(one);
    bytes += one.length;
  }
  const writer = new ByteWriter(bytes).u16(encoded.length);
  for (const one of encoded) writer.raw(one);
  return writer.finish();
}

function encodeSyncBlock({ proposal, transactions, certificate }: SyncBlock): Uint8Array {
  const writer = new ByteWriter(1_024).bytes(encodeProposal(proposal)).u16(transactions.length);
  for (const raw of transactions) writer.bytes(raw);
  return writer.bytes(certificate === undefined ? new Uint8Array(0) : encodeCertificate(certificate)).finish();
}

/**
 * Reads an answer to `range`: consecutive heights from the first asked, at most as many as asked. Signatures, links and
 * contents are for the ledger. Throws a ProtocolError otherwise.
 */
export function decodeSyncBlocks(payload: Uint8Array, range: BlockRange): SyncBlock[] {
  const reader = new ByteReader(payload, 'blocks');
  const count = reader.u16();
  // A first block comes however large it is.
  if (count > 1 && payload.length > range.maxBytes + RANGE_OVERHEAD_BYTES)
    throw reader.fail(`${payload.length} bytes where at most ${range.maxBytes} were asked for`);
  if (count > range.maxCount) throw reader.fail(`${count} where at most ${range.maxCount} were asked for`);
  const blocks: SyncBlock[] = [];
  for (let index = 0; index < count; index++) {
    const block = decodeSyncBlock(reader);
    if (block.proposal.height !== range.from + index)
      throw reader.fail(`height ${block.proposal.height} in the place of ${range.from + index}`);
    if (block.transactions.length !== block.proposal.transactionHashes.length)
      throw reader.fail('a body does not fit its proposal');
    blocks.push(block);
  }
  reader.end();
  return blocks;
}

function decodeSyncBlock(reader: ByteReader): SyncBlock {
  const proposal = decodeProposal(reader.bytes(MAX_PROPOSAL_BYTES));
  const transactionCount = reader.u16();
  if (transactionCount > MAX_TRANSACTIONS) throw reader.fail(`${transactionCount} transactions in a block`);
  const transactions: Uint8Array[] = [];
  for (let index = 0; index < transactionCount; index++)
    transactions.push(Uint8Array.from(reader.bytes(MAX_TRANSACTION_BYTES)));
  const certificateBytes = reader.bytes(MAX_CERTIFICATE_BYTES);
  if (certificateBytes.length === 0) return { proposal, transactions };
  const certificate = decodeCertificate(certificateBytes);
  if (certificate.statement.kind !== 'finalize') throw reader.fail('a certificate that finalizes nothing');
  return { proposal, transactions, certificate: certificate as Certificate<FinalizeStatement> };
}
