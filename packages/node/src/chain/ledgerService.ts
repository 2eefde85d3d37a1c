import type { ModuleReaders } from '@hanse/modules';
import {
  type Certificate,
  decodeTransaction,
  type Epoch,
  type FinalizeStatement,
  genesisDigest,
  type Hash,
  type Header,
  type Height,
  type Proposal,
  ProtocolError,
  proposalDigest,
  type Recovery,
  type RecoveryPlan,
  type RuleVersions,
  type SignedTransaction,
  type Suite,
  type ValidatorSet,
  validatorSetHash,
} from '@hanse/protocol';
import type { BlockExecutor } from '../execution/blockExecutor.ts';
import type { ExecutionRules } from '../execution/executionRules.ts';
import {
  missingRule,
  rulesAt,
  type SupportedRules,
  supportedRules,
  UnsupportedRuleError,
} from '../execution/ruleVersions.ts';
import { BlockChecks } from '../execution/staticChecks.ts';
import type { Clock } from '../runtime/clock.ts';
import type { FinalizedBlockWrite, LedgerStore } from '../storage/ledgerStore.ts';
import type { StateBase } from '../storage/stateOverlay.ts';
import { importBlocks } from './blockImport.ts';
import { type BlockNode, BlockTree } from './blockTree.ts';
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
} from './ledger.ts';
import { Recoveries, type RecoveryBase } from './recoveries.ts';
import { readSenderPermissions } from './senderPermissions.ts';
import { SerialQueue } from './serialQueue.ts';
import { ValidatorSets } from './validatorSets.ts';

export interface LedgerOptions {
  readonly suite: Suite;
  readonly genesisHash: Hash;
  readonly rules: ExecutionRules;
  /** What this program can follow; tests take something away. */
  readonly supported?: SupportedRules;
  /** By which the alliance went on after it had lost its quorum, as the operator confirmed; none if absent. */
  readonly recoveries?: readonly Recovery[];
  /** The plans that this member signed. */
  readonly promises?: readonly RecoveryPlan[];
}

export interface LedgerModules {
  readonly store: LedgerStore;
  readonly executor: BlockExecutor;
  readonly clock: Clock;
  readonly readers: ModuleReaders;
}

/** A block that another can stand on: the finalized head, or an executed block above it. */
interface ParentBlock {
  readonly digest: Hash;
  readonly height: number;
  readonly timeMs: number;
  readonly header: Header;
  readonly hash: Hash;
  readonly state: StateBase;
}

/** The finalized head with what its children need. */
interface Head extends ParentBlock {
  readonly proposal: Proposal | undefined;
  readonly certificate: Certificate<FinalizeStatement> | undefined;
}

/**
 * The executed chain over storage (see `Ledger`). The only writer of the ledger's storage; one task at a time, so that
 * an execution never sees a half-applied finalization.
 */
export class LedgerService implements Ledger {
  readonly #options: LedgerOptions;
  readonly #modules: LedgerModules;
  readonly #tree = new BlockTree();
  readonly #queue = new SerialQueue();
  readonly #sets: ValidatorSets;
  readonly #recoveries: Recoveries;
  #head: Head;

  constructor(options: LedgerOptions, modules: LedgerModules) {
    this.#options = options;
    this.#modules = modules;
    this.#sets = new ValidatorSets(modules.readers);
    const { suite, genesisHash, recoveries = [], promises = [] } = options;
    this.#recoveries = new Recoveries(
      { suite, genesisHash, recoveries, promises },
      { readers: modules.readers, sets: this.#sets },
    );
    this.#head = this.#loadHead();
    this.#assertRecovered();
    // A recovery of the head that is not sound must not be found out only later.
    this.#setAfter(this.#head);
  }

  finalizedHead(): Promise<FinalizedHead> {
    return this.#queue.run(async () => this.#describeHead());
  }

  build(request: BuildRequest): Promise<BuildResult> {
    return this.#queue.run(async () => this.#build(request));
  }

  check(proposal: Proposal, transactions: readonly TransactionBody[]): Promise<CheckVerdict> {
    return this.#queue.run(async () => this.#check(proposal, transactions));
  }

  execute(digest: Hash): Promise<ExecutionResult> {
    return this.#queue.run(() => this.#execute(digest));
  }

  finalize(digest: Hash, certificate: Certificate<FinalizeStatement>): Promise<readonly FinalizedBlock[]> {
    return this.#queue.run(async () => this.#finalize(digest, [certificate]));
  }

  importBlocks(blocks: readonly SyncBlock[]): Promise<ImportResult> {
    return this.#queue.run(() =>
      importBlocks(blocks, {
        suite: this.#options.suite,
        genesisHash: this.#options.genesisHash,
        head: () => this.#describeHead(),
        check: (proposal, transactions) => this.#check(proposal, transactions),
        execute: (digest) => this.#execute(digest),
        finalize: (digest, certificates) => this.#finalize(digest, certificates),
      }),
    );
  }

  async close(): Promise<void> {
    await this.#queue.idle();
    await this.#modules.store.close();
  }

  #loadHead(): Head {
    const { store } = this.#modules;
    const { suite, genesisHash } = this.#options;
    const height = store.headHeight();
    const stored = store.header(height);
    if (stored === undefined) throw new Error(`The ledger says that block ${height} is its head but does not hold it.`);
    const agreed = store.proposal(height);
    return {
      digest: agreed?.digest ?? genesisDigest(suite, genesisHash),
      height,
      timeMs: agreed?.proposal.timeMs ?? stored.header.timestamp * 1000,
      header: stored.header,
      hash: stored.hash,
      state: store.state(),
      proposal: agreed?.proposal,
      certificate: store.certificate(height),
    };
  }

  #describeHead(): FinalizedHead {
    const { digest, height, hash, timeMs, proposal, certificate } = this.#head;
    const validators = this.#setAfter(this.#head);
    return {
      height: height as Height,
      digest,
      blockHash: hash,
      timeMs,
      epoch: proposal?.epoch ?? (0 as Epoch),
      view: certificate?.statement.view ?? proposal?.view ?? (0 as FinalizedHead['view']),
      certificate,
      validators,
      recoveryPending: this.#recoveries.pending(height),
      begunBy: this.#recoveries.begunBy(height, validators.epoch),
    };
  }

  /** The executed block with a digest, if it is the head or above it. */
  #parent(digest: Hash): ParentBlock | undefined {
    if (digest === this.#head.digest) return this.#head;
    const node = this.#tree.get(digest);
    if (node?.execution === undefined) return undefined;
    const { header, hash, overlay } = node.execution.block;
    return { digest, height: node.proposal.height, timeMs: node.proposal.timeMs, header, hash, state: overlay };
  }

  /** The set that decides the block after `parent`: what its state says, or a recovery from it. */
  #setAfter(parent: RecoveryBase): ValidatorSet {
    return this.#recoveries.after(parent)?.set ?? this.#sets.next(parent.state);
  }

  /** A recovery below the head must be the one by which the chain here went on. */
  #assertRecovered(): void {
    const { store, readers } = this.#modules;
    for (const { height, blockHash, epoch } of this.#recoveries.inForce()) {
      if (height >= this.#head.height) continue;
      const here = store.header(height)?.hash;
      if (here === blockHash && readers.readEpochStart(store.state(), epoch) === height) continue;
      throw new ProtocolError(
        'invalid-recovery',
        `recovery: the chain here went on from block ${height} in another way. It cannot be joined with the members that confirmed this recovery.`,
      );
    }
  }

  /** The rules of the block after `parent`; throws if this program lacks one of them, for then it must not judge that block. */
  #rules(parent: ParentBlock): RuleVersions {
    const { supported = supportedRules } = this.#options;
    const schedule = this.#modules.readers.readScheduledRules(parent.state);
    const missing = missingRule(schedule, parent.height + 1, supported);
    if (missing !== undefined) throw new UnsupportedRuleError(missing, supported);
    return rulesAt(schedule, parent.height + 1);
  }

  #blockChecks(parent: ParentBlock): BlockChecks {
    return new BlockChecks({
      rules: this.#options.rules,
      parentState: parent.state,
      permissions: (sender) => readSenderPermissions(this.#modules.readers, parent.state, sender),
    });
  }

  #build(request: BuildRequest): BuildResult {
    const parent = this.#parent(request.parentDigest);
    if (parent === undefined)
      throw new Error(`Nothing can be built on ${request.parentDigest}: it is not executed here.`);
    const { epoch } = this.#setAfter(parent);
    if (request.epoch !== epoch)
      throw new Error(`Block ${parent.height + 1} is of epoch ${epoch}, not ${request.epoch}.`);
    this.#rules(parent);
    const checks = this.#blockChecks(parent);
    const chosen: SignedTransaction[] = [];
    const rejected: { hash: Hash; reason: string }[] = [];
    for (const body of request.candidates) {
      if (checks.isFull) break;
      const transaction = this.#decode(body);
      const rejection = checks.add(transaction);
      if (rejection === undefined) chosen.push(transaction);
      else if (rejection.temporary !== true) rejected.push({ hash: body.hash, reason: rejection.message });
    }
    const proposal: Proposal = {
      epoch: request.epoch,
      view: request.view,
      leader: request.leader,
      parentDigest: request.parentDigest,
      height: (parent.height + 1) as Height,
      timeMs: Math.max(request.nowMs, parent.timeMs + 1),
      transactionHashes: chosen.map(({ hash }) => hash),
    };
    const digest = proposalDigest(this.#options.suite, this.#options.genesisHash, proposal);
    this.#tree.add({ digest, proposal, transactions: chosen, execution: undefined });
    return { proposal, digest, transactions: chosen.map(({ hash, raw, sender }) => ({ hash, raw, sender })), rejected };
  }

  #check(proposal: Proposal, transactions: readonly TransactionBody[]): CheckVerdict {
    const digest = proposalDigest(this.#options.suite, this.#options.genesisHash, proposal);
    if (this.#tree.get(digest) !== undefined) return { verdict: 'valid' };
    const invalid = (reason: string): CheckVerdict => ({ verdict: 'invalid', reason });
    const parent = this.#parent(proposal.parentDigest);
    if (parent === undefined) return { verdict: 'parent-not-executed' };
    if (proposal.height !== parent.height + 1)
      return invalid(`height ${proposal.height} on a parent of height ${parent.height}`);
    if (proposal.timeMs <= parent.timeMs)
      return invalid(`time ${proposal.timeMs} is not after the parent's ${parent.timeMs}`);
    const { epoch } = this.#setAfter(parent);
    if (proposal.epoch !== epoch) return invalid(`epoch ${proposal.epoch}, but the parent's state says ${epoch}`);
    if (transactions.length !== proposal.transactionHashes.length)
      return invalid('the bodies are not those of the proposal');
    this.#rules(parent);
    const checks = this.#blockChecks(parent);
    const decoded: SignedTransaction[] = [];
    for (const [index, body] of transactions.entries()) {
      const transaction = this.#decode(body);
      if (transaction.hash !== proposal.transactionHashes[index])
        return invalid(`transaction ${index} is not the one that the proposal names`);
      const rejection = checks.add(transaction);
      if (rejection !== undefined) return invalid(`transaction ${index}: ${rejection.message}`);
      decoded.push(transaction);
    }
    this.#tree.add({ digest, proposal, transactions: decoded, execution: undefined });
    return { verdict: 'valid' };
  }

  #decode(body: TransactionBody): SignedTransaction {
    return { ...decodeTransaction(body.raw, this.#options.suite), sender: body.sender };
  }

  async #execute(digest: Hash): Promise<ExecutionResult> {
    const node = this.#tree.get(digest);
    if (node === undefined) {
      if (digest === this.#head.digest && this.#head.proposal !== undefined) return this.#headResult();
      throw new Error(`${digest} cannot be executed: it was neither built nor found valid here.`);
    }
    if (node.execution === undefined) await this.#executeNode(node);
    return this.#executionResult(node);
  }

  async #executeNode(node: BlockNode): Promise<void> {
    const { proposal, digest, transactions } = node;
    const parent = this.#parent(proposal.parentDigest);
    if (parent === undefined) throw new Error(`${digest} cannot be executed: its parent is not executed.`);
    const { suite } = this.#options;
    const startedMs = this.#modules.clock.monotonicMs();
    const recovered = this.#recoveries.after(parent);
    const leader = this.#setAfter(parent).validators[proposal.leader];
    if (leader === undefined) throw new Error(`${digest} names leader ${proposal.leader}, who is not in the set.`);
    const block = await this.#modules.executor.executeBlock({
      parent: { header: parent.header, hash: parent.hash },
      parentState: parent.state,
      height: proposal.height,
      timeMs: proposal.timeMs,
      beneficiary: leader.address,
      digest,
      epoch: proposal.epoch,
      nextSetHash: (state) => validatorSetHash(suite, this.#sets.next(state)),
      rules: this.#rules(parent),
      ...(recovered === undefined ? {} : { recovered }),
      transactions,
      blockHash: (height) => this.#ancestorHash(parent, height),
    });
    node.execution = { block, overlay: block.overlay, milliseconds: this.#modules.clock.monotonicMs() - startedMs };
  }

  /** The hash of an ancestor of `parent` by height: above the head in the tree, below it in storage. */
  #ancestorHash(parent: ParentBlock, height: number): Hash | undefined {
    if (height <= this.#head.height) return this.#modules.store.header(height as Height)?.hash;
    let at: ParentBlock | undefined = parent;
    while (at !== undefined && at.height > height) {
      const node = this.#tree.get(at.digest);
      at = node === undefined ? undefined : this.#parent(node.proposal.parentDigest);
    }
    return at?.hash;
  }

  #executionResult(node: BlockNode): ExecutionResult {
    const { block, milliseconds } = executed(node);
    const { header, hash, nextSetHash, overlay } = block;
    const { height, epoch } = node.proposal;
    return {
      digest: node.digest,
      height,
      blockHash: hash,
      header,
      nextSetHash,
      closesEpoch: this.#setAfter({ height, hash, state: overlay }).epoch !== epoch,
      executionMs: milliseconds,
    };
  }

  #headResult(): ExecutionResult {
    const { digest, height, header, hash, state, proposal } = this.#head;
    const nextSetHash = validatorSetHash(this.#options.suite, this.#sets.next(state));
    return {
      digest,
      height: height as Height,
      blockHash: hash,
      header,
      nextSetHash,
      closesEpoch: proposal !== undefined && this.#setAfter(this.#head).epoch !== proposal.epoch,
      executionMs: 0,
    };
  }

  /** Every certificate is of `digest` or of an ancestor of it above the head; the last one is of `digest`. */
  #finalize(digest: Hash, certificates: readonly Certificate<FinalizeStatement>[]): readonly FinalizedBlock[] {
    const certificate = certificates.at(-1);
    // Storage holds nothing that no certificate covers: neither this block nor, by its parent hashes, those before it.
    if (certificate?.statement.digest !== digest)
      throw new Error(`The certificate for ${digest} is of ${certificate?.statement.digest}.`);
    const path = this.#tree.pathFrom(this.#head.digest, digest);
    if (path === undefined) {
      if (this.#isFinal(digest, certificate.statement.height)) return [];
      throw new Error(`${digest} cannot become final: it does not stand on the finalized block ${this.#head.height}.`);
    }
    const byDigest = new Map(certificates.map((one) => [one.statement.digest, one]));
    for (const node of path) {
      const { height, blockHash } = this.#executionResult(node);
      const certified = byDigest.get(node.digest)?.statement.blockHash ?? blockHash;
      if (blockHash !== certified) {
        throw new Error(`Block ${height} was certified as ${certified}, but executing it here gave ${blockHash}.`);
      }
    }
    if (path.length === 0) return [];
    return this.#append(path, byDigest);
  }

  #isFinal(digest: Hash, height: Height): boolean {
    return digest === this.#head.digest || this.#modules.store.proposal(height)?.digest === digest;
  }

  /** Blocks into storage, all or none; the children of the last one stand on storage from then on, and other branches are dropped. */
  #append(
    path: readonly BlockNode[],
    certificates: ReadonlyMap<Hash, Certificate<FinalizeStatement>>,
  ): readonly FinalizedBlock[] {
    const { store } = this.#modules;
    store.appendBlocks(path.map((node) => blockWrite(node, certificates.get(node.digest))));
    const last = path.at(-1)!;
    const { proposal, digest } = last;
    const { header, hash } = executed(last).block;
    for (const node of path) this.#tree.delete(node.digest);
    const state = store.state();
    for (const child of this.#tree.children(digest)) child.execution?.overlay.rebase(state);
    this.#tree.keepDescendantsOf(digest);
    this.#head = {
      digest,
      height: proposal.height,
      timeMs: proposal.timeMs,
      header,
      hash,
      state,
      proposal,
      certificate: certificates.get(digest),
    };
    return path.map((node) => ({
      height: node.proposal.height,
      digest: node.digest,
      blockHash: executed(node).block.hash,
      timeMs: node.proposal.timeMs,
      transactionHashes: node.proposal.transactionHashes,
      senders: node.transactions.map(({ sender }) => sender),
      // Only the last one can: what follows it is of the next epoch.
      closesEpoch: node === last && this.#setAfter(this.#head).epoch !== proposal.epoch,
    }));
  }
}

function executed(node: BlockNode): NonNullable<BlockNode['execution']> {
  if (node.execution === undefined) throw new Error(`${node.digest} has no result yet.`);
  return node.execution;
}

function blockWrite(node: BlockNode, certificate: Certificate<FinalizeStatement> | undefined): FinalizedBlockWrite {
  const { header, hash, receipts, stateChanges } = executed(node).block;
  return {
    header,
    hash,
    proposal: node.proposal,
    digest: node.digest,
    transactions: node.transactions.map(({ raw, sender, hash: transactionHash }) => ({
      raw,
      sender,
      hash: transactionHash,
    })),
    receipts,
    stateChanges,
    ...(certificate === undefined ? {} : { certificate }),
  };
}
