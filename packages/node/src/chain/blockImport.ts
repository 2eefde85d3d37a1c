import {
  type Address,
  type Certificate,
  decodeTransaction,
  type FinalizeStatement,
  type Hash,
  type Height,
  type Proposal,
  ProtocolError,
  proposalDigest,
  recoverSender,
  type Suite,
  validatorSetHash,
  verifyCertificate,
} from '@hanse/protocol';
import type {
  CheckVerdict,
  ExecutionResult,
  FinalizedBlock,
  FinalizedHead,
  ImportBlock,
  ImportResult,
  TransactionBody,
} from './ledger.ts';

/** What the import needs of the ledger, inside one of its tasks. */
export interface ImportTarget {
  readonly suite: Suite;
  readonly genesisHash: Hash;
  head(): FinalizedHead;
  check(proposal: Proposal, transactions: readonly TransactionBody[]): CheckVerdict;
  execute(digest: Hash): Promise<ExecutionResult>;
  /** Stores `digest` and what is below it, all or none; the certificates are of these blocks, the last one of `digest`. */
  finalize(digest: Hash, certificates: readonly Certificate<FinalizeStatement>[]): readonly FinalizedBlock[];
}

/**
 * Blocks and transactions that are stored with one commit. A commit costs 2 to 3 ms whatever is in it, a block of five payments 2 ms;
 * more blocks save little and make every look into the state pass through more layers.
 */
const STORED_BLOCKS = 32;
const STORED_TRANSACTIONS = 4_096;

type Rejected = Extract<ImportResult, { rejected: unknown }>['rejected'];
type Linked = ImportBlock & { readonly digest: Hash };

/**
 * Imports finalized blocks from another member, a certified run at a time: the certificate is of the set that decides here, the digests
 * link from the certified block down to the head, every block has its bodies and passes the static rules, and executing the
 * run gives the certified hash. Only then is any of the run stored, so that a liar costs time and nothing else.
 */
export async function importBlocks(blocks: readonly ImportBlock[], target: ImportTarget): Promise<ImportResult> {
  const batch = new ImportBatch(target);
  let run: Linked[] = [];
  for (const block of blocks) {
    if (block.proposal.height <= target.head().height) continue;
    run.push({ ...block, digest: proposalDigest(target.suite, target.genesisHash, block.proposal) });
    if (block.certificate === undefined) continue;
    const rejected = await batch.add(run, block.certificate);
    if (rejected !== undefined) return { imported: batch.store(), rejected };
    run = [];
  }
  const imported = batch.store();
  const rest = run[0];
  if (rest === undefined) return { imported };
  return { imported, rejected: { height: rest.proposal.height, reason: 'no certificate covers this block' } };
}

/** Certified runs that were executed, until they are stored together. */
class ImportBatch {
  readonly #target: ImportTarget;
  readonly #imported: FinalizedBlock[] = [];
  #head: FinalizedHead;
  #setHash: Hash;
  /** What the next block stands on. */
  #tip: { readonly digest: Hash; readonly height: Height };
  #certificates: Certificate<FinalizeStatement>[] = [];
  #blocks = 0;
  #transactions = 0;

  constructor(target: ImportTarget) {
    this.#target = target;
    this.#head = target.head();
    this.#setHash = validatorSetHash(target.suite, this.#head.validators);
    this.#tip = this.#head;
  }

  /** Stores what was executed. Everything that was imported so far. */
  store(): readonly FinalizedBlock[] {
    const last = this.#certificates.at(-1);
    if (last !== undefined) {
      this.#imported.push(...this.#target.finalize(last.statement.digest, this.#certificates));
      this.#head = this.#target.head();
      this.#setHash = validatorSetHash(this.#target.suite, this.#head.validators);
      this.#certificates = [];
      this.#blocks = 0;
      this.#transactions = 0;
    }
    return this.#imported;
  }

  /** Verifies and executes a run that ends in its certified block; says which block is wrong, and then none of the run stays. */
  async add(run: readonly Linked[], certificate: Certificate<FinalizeStatement>): Promise<Rejected | undefined> {
    const rejected = this.#verify(run, certificate);
    if (rejected !== undefined) return rejected;
    let result: ExecutionResult | undefined;
    for (const block of run) {
      const bodies = bodiesOf(block, this.#target.suite);
      if (typeof bodies === 'string') return { height: block.proposal.height, reason: bodies };
      const verdict = this.#target.check(block.proposal, bodies);
      if (verdict.verdict !== 'valid') this.#diverge(block, verdict);
      result = await this.#target.execute(block.digest);
    }
    const { digest, blockHash, height } = certificate.statement;
    if (result?.blockHash !== blockHash) {
      // q members signed another result for the very same transactions: this member must not go on (rule F1 of
      // packages/consensus/spec.md).
      this.store();
      throw new Error(
        `Divergence: block ${height} (${digest}) was certified as ${blockHash}, but executing it here gave ${result?.blockHash}.`,
      );
    }
    this.#tip = { digest, height };
    this.#certificates.push(certificate);
    this.#blocks += run.length;
    this.#transactions += run.reduce((sum, { transactions }) => sum + transactions.length, 0);
    // The set that decides after an epoch's last block can be read only once that block is stored.
    if (result.closesEpoch || this.#blocks >= STORED_BLOCKS || this.#transactions >= STORED_TRANSACTIONS) this.store();
    return undefined;
  }

  /**
   * Everything about a run that can be checked without its bodies. From the certified block downwards, so that what is found wrong is
   * wrong for certain: a block that q members signed names its parent truly.
   */
  #verify(run: readonly Linked[], certificate: Certificate<FinalizeStatement>): Rejected | undefined {
    const { suite, genesisHash } = this.#target;
    const last = run.at(-1)!;
    const { statement } = certificate;
    const { height } = last.proposal;
    if (statement.digest !== last.digest || statement.height !== height)
      return { height, reason: 'the certificate is of another block' };
    if (last.verifiedBy !== this.#setHash) {
      const reason = verifyCertificate(suite, genesisHash, this.#head.validators, certificate);
      if (reason !== undefined) return { height, reason };
    }
    let child = last;
    for (const block of run.slice(0, -1).reverse()) {
      if (block.digest !== child.proposal.parentDigest || block.proposal.height + 1 !== child.proposal.height) {
        const reason = `it is not the block on which block ${child.proposal.height} stands`;
        return { height: block.proposal.height, reason };
      }
      child = block;
    }
    const { proposal } = child;
    if (proposal.height !== this.#tip.height + 1)
      return { height: proposal.height, reason: `it does not follow block ${this.#tip.height}` };
    if (proposal.parentDigest !== this.#tip.digest) {
      this.store();
      throw new Error(
        `Divergence: a quorum certified block ${height} on a block ${this.#tip.height} other than this member's.`,
      );
    }
    return undefined;
  }

  #diverge({ proposal }: Linked, verdict: Exclude<CheckVerdict, { verdict: 'valid' }>): never {
    this.store();
    const reason = verdict.verdict === 'invalid' ? verdict.reason : 'its parent is not executed';
    throw new Error(`Divergence: a quorum certified block ${proposal.height}, which is invalid here: ${reason}.`);
  }
}

/** The transactions that a proposal names, with their senders, or what is wrong with one. */
function bodiesOf({ proposal, transactions, senders }: ImportBlock, suite: Suite): readonly TransactionBody[] | string {
  const bodies: TransactionBody[] = [];
  if (transactions.length !== proposal.transactionHashes.length) return 'its bodies are not those of the proposal';
  for (const [index, raw] of transactions.entries()) {
    const hash = suite.hashHex(raw);
    if (hash !== proposal.transactionHashes[index])
      return `transaction ${index} is not the one that the proposal names`;
    const sender = senders === undefined ? senderOf(raw, suite) : senders[index];
    if (sender === undefined) return `transaction ${index} has no valid signature`;
    bodies.push({ hash, raw, sender });
  }
  return bodies;
}

function senderOf(raw: Uint8Array, suite: Suite): Address | undefined {
  try {
    return recoverSender(decodeTransaction(raw, suite), suite);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return undefined;
  }
}
