import { type Hex, hexToBytes, ZERO_ADDRESS, ZERO_HASH } from '@hanse/protocol';
import { moduleNumbers } from '../abi/addresses.ts';
import { anchorAbi } from '../abi/anchorAbi.ts';
import { MAX_PROOF_STEPS, verifyMerkleProof } from '../anchorCommitment.ts';
import { defineModule, type ModuleContext, type ViewContext } from '../defineModule.ts';
import { memberOfAccount, peekMembers } from '../members/membership.ts';
import type { Reader } from '../storage/accessors.ts';
import { anchorStorage, type recordStruct } from './anchorStorage.ts';

type Context = ModuleContext<typeof anchorAbi, typeof anchorStorage>;
type Reading = ViewContext<typeof anchorAbi, typeof anchorStorage>;

/** How many commitments `anchorMany` takes; more belong into a batch. */
const MAX_COMMITMENTS = 256;

/** Writes the caller's record unless it has one; gives the member that answers for the caller, or undefined if nothing changed. */
function record(context: Context, commitment: Hex, count: number): number | undefined {
  const { storage, caller, block } = context;
  if (commitment === ZERO_HASH) throw context.error('InvalidCommitment', {});
  const first = storage.first.at(commitment);
  const owner = first.account.get();
  const target = owner === ZERO_ADDRESS || owner === caller ? first : storage.further.at(commitment).at(caller);
  if (target.account.get() === caller) {
    const known = target.count.get();
    if (known !== count) throw context.error('AnchoredDifferently', { commitment, count: known });
    return undefined;
  }
  const member = memberOfAccount(peekMembers(context), caller);
  target.account.set(caller);
  target.member.set(member);
  target.count.set(count);
  target.height.set(block.height);
  target.time.set(block.timestamp);
  return member;
}

function anchor(context: Context, commitment: Hex): void {
  const member = record(context, commitment, 0);
  if (member !== undefined) context.emit('Anchored', { commitment, account: context.caller, member });
}

function anchorMany(context: Context, commitments: readonly Hex[]): void {
  if (commitments.length > MAX_COMMITMENTS) {
    throw context.error('TooMany', { count: BigInt(commitments.length), limit: BigInt(MAX_COMMITMENTS) });
  }
  context.chargeItems(commitments.length);
  for (const commitment of commitments) anchor(context, commitment);
}

function anchorBatch(context: Context, root: Hex, count: number): void {
  if (count === 0) throw context.error('InvalidCount', {});
  const member = record(context, root, count);
  if (member !== undefined) context.emit('BatchAnchored', { root, account: context.caller, member, count });
}

function show(stored: Reader<typeof recordStruct>) {
  return {
    account: stored.account.get(),
    member: stored.member.get(),
    count: stored.count.get(),
    height: stored.height.get(),
    time: stored.time.get(),
  };
}

function verifyInBatch(context: Reading, root: Hex, proof: readonly Hex[], leaf: Hex): boolean {
  if (proof.length > MAX_PROOF_STEPS) {
    throw context.error('TooMany', { count: BigInt(proof.length), limit: BigInt(MAX_PROOF_STEPS) });
  }
  context.chargeItems(proof.length);
  const hash = (data: Uint8Array) => context.hash(data);
  return verifyMerkleProof(hash, hexToBytes(root), proof.map(hexToBytes), hexToBytes(leaf));
}

/** Who committed to what data, and when. */
export const anchorModule = defineModule({
  name: 'anchor',
  version: 1,
  number: moduleNumbers.anchor,
  kind: 'single',
  abi: anchorAbi,
  storage: anchorStorage,
  handlers: {
    anchor,
    anchorMany,
    anchorBatch,
    getAnchor: ({ storage }, commitment) => show(storage.first.at(commitment)),
    getAnchorBy({ storage }, commitment, account) {
      const first = storage.first.at(commitment);
      return show(first.account.get() === account ? first : storage.further.at(commitment).at(account));
    },
    verifyInBatch,
  },
});
