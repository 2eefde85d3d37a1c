import { bytesToHex, decodeStatementBytes, type Hex, hexToBytes, ProtocolError, type Statement } from '@hanse/protocol';
import { statementCodes } from '../abi/memberCodes.ts';
import type { Context, Reading } from './membersContext.ts';

/** So much evidence about one validator is kept for each epoch; one piece is enough for every purpose, and more would only fill the state. */
export const MAX_EVIDENCE_PER_SIGNER = 16;

/** A statement of this network; reverts for anything else. `index` tells the reporter which of the two is wrong. */
function readStatement(context: Context, bytes: Uint8Array, index: bigint): Statement {
  let decoded: ReturnType<typeof decodeStatementBytes>;
  try {
    decoded = decodeStatementBytes(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) throw context.error('InvalidStatement', { index });
    throw error;
  }
  if (decoded.genesisHash !== context.block.genesisHash) throw context.error('OtherNetwork', { index });
  return decoded.statement;
}

/** What no honest validator signs both (packages/consensus/spec.md): two notarizes, two finalizes, or a nullify and a finalize of one view. */
function contradict(a: Statement, b: Statement): boolean {
  if (a.epoch !== b.epoch || a.view !== b.view) return false;
  if (a.kind === b.kind) return a.kind !== 'nullify';
  return a.kind !== 'notarize' && b.kind !== 'notarize';
}

export function reportDoubleVote(
  context: Context,
  statementA: Hex,
  signatureA: Hex,
  statementB: Hex,
  signatureB: Hex,
  signer: number,
): void {
  const bytes = [hexToBytes(statementA), hexToBytes(statementB)] as const;
  const a = readStatement(context, bytes[0], 0n);
  const b = readStatement(context, bytes[1], 1n);
  // One statement has one encoding, so equal statements are equal bytes.
  if (statementA === statementB || !contradict(a, b)) throw context.error('NotContradictory', {});
  const epoch = BigInt(a.epoch);
  const view = BigInt(a.view);
  const { storage, block, caller } = context;
  if (signer >= storage.validatorCounts.at(epoch).get()) throw context.error('UnknownSigner', { epoch, signer });
  const validator = storage.validators.at(epoch).at(signer);
  const known = storage.evidenceOf.at(epoch).at(view).at(signer);
  if (known.get() !== 0) throw context.error('EvidenceKnown', { index: BigInt(known.get() - 1) });
  const count = storage.evidenceCounts.at(epoch).at(signer);
  if (count.get() >= MAX_EVIDENCE_PER_SIGNER) throw context.error('TooMuchEvidence', { epoch, signer });
  const key = validator.voteKey.get();
  [signatureA, signatureB].forEach((signature, index) => {
    if (!context.verifySignature(key, bytes[index]!, hexToBytes(signature))) {
      throw context.error('WrongSignature', { index: BigInt(index) });
    }
  });
  const index = storage.evidenceCount.get();
  storage.evidenceCount.set(index + 1);
  known.set(index + 1);
  count.set(count.get() + 1);
  const member = validator.member.get();
  const record = storage.evidence.at(index);
  record.member.set(member);
  record.signer.set(signer);
  record.epoch.set(epoch);
  record.viewNumber.set(view);
  record.height.set(block.height);
  record.kindA.set(statementCodes[a.kind]);
  record.kindB.set(statementCodes[b.kind]);
  record.reporter.set(caller);
  record.hashA.set(bytesToHex(context.hash(bytes[0])));
  record.hashB.set(bytesToHex(context.hash(bytes[1])));
  const values = { member, epoch, viewNumber: view, signer, index: BigInt(index), reporter: caller };
  context.emit('DoubleVoteReported', values);
}

export function getEvidence(context: Reading, index: bigint) {
  const { storage } = context;
  if (index >= BigInt(storage.evidenceCount.get())) throw context.error('UnknownEvidence', { index });
  const record = storage.evidence.at(Number(index));
  return {
    member: record.member.get(),
    signer: record.signer.get(),
    epoch: record.epoch.get(),
    viewNumber: record.viewNumber.get(),
    kindA: record.kindA.get(),
    kindB: record.kindB.get(),
    hashA: record.hashA.get(),
    hashB: record.hashB.get(),
    height: record.height.get(),
    reporter: record.reporter.get(),
  };
}
