import { bytesToHex, type Hash, Height, type Hex } from '@hanse/protocol';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { rpcError } from './codes.ts';
import type { RPCLog } from './formatLog.ts';
import { type LogCursor, type LogFilter, type LogSearchModules, queryLogs, searchLogs } from './logQuery.ts';
import type { Subscriber } from './subscriptionHub.ts';

export interface FilterRegistryModules extends LogSearchModules {
  readonly clock: Clock;
  readonly random: Random;
}

type FilterState =
  | { readonly kind: 'logs'; readonly filter: LogFilter; cursor: LogCursor }
  | { readonly kind: 'blocks'; nextHeight: Height }
  | { readonly kind: 'pending'; backlog: Hash[] };

type Filter = FilterState & { readonly owner: Subscriber | undefined; usedAtMs: number; busy: boolean };

/**
 * Filters that clients poll. A log or block filter is only a place in the chain: nothing happens for it until its
 * client asks, and what does not fit one answer comes with the next. A filter that nobody asked for a while is removed.
 */
export class FilterRegistry {
  readonly #modules: FilterRegistryModules;
  readonly #filters = new Map<Hex, Filter>();
  #sweepArmed = false;

  constructor(modules: FilterRegistryModules) {
    this.#modules = modules;
  }

  get size(): number {
    return this.#filters.size;
  }

  addLogFilter(filter: LogFilter, owner: Subscriber | undefined): Hex {
    return this.#add({ kind: 'logs', filter, cursor: { height: this.#nextHeight(), skip: 0 } }, owner);
  }

  addBlockFilter(owner: Subscriber | undefined): Hex {
    return this.#add({ kind: 'blocks', nextHeight: this.#nextHeight() }, owner);
  }

  addPendingFilter(owner: Subscriber | undefined): Hex {
    return this.#add({ kind: 'pending', backlog: [] }, owner);
  }

  /** The pool took transactions. */
  onPending(hashes: readonly Hash[]): void {
    const { maxFilterBacklog } = this.#modules.limits;
    for (const filter of this.#filters.values()) {
      if (filter.kind !== 'pending') continue;
      filter.backlog.push(...hashes);
      if (filter.backlog.length > maxFilterBacklog) filter.backlog = filter.backlog.slice(-maxFilterBacklog);
    }
  }

  remove(id: Hex): boolean {
    return this.#filters.delete(id);
  }

  /** Removes what a WebSocket connection that closed had. */
  dropOwner(owner: Subscriber): void {
    for (const [id, filter] of this.#filters) if (filter.owner === owner) this.#filters.delete(id);
  }

  /** What is new since the last time. */
  async changes(id: Hex, check: () => void): Promise<readonly (RPCLog | Hash)[]> {
    const filter = this.#use(id);
    if (filter.kind === 'pending') {
      const { backlog } = filter;
      filter.backlog = [];
      return backlog;
    }
    if (filter.kind === 'blocks') return this.#newBlocks(filter);
    // Two polls of one filter at the same time would both search from the same place; the second sees nothing new.
    if (filter.busy) return [];
    filter.busy = true;
    try {
      return await this.#newLogs(filter, check);
    } finally {
      filter.busy = false;
    }
  }

  /** Everything a log filter matches, new or not. */
  async logs(id: Hex, check: () => void): Promise<readonly RPCLog[]> {
    const filter = this.#use(id);
    if (filter.kind !== 'logs') throw rpcError('filter-not-found');
    return queryLogs(filter.filter, this.#modules, check);
  }

  #newBlocks(filter: Filter & { kind: 'blocks' }): readonly Hash[] {
    const { blocks, limits } = this.#modules;
    const hashes: Hash[] = [];
    const end = Math.min(blocks.headHeight(), filter.nextHeight + limits.maxLogBlocks - 1);
    for (let height: number = filter.nextHeight; height <= end; height++) {
      const head = blocks.head(Height(height));
      if (head !== undefined) hashes.push(head.hash);
    }
    filter.nextHeight = Height(Math.max(filter.nextHeight, end + 1));
    return hashes;
  }

  async #newLogs(filter: Filter & { kind: 'logs' }, check: () => void): Promise<readonly RPCLog[]> {
    const { blocks, limits } = this.#modules;
    const { range } = filter.filter;
    const last = range.kind === 'range' && range.to.kind === 'number' ? range.to.height : Number.MAX_SAFE_INTEGER;
    const first = range.kind === 'range' && range.from.kind === 'number' ? range.from.height : 0;
    if (range.kind === 'block' || filter.cursor.height > last) return [];
    if (filter.cursor.height < first) filter.cursor = { height: Height(first), skip: 0 };
    const { cursor } = filter;
    const end = Height(Math.min(blocks.headHeight(), last, cursor.height + limits.maxLogBlocks - 1));
    const { logs, next } = await searchLogs(filter.filter, cursor, end, this.#modules, check);
    filter.cursor = next ?? { height: Height(Math.max(cursor.height, end + 1)), skip: 0 };
    return logs;
  }

  #nextHeight(): Height {
    return Height(this.#modules.blocks.headHeight() + 1);
  }

  #add(state: FilterState, owner: Subscriber | undefined): Hex {
    const { limits, random, clock } = this.#modules;
    if (this.#filters.size >= limits.maxFilters) {
      throw rpcError(
        'limit-exceeded',
        `${limits.maxFilters} filters exist already, uninstall some or subscribe instead`,
      );
    }
    if (owner !== undefined) {
      const owned = [...this.#filters.values()].filter((filter) => filter.owner === owner).length;
      if (owned >= limits.maxFiltersPerConnection) {
        throw rpcError('limit-exceeded', `${owned} filters exist on this connection already`);
      }
    }
    const id = bytesToHex(random.bytes(16));
    this.#filters.set(id, { ...state, owner, usedAtMs: clock.monotonicMs(), busy: false });
    this.#armSweep();
    return id;
  }

  #use(id: Hex): Filter {
    const filter = this.#filters.get(id);
    if (filter === undefined) throw rpcError('filter-not-found');
    filter.usedAtMs = this.#modules.clock.monotonicMs();
    return filter;
  }

  #armSweep(): void {
    if (this.#sweepArmed || this.#filters.size === 0) return;
    this.#sweepArmed = true;
    const { clock, limits } = this.#modules;
    clock.schedule(limits.filterIdleMs / 5, () => {
      this.#sweepArmed = false;
      const oldest = clock.monotonicMs() - limits.filterIdleMs;
      for (const [id, filter] of this.#filters) if (filter.usedAtMs <= oldest) this.#filters.delete(id);
      this.#armSweep();
    });
  }
}
