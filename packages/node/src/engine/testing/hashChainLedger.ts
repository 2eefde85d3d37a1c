import {
  type Certificate,
  Epoch,
  type FinalizeStatement,
  genesisDigest,
  type Hash,
  type Header,
  Height,
  hexToBytes,
  type Proposal,
  proposalDigest,
  type Suite,
  type ValidatorSet,
  View,
} from '@hanse/protocol';
import type {
  BuildRequest,
  BuildResult,
  CheckVerdict,
  ExecutionResult,
  FinalizedBlock,
  FinalizedHead,
  ImportResult,
  Ledger,
  SyncBlock,
  TransactionBody,
} from '../../chain/ledger.ts';

interface Block {
  readonly proposal: Proposal | undefined;
  readonly digest: Hash;
  readonly blockHash: Hash;
  readonly height: Height;
  readonly timeMs: number;
  readonly transactions: readonly TransactionBody[];
  certificate: Certificate<FinalizeStatement> | undefined;
}

/**
 * A ledger whose whole state is the hash of its history. What is finalized survives `restart`, as storage would;
 * overlays do not. Follows the contract of `Ledger` strictly, so that an engine that breaks its order of calls is seen.
 */
export class HashChainLedger implements Ledger {
  readonly #suite: Suite;
  readonly #genesisHash: Hash;
  readonly #validators: ValidatorSet;
  readonly finalizedBlocks: Block[];
  #known = new Map<Hash, { readonly proposal: Proposal; readonly transactions: readonly TransactionBody[] }>();
  #executed = new Map<Hash, Block>();
  /** Makes results of this member differ from everybody's, as a bug would. */
  resultTwist = '';
  /** How far this member's clock runs ahead when it proposes. */
  clockLeadMs = 0;
  /** Transactions that no build takes. */
  readonly unfit = new Set<Hash>();

  constructor(suite: Suite, genesisHash: Hash, validators: ValidatorSet, timeMs: number) {
    this.#suite = suite;
    this.#genesisHash = genesisHash;
    this.#validators = validators;
    const digest = genesisDigest(suite, genesisHash);
    this.finalizedBlocks = [
      {
        proposal: undefined,
        digest,
        blockHash: genesisHash,
        height: Height(0),
        timeMs,
        transactions: [],
        certificate: undefined,
      },
    ];
  }

  get head(): Block {
    return this.finalizedBlocks.at(-1)!;
  }

  /** The process ended: everything in memory is gone. */
  restart(): void {
    this.#known = new Map();
    this.#executed = new Map();
  }

  async finalizedHead(): Promise<FinalizedHead> {
    const { height, digest, blockHash, timeMs, proposal, certificate } = this.head;
    const view = proposal?.view ?? View(0);
    const validators = this.#validators;
    return {
      height,
      digest,
      blockHash,
      timeMs,
      epoch: Epoch(0),
      view,
      certificate,
      validators,
      recoveryPending: undefined,
      begunBy: undefined,
    };
  }

  async build(request: BuildRequest): Promise<BuildResult> {
    const parent = this.#block(request.parentDigest);
    if (parent === undefined) throw new Error('the parent is not executed');
    const transactions = request.candidates.filter(({ hash }) => !this.unfit.has(hash));
    const rejected = request.candidates
      .filter(({ hash }) => this.unfit.has(hash))
      .map(({ hash }) => ({ hash, reason: 'unfit' }));
    const proposal: Proposal = {
      epoch: request.epoch,
      view: request.view,
      leader: request.leader,
      parentDigest: request.parentDigest,
      height: Height(parent.height + 1),
      timeMs: Math.max(request.nowMs + this.clockLeadMs, parent.timeMs + 1),
      transactionHashes: transactions.map(({ hash }) => hash),
    };
    const digest = proposalDigest(this.#suite, this.#genesisHash, proposal);
    this.#known.set(digest, { proposal, transactions });
    return { proposal, digest, transactions, rejected };
  }

  async check(proposal: Proposal, transactions: readonly TransactionBody[]): Promise<CheckVerdict> {
    const parent = this.#block(proposal.parentDigest);
    if (parent === undefined) return { verdict: 'parent-not-executed' };
    if (proposal.height !== parent.height + 1) return { verdict: 'invalid', reason: 'wrong height' };
    if (proposal.timeMs <= parent.timeMs) return { verdict: 'invalid', reason: 'time does not increase' };
    const hashes = transactions.map(({ hash }) => hash);
    if (hashes.join() !== proposal.transactionHashes.join())
      throw new Error('the bodies are not those of the proposal');
    if (hashes.some((hash) => this.unfit.has(hash))) return { verdict: 'invalid', reason: 'unfit transaction' };
    this.#known.set(proposalDigest(this.#suite, this.#genesisHash, proposal), { proposal, transactions });
    return { verdict: 'valid' };
  }

  async execute(digest: Hash): Promise<ExecutionResult> {
    const known = this.#known.get(digest);
    if (known === undefined) throw new Error(`${digest} was neither built nor found valid`);
    const { proposal, transactions } = known;
    const parent = this.#block(proposal.parentDigest);
    if (parent === undefined) throw new Error('the parent is not executed');
    const preimage = new TextEncoder().encode(`${parent.blockHash}${digest}${this.resultTwist}`);
    const blockHash = this.#suite.hashHex(preimage);
    const { height, timeMs } = proposal;
    this.#executed.set(digest, { proposal, digest, blockHash, height, timeMs, transactions, certificate: undefined });
    const nextSetHash = this.#genesisHash;
    return { digest, height, blockHash, header: {} as Header, nextSetHash, closesEpoch: false, executionMs: 1 };
  }

  async finalize(digest: Hash, certificate: Certificate<FinalizeStatement>): Promise<readonly FinalizedBlock[]> {
    const branch: Block[] = [];
    for (let at = digest; at !== this.head.digest; ) {
      const block = this.#executed.get(at);
      if (block?.proposal === undefined) throw new Error(`${at} is not executed on the finalized block`);
      branch.unshift(block);
      at = block.proposal.parentDigest;
    }
    if (branch.at(-1)!.blockHash !== certificate.statement.blockHash)
      throw new Error('the certificate names another result');
    branch.at(-1)!.certificate = certificate;
    this.finalizedBlocks.push(...branch);
    for (const block of branch) this.#executed.delete(block.digest);
    return branch.map(asFinalized);
  }

  async importBlocks(blocks: readonly SyncBlock[]): Promise<ImportResult> {
    const imported: FinalizedBlock[] = [];
    for (const { proposal, transactions, certificate } of blocks) {
      if (proposal.height !== this.head.height + 1) continue;
      const digest = proposalDigest(this.#suite, this.#genesisHash, proposal);
      const bodies = transactions.map((raw) => ({ hash: this.#suite.hashHex(raw), raw, sender: '0x' as const }));
      await this.check(proposal, bodies);
      await this.execute(digest);
      const block = this.#executed.get(digest)!;
      block.certificate = certificate;
      this.finalizedBlocks.push(block);
      imported.push(asFinalized(block));
    }
    this.#executed.clear();
    return { imported };
  }

  /** What `importBlocks` of another member takes. */
  export(fromHeight: number): readonly SyncBlock[] {
    return this.finalizedBlocks.slice(fromHeight).map(({ proposal, transactions, certificate }) => ({
      proposal: proposal!,
      transactions: transactions.map(({ raw }) => hexToBytes(`0x${Buffer.from(raw).toString('hex')}`)),
      ...(certificate === undefined ? {} : { certificate }),
    }));
  }

  #block(digest: Hash): Block | undefined {
    return digest === this.head.digest ? this.head : this.#executed.get(digest);
  }
}

function asFinalized({ height, digest, blockHash, timeMs, transactions }: Block): FinalizedBlock {
  const transactionHashes = transactions.map(({ hash }) => hash);
  const senders = transactions.map(({ sender }) => sender);
  return { height, digest, blockHash, timeMs, transactionHashes, senders, closesEpoch: false };
}
