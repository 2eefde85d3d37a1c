import { bytesToHex, hexToBytes, isHash, isHex, numberToBytes, utf8ToBytes } from './bytes.ts';
import { faultBound, MAX_VALIDATORS, type Validator, type ValidatorSet } from './consensus.ts';
import { ProtocolError } from './errors.ts';
import { MAX_MEMBERS, MEMBER_NAME } from './parseGenesis.ts';
import { encodeRlp } from './rlp.ts';
import type { Suite } from './suite.ts';
import { Epoch, type Hash, Height, type Hex } from './types.ts';

/**
 * How an alliance goes on whose quorum is gone for good: from its last final block, without some members and with another set of validators.
 * All members that remain sign it. It stands beside the chain as the genesis document does: whoever starts from the genesis needs it too
 * (packages/consensus/spec.md, "Loss of the quorum").
 */
export interface RecoveryPlan {
  readonly format: 1;
  readonly genesisHash: Hash;
  /** The last final block. */
  readonly height: Height;
  readonly blockHash: Hash;
  /** The epoch that begins after it: the one that lost its quorum, plus one. */
  readonly epoch: Epoch;
  /** Names of active members, in the order of the new set. */
  readonly validators: readonly string[];
  /** Names of active members that leave the alliance. */
  readonly removed: readonly string[];
  /** Why, for people: at most 500 characters. */
  readonly reason: string;
}

export interface RecoverySignature {
  readonly member: string;
  /** By the member's vote key as the chain has it at `height`. */
  readonly signature: Hex;
}

export interface Recovery extends RecoveryPlan {
  /** One of each active member that is not removed, when it is complete. */
  readonly signatures: readonly RecoverySignature[];
}

/** What a complete recovery comes to. */
export interface RecoveredSet {
  readonly set: ValidatorSet;
  readonly removed: readonly string[];
}

const TAG = utf8ToBytes('hanse/recovery/1');
const MAX_REASON = 500;

/** What every member that remains signs: RLP([tag, genesisHash, height, blockHash, epoch, [validators], [removed], reason]). */
export function recoveryBytes(plan: RecoveryPlan): Uint8Array {
  return encodeRlp([
    TAG,
    hexToBytes(plan.genesisHash),
    numberToBytes(plan.height),
    hexToBytes(plan.blockHash),
    numberToBytes(plan.epoch),
    plan.validators.map(utf8ToBytes),
    plan.removed.map(utf8ToBytes),
    utf8ToBytes(plan.reason),
  ]);
}

/** What tells a plan from every other one. */
export function recoveryHash(suite: Suite, plan: RecoveryPlan): Hash {
  return suite.hashHex(recoveryBytes(plan));
}

/** Whether two documents are of one plan, whoever signed them. */
export function isSamePlan(first: RecoveryPlan, second: RecoveryPlan): boolean {
  return bytesToHex(recoveryBytes(first)) === bytesToHex(recoveryBytes(second));
}

/**
 * The set that a recovery names, if it is complete and may be: `previous` is the set that lost its quorum, `members` are the active members, both by the
 * state of the block that it goes on from. Throws a ProtocolError `invalid-recovery` that says what is missing or wrong.
 *
 * More than f of the previous set must be among those who sign: they sign nothing in the old epoch any more, so that those who
 * are left out can never be a quorum.
 */
export function recoveredSet(
  suite: Suite,
  genesisHash: Hash,
  previous: ValidatorSet,
  members: readonly Validator[],
  recovery: Recovery,
): RecoveredSet {
  if (recovery.genesisHash !== genesisHash) throw fail('it is of another network');
  if (recovery.epoch !== previous.epoch + 1)
    throw fail(`it begins epoch ${recovery.epoch}, but the epoch of its block is ${previous.epoch}`);
  const active = (name: string): Validator => {
    const member = members.find((candidate) => candidate.name === name);
    if (member === undefined) throw fail(`${name} is no active member at its block`);
    return member;
  };
  const validators = recovery.validators.map(active);
  for (const name of recovery.removed) active(name);
  const remaining = members.filter(({ name }) => !recovery.removed.includes(name));
  const kept = previous.validators.filter(({ name }) => remaining.some((member) => member.name === name)).length;
  const needed = faultBound(previous.validators.length) + 1;
  if (kept < needed)
    throw fail(
      `${kept} of the validators before remain, but at least ${needed} must confirm that they sign nothing in the old epoch any more`,
    );
  const message = recoveryBytes(recovery);
  for (const { name, voteKey } of remaining) {
    const signature = recovery.signatures.find(({ member }) => member === name)?.signature;
    if (signature === undefined) throw fail(`${name} has not signed it`);
    if (!suite.verify(voteKey, message, hexToBytes(signature))) throw fail(`the signature of ${name} is wrong`);
  }
  return { set: { epoch: recovery.epoch, validators }, removed: recovery.removed };
}

/** Reads a recovery document strictly; signatures may still be missing. Throws a ProtocolError `invalid-recovery`. */
export function parseRecovery(json: unknown): Recovery {
  const root = record(json, 'the document', [
    'format',
    'genesisHash',
    'height',
    'blockHash',
    'epoch',
    'validators',
    'removed',
    'reason',
    'signatures',
  ]);
  if (root.format !== 1) throw fail('format must be 1');
  if (!isHash(root.genesisHash) || !isHash(root.blockHash)) throw fail('genesisHash and blockHash must be hashes');
  const { reason, signatures } = root;
  const validators = names(root.validators, 'validators', 1, MAX_VALIDATORS);
  const removed = names(root.removed, 'removed', 0, MAX_MEMBERS);
  const both = validators.find((name) => removed.includes(name));
  if (both !== undefined) throw fail(`${both} cannot be a validator and removed`);
  if (typeof reason !== 'string' || reason.trim() === '' || reason.length > MAX_REASON)
    throw fail(`reason must be a text of at most ${MAX_REASON} characters`);
  if (!Array.isArray(signatures) || signatures.length > MAX_MEMBERS) throw fail('signatures must be a list');
  const signed = signatures.map((entry) => {
    const { member, signature } = record(entry, 'a signature', ['member', 'signature']);
    if (typeof member !== 'string' || !MEMBER_NAME.test(member)) throw fail('a signature must name its member');
    if (typeof signature !== 'string' || !isHex(signature) || signature.length !== 130)
      throw fail(`the signature of ${member} must be 64 bytes`);
    return { member, signature };
  });
  if (new Set(signed.map(({ member }) => member)).size !== signed.length) throw fail('a member signed twice');
  return {
    format: 1,
    genesisHash: root.genesisHash,
    height: Height(whole(root.height, 'height')),
    blockHash: root.blockHash,
    epoch: Epoch(whole(root.epoch, 'epoch')),
    validators,
    removed,
    reason,
    signatures: signed,
  };
}

function names(value: unknown, field: string, least: number, most: number): readonly string[] {
  if (!Array.isArray(value) || value.length < least || value.length > most)
    throw fail(`${field} must be a list of ${least} to ${most} names`);
  if (!value.every((name) => typeof name === 'string' && MEMBER_NAME.test(name)))
    throw fail(`${field} must be names of members`);
  if (new Set(value).size !== value.length) throw fail(`a name stands twice in ${field}`);
  return value;
}

function record(value: unknown, what: string, fields: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail(`${what} must be an object`);
  const keys = Object.keys(value);
  const unknown = keys.find((key) => !fields.includes(key));
  if (unknown !== undefined) throw fail(`${what} has the unknown field ${unknown}`);
  const missing = fields.find((field) => !keys.includes(field));
  if (missing !== undefined) throw fail(`${what} lacks ${missing}`);
  return value as Record<string, unknown>;
}

function whole(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw fail(`${field} must be a whole number`);
  return value;
}

function fail(reason: string): ProtocolError {
  return new ProtocolError('invalid-recovery', `recovery: ${reason}`);
}
