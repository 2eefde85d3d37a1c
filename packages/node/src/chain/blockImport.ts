import {
  type Certificate,
  decodeTransaction,
  type FinalizeStatement,
  type Hash,
  type Proposal,
  ProtocolError,
  proposalDigest,
  recoverSender,
  type Suite,
  verifyCertificate,
} from '@hanse/protocol';
import type {
  CheckVerdict,
  ExecutionResult,
  FinalizedBlock,
  FinalizedHead,
  ImportResult,
  SyncBlock,
  TransactionBody,
} from './ledger.ts';

/** What the import needs of the ledger, inside one of its tasks. */
export interface ImportTarget {
  readonly suite: Suite;
  readonly genesisHash: Hash;
  head(): FinalizedHead;
  check(proposal: Proposal, transactions: readonly TransactionBody[]): CheckVerdict;
  execute(digest: Hash): Promise<ExecutionResult>;
  finalize(digest: Hash, certificate: Certificate<FinalizeStatement>): readonly FinalizedBlock[];
}

type ImportBlock = SyncBlock & { readonly digest: Hash };

/**
 * Imports finalized blocks from another member, a certified run at a time: the digests link from the head to the certified block,
 * the certificate is of the set that decides here, every block passes the static rules, and executing the run gives the
 * certified hash. Only then is any of the run stored, so that a liar costs time and nothing else.
 */
export async function importBlocks(blocks: readonly SyncBlock[], target: ImportTarget): Promise<ImportResult> {
  const imported: FinalizedBlock[] = [];
  let run: ImportBlock[] = [];
  for (const block of blocks) {
    if (block.proposal.height <= target.head().height) continue;
    run.push({ ...block, digest: proposalDigest(target.suite, target.genesisHash, block.proposal) });
    if (block.certificate === undefined) continue;
    const reason = await importRun(run, block.certificate, target, imported);
    if (reason !== undefined) return { imported, rejected: { height: block.proposal.height, reason } };
    run = [];
  }
  const rest = run[0];
  if (rest !== undefined) {
    return { imported, rejected: { height: rest.proposal.height, reason: 'no certificate covers this block' } };
  }
  return { imported };
}

/** Imports one run that ends in its certified block; the reason if it is wrong, and then none of it is stored. */
async function importRun(
  run: readonly ImportBlock[],
  certificate: Certificate<FinalizeStatement>,
  target: ImportTarget,
  imported: FinalizedBlock[],
): Promise<string | undefined> {
  const unproved = checkRun(run, certificate, target);
  if (unproved !== undefined) return unproved;
  let result: ExecutionResult | undefined;
  for (const { proposal, transactions, digest } of run) {
    const bodies = recoverBodies(transactions, target.suite);
    if (typeof bodies === 'string') return `block ${proposal.height}: ${bodies}`;
    const verdict = target.check(proposal, bodies);
    if (verdict.verdict !== 'valid') {
      return `block ${proposal.height}: ${verdict.verdict === 'invalid' ? verdict.reason : 'its parent is not here'}`;
    }
    result = await target.execute(digest);
  }
  const { digest, blockHash, height } = certificate.statement;
  if (result?.blockHash !== blockHash) {
    // q members signed another result for the very same transactions: this member must not go on (rule F1 of
    // packages/consensus/spec.md).
    throw new Error(
      `Divergence: block ${height} (${digest}) was certified as ${blockHash}, but executing it here gave ${result?.blockHash}.`,
    );
  }
  imported.push(...target.finalize(digest, certificate));
  return undefined;
}

/** Everything about a run that can be checked without executing it. */
function checkRun(
  run: readonly ImportBlock[],
  certificate: Certificate<FinalizeStatement>,
  target: ImportTarget,
): string | undefined {
  const head = target.head();
  let parent = { digest: head.digest, height: head.height as number };
  for (const { proposal, digest } of run) {
    if (proposal.height !== parent.height + 1 || proposal.parentDigest !== parent.digest) {
      return `block ${proposal.height} does not follow block ${parent.height}`;
    }
    parent = { digest, height: proposal.height };
  }
  const { statement } = certificate;
  if (statement.digest !== parent.digest || statement.height !== parent.height)
    return 'the certificate is of another block';
  return verifyCertificate(target.suite, target.genesisHash, head.validators, certificate);
}

/** The transactions with their senders, or what is wrong with one. */
function recoverBodies(raws: readonly Uint8Array[], suite: Suite): readonly TransactionBody[] | string {
  const bodies: TransactionBody[] = [];
  for (const [index, raw] of raws.entries()) {
    try {
      const transaction = decodeTransaction(raw, suite);
      const sender = recoverSender(transaction, suite);
      if (sender === undefined) return `transaction ${index} has no valid signature`;
      bodies.push({ hash: transaction.hash, raw, sender });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return `transaction ${index}: ${error.message}`;
    }
  }
  return bodies;
}
