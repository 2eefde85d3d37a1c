import { ProtocolError } from '@hanse/protocol';
import type { ImportResult, SyncBlock } from '../chain/ledger.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { type BlockRange, MAX_RANGE_BLOCKS, MAX_RANGE_BYTES } from './syncWire.ts';

export interface SyncOptions {
  /** Blocks and bytes of one request. */
  readonly rangeBlocks: number;
  readonly rangeBytes: number;
  /** How many ranges ahead of the import may be held or on their way, over all peers. */
  readonly windowRanges: number;
  /** How long a peer that stalled or had nothing is left alone. */
  readonly restMs: number;
}

export const DEFAULT_SYNC_OPTIONS: SyncOptions = {
  rangeBlocks: 64,
  rangeBytes: 1024 * 1024,
  windowRanges: 6,
  restMs: 3_000,
};

export interface SyncModules {
  /** Connected peers and the finalized height that each told. */
  readonly peers: () => readonly { readonly name: string; readonly headHeight: number }[];
  /** Asks a peer; rejects with a ProtocolError if the answer breaks the form, with any other Error if there is none in time. */
  readonly getRange: (peer: string, range: BlockRange) => Promise<readonly SyncBlock[]>;
  /** The finalized height here. */
  readonly head: () => Promise<number>;
  readonly importBlocks: (blocks: readonly SyncBlock[]) => Promise<ImportResult>;
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
}

interface HeldBlock {
  readonly block: SyncBlock;
  readonly from: string;
}

/** Blocks of one import: small enough that the ledger answers others in between. */
const MAX_IMPORT_BLOCKS = 128;
/**
 * A finalization covers at most this many blocks before it, with room to spare: beyond 16 unfinalized ones only empty blocks
 * follow (packages/consensus/spec.md, rule P4).
 */
const MAX_UNCERTIFIED_BLOCKS = 64;

/**
 * Catches up with the finalized chain: asks several peers for different ranges, imports them in order while the next ones travel,
 * and stops when no peer has more. A peer that sends wrong blocks is penalized, one that stalls is left alone
 * for a while; nothing that was imported is asked for again, also not after a restart, because the ledger's head says where to go on.
 */
export class SyncDriver {
  readonly #options: SyncOptions;
  readonly #modules: SyncModules;
  readonly #held = new Map<number, HeldBlock>();
  readonly #outstanding = new Map<string, { readonly from: number; readonly count: number }>();
  readonly #restingUntilMs = new Map<string, number>();
  /** Peers that had nothing from some height on: what they have at most, whatever they told. */
  readonly #ceilings = new Map<string, number>();
  readonly #caughtUpHandlers: ((height: number) => void)[] = [];
  /** A block came out wrong and several peers could be to blame: from this one alone until an import succeeds. */
  #onlyPeer: string | undefined;
  #next = 1;
  #startHeight = 0;
  #evidence = 0;
  #active = false;
  #starting = false;
  #importing = false;
  #restTimer: Timer | undefined;
  #closed = false;
  /** Changes whenever what is on its way is no longer wanted. */
  #generation = 0;

  constructor(options: Partial<SyncOptions>, modules: SyncModules) {
    this.#options = { ...DEFAULT_SYNC_OPTIONS, ...options };
    if (this.#options.rangeBlocks > MAX_RANGE_BLOCKS || this.#options.rangeBytes > MAX_RANGE_BYTES)
      throw new Error('sync ranges are too large');
    this.#modules = modules;
  }

  get status(): SyncStatus {
    return {
      active: this.#active,
      height: this.#next - 1,
      target: Math.max(this.#target(), this.#next - 1),
      startHeight: this.#startHeight,
    };
  }

  /** Called after every catch-up, with the height reached. */
  onCaughtUp(handler: (height: number) => void): void {
    this.#caughtUpHandlers.push(handler);
  }

  /**
   * Something shows that a finalized block of this height exists: a peer's head, or a certificate that consensus saw.
   * Starts a catch-up unless one runs; harmless when the height is here already.
   */
  behind(height: number): void {
    this.#evidence = Math.max(this.#evidence, height);
    if (this.#active) this.#pump();
    else if (!this.#starting && !this.#closed) void this.#start();
  }

  /** The list of connected peers or their heads changed. */
  peersChanged(): void {
    if (this.#active) this.#pump();
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  async #start(): Promise<void> {
    this.#starting = true;
    try {
      const head = await this.#modules.head();
      if (this.#closed || this.#evidence <= head) return;
      this.#next = head + 1;
      this.#startHeight = head;
      this.#active = true;
      this.#modules.logger.log('info', 'catching up', { height: head, target: this.#evidence });
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
    this.#outstanding.clear();
    this.#ceilings.clear();
    this.#restTimer?.cancel();
    this.#restTimer = undefined;
    this.#onlyPeer = undefined;
  }

  /** Connected peers and up to which height it makes sense to ask them. */
  #sources(): readonly { readonly name: string; readonly lastHeight: number }[] {
    return this.#modules.peers().map(({ name, headHeight }) => {
      // What a peer told may be some seconds old, so evidence counts for everybody until a peer shows to have less.
      const told = Math.max(headHeight, this.#evidence);
      return { name, lastHeight: Math.min(told, this.#ceilings.get(name) ?? told) };
    });
  }

  /** What the peers have, as far as is known; without any, what the evidence says. */
  #target(): number {
    const heights = this.#sources().map(({ lastHeight }) => lastHeight);
    return heights.length === 0 ? this.#evidence : Math.max(...heights);
  }

  #pump(): void {
    if (!this.#active) return;
    if (!this.#importing) this.#importReady();
    if (!this.#importing && this.#outstanding.size === 0 && this.#next > this.#target()) {
      const height = this.#next - 1;
      this.#stop();
      this.#evidence = 0;
      this.#modules.logger.log('info', 'caught up', { height });
      for (const handler of this.#caughtUpHandlers) handler(height);
      return;
    }
    this.#assign();
  }

  // Asking.

  #assign(): void {
    const nowMs = this.#modules.clock.monotonicMs();
    for (const { name, lastHeight } of this.#sources()) {
      if (this.#onlyPeer !== undefined && this.#onlyPeer !== name) continue;
      if (this.#outstanding.has(name) || (this.#restingUntilMs.get(name) ?? 0) > nowMs) continue;
      const gap = this.#firstGap(lastHeight);
      if (gap === undefined) continue;
      this.#outstanding.set(name, gap);
      void this.#ask(name, gap, this.#generation);
    }
    if (this.#outstanding.size > 0 || this.#importing) return;
    // The one peer to be asked alone is gone or has no more.
    this.#onlyPeer = undefined;
    this.#waitForPeers(nowMs);
  }

  /** The first heights within the window, up to `lastHeight`, that are neither held nor on their way. */
  #firstGap(lastHeight: number): { readonly from: number; readonly count: number } | undefined {
    const end = Math.min(lastHeight, this.#next + this.#options.windowRanges * this.#options.rangeBlocks - 1);
    const covered = (height: number): boolean => {
      if (this.#held.has(height)) return true;
      for (const { from, count } of this.#outstanding.values())
        if (height >= from && height < from + count) return true;
      return false;
    };
    let from = this.#next;
    while (from <= end && covered(from)) from++;
    if (from > end) return undefined;
    let count = 1;
    while (count < this.#options.rangeBlocks && from + count <= end && !covered(from + count)) count++;
    return { from, count };
  }

  async #ask(
    peer: string,
    { from, count }: { readonly from: number; readonly count: number },
    generation: number,
  ): Promise<void> {
    try {
      const range: BlockRange = { from, maxCount: count, maxBytes: this.#options.rangeBytes };
      const blocks = await this.#modules.getRange(peer, range);
      if (generation !== this.#generation) return;
      this.#outstanding.delete(peer);
      if (blocks.length === 0) this.#ceilings.set(peer, from - 1);
      else this.#ceilings.delete(peer);
      blocks.forEach((block, index) => {
        if (from + index >= this.#next) this.#held.set(from + index, { block, from: peer });
      });
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#outstanding.delete(peer);
      this.#rest(peer, error instanceof Error ? error.message : String(error));
      if (error instanceof ProtocolError) this.#modules.penalize(peer, error.message);
    }
    this.#pump();
  }

  #rest(peer: string, reason: string): void {
    this.#restingUntilMs.set(peer, this.#modules.clock.monotonicMs() + this.#options.restMs);
    if (this.#onlyPeer === peer) this.#onlyPeer = undefined;
    this.#modules.logger.log('debug', 'a peer was no help in catching up', { peer, reason });
  }

  /** Nobody can be asked just now: the next to be rested is, unless a peer comes or tells of more first. */
  #waitForPeers(nowMs: number): void {
    const waits = this.#modules.peers().map(({ name }) => (this.#restingUntilMs.get(name) ?? 0) - nowMs);
    const soonestMs = Math.max(1, Math.min(this.#options.restMs, ...waits.filter((waitMs) => waitMs > 0)));
    this.#restTimer?.cancel();
    this.#restTimer = this.#modules.clock.schedule(soonestMs, () => this.#pump());
  }

  // Importing.

  /** The held blocks from the next height on, up to the last one of them that carries a certificate. */
  #importReady(): void {
    const ready: HeldBlock[] = [];
    let certified = 0;
    for (let height = this.#next; ready.length < MAX_IMPORT_BLOCKS; height++) {
      const held = this.#held.get(height);
      if (held === undefined) break;
      ready.push(held);
      if (held.block.certificate !== undefined) certified = ready.length;
    }
    if (certified > 0) {
      this.#importing = true;
      void this.#import(ready.slice(0, certified), this.#generation);
    } else if (ready.length >= MAX_UNCERTIFIED_BLOCKS) {
      this.#blame(new Set(ready.map(({ from }) => from)), 'its blocks carry no certificate');
    }
  }

  async #import(held: readonly HeldBlock[], generation: number): Promise<void> {
    const firstHeight = this.#next;
    try {
      const result = await this.#modules.importBlocks(held.map(({ block }) => block));
      if (generation !== this.#generation) return;
      await this.#imported(held, firstHeight, result);
    } catch (error) {
      if (generation !== this.#generation) return;
      // The ledger itself failed: no peer's fault, and nothing that asking again would heal.
      this.#modules.logger.log('error', 'importing blocks failed', { height: firstHeight, error });
      this.#stop();
    } finally {
      this.#importing = false;
      this.#pump();
    }
  }

  async #imported(held: readonly HeldBlock[], firstHeight: number, result: ImportResult): Promise<void> {
    const generation = this.#generation;
    const head = await this.#modules.head();
    if (generation !== this.#generation) return;
    this.#next = Math.max(this.#next, head + 1);
    for (const height of this.#held.keys()) if (height < this.#next) this.#held.delete(height);
    if (!('rejected' in result)) {
      this.#onlyPeer = undefined;
      return;
    }
    const { height, reason } = result.rejected;
    // Consensus may have finalized the same blocks meanwhile; then they no longer follow the head, and nobody lied.
    if (height < this.#next) return;
    const suspects = held.slice(Math.max(0, this.#next - firstHeight), height - firstHeight + 1);
    this.#blame(new Set(suspects.map(({ from }) => from)), `block ${height}: ${reason}`);
  }

  /**
   * A certificate speaks for the blocks before it, so a wrong one shows only later, perhaps at another peer's block. One suspect
   * is guilty; of several, each is asked alone until it is clear who lies.
   */
  #blame(suspects: ReadonlySet<string>, reason: string): void {
    const [first] = suspects;
    this.#modules.logger.log('warn', 'wrong blocks while catching up', { suspects: [...suspects].join(), reason });
    this.#generation++;
    this.#held.clear();
    this.#outstanding.clear();
    this.#onlyPeer = undefined;
    if (first === undefined) return;
    if (suspects.size === 1) {
      this.#rest(first, reason);
      this.#modules.penalize(first, `it sent wrong blocks: ${reason}`);
    } else {
      this.#onlyPeer = first;
    }
  }
}
