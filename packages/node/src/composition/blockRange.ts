import type { Height } from '@hanse/protocol';
import type { SyncBlock } from '../chain/ledger.ts';
import type { BlockRange } from '../network/syncWire.ts';
import type { LedgerReader } from '../storage/ledgerReader.ts';

/** Finalized blocks from a height on, as members hand them to each other. */
export function readBlockRange(reader: LedgerReader, range: BlockRange): readonly SyncBlock[] {
  const head = reader.headHeight();
  const blocks: SyncBlock[] = [];
  let bytes = 0;
  for (let height = Math.max(1, range.from); height <= head && blocks.length < range.maxCount; height++) {
    const block = readSyncBlock(reader, height as Height);
    if (block === undefined) break;
    bytes += block.transactions.reduce((sum, raw) => sum + raw.length, 0);
    if (bytes > range.maxBytes && blocks.length > 0) break;
    blocks.push(block);
  }
  return blocks;
}

function readSyncBlock(reader: LedgerReader, height: Height): SyncBlock | undefined {
  const agreed = reader.proposal(height);
  const transactions = reader.encodedTransactions(height);
  if (agreed === undefined || transactions === undefined) return undefined;
  const certificate = reader.certificate(height);
  return {
    proposal: agreed.proposal,
    transactions,
    ...(certificate === undefined ? {} : { certificate }),
  };
}
