import type { SyncBlock } from '../chain/ledger.ts';
import type { Clock } from '../runtime/clock.ts';
import { TokenBucket } from '../runtime/tokenBucket.ts';
import { MessageKind } from './messageKinds.ts';
import type { PeerNetwork } from './peers.ts';
import { RequestRefusal } from './requestError.ts';
import { type BlockRange, decodeBlockRange, decodeSyncBlocks, encodeBlockRange, encodeSyncBlocks } from './syncWire.ts';

/** Bytes of blocks that one peer may ask for at once, and every second; a request costs something even if it finds little. */
const ANSWER_BURST = 64 * 1024 * 1024;
const ANSWER_BYTES_PER_SECOND = 16 * 1024 * 1024;
const REQUEST_BYTES = 64 * 1024;
/** More than one request gets, whatever it asks for: reading blocks must not keep this thread from consensus. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Answers other members' requests for finalized blocks from `source`, which gives them in height order, none if it has none. A tiny request
 * can make this member read megabytes, so each peer has a budget of what it is given.
 */
export function serveBlockRanges(
  network: Pick<PeerNetwork, 'onRequest'>,
  source: (range: BlockRange) => Promise<readonly SyncBlock[]>,
  clock: Clock,
): void {
  const budgets = new Map<string, TokenBucket>();
  const answer = async (peer: string, payload: Uint8Array): Promise<Uint8Array> => {
    const asked = decodeBlockRange(payload);
    const range = { ...asked, maxBytes: Math.min(asked.maxBytes, MAX_ANSWER_BYTES) };
    const nowMs = clock.monotonicMs();
    const budget = budgets.get(peer) ?? new TokenBucket(ANSWER_BYTES_PER_SECOND, ANSWER_BURST, nowMs);
    budgets.set(peer, budget);
    // Paid before anything is read, and what was not used is given back.
    const paid = Math.max(REQUEST_BYTES, range.maxBytes);
    if (!budget.take(paid, nowMs)) throw new RequestRefusal('too many blocks were asked for, try again later');
    const blocks = encodeSyncBlocks(await source(range), range);
    budget.giveBack(paid - Math.max(REQUEST_BYTES, Math.min(paid, blocks.length)));
    return blocks;
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
