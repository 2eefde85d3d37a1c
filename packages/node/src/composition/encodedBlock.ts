import type { Height } from '@hanse/protocol';
import type { EncodedSyncBlock } from '../network/syncWire.ts';
import type { LedgerReader } from '../storage/ledgerReader.ts';

/** A finalized block as members hand it to each other: storage holds its parts as they are sent. Undefined for the genesis and above the head. */
export function encodedBlock(reader: LedgerReader, height: Height): EncodedSyncBlock | undefined {
  const proposal = reader.encodedProposal(height);
  const transactions = reader.encodedTransactions(height);
  if (proposal === undefined || transactions === undefined) return undefined;
  return { proposal, transactions, certificate: reader.encodedCertificate(height) };
}
