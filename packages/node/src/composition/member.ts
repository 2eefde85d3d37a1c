import { type MemberRecord, ModuleReaders } from '@hanse/modules';
import { membersAddress } from '@hanse/modules/abi';
import { faultBound, type Genesis, type Hash, type Suite, type ValidatorSet } from '@hanse/protocol';
import type { FinalizedBlock } from '../chain/ledger.ts';
import type { LedgerService } from '../chain/ledgerService.ts';
import { PromptSenders } from '../chain/promptSenders.ts';
import { readSenderPermissions } from '../chain/senderPermissions.ts';
import type { SenderService } from '../chain/senderService.ts';
import { TransactionIntake } from '../chain/transactionIntake.ts';
import { defaultPoolOptions, TransactionPool } from '../chain/transactionPool.ts';
import { defaultEngineOptions, Engine, type EngineEvents, type Signer } from '../engine/index.ts';
import { executionRules } from '../execution/executionRules.ts';
import { checkTransactionForm, checkTransactionStatically } from '../execution/staticChecks.ts';
import { requestBlockRange, serveBlockRanges } from '../network/blockRanges.ts';
import { type GossipTransaction, TransactionGossip } from '../network/gossip.ts';
import { PeerNetwork } from '../network/peers.ts';
import { SyncDriver } from '../network/sync.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { Disk } from '../runtime/disk.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Network } from '../runtime/network.ts';
import type { Random } from '../runtime/random.ts';
import type { LedgerReader } from '../storage/ledgerReader.ts';
import { AlarmBook } from './alarmBook.ts';
import { readBlockRange } from './blockRange.ts';
import { credibleHeight } from './credibleHeight.ts';
import { EngineBodiesAdapter } from './engineBodies.ts';
import { EngineTransportAdapter } from './engineTransport.ts';
import { GossipConduct } from './gossipConduct.ts';
import { prepareImport } from './importPreparation.ts';

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
}

export interface MemberOptions {
  readonly name: string;
  readonly genesis: Genesis;
  readonly suite: Suite;
  readonly genesisHash: Hash;
  /** The transport key that `network` proves. */
  readonly transportKey: MemberRecord['transportKey'];
  /** Signs votes; absent for an observer. */
  readonly signer?: Signer;
  /** Where to accept members. */
  readonly listen: string;
  /** Where to reach members, by name, tried before the endpoints on the chain. */
  readonly known: Readonly<Record<string, readonly string[]>>;
}

/** What a member tells those around it. */
export interface MemberEvents {
  /** Blocks are final and readable through `reader`. */
  finalized(blocks: readonly { readonly height: number; readonly hash?: Hash }[]): void;
  alarm(kind: string, detail: string): void;
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
  readonly engine: Engine;
  readonly readers: ModuleReaders;
  readonly alarms: AlarmBook;
  readonly #options: MemberOptions;
  readonly #runtime: MemberRuntime;
  readonly #events: MemberEvents;
  /** The validators' names in the order of their set. */
  readonly #validators: readonly string[];
  #membersDigest = '';
  /** The storage of the module `members` at the last look. */
  #membersRoot: Hash | undefined;
  #closed = false;
  #resendTimer: Timer | undefined;
  #resends = 0;

  /** Opens the engine's log and wires everything; nothing is sent before `start`. */
  static async open(options: MemberOptions, runtime: MemberRuntime, events: MemberEvents): Promise<Member> {
    const head = await runtime.ledger.finalizedHead();
    const draft = new MemberDraft(options, runtime);
    const transport = new EngineTransportAdapter(draft.peers, head.validators);
    // The engine's events reach the member, which exists only after the engine.
    const reached: { member?: Member } = {};
    const engineEvents: EngineEvents = {
      finalized: (blocks) => reached.member?.finalized(blocks),
      behind: (height, from) => reached.member?.behind(height, from),
      alarm: (kind, detail) => reached.member?.alarm(kind, detail),
      enteredView: () => undefined,
    };
    const engine = await Engine.open(
      { ...defaultEngineOptions, ...consensusParameters(options) },
      {
        ledger: runtime.ledger,
        transport,
        bodies: new EngineBodiesAdapter({
          pool: draft.pool,
          intake: draft.intake,
          knownTo: (place, hash) => draft.gossip.knownTo(head.validators.validators[place]?.name ?? '', hash),
        }),
        events: engineEvents,
        disk: runtime.disk,
        clock: runtime.clock,
        logger: runtime.logger.child({ part: 'engine' }),
        ...(options.signer === undefined ? {} : { signer: options.signer }),
      },
    );
    transport.deliverTo(engine);
    const member = new Member(
      options,
      runtime,
      events,
      draft,
      engine,
      head.validators.validators.map(({ name }) => name),
    );
    reached.member = member;
    return member;
  }

  private constructor(
    options: MemberOptions,
    runtime: MemberRuntime,
    events: MemberEvents,
    draft: MemberDraft,
    engine: Engine,
    validators: readonly string[],
  ) {
    this.#options = options;
    this.#runtime = runtime;
    this.#events = events;
    this.pool = draft.pool;
    this.intake = draft.intake;
    this.peers = draft.peers;
    this.gossip = draft.gossip;
    this.readers = draft.readers;
    this.alarms = new AlarmBook(runtime.clock);
    this.engine = engine;
    this.#validators = validators;
    this.sync = this.#createSync();
    serveBlockRanges(this.peers, async (range) => readBlockRange(runtime.reader, range), runtime.clock);
    this.peers.onHead((peer, height) => {
      // A peer a block ahead is normal: consensus itself brings that block.
      if (height > runtime.reader.headHeight() + 1) this.sync.behind(height, peer);
      else this.sync.peersChanged();
    });
  }

  /** Listens, dials the others and takes part. Rejects if the endpoint cannot be bound. */
  async start(): Promise<void> {
    await this.peers.start();
    this.engine.start();
    this.#resend();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#resendTimer?.cancel();
    this.sync.close();
    this.gossip.close();
    await this.engine.close();
    await this.peers.close();
  }

  /** How far this member is behind, by what more validators say than may lie; undefined while it keeps up. */
  syncing(): { readonly startHeight: number; readonly height: number; readonly target: number } | undefined {
    const { active, startHeight, height } = this.sync.status;
    const told = this.peers
      .peers()
      .filter(({ name, state }) => state === 'connected' && this.#validators.includes(name))
      .map(({ headHeight }) => headHeight ?? 0);
    const target = credibleHeight(told, faultBound(this.#validators.length));
    return active && target > height ? { startHeight, height, target } : undefined;
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

  finalized(blocks: Parameters<EngineEvents['finalized']>[0]): void {
    const { reader } = this.#runtime;
    reader.refresh();
    const included = blocks.flatMap(({ transactionHashes }) => transactionHashes);
    this.intake.release(included);
    this.pool.finalized(blocks.flatMap(({ senders }) => senders));
    this.#headMoved(blocks);
  }

  /** Something shows that the validator at a place has a finalized block that this member cannot reach by consensus. */
  behind(height: number, place: number): void {
    const name = this.#validators[place];
    if (name !== undefined) this.sync.behind(height, name);
  }

  alarm(kind: string, detail: string): void {
    const line = this.alarms.raise(kind, detail);
    if (line !== undefined) this.#runtime.logger.log('error', 'alarm', { kind, detail, ...line });
    this.#events.alarm(kind, detail);
  }

  /**
   * What waits for long goes to the view's leader again: it may never have heard of it, and nothing else would tell it. If the
   * leader is gone or mute, f + 1 members must know of it for the view to pass, so then it goes to everybody.
   */
  #resend(): void {
    const leader = this.#validators[this.engine.state().leader];
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
    this.#events.finalized(blocks);
  }

  /** Members and where to reach them stand on the chain; the network follows. */
  #followMembers(): void {
    const state = this.#runtime.reader.state();
    const root = state.account(membersAddress)?.storageRoot;
    // Reading all members takes about a millisecond, and few blocks change any.
    if (root !== undefined && root === this.#membersRoot) return;
    this.#membersRoot = root;
    const members = reachableMembers(this.#options, this.readers.readMembers(state));
    const digest = JSON.stringify(members);
    if (digest === this.#membersDigest) return;
    this.#membersDigest = digest;
    this.peers.setMembers(members);
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
    this.engine.silence('import-failed', error instanceof Error ? error.message : String(error));
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
        members: reachableMembers(options, this.readers.readMembers(reader.state())),
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
    const results = await this.intake.submit(transactions.map(({ raw }) => raw));
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

function consensusParameters({ genesis, suite, genesisHash }: MemberOptions): {
  suite: Suite;
  genesisHash: Hash;
  idleBlockIntervalMs: number;
  maxBlockTransactions: number;
  maxBlockBytes: number;
} {
  const { idleBlockIntervalMs, maxBlockTransactions, maxBlockBytes } = genesis.parameters;
  return { suite, genesisHash, idleBlockIntervalMs, maxBlockTransactions, maxBlockBytes };
}

/** The other members as the network dials them: what the operator knows first, then what the chain says. */
function reachableMembers(
  options: MemberOptions,
  members: readonly MemberRecord[],
): readonly { name: string; transportKey: MemberRecord['transportKey']; endpoints: readonly string[] }[] {
  return members
    .filter(({ active, name }) => active && name !== options.name)
    .map(({ name, transportKey, endpoints }) => ({
      name,
      transportKey,
      endpoints: [...new Set([...(options.known[name] ?? []), ...endpoints])],
    }));
}
