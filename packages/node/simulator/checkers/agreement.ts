import type { Hash, Height } from '@hanse/protocol';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';
import type { Machine } from '../world/machine.ts';
import type { ToldBlock } from '../world/memberProcess.ts';
import type { Checker, CheckerContext } from './checker.ts';

interface Seen {
  readonly hash: Hash;
  readonly by: string;
}

/** One block hash a height, over all honest members and all time; and each block on the one before. */
export class Agreement implements Checker {
  readonly name = 'agreement';
  readonly #context: CheckerContext;
  readonly #blocks: (Seen | undefined)[] = [];

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  /** The greatest height that any honest member told of. */
  get height(): number {
    return Math.max(0, this.#blocks.length - 1);
  }

  finalized(machine: Machine, blocks: readonly ToldBlock[], reader: LedgerReader): void {
    if (machine.honest) for (const { height } of blocks) this.#compare(machine, height, reader);
  }

  /** What everybody's storage holds, from the first block on. */
  finish(): void {
    for (const machine of this.#context.cluster.honest) {
      const reader = machine.process?.reader;
      if (reader === undefined) continue;
      for (let height = 1; height <= reader.headHeight(); height++) this.#compare(machine, height, reader);
    }
  }

  #compare(machine: Machine, height: number, reader: LedgerReader): void {
    const stored = reader.header(height as Height);
    if (stored === undefined) {
      this.#context.report(`${machine.name} told of block ${height} and cannot show it`);
      return;
    }
    const seen = this.#blocks[height];
    if (seen === undefined) {
      this.#blocks[height] = { hash: stored.hash, by: machine.name };
      const below = this.#blocks[height - 1];
      if (below !== undefined && below.hash !== stored.header.parentHash)
        this.#context.report(`block ${height} of ${machine.name} stands on another parent than ${below.by} has`);
    } else if (seen.hash !== stored.hash) {
      this.#context.report(
        `two blocks at height ${height}: ${seen.hash} at ${seen.by}, ${stored.hash} at ${machine.name}`,
      );
    }
  }
}
