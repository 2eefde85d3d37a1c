import { ModuleReaders, type ScheduledRule } from '@hanse/modules';
import { membersAddress } from '@hanse/modules/abi';
import {
  Epoch,
  faultBound,
  type Genesis,
  type Hash,
  Height,
  type Hex,
  type StateReader,
  type Suite,
  type ValidatorSet,
} from '@hanse/protocol';
import type { FinalizedBlock } from '../chain/ledger.ts';
import type { LedgerService } from '../chain/ledgerService.ts';
import { PromptSenders } from '../chain/promptSenders.ts';
import { readSenderPermissions } from '../chain/senderPermissions.ts';
import type { SenderService } from '../chain/senderService.ts';
import { TransactionIntake } from '../chain/transactionIntake.ts';
import { defaultPoolOptions, TransactionPool } from '../chain/transactionPool.ts';
import { defaultEngineOptions, EpochEngines, type EpochEvents, EvidenceStore, type Signer } from '../engine/index.ts';
import { executionRules } from '../execution/executionRules.ts';
import { missingRule, type SupportedRules, supportedRules, UnsupportedRuleError } from '../execution/ruleVersions.ts';
import { checkTransactionForm, checkTransactionStatically } from '../execution/staticChecks.ts';
import { requestBlockRange, serveBlockRanges } from '../network/blockRanges.ts';
import { type GossipTransaction, TransactionGossip } from '../network/gossip.ts';
import { PeerNetwork } from '../network/peers.ts';
import { SyncDriver, type SyncStatus } from '../network/sync.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { Disk } from '../runtime/disk.ts';
import { alarmKindOf } from '../runtime/diskFailure.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Network } from '../runtime/network.ts';
import type { Random } from '../runtime/random.ts';
import type { LedgerReader } from '../storage/ledgerReader.ts';
import { AlarmBook } from './alarmBook.ts';
import { credibleHeight } from './credibleHeight.ts';
import { encodedBlock } from './encodedBlock.ts';
import { EngineBodiesAdapter } from './engineBodies.ts';
import { EngineTransportAdapter } from './engineTransport.ts';
import { GossipConduct } from './gossipConduct.ts';
import { prepareImport } from './importPreparation.ts';
import { type Introduction, pendingIntroductions, reachableMembers } from './reachableMembers.ts';

/** What a member stands on; the simulator gives its own. */
export interface MemberRuntime {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly network: Network;
  readonly logger: Logger;
  /** The ledger, on a thread of its own. */
  readonly ledger: LedgerService;
  readonly senders: Pick<SenderService, 'recover' | 'verifyCertificates'>;
  /** Reads the ledger's storage in this thread. */
  readonly reader: LedgerReader;
  /** Makes `network` prove another transport key from now on; false if its private key is not at hand. */
  readonly identify?: (transportKey: Hex) => boolean;
}

export interface MemberOptions {
  readonly name: string;
  readonly genesis: Genesis;
  readonly suite: Suite;
  readonly genesisHash: Hash;
  /** The transport key that `network` proves at the start. */
  readonly transportKey: Hex;
  /** The vote keys at hand: none for a mere observer, several while a key is being replaced. */
  readonly signers: () => readonly Signer[];
  /** Where to accept members. */
  readonly listen: string;
  /** What this program can follow; tests take something away. */
  readonly supported?: SupportedRules;
  /** Where to reach members, by name, tried before the endpoints on the chain. */
  readonly known: Readonly<Record<string, readonly string[]>>;
  /** Members whom the state here may not know yet. */
  readonly introduced?: readonly Introduction[];
  /** How large a segment of the log of votes grows, if not as by default: the simulator's are small, so that it begins new ones and cuts old ones. */
  readonly logSegmentBytes?: number;
}

/** What a member tells those around it. */
export interface MemberEvents {
  /** Blocks are final and readable through `reader`. */
  finalized(blocks: readonly { readonly height: number; readonly hash?: Hash }[]): void;
  alarm(kind: string, detail: string): void;
  /** Consensus goes on with this set from now on. */
  epochEntered?(validators: ValidatorSet): void;
  /** The next block runs by a rule that this program lacks: the member has stopped voting and importing. */
  outdated?(error: UnsupportedRuleError): void;
}

/** How many bodies of proposals are kept beside the pool: the unfinalized blocks of a branch, full. */
const MAX_PROPOSAL_BODIES = 16 * 4_096;
/** The same in bytes: a leader that never finishes what it proposes must not fill the memory. */
const MAX_PROPOSAL_BYTES = 32 * 1024 * 1024;
/** A transaction that waited so long is sent to the next leader again (packages/consensus/spec.md, "Idle"). */
const RESEND_AGE_MS = 1_000;
const RESEND_INTERVAL_MS = 1_000;
const MAX_RESENT = 256;
/** Every so many times everybody gets them. */
const RESENDS_TO_ALL = 5;
const RANGE_TIMEOUT_MS = 10_000;
/** How long consensus may take to bring the block that a peer has already. */
const NEXT_BLOCK_MS = 2_000;

/**
 * A member without its JSON-RPC: where chain, engine and network meet. The parts know nothing of each other; this is the one
 * place that connects them, for the real node and for the simulator alike.
 */
export class Member {
  readonly pool: TransactionPool;
  readonly intake: TransactionIntake;
  readonly peers: PeerNetwork;
  readonly gossip: TransactionGossip;
  readonly sync: SyncDriver;
  readonly engine: EpochEngines;
  readonly evidence: EvidenceStore;
  readonly readers: ModuleReaders;
  readonly alarms: AlarmBook;
  readonly #options: MemberOptions;
  readonly #runtime: MemberRuntime;
  readonly #events: MemberEvents;
  #transportKey: Hex;
  #membersDigest = '';
  /** The storage of the module `members` at the last look. */
  #membersRoot: Hash | undefined;
  /** Members changed with the last block: validators that left are still talked to until the next one. */
  #leaversStay = false;
  /** Of the rule that the log has warned of. */
  #warnedOfHeight: number | undefined;
  #closed = false;
  #resendTimer: Timer | undefined;
  #nextBlockTimer: Timer | undefined;
  #resends = 0;

  /** Opens the engine's log and wires everything; nothing is sent before `start`. Throws an UnsupportedRuleError if the next block runs by a rule that this program lacks. */
  static async open(options: MemberOptions, runtime: MemberRuntime, events: MemberEvents): Promise<Member> {
    const { reader, ledger, disk, clock, logger } = runtime;
    const draft = new MemberDraft(options, runtime);
    const { supported = supportedRules } = options;
    const missing = missingRule(draft.readers.readScheduledRules(reader.state()), reader.headHeight() + 1, supported);
    if (missing !== undefined) throw new UnsupportedRuleError(missing, supported);
    const evidence = await EvidenceStore.open(disk);
    const transport = new EngineTransportAdapter(draft.peers);
    // The engine's events reach the member, which exists only after the engine.
    const reached: { member?: Member } = {};
    const engineEvents: EpochEvents = {
      finalized: (blocks) => reached.member?.finalized(blocks),
      behind: (height, peer) => reached.member?.sync.behind(height, peer),
      alarm: (kind, detail) => reached.member?.alarm(kind, detail),
      alarmOver: (kind) => reached.member?.alarmOver(kind),
      evidence: (first, second) => {
        evidence.add({ first, second }).catch((error: unknown) => {
          runtime.logger.log('error', 'evidence of a double vote could not be kept', { error: String(error) });
        });
      },
      epochEntered: (validators) => reached.member?.epochEntered(validators),
    };
    const engine = await EpochEngines.open(
      { ...defaultEngineOptions, ...consensusParameters(options) },
      {
        ledger,
        transport,
        bodies: new EngineBodiesAdapter({
          pool: draft.pool,
          intake: draft.intake,
          knownTo: (peer, hash) => draft.gossip.knownTo(peer, hash),
        }),
        events: engineEvents,
        disk,
        clock,
        logger: logger.child({ part: 'engine' }),
        signers: options.signers,
        closingCertificate: (epoch) => {
          const height = draft.readers.readEpochStart(reader.state(), Epoch(epoch + 1));
          return height === undefined ? undefined : reader.certificate(height as Height);
        },
      },
    );
    transport.deliverTo(engine);
    const member = new Member(options, runtime, events, { draft, engine, evidence });
    reached.member = member;
    return member;
  }

  private constructor(
    options: MemberOptions,
    runtime: MemberRuntime,
    events: MemberEvents,
    { draft, engine, evidence }: { draft: MemberDraft; engine: EpochEngines; evidence: EvidenceStore },
  ) {
    this.#options = options;
    this.#runtime = runtime;
    this.#events = events;
    this.#transportKey = options.transportKey;
    this.pool = draft.pool;
    this.intake = draft.intake;
    this.peers = draft.peers;
    this.gossip = draft.gossip;
    this.readers = draft.readers;
    this.alarms = new AlarmBook(runtime.clock);
    this.engine = engine;
    this.evidence = evidence;
    this.sync = this.#createSync();
    serveBlockRanges(this.peers, (height) => encodedBlock(runtime.reader, Height(height)), runtime.clock);
    this.peers.onHead((peer, height) => this.#heardOfHead(peer, height));
  }

  /** Listens, dials the others and takes part. Rejects if the endpoint cannot be bound. */
  async start(): Promise<void> {
    await this.peers.start();
    this.#followRules();
    this.engine.start();
    this.#resend();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#resendTimer?.cancel();
    this.#nextBlockTimer?.cancel();
    this.sync.close();
    this.gossip.close();
    await this.engine.close();
    await this.peers.close();
  }

  /**
   * A peer a block ahead is normal: consensus itself brings that block, and it is asked for only if that takes too long. Across a recovery
   * consensus never brings it, because those that went on have another set than this member knows.
   */
  #heardOfHead(peer: string, height: number): void {
    const { reader, clock } = this.#runtime;
    const ahead = height - reader.headHeight();
    if (ahead > 1) this.sync.behind(height, peer);
    else this.sync.peersChanged();
    if (ahead !== 1) return;
    this.#nextBlockTimer ??= clock.schedule(NEXT_BLOCK_MS, () => {
      this.#nextBlockTimer = undefined;
      for (const { name, headHeight = 0 } of this.peers.peers()) {
        if (headHeight > reader.headHeight()) this.sync.behind(headHeight, name);
      }
    });
  }

  /** How far this member is behind, by what more validators say than may lie; undefined while it keeps up. */
  syncing(): Omit<SyncStatus, 'active'> | undefined {
    const { active, startHeight, height, forMs } = this.sync.status;
    const validators = new Set(this.engine.validators.validators.map(({ name }) => name));
    // Whoever begins at the genesis may know none of those that validate now; the operator named some.
    const introduced = pendingIntroductions(this.#options, this.readers, this.#runtime.reader.state());
    const believed = new Set([...validators, ...introduced.map(({ name }) => name)]);
    const told = this.peers
      .peers()
      .filter(({ name, state }) => state === 'connected' && believed.has(name))
      .map(({ headHeight }) => headHeight ?? 0);
    const target = credibleHeight(told, faultBound(validators.size));
    return active && target > height ? { startHeight, height, target, forMs } : undefined;
  }

  /** How much of what others may send is kept, by what it is: for tests, and for whoever watches the memory. */
  retained(): Readonly<Record<string, number>> {
    const { unprocessed, wanted, known } = this.gossip.retained;
    const { count, bytes } = this.intake.retained;
    const peers = this.peers.peers();
    const sum = (key: 'queuedBytes' | 'waitingBytes'): number => peers.reduce((total, peer) => total + peer[key], 0);
    return {
      ...this.engine.load().retained,
      proposalBodies: count,
      proposalBodyBytes: bytes,
      unprocessedTransactions: unprocessed,
      wantedTransactions: wanted,
      knownHashes: known,
      heldBlocks: this.sync.held.blocks,
      heldBlockBytes: this.sync.held.bytes,
      queuedBytes: sum('queuedBytes'),
      waitingBytes: sum('waitingBytes'),
    };
  }

  /** Takes a transaction of a client; if the pool takes it, the other members hear of it. */
  async submit(raw: Uint8Array): ReturnType<TransactionIntake['submitOne']> {
    const result = await this.intake.submitOne(raw);
    if (result.ok) this.gossip.announce([{ hash: result.hash, raw }]);
    return result;
  }

  finalized(blocks: Parameters<EpochEvents['finalized']>[0]): void {
    const { reader } = this.#runtime;
    reader.refresh();
    const included = blocks.flatMap(({ transactionHashes }) => transactionHashes);
    this.intake.release(included);
    this.pool.finalized(blocks.flatMap(({ senders }) => senders));
    this.#headMoved(blocks);
  }

  alarm(kind: string, detail: string): void {
    const line = this.alarms.raise(kind, detail);
    if (line !== undefined) this.#runtime.logger.log('error', 'alarm', { kind, detail, ...line });
    this.#events.alarm(kind, detail);
  }

  alarmOver(kind: string): void {
    if (this.alarms.end(kind)) this.#runtime.logger.log('info', 'what an alarm told of is over', { kind });
  }

  /**
   * What waits for long goes to the view's leader again: it may never have heard of it, and nothing else would tell it. If the
   * leader is gone or mute, f + 1 members must know of it for the view to pass, so then it goes to everybody.
   */
  #resend(): void {
    const leader = this.engine.validators.validators[this.engine.state().leader]?.name;
    if (leader !== this.#options.name) {
      const connected = this.peers.connected();
      this.#resends += 1;
      const toLeader = leader !== undefined && connected.includes(leader) && this.#resends % RESENDS_TO_ALL !== 0;
      const waiting = this.pool.waitingSince(RESEND_AGE_MS, MAX_RESENT);
      if (waiting.length > 0) for (const peer of toLeader ? [leader] : connected) this.gossip.resend(peer, waiting);
    }
    this.#resendTimer = this.#runtime.clock.schedule(RESEND_INTERVAL_MS, () => this.#resend());
  }

  #headMoved(blocks: readonly { readonly height: number }[]): void {
    const { reader } = this.#runtime;
    this.peers.setHead(reader.headHeight());
    this.#followMembers();
    this.#followRules();
    this.#events.finalized(blocks);
  }

  epochEntered(validators: ValidatorSet): void {
    const { name, signers } = this.#options;
    const own = validators.validators.find((validator) => validator.name === name);
    if (own !== undefined && !signers().some(({ publicKey }) => publicKey === own.voteKey)) {
      const detail = `this member is a validator of epoch ${validators.epoch}, but the vote key that the chain has for it is not in its folder of keys: it does not vote. Put the key there and restart it, or let the others replace the key`;
      this.alarm('vote-key-missing', detail);
    } else this.alarmOver('vote-key-missing');
    this.#events.epochEntered?.(validators);
  }

  /** What this member proves to others. */
  get transportKey(): Hex {
    return this.#transportKey;
  }

  /** The first scheduled rule that this program lacks, be it in force or to come. */
  missingRule(): ScheduledRule | undefined {
    const schedule = this.readers.readScheduledRules(this.#runtime.reader.state());
    return missingRule(schedule, Number.POSITIVE_INFINITY, this.#options.supported ?? supportedRules);
  }

  /** Members and where to reach them stand on the chain; the network follows. */
  #followMembers(): void {
    const { reader } = this.#runtime;
    const state = reader.state();
    const root = state.account(membersAddress)?.storageRoot;
    const leaversGo = this.#leaversStay;
    // Reading all members takes about a millisecond, and few blocks change any.
    if (root !== undefined && root === this.#membersRoot && !leaversGo) return;
    this.#leaversStay = root !== this.#membersRoot;
    this.#membersRoot = root;
    this.#followOwnKey(state);
    const members = reachableMembers(this.#options, this.readers, state, reader.headHeight());
    const digest = JSON.stringify(members);
    if (digest === this.#membersDigest) return;
    this.#membersDigest = digest;
    this.peers.setMembers(members);
  }

  /** Warns of rules to come that this program lacks, and stops before the first block that runs by one. */
  #followRules(): void {
    const { reader, logger } = this.#runtime;
    const height = reader.headHeight();
    const missing = this.missingRule();
    if (missing === undefined) return;
    const error = new UnsupportedRuleError(missing, this.#options.supported ?? supportedRules);
    if (missing.height > height + 1) {
      if (this.#warnedOfHeight !== missing.height) logger.log('warn', 'upgrade this member', { reason: error.message });
      this.#warnedOfHeight = missing.height;
      return;
    }
    this.sync.close();
    this.engine.silence('outdated', error.message);
    this.#events.outdated?.(error);
  }

  /** From the block on in which this member's transport key changed, the others expect the new one. */
  #followOwnKey(state: StateReader): void {
    const self = this.readers.readMembers(state).find(({ name }) => name === this.#options.name);
    if (self === undefined || self.transportKey === this.#transportKey) return;
    if (this.#runtime.identify?.(self.transportKey) !== true) {
      const detail = `the chain has the transport key ${self.transportKey} for this member, whose private key is not in its folder of keys: no other member will talk to it`;
      this.alarm('transport-key-missing', detail);
      return;
    }
    this.alarmOver('transport-key-missing');
    this.#transportKey = self.transportKey;
    this.peers.changeOwnKey(self.transportKey);
  }

  #createSync(): SyncDriver {
    const { ledger, reader, clock, logger, senders } = this.#runtime;
    const { suite, genesisHash } = this.#options;
    const validators = (): ValidatorSet | undefined => {
      const state = reader.state();
      return this.readers.readValidatorSet(state, this.readers.readEpoch(state));
    };
    const driver = new SyncDriver(
      {},
      {
        peers: () =>
          this.peers
            .peers()
            .flatMap(({ name, state, headHeight }) =>
              state === 'connected' && headHeight !== undefined ? [{ name, headHeight }] : [],
            ),
        getRange: (peer, range) => requestBlockRange(this.peers, peer, range, RANGE_TIMEOUT_MS),
        prepare: (blocks) => prepareImport(blocks, { suite, genesisHash, senders, validators }),
        head: async () => {
          reader.refresh();
          return reader.headHeight();
        },
        importBlocks: async (blocks) => {
          try {
            await this.engine.beginLogs();
            const result = await ledger.importBlocks(blocks);
            if (result.imported.length > 0) await this.#synced(result.imported);
            return result;
          } catch (error) {
            this.#importFailed(error);
            throw error;
          }
        },
        penalize: (peer, reason) => this.peers.penalize(peer, reason),
        clock,
        logger: logger.child({ part: 'sync' }),
      },
    );
    return driver;
  }

  /** A wrong block is an answer; this is a broken disk, or another result than a quorum's. Trying again would not help. */
  #importFailed(error: unknown): void {
    if (this.#closed) return;
    this.engine.silence(alarmKindOf(error, 'import-failed'), error instanceof Error ? error.message : String(error));
    this.sync.close();
  }

  /** Blocks came by import: everybody moves on to the new head. */
  async #synced(imported: readonly FinalizedBlock[]): Promise<void> {
    this.#runtime.reader.refresh();
    this.intake.release(imported.flatMap(({ transactionHashes }) => transactionHashes));
    this.pool.finalized(imported.flatMap(({ senders }) => senders));
    this.engine.synced(await this.#runtime.ledger.finalizedHead());
    this.#headMoved(imported);
  }
}

/** The parts that need no engine. */
class MemberDraft {
  readonly readers: ModuleReaders;
  readonly pool: TransactionPool;
  readonly intake: TransactionIntake;
  readonly peers: PeerNetwork;
  readonly gossip: TransactionGossip;
  readonly #conduct: GossipConduct;

  constructor(options: MemberOptions, runtime: MemberRuntime) {
    const { suite, genesis } = options;
    const { clock, logger, reader } = runtime;
    const rules = executionRules(genesis, suite);
    this.readers = new ModuleReaders(suite);
    this.#conduct = new GossipConduct(clock);
    this.pool = new TransactionPool(defaultPoolOptions, {
      clock,
      state: () => reader.state(),
      check: (transaction, account, state) =>
        checkTransactionStatically(
          transaction,
          account,
          readSenderPermissions(this.readers, state, transaction.sender),
          rules,
        ),
    });
    this.intake = new TransactionIntake(
      {
        maxTransactionBytes: rules.maxTransactionBytes,
        maxProposalBodies: MAX_PROPOSAL_BODIES,
        maxProposalBytes: MAX_PROPOSAL_BYTES,
      },
      {
        suite,
        senders: new PromptSenders({ suite, clock, worker: runtime.senders }),
        pool: this.pool,
        checkForm: (transaction) => checkTransactionForm(transaction, rules),
      },
    );
    this.peers = new PeerNetwork(
      {
        self: { name: options.name, transportKey: options.transportKey },
        genesisHash: options.genesisHash,
        chainId: genesis.chainId,
        listen: options.listen,
        members: reachableMembers(options, this.readers, reader.state(), reader.headHeight()),
        headHeight: reader.headHeight(),
      },
      { network: runtime.network, clock, random: runtime.random, logger: logger.child({ part: 'network' }) },
    );
    this.gossip = new TransactionGossip(
      { maxTransactionBytes: rules.maxTransactionBytes },
      {
        network: this.peers,
        clock,
        logger: logger.child({ part: 'gossip' }),
        hash: (raw) => suite.hashHex(raw),
        pool: {
          onTransactions: (peer, transactions) => this.#fromPeer(peer, transactions),
          has: (hash) => this.intake.bodies([hash]).size > 0 || reader.findTransaction(hash) !== undefined,
          get: (hash) => this.pool.get(hash)?.raw,
          pending: () => this.pool.hashes(),
        },
      },
    );
  }

  async #fromPeer(peer: string, transactions: readonly GossipTransaction[]): Promise<void> {
    const results = await this.intake.submit(
      transactions.map(({ raw }) => raw),
      peer,
    );
    const offence = this.#conduct.judge(
      peer,
      results.flatMap((result) => (result.ok ? [] : [result.rejection])),
    );
    if (offence !== undefined) this.peers.penalize(peer, offence);
    this.gossip.announce(
      transactions.filter((_, index) => results[index]?.ok === true),
      peer,
    );
  }
}

function consensusParameters({ genesis, suite, genesisHash, logSegmentBytes }: MemberOptions): {
  suite: Suite;
  genesisHash: Hash;
  idleBlockIntervalMs: number;
  maxBlockTransactions: number;
  maxBlockBytes: number;
  logSegmentBytes?: number;
} {
  const { idleBlockIntervalMs, maxBlockTransactions, maxBlockBytes } = genesis.parameters;
  const limits = { idleBlockIntervalMs, maxBlockTransactions, maxBlockBytes };
  return { suite, genesisHash, ...limits, ...(logSegmentBytes === undefined ? {} : { logSegmentBytes }) };
}
