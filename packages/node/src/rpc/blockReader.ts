import type { Hash, Header, SignedTransaction, StateReader, StoredReceipt } from '@hanse/protocol';
import { Height } from '@hanse/protocol';
import { RPCError, rpcError } from './codes.ts';
import type { LedgerReader } from './dependencies.ts';
import type { BlockReference } from './parameters.ts';
import type { TurnScheduler } from './turnScheduler.ts';

/** A final block's header with its hash. */
export interface BlockHead {
  readonly height: Height;
  readonly hash: Hash;
  readonly header: Header;
}

/** A final block, decoded. */
export interface Block extends BlockHead {
  readonly transactions: readonly SignedTransaction[];
  readonly receipts: readonly StoredReceipt[];
  /** For each transaction, how many logs of the block come before its first. */
  readonly firstLogIndexes: readonly number[];
}

/**
 * Final blocks as clients see them. Keeps the blocks it decoded last, because thousands of clients ask for the receipts of the same
 * new block, one by one; final blocks never change, so nothing has to be invalidated.
 */
export class BlockReader {
  readonly #ledger: LedgerReader;
  readonly #turns: TurnScheduler;
  readonly #maxCachedTransactions: number;
  readonly #cache = new Map<Height, Block>();
  /** Blocks that are being decoded, so that many who ask at once wait for one decoding. */
  readonly #loading = new Map<Height, Promise<Block | undefined>>();
  #cachedTransactions = 0;

  constructor(ledger: LedgerReader, turns: TurnScheduler, maxCachedTransactions: number) {
    this.#ledger = ledger;
    this.#turns = turns;
    this.#maxCachedTransactions = maxCachedTransactions;
  }

  get ledger(): LedgerReader {
    return this.#ledger;
  }

  /** The newest final height, as of now. */
  headHeight(): Height {
    this.#ledger.refresh();
    return this.#ledger.headHeight();
  }

  head(height: Height): BlockHead | undefined {
    const cached = this.#cache.get(height);
    if (cached !== undefined) return cached;
    const found = this.#ledger.header(height);
    return found === undefined ? undefined : { height, hash: found.hash, header: found.header };
  }

  /** Decoded with pauses, because a full block takes longer than consensus should wait. */
  async block(height: Height): Promise<Block | undefined> {
    const cached = this.#cache.get(height);
    if (cached !== undefined) {
      // Moves to the young end.
      this.#cache.delete(height);
      this.#cache.set(height, cached);
      return cached;
    }
    let loading = this.#loading.get(height);
    if (loading === undefined) {
      loading = this.#load(height).finally(() => this.#loading.delete(height));
      this.#loading.set(height, loading);
    }
    return loading;
  }

  async #load(height: Height): Promise<Block | undefined> {
    const head = this.head(height);
    const storedTransactions = this.#ledger.iterateTransactions(height);
    const storedReceipts = this.#ledger.iterateReceipts(height);
    if (head === undefined || storedTransactions === undefined || storedReceipts === undefined) return undefined;
    const transactions = await this.#collect(storedTransactions);
    const receipts = await this.#collect(storedReceipts);
    const block: Block = { ...head, transactions, receipts, firstLogIndexes: firstLogIndexes(receipts) };
    this.#remember(block);
    return block;
  }

  async #collect<T>(items: Iterable<T>): Promise<readonly T[]> {
    const collected: T[] = [];
    for (const item of items) {
      collected.push(item);
      const turn = this.#turns.pause();
      if (turn !== undefined) await turn;
    }
    return collected;
  }

  /** The height a client means, or undefined if there is no such block. All of latest, safe, finalized and pending are the newest. */
  resolve(reference: BlockReference): Height | undefined {
    const head = this.headHeight();
    switch (reference.kind) {
      case 'tag':
        return reference.tag === 'earliest' ? Height(0) : head;
      case 'number':
        return reference.height <= head ? reference.height : undefined;
      case 'hash':
        return this.#ledger.heightOf(reference.hash);
    }
  }

  /** As `resolve`, but a block that does not exist is an error: where the result could not say so. */
  resolveExisting(reference: BlockReference): Height {
    const height = this.resolve(reference);
    if (height === undefined) throw rpcError('block-not-found');
    return height;
  }

  /** The newest state, if that is the one the client means. */
  state(reference: BlockReference): StateReader {
    const height = this.resolveExisting(reference);
    const head = this.#ledger.headHeight();
    if (height !== head) {
      throw new RPCError(
        'state-not-available',
        `state of block ${height} is not available: this member keeps only the newest state (block ${head}); use "latest"`,
      );
    }
    return this.#ledger.state();
  }

  /** The block that holds a transaction, and the transaction's place in it. */
  async find(hash: Hash): Promise<{ readonly block: Block; readonly index: number } | undefined> {
    this.#ledger.refresh();
    const place = this.#ledger.findTransaction(hash);
    const block = place === undefined ? undefined : await this.block(place.height);
    return place === undefined || block === undefined ? undefined : { block, index: place.index };
  }

  #remember(block: Block): void {
    this.#cache.set(block.height, block);
    this.#cachedTransactions += weight(block);
    for (const [height, oldest] of this.#cache) {
      if (this.#cachedTransactions <= this.#maxCachedTransactions || height === block.height) break;
      this.#cache.delete(height);
      this.#cachedTransactions -= weight(oldest);
    }
  }
}

/** Even an empty block costs some memory. */
const weight = (block: Block): number => block.transactions.length + 16;

function firstLogIndexes(receipts: readonly StoredReceipt[]): readonly number[] {
  let logs = 0;
  return receipts.map((receipt) => {
    const first = logs;
    logs += receipt.logs.length;
    return first;
  });
}
