import { ProtocolError } from '@hanse/protocol';
import type { ImportBlock, ImportResult, SyncBlock } from '../chain/ledger.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { type HeightRange, SyncPeers } from './syncPeers.ts';
import { type BlockRange, MAX_RANGE_BLOCKS, MAX_RANGE_BYTES } from './syncWire.ts';

export interface SyncOptions {
  /** Blocks and bytes of one request. */
  readonly rangeBlocks: number;
  readonly rangeBytes: number;
  /** How many ranges ahead of the import may be held or on their way, over all peers. */
  readonly windowRanges: number;
  /** A peer that has not answered for so long does not keep others from being asked for the same blocks. */
  readonly stallMs: number;
  /** How long a peer that failed or had nothing is left alone, at first and at most. */
  readonly restMs: number;
  readonly maxRestMs: number;
}

export const DEFAULT_SYNC_OPTIONS: SyncOptions = {
  rangeBlocks: 64,
  rangeBytes: 1024 * 1024,
  windowRanges: 8,
  stallMs: 2_000,
  restMs: 3_000,
  maxRestMs: 60_000,
};

export interface SyncModules {
  /** Connected peers and the finalized height that each told. */
  readonly peers: () => readonly { readonly name: string; readonly headHeight: number }[];
  /** Asks a peer; rejects with a ProtocolError if the answer breaks the form, with any other Error if there is none in time. */
  readonly getRange: (peer: string, range: BlockRange) => Promise<readonly SyncBlock[]>;
  /** Finds out what the import would otherwise spend the ledger's time on, while blocks before these are imported. */
  readonly prepare: (blocks: readonly SyncBlock[]) => Promise<readonly ImportBlock[]>;
  /** The finalized height here. */
  readonly head: () => Promise<number>;
  readonly importBlocks: (blocks: readonly ImportBlock[]) => Promise<ImportResult>;
  readonly penalize: (peer: string, reason: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SyncStatus {
  readonly active: boolean;
  /** The last height imported or found here. */
  readonly height: number;
  /** The height to be reached, as far as peers told. */
  readonly target: number;
  readonly startHeight: number;
  /** For how long it has been active; 0 if it is not. */
  readonly forMs: number;
}

interface HeldBlock {
  readonly block: ImportBlock;
  readonly from: string;
  readonly bytes: number;
}

/** Blocks and transactions of one import: so few that whatever consensus asks of the ledger meanwhile waits some 0.2 s at most. */
const MAX_IMPORT_BLOCKS = 64;
const MAX_IMPORT_TRANSACTIONS = 4_096;
/**
 * Members may hold different certificates, and a finalization covers every block below it (packages/consensus/spec.md, C3), but more than
 * so many blocks without one are not waited for: nobody could prove any of them to a client either ("Light client").
 */
const MAX_UNCERTIFIED_BLOCKS = 1_024;
/** What is held ahead of the import. Fuller blocks than the import takes up make the window shorter. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;

/**
 * Catches up with the finalized chain: asks several peers for different ranges, imports them in order while the next ones travel,
 * and stops when no peer has more. Whoever sent the very block that is wrong is penalized; who stalls is asked again after a while, and
 * somebody else at once. Nothing that was imported is asked for again, also not after a restart, because the ledger's head says where to
 * go on. A peer that boasts of blocks that it does not have costs a request now and then and keeps nobody from anything.
 */
export class SyncDriver {
  readonly #options: SyncOptions;
  readonly #modules: SyncModules;
  readonly #peers: SyncPeers;
  readonly #held = new Map<number, HeldBlock>();
  #heldBytes = 0;
  readonly #caughtUpHandlers: ((height: number) => void)[] = [];
  #next = 1;
  #startHeight = 0;
  #startedAtMs = 0;
  #active = false;
  #starting = false;
  #importing = false;
  #timer: Timer | undefined;
  #closed = false;
  /** Changes when the catch-up ends: answers that come later are of no use. */
  #generation = 0;

  constructor(options: Partial<SyncOptions>, modules: SyncModules) {
    this.#options = { ...DEFAULT_SYNC_OPTIONS, ...options };
    if (this.#options.rangeBlocks > MAX_RANGE_BLOCKS || this.#options.rangeBytes > MAX_RANGE_BYTES)
      throw new Error('sync ranges are too large');
    this.#modules = modules;
    this.#peers = new SyncPeers(this.#options);
  }

  get status(): SyncStatus {
    return {
      active: this.#active,
      height: this.#next - 1,
      target: Math.max(this.#peers.target(), this.#next - 1),
      startHeight: this.#startHeight,
      forMs: this.#active ? this.#modules.clock.monotonicMs() - this.#startedAtMs : 0,
    };
  }

  /** What is held ahead of the import. */
  get held(): { readonly blocks: number; readonly bytes: number } {
    return { blocks: this.#held.size, bytes: this.#heldBytes };
  }

  /** Called after every catch-up, with the height reached. */
  onCaughtUp(handler: (height: number) => void): void {
    this.#caughtUpHandlers.push(handler);
  }

  /**
   * Something shows that a peer has a finalized block of this height: what it told, or a certificate that consensus saw.
   * Starts a catch-up unless one runs; harmless when the height is here already.
   */
  behind(height: number, peer: string): void {
    this.#peers.show(peer, height);
    if (this.#active) this.#pump();
    else if (!this.#starting && !this.#closed) void this.#start(height);
  }

  /** The list of connected peers or their heads changed. */
  peersChanged(): void {
    if (this.#active) this.#pump();
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  async #start(height: number): Promise<void> {
    this.#starting = true;
    try {
      const head = await this.#modules.head();
      if (this.#closed || height <= head) return;
      this.#next = head + 1;
      this.#startHeight = head;
      this.#startedAtMs = this.#modules.clock.monotonicMs();
      this.#active = true;
      this.#modules.logger.log('info', 'catching up', { height: head, target: height });
    } catch (error) {
      this.#modules.logger.log('error', 'catching up could not start', { error });
    } finally {
      this.#starting = false;
    }
    this.#pump();
  }

  #stop(): void {
    this.#active = false;
    this.#generation++;
    this.#held.clear();
    this.#heldBytes = 0;
    this.#peers.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #pump(): void {
    if (!this.#active) return;
    this.#peers.update(this.#modules.peers());
    if (!this.#importing) this.#importReady();
    if (!this.#importing && !this.#peers.isAnyAsked && this.#next > this.#peers.target()) {
      const height = this.#next - 1;
      this.#stop();
      this.#modules.logger.log('info', 'caught up', { height });
      for (const handler of this.#caughtUpHandlers) handler(height);
      return;
    }
    this.#assign();
    // All that was to be had is here and no certificate covers it: somebody must be asked for it again.
    if (!this.#importing && !this.#peers.isAnyAsked && this.#held.has(this.#next)) {
      this.#letGoUncertified();
      this.#assign();
    }
  }

  // Asking.

  #assign(): void {
    const nowMs = this.#modules.clock.monotonicMs();
    for (const { name, lastHeight } of this.#peers.free(nowMs)) {
      const gap = this.#firstGap(lastHeight, nowMs);
      if (gap === undefined) continue;
      this.#peers.asked(name, gap, nowMs);
      void this.#ask(name, gap, this.#generation);
    }
    this.#timer?.cancel();
    const againMs = this.#peers.nextChangeMs(nowMs);
    this.#timer = againMs === undefined ? undefined : this.#modules.clock.schedule(againMs - nowMs, () => this.#pump());
  }

  /** The first heights within the window, up to `lastHeight`, that are neither held nor on their way. */
  #firstGap(lastHeight: number, nowMs: number): HeightRange | undefined {
    const { rangeBlocks } = this.#options;
    const end = Math.min(lastHeight, this.#windowEnd());
    const expected = this.#peers.expected(nowMs);
    const covered = (height: number): boolean =>
      this.#held.has(height) || expected.some(({ from, count }) => height >= from && height < from + count);
    let from = this.#next;
    while (from <= end && covered(from)) from++;
    if (from > end) return undefined;
    // Too much waits for the import: only what the import itself waits for is asked for.
    if (this.#heldBytes >= MAX_HELD_BYTES && from > this.#next) return undefined;
    let count = 1;
    while (count < rangeBlocks && from + count <= end && !covered(from + count)) count++;
    return { from, count };
  }

  /** Some ranges ahead of the import; further while blocks are held that wait for the certificate which covers them. */
  #windowEnd(): number {
    const { rangeBlocks, windowRanges } = this.#options;
    const window = windowRanges * rangeBlocks;
    let ready = 0;
    while (ready < MAX_UNCERTIFIED_BLOCKS && this.#held.has(this.#next + ready)) ready++;
    const waiting = this.#importing ? 0 : ready;
    return this.#next + Math.max(window, waiting + rangeBlocks) - 1;
  }

  async #ask(peer: string, gap: HeightRange, generation: number): Promise<void> {
    try {
      const range: BlockRange = { from: gap.from, maxCount: gap.count, maxBytes: this.#options.rangeBytes };
      const blocks = await this.#modules.prepare(await this.#modules.getRange(peer, range));
      if (generation !== this.#generation) return;
      this.#peers.answered(peer, gap, blocks.length);
      blocks.forEach((block, index) => {
        this.#hold(gap.from + index, block, peer);
      });
    } catch (error) {
      if (generation !== this.#generation) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.#peers.unanswered(peer, gap, this.#modules.clock.monotonicMs());
      this.#modules.logger.log('debug', 'a peer was no help in catching up', { peer, reason });
      if (error instanceof ProtocolError) this.#modules.penalize(peer, error.message);
    }
    this.#pump();
  }

  #hold(height: number, block: ImportBlock, from: string): void {
    // A range may come twice: late from one peer, after another one was asked for it too.
    if (height < this.#next || this.#held.has(height)) return;
    const bytes = block.transactions.reduce((sum, raw) => sum + raw.length, 0);
    this.#held.set(height, { block, from, bytes });
    this.#heldBytes += bytes;
  }

  #release(height: number): void {
    this.#heldBytes -= this.#held.get(height)?.bytes ?? 0;
    this.#held.delete(height);
  }

  // Importing.

  /** Imports the held blocks from the next height on up to one of them that carries a certificate: as many as one import takes. */
  #importReady(): void {
    const ready: HeldBlock[] = [];
    let certified = 0;
    let transactions = 0;
    let bytes = 0;
    for (let held = this.#held.get(this.#next); held !== undefined; held = this.#held.get(this.#next + ready.length)) {
      ready.push(held);
      transactions += held.block.transactions.length;
      bytes += held.bytes;
      const full = ready.length > MAX_IMPORT_BLOCKS || transactions > MAX_IMPORT_TRANSACTIONS;
      if (full && certified > 0) break;
      if (held.block.certificate !== undefined) certified = ready.length;
    }
    if (certified > 0) {
      this.#importing = true;
      void this.#import(ready.slice(0, certified), this.#generation);
    } else if (ready.length >= MAX_UNCERTIFIED_BLOCKS || bytes >= MAX_HELD_BYTES) {
      this.#letGoUncertified();
    }
  }

  async #import(held: readonly HeldBlock[], generation: number): Promise<void> {
    try {
      const result = await this.#modules.importBlocks(held.map(({ block }) => block));
      const head = await this.#modules.head();
      if (generation === this.#generation) this.#imported(head, result);
    } catch (error) {
      if (generation === this.#generation) {
        // The ledger itself failed: no peer's fault, and nothing that asking again would heal.
        this.#modules.logger.log('error', 'importing blocks failed', { height: this.#next, error });
        this.#stop();
      }
    } finally {
      this.#importing = false;
      this.#pump();
    }
  }

  #imported(head: number, result: ImportResult): void {
    this.#next = Math.max(this.#next, head + 1);
    for (const height of [...this.#held.keys()]) if (height < this.#next) this.#release(height);
    if (!('rejected' in result)) return;
    const { height, reason } = result.rejected;
    // Consensus may have finalized the same blocks meanwhile; then they no longer follow the head, and nobody lied.
    if (height < this.#next) return;
    const liar = this.#held.get(height)?.from;
    if (liar === undefined) return;
    this.#modules.logger.log('warn', 'a wrong block while catching up', { peer: liar, height, reason });
    this.#letGo(new Set([liar]));
    this.#modules.penalize(liar, `it sent a wrong block ${height}: ${reason}`);
  }

  /** Somebody may have left certificates out, which nobody can prove: others are asked for the same blocks. */
  #letGoUncertified(): void {
    const senders = new Set<string>();
    for (let height = this.#next, held = this.#held.get(height); held !== undefined; held = this.#held.get(++height))
      senders.add(held.from);
    const peers = [...senders].join();
    this.#modules.logger.log('warn', 'no certificate comes with the blocks', { peers, height: this.#next });
    this.#letGo(senders);
  }

  #letGo(senders: ReadonlySet<string>): void {
    for (const name of senders) this.#peers.rest(name, this.#modules.clock.monotonicMs());
    for (const [height, { from }] of [...this.#held]) if (senders.has(from)) this.#release(height);
  }
}
