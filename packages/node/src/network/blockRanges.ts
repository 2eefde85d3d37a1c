import type { SyncBlock } from '../chain/ledger.ts';
import { MessageKind } from './messageKinds.ts';
import type { PeerNetwork } from './peers.ts';
import { type BlockRange, decodeBlockRange, decodeSyncBlocks, encodeBlockRange, encodeSyncBlocks } from './syncWire.ts';

/** Answers other members' requests for finalized blocks from `source`, which gives them in height order, none if it has none. */
export function serveBlockRanges(
  network: Pick<PeerNetwork, 'onRequest'>,
  source: (range: BlockRange) => Promise<readonly SyncBlock[]>,
): void {
  const answer = async (_peer: string, payload: Uint8Array): Promise<Uint8Array> => {
    const range = decodeBlockRange(payload);
    return encodeSyncBlocks(await source(range), range);
  };
  network.onRequest(MessageKind.blockRange, answer, 'sync');
}

/** Asks one peer for finalized blocks. Rejects with a ProtocolError on a malformed answer, with a RequestError if there is none. */
export async function requestBlockRange(
  network: Pick<PeerNetwork, 'request'>,
  peer: string,
  range: BlockRange,
  timeoutMs: number,
): Promise<readonly SyncBlock[]> {
  const payload = await network.request(peer, MessageKind.blockRange, encodeBlockRange(range), timeoutMs, 'sync');
  return decodeSyncBlocks(payload, range);
}
