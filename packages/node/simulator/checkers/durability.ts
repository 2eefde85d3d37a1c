import type { Hash, Height } from '@hanse/protocol';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';
import type { Machine } from '../world/machine.ts';
import type { ToldBlock } from '../world/memberProcess.ts';
import type { Checker, CheckerContext } from './checker.ts';

/** What a client was told: the place of its transaction. */
interface Receipt {
  readonly transaction: Hash;
  readonly height: number;
  readonly index: number;
}

/**
 * What a member told is final stays at that member, whatever ends its process or its machine; and a transaction of which any honest member
 * showed a receipt is in its place at all of them in the end.
 */
export class Durability implements Checker {
  readonly name = 'durability';
  readonly #context: CheckerContext;
  /** Of each member, with the losses of its ledger before. */
  readonly #told = new Map<Machine, { height: number; hash: Hash; ledgersLost: number }>();
  readonly #receipts = new Map<Hash, Receipt>();
  #readUpTo = 0;

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  finalized(machine: Machine, blocks: readonly ToldBlock[], reader: LedgerReader): void {
    if (!machine.honest) return;
    for (const { height } of blocks) {
      const hash = reader.header(height as Height)?.hash;
      if (hash !== undefined) this.#told.set(machine, { height, hash, ledgersLost: machine.ledgersLost });
      // Of some blocks nobody tells: who stored them ended before it could.
      while (this.#readUpTo < height) this.#readReceipts(this.#readUpTo + 1, reader);
    }
  }

  started(machine: Machine): void {
    if (machine.honest) this.#holds(machine);
  }

  finish(): void {
    for (const machine of this.#context.cluster.honest) {
      this.#holds(machine);
      const reader = machine.process?.reader;
      if (reader === undefined) continue;
      const head = reader.headHeight();
      for (const { transaction, height, index } of this.#receipts.values()) {
        if (height > head) continue;
        const place = reader.findTransaction(transaction);
        if (place?.height !== height || place.index !== index)
          this.#context.report(`${machine.name} lost ${transaction}, final as transaction ${index} of block ${height}`);
      }
    }
  }

  #holds(machine: Machine): void {
    const told = this.#told.get(machine);
    const reader = machine.process?.reader;
    // Where the ledger was lost since, the others have it: in the end everybody is held to every receipt.
    if (told === undefined || reader === undefined || told.ledgersLost < machine.ledgersLost) return;
    if (reader.header(told.height as Height)?.hash !== told.hash)
      this.#context.report(`${machine.name} told that block ${told.height} is final and does not have it any more`);
  }

  #readReceipts(height: number, reader: LedgerReader): void {
    this.#readUpTo = height;
    const hashes = reader.proposal(height as Height)?.proposal.transactionHashes ?? [];
    for (const [index, transaction] of hashes.entries()) {
      if (this.#receipts.has(transaction))
        this.#context.report(`${transaction} is final twice: at height ${height} and before`);
      this.#receipts.set(transaction, { transaction, height, index });
    }
  }
}
