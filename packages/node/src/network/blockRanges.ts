import type { SyncBlock } from '../chain/ledger.ts';
import type { Clock } from '../runtime/clock.ts';
import { TokenBucket } from '../runtime/tokenBucket.ts';
import { MessageKind } from './messageKinds.ts';
import type { PeerNetwork } from './peers.ts';
import { RequestRefusal } from './requestError.ts';
import {
  type BlockRange,
  decodeBlockRange,
  decodeSyncBlocks,
  type EncodedSyncBlock,
  encodeBlockRange,
  SyncAnswer,
} from './syncWire.ts';

/** Bytes of blocks that one peer may ask for at once, and every second; a request costs something even if it finds little. */
const ANSWER_BURST = 64 * 1024 * 1024;
const ANSWER_BYTES_PER_SECOND = 16 * 1024 * 1024;
const REQUEST_BYTES = 64 * 1024;
/** What finding a block in storage costs, whatever its size, as bytes. */
const BLOCK_BYTES = 1_024;
/** More than one request gets, whatever it asks for. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** Read in one turn of the event loop, a millisecond or less: nothing that members ask for may keep this thread from consensus. */
const TURN_BLOCKS = 32;
const TURN_BYTES = 128 * 1024;

/** Finalized blocks by height, as they stand in storage; undefined above the head. */
export type BlockSource = (height: number) => EncodedSyncBlock | undefined;

/**
 * Answers other members' requests for finalized blocks: from the first height asked for on, none if that is not there. A tiny request can
 * make this member read a megabyte, so each peer has a budget of what it is given, has one request worked on at a time, and shares the event loop with all else.
 */
export function serveBlockRanges(network: Pick<PeerNetwork, 'onRequest'>, source: BlockSource, clock: Clock): void {
  const budgets = new Map<string, TokenBucket>();
  /** The end of each peer's last request. */
  const last = new Map<string, Promise<void>>();
  const answer = async (peer: string, payload: Uint8Array): Promise<Uint8Array> => {
    const asked = decodeBlockRange(payload);
    const range = { ...asked, maxBytes: Math.min(asked.maxBytes, MAX_ANSWER_BYTES) };
    const nowMs = clock.monotonicMs();
    const budget = budgets.get(peer) ?? new TokenBucket(ANSWER_BYTES_PER_SECOND, ANSWER_BURST, nowMs);
    budgets.set(peer, budget);
    // Paid before anything is read, and what was not used is given back.
    const paid = Math.max(REQUEST_BYTES, range.maxBytes + range.maxCount * BLOCK_BYTES);
    if (!budget.take(paid, nowMs)) throw new RequestRefusal('too many blocks were asked for, try again later');
    const before = last.get(peer);
    const reading = (before ?? Promise.resolve()).then(() => readRange(range, source, clock));
    const ended = reading.then(
      () => undefined,
      () => undefined,
    );
    last.set(peer, ended);
    const blocks = await reading;
    const cost = Math.max(REQUEST_BYTES, blocks.bytes + blocks.blocks * BLOCK_BYTES);
    budget.giveBack(Math.max(0, paid - cost));
    if (last.get(peer) === ended) last.delete(peer);
    return blocks.finish();
  };
  network.onRequest(MessageKind.blockRange, answer, 'sync');
}

async function readRange(range: BlockRange, source: BlockSource, clock: Clock): Promise<SyncAnswer> {
  const answer = new SyncAnswer(range);
  let turn = { blocks: 0, bytes: 0 };
  for (;;) {
    const block = source(range.from + answer.blocks);
    if (block === undefined || !answer.add(block)) return answer;
    if (answer.blocks - turn.blocks < TURN_BLOCKS && answer.bytes - turn.bytes < TURN_BYTES) continue;
    await new Promise<void>((resolve) => void clock.schedule(0, resolve));
    turn = { blocks: answer.blocks, bytes: answer.bytes };
  }
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
