import type { Hash } from '@hanse/protocol';
import { type Context, callingMember } from './membersContext.ts';
import { enactAwaitedPromotion } from './proposals.ts';

/** Only a member so close to the tip is promoted (packages/consensus/spec.md, "Epochs"): else the set would wait for it. */
const READY_BLOCKS = 16;

/**
 * For how long a declaration stands, in seconds of block time: long enough for the last votes of a promotion to be cast by people,
 * and short enough that the member still follows the chain.
 */
export const READY_SECONDS = 3_600;

export function declareReady(context: Context, height: number, blockHash: Hash): void {
  const member = callingMember(context);
  const { storage, block } = context;
  if (storage.members.at(member).validator.get()) throw context.error('AlreadyValidator', { member });
  if (height >= block.height || height + READY_BLOCKS < block.height) {
    throw context.error('HeightOutOfReach', { height: BigInt(height) });
  }
  if (block.blockHash(height) !== blockHash) throw context.error('WrongBlock', { height: BigInt(height), blockHash });
  const conduct = storage.conduct.at(member);
  conduct.readyHeight.set(height);
  conduct.readyUntil.set(block.timestamp + READY_SECONDS);
  context.emit('ReadyDeclared', { member, height });
  enactAwaitedPromotion(context, member);
}
