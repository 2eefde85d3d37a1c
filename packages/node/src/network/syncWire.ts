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

/** A `SyncBlock` whose parts are encoded, as they stand in storage. */
export interface EncodedSyncBlock {
  readonly proposal: Uint8Array;
  readonly transactions: readonly Uint8Array[];
  readonly certificate: Uint8Array | undefined;
}

/** Puts an answer to a range together, block by block in height order. */
export class SyncAnswer {
  readonly #range: BlockRange;
  readonly #blocks: Uint8Array[] = [];
  #bytes = 2;

  constructor(range: BlockRange) {
    this.#range = range;
  }

  get blocks(): number {
    return this.#blocks.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds the next block if there is room for it, which there is for a first one; false if there is none. */
  add({ proposal, transactions, certificate = new Uint8Array(0) }: EncodedSyncBlock): boolean {
    if (this.#blocks.length >= this.#range.maxCount) return false;
    const writer = new ByteWriter(1_024).bytes(proposal).u16(transactions.length);
    for (const raw of transactions) writer.bytes(raw);
    const block = writer.bytes(certificate).finish();
    if (this.#blocks.length > 0 && this.#bytes + block.length > this.#range.maxBytes) return false;
    this.#blocks.push(block);
    this.#bytes += block.length;
    return true;
  }

  finish(): Uint8Array {
    const writer = new ByteWriter(this.#bytes).u16(this.#blocks.length);
    for (const block of this.#blocks) writer.raw(block);
    return writer.finish();
  }
}

/** As many of the blocks as fit into the range's bytes, at least one. */
export function encodeSyncBlocks(blocks: readonly SyncBlock[], range: BlockRange): Uint8Array {
  const answer = new SyncAnswer(range);
  for (const { proposal, transactions, certificate } of blocks) {
    const encoded = certificate === undefined ? undefined : encodeCertificate(certificate);
    if (!answer.add({ proposal: encodeProposal(proposal), transactions, certificate: encoded })) break;
  }
  return answer.finish();
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
