import { type Hash, ProtocolError } from '@hanse/protocol';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { GossipAccount } from './gossipAccount.ts';
import { KnownHashes } from './knownHashes.ts';
import { MessageKind } from './messageKinds.ts';
import type { PeerNetwork } from './peers.ts';
import { RequestError, RequestRefusal } from './requestError.ts';
import {
  countTransactions,
  decodeHashes,
  decodeTransactions,
  encodeHashes,
  encodeTransactions,
  MAX_HASHES_PER_MESSAGE,
  MAX_TRANSACTIONS_PER_MESSAGE,
} from './transactionWire.ts';
import { WantedTransactions } from './wantedTransactions.ts';

export interface GossipTransaction {
  readonly hash: Hash;
  /** EIP-2718 encoding. */
  readonly raw: Uint8Array;
}

export interface GossipOptions {
  readonly maxTransactionBytes: number;
  /** After a first message more is gathered for so long, or until there are so many bytes. */
  readonly batchMs: number;
  readonly batchBytes: number;
  /** How long hashes of relayed transactions are gathered: longer than a block takes, so that most need no word at all. */
  readonly hashBatchMs: number;
  /** How many hashes each peer is remembered to have. */
  readonly knownPerPeer: number;
  /** How long to wait for the origin's own message before asking whoever told of a hash. */
  readonly fetchDelayMs: number;
  readonly fetchTimeoutMs: number;
  readonly maxWanted: number;
  /**
   * What is taken from one peer: steadily, at once, and unprocessed. What is above is dropped and fetched when it is needed; three times as
   * much is a flood, for which the peer is cut off.
   */
  readonly transactionsPerSecond: number;
  readonly transactionsBurst: number;
  readonly maxUnprocessed: number;
  /** Hashes that one peer may tell of: each is looked up in the pool and in storage. What is above is passed over. */
  readonly hashesPerSecond: number;
  readonly hashesBurst: number;
  /** How many of the pool's hashes are offered to a peer that connects, and after how long again to one that comes back. */
  readonly maxOffered: number;
  readonly offerIntervalMs: number;
  /** Answers to one peer's requests. */
  readonly answerBytesPerSecond: number;
  readonly answerBytesBurst: number;
}

export const DEFAULT_GOSSIP_OPTIONS: GossipOptions = {
  maxTransactionBytes: 131_072,
  batchMs: 3,
  batchBytes: 64 * 1024,
  hashBatchMs: 50,
  knownPerPeer: 16_384,
  fetchDelayMs: 300,
  fetchTimeoutMs: 5_000,
  maxWanted: 16_384,
  transactionsPerSecond: 10_000,
  transactionsBurst: 40_000,
  maxUnprocessed: 8_192,
  hashesPerSecond: 20_000,
  hashesBurst: 65_536,
  maxOffered: 65_536,
  offerIntervalMs: 10_000,
  answerBytesPerSecond: 4 * 1024 * 1024,
  answerBytesBurst: 32 * 1024 * 1024,
};

/** The pool, as gossip needs it. */
export interface GossipPool {
  /** New transactions of a peer, not checked at all; hashes are computed here and can be trusted. Resolves when they were processed. */
  onTransactions(peer: string, transactions: readonly GossipTransaction[]): void | Promise<void>;
  /** Whether the pool holds the transaction or has no use for it (any more). */
  has(hash: Hash): boolean;
  /** The encoding of a transaction at hand. */
  get(hash: Hash): Uint8Array | undefined;
  /** Hashes of everything that waits, for a peer that connects. */
  pending(): Iterable<Hash>;
}

export interface GossipModules {
  readonly network: Pick<
    PeerNetwork,
    'onMessage' | 'onRequest' | 'onConnected' | 'onDisconnected' | 'send' | 'request' | 'penalize'
  >;
  readonly pool: GossipPool;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The suite's transaction hash. */
  readonly hash: (raw: Uint8Array) => Hash;
}

interface GossipPeer {
  readonly known: KnownHashes;
  readonly account: GossipAccount;
  outgoing: GossipTransaction[];
  outgoingBytes: number;
  outgoingHashes: Hash[];
}

const HASH_BYTES = 32;

const SEND = { priority: 'transactions', droppable: true } as const;

/**
 * Spreads transactions. The member where one enters sends it in full to every connected peer; the others tell each other the hash
 * alone, which shows leaders whose proposals need not carry it and lets a peer whose link to the origin is down fetch it.
 * Nothing goes back to where it came from. What is lost on the way is no harm: proposals fetch what a member lacks.
 */
export class TransactionGossip {
  readonly #options: GossipOptions;
  readonly #modules: GossipModules;
  readonly #peers = new Map<string, GossipPeer>();
  /** Of every member that ever connected: a new connection brings no new budget. */
  readonly #accounts = new Map<string, GossipAccount>();
  readonly #wanted: WantedTransactions;
  #batchTimer: Timer | undefined;
  #hashTimer: Timer | undefined;
  #fetchTimer: Timer | undefined;
  #dropped = 0;

  constructor(options: Partial<GossipOptions>, modules: GossipModules) {
    this.#options = { ...DEFAULT_GOSSIP_OPTIONS, ...options };
    this.#modules = modules;
    this.#wanted = new WantedTransactions(this.#options.maxWanted);
    const { network } = modules;
    network.onMessage(MessageKind.transactions, (peer, payload) => this.#received(peer, payload));
    network.onMessage(MessageKind.transactionHashes, (peer, payload) => this.#told(peer, payload));
    network.onRequest(
      MessageKind.fetchTransactions,
      async (peer, payload) => this.#serve(peer, payload),
      'transactions',
    );
    network.onConnected((peer) => this.#connected(peer));
    network.onDisconnected((peer) => {
      this.#peers.delete(peer);
    });
  }

  /** Transactions of peers, or hashes of them, that were dropped because they came too fast. */
  get dropped(): number {
    return this.#dropped;
  }

  /** What is kept: transactions of peers that are being processed, hashes that wait to be fetched, and what peers are known to have. */
  get retained(): { readonly unprocessed: number; readonly wanted: number; readonly known: number } {
    let [unprocessed, known] = [0, 0];
    for (const account of this.#accounts.values()) unprocessed += account.unprocessed;
    for (const peer of this.#peers.values()) known += peer.known.size;
    return { unprocessed, wanted: this.#wanted.size, known };
  }

  /**
   * The pool took these. Without `from` they entered here, and every peer that lacks them gets them; with it they came from that
   * peer, and the others are told their hashes.
   */
  announce(transactions: readonly GossipTransaction[], from?: string): void {
    for (const [name, peer] of this.#peers) {
      for (const transaction of transactions) {
        if (name === from) peer.known.add(transaction.hash);
        else if (peer.known.has(transaction.hash)) continue;
        else if (from === undefined) this.#enqueue(name, peer, transaction);
        else peer.outgoingHashes.push(transaction.hash);
      }
    }
    if (from === undefined) this.#sendSoon();
    else this.#hashTimer ??= this.#modules.clock.schedule(this.#options.hashBatchMs, () => this.#sendHashes());
  }

  /** Sends these in full to one peer, whatever it is known to have: it may have lost or refused them before. */
  resend(name: string, transactions: readonly GossipTransaction[]): void {
    const peer = this.#peers.get(name);
    if (peer === undefined) return;
    for (const transaction of transactions) this.#enqueue(name, peer, transaction);
    this.#sendSoon();
  }

  /** Whether a connected peer is known to have a transaction. */
  knownTo(peer: string, hash: Hash): boolean {
    return this.#peers.get(peer)?.known.has(hash) ?? false;
  }

  /** A peer showed otherwise that it has these, or was given them with a proposal. */
  markKnown(peer: string, hashes: Iterable<Hash>): void {
    const known = this.#peers.get(peer)?.known;
    if (known !== undefined) for (const hash of hashes) known.add(hash);
  }

  close(): void {
    this.#batchTimer?.cancel();
    this.#hashTimer?.cancel();
    this.#fetchTimer?.cancel();
    this.#peers.clear();
  }

  #connected(name: string): void {
    const account = this.#account(name);
    const nowMs = this.#modules.clock.monotonicMs();
    const peer: GossipPeer = {
      known: new KnownHashes(this.#options.knownPerPeer),
      account,
      outgoing: [],
      outgoingBytes: 0,
      outgoingHashes: [],
    };
    this.#peers.set(name, peer);
    if (account.offeredMs !== undefined && nowMs - account.offeredMs < this.#options.offerIntervalMs) return;
    for (const hash of this.#modules.pool.pending()) {
      if (peer.outgoingHashes.length >= this.#options.maxOffered) break;
      peer.outgoingHashes.push(hash);
    }
    if (peer.outgoingHashes.length > 0) {
      account.offeredMs = nowMs;
      this.#hashTimer ??= this.#modules.clock.schedule(this.#options.hashBatchMs, () => this.#sendHashes());
    }
  }

  #account(name: string): GossipAccount {
    let account = this.#accounts.get(name);
    if (account === undefined) {
      account = new GossipAccount(this.#options, this.#modules.clock.monotonicMs());
      this.#accounts.set(name, account);
    }
    return account;
  }

  // Outgoing.

  #enqueue(name: string, peer: GossipPeer, transaction: GossipTransaction): void {
    const bytes = transaction.raw.length;
    const full =
      peer.outgoingBytes + bytes > this.#options.batchBytes || peer.outgoing.length >= MAX_TRANSACTIONS_PER_MESSAGE;
    if (full && peer.outgoing.length > 0) this.#sendBatch(name, peer);
    peer.outgoing.push(transaction);
    peer.outgoingBytes += bytes;
    peer.known.add(transaction.hash);
  }

  /** The first goes at once, so that an idle network is quick; what follows within the batch's time goes together. */
  #sendSoon(): void {
    if (this.#batchTimer !== undefined) return;
    let sent = false;
    for (const [name, peer] of this.#peers) {
      if (peer.outgoing.length === 0) continue;
      this.#sendBatch(name, peer);
      sent = true;
    }
    if (!sent) return;
    this.#batchTimer = this.#modules.clock.schedule(this.#options.batchMs, () => {
      this.#batchTimer = undefined;
      this.#sendSoon();
    });
  }

  #sendBatch(name: string, peer: GossipPeer): void {
    this.#modules.network.send(
      name,
      MessageKind.transactions,
      encodeTransactions(peer.outgoing.map(({ raw }) => raw)),
      SEND,
    );
    peer.outgoing = [];
    peer.outgoingBytes = 0;
  }

  #sendHashes(): void {
    this.#hashTimer = undefined;
    for (const [name, peer] of this.#peers) {
      // The peer may have told of some itself meanwhile, and of what a final block took nobody needs to hear.
      const hashes = peer.outgoingHashes.filter(
        (hash) => !peer.known.has(hash) && this.#modules.pool.get(hash) !== undefined,
      );
      peer.outgoingHashes = [];
      for (let start = 0; start < hashes.length; start += MAX_HASHES_PER_MESSAGE) {
        const payload = encodeHashes(hashes.slice(start, start + MAX_HASHES_PER_MESSAGE));
        this.#modules.network.send(name, MessageKind.transactionHashes, payload, SEND);
      }
    }
  }

  // Incoming.

  #received(name: string, payload: Uint8Array): void {
    const peer = this.#peers.get(name);
    if (peer === undefined) return;
    // Paid before they are decoded and copied.
    const count = countTransactions(payload);
    if (!this.#pays(name, peer.account.takeTransactions(count, this.#modules.clock.monotonicMs()), count)) return;
    if (peer.account.unprocessed + count > this.#options.maxUnprocessed) {
      this.#dropped += count;
      return;
    }
    const raws = decodeTransactions(payload, this.#options.maxTransactionBytes);
    this.#process(
      name,
      peer,
      raws.map((raw) => ({ hash: this.#modules.hash(raw), raw })),
    );
  }

  /** Whether what a peer sent is looked at. */
  #pays(name: string, outcome: 'taken' | 'passed over' | 'flood', count: number): boolean {
    if (outcome === 'taken') return true;
    this.#dropped += count;
    if (outcome === 'flood') this.#modules.network.penalize(name, 'it passed on far more than it may');
    return false;
  }

  #process(name: string, peer: GossipPeer, transactions: readonly GossipTransaction[]): void {
    const fresh: GossipTransaction[] = [];
    for (const transaction of transactions) {
      peer.known.add(transaction.hash);
      this.#wanted.forget(transaction.hash);
      if (!this.#modules.pool.has(transaction.hash)) fresh.push(transaction);
    }
    if (fresh.length === 0) return;
    const { account } = peer;
    account.unprocessed += fresh.length;
    const done = (): void => {
      account.unprocessed -= fresh.length;
    };
    const processing = this.#modules.pool.onTransactions(name, fresh);
    if (processing === undefined) done();
    else {
      processing.then(done, (error: unknown) => {
        done();
        this.#modules.logger.log('error', 'processing transactions of a peer failed', { peer: name, error });
      });
    }
  }

  #told(name: string, payload: Uint8Array): void {
    const peer = this.#peers.get(name);
    if (peer === undefined) return;
    // Paid before they are decoded, which is most of the work.
    const count = Math.floor(payload.length / HASH_BYTES);
    if (!this.#pays(name, peer.account.takeHashes(count, this.#modules.clock.monotonicMs()), count)) return;
    for (const hash of decodeHashes(payload)) {
      peer.known.add(hash);
      if (!this.#modules.pool.has(hash)) this.#wanted.add(hash, name);
    }
    this.#fetchLater();
  }

  #fetchLater(): void {
    if (this.#wanted.size === 0) return;
    this.#fetchTimer ??= this.#modules.clock.schedule(this.#options.fetchDelayMs, () => {
      this.#fetchTimer = undefined;
      this.#fetch();
    });
  }

  /** Asks for what did not come by itself; each hash of one holder at a time. */
  #fetch(): void {
    const requests = this.#wanted.take(
      (hash) => !this.#modules.pool.has(hash),
      (peer) => this.#peers.has(peer),
    );
    for (const [name, hashes] of requests) {
      for (let start = 0; start < hashes.length; start += MAX_FETCHED) {
        void this.#fetchFrom(name, hashes.slice(start, start + MAX_FETCHED));
      }
    }
    this.#fetchLater();
  }

  async #fetchFrom(name: string, hashes: readonly Hash[]): Promise<void> {
    const { network, hash, pool } = this.#modules;
    try {
      const answer = await network.request(
        name,
        MessageKind.fetchTransactions,
        encodeHashes(hashes),
        this.#options.fetchTimeoutMs,
        'transactions',
      );
      const asked = new Set(hashes);
      const transactions = decodeTransactions(answer, this.#options.maxTransactionBytes).map((raw) => ({
        hash: hash(raw),
        raw,
      }));
      if (transactions.some((transaction) => !asked.delete(transaction.hash))) {
        network.penalize(name, 'it sent transactions that it was not asked for');
        return;
      }
      const peer = this.#peers.get(name);
      if (peer !== undefined) this.#process(name, peer, transactions);
      // The rest it had no more, for example because a block held it; or there was no room for it in the answer.
      if (transactions.length > 0) for (const missing of asked) if (!pool.has(missing)) this.#wanted.add(missing, name);
    } catch (error) {
      if (error instanceof ProtocolError) network.penalize(name, error.message);
      else if (!(error instanceof RequestError)) throw error;
    }
    this.#fetchLater();
  }

  /** Answers with what is at hand, as far as it fits, and as far as the peer may still ask. */
  #serve(name: string, payload: Uint8Array): Uint8Array {
    const account = this.#account(name);
    const nowMs = this.#modules.clock.monotonicMs();
    const cost = REQUEST_COST + payload.length * REQUEST_COST_PER_BYTE;
    if (!account.takeAnswer(cost, nowMs))
      throw new RequestRefusal('too many transactions were asked for, try again later');
    const found: Uint8Array[] = [];
    let bytes = 0;
    for (const hash of decodeHashes(payload).slice(0, MAX_FETCHED)) {
      const raw = this.#modules.pool.get(hash);
      if (raw === undefined) continue;
      bytes += raw.length;
      if (bytes > MAX_FETCHED_BYTES) break;
      found.push(raw);
    }
    const answer = encodeTransactions(found);
    if (!account.takeAnswer(Math.max(0, answer.length - cost), nowMs))
      throw new RequestRefusal('too many transactions were asked for, try again later');
    return answer;
  }
}

/** What a request costs before its answer is known, as bytes of an answer. */
const REQUEST_COST = 1_024;
const REQUEST_COST_PER_BYTE = 4;
/** Of one request, in count and in bytes of the answer. */
const MAX_FETCHED = 256;
const MAX_FETCHED_BYTES = 1024 * 1024;
