import type { Hash } from '@hanse/protocol';
import type { Clock } from '../runtime/clock.ts';
import type { BlockReader } from './blockReader.ts';
import type { ChainEvents } from './dependencies.ts';

/** Waits, for a bounded time, until transactions stand in final blocks. */
export class FinalityWaiter {
  readonly #blocks: BlockReader;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(blocks: BlockReader, { events, clock }: { readonly events: ChainEvents; readonly clock: Clock }) {
    this.#blocks = blocks;
    this.#clock = clock;
    events.onFinalized(() => {
      for (const look of this.#waiting) look();
    });
  }

  /** Resolves when all are final, or after `timeoutMs`. */
  wait(hashes: readonly Hash[], timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (hashes.every((hash) => this.#blocks.ledger.findTransaction(hash) !== undefined)) end();
      };
      const timer = this.#clock.schedule(timeoutMs, end);
      this.#waiting.add(look);
      look();
    });
  }
}
