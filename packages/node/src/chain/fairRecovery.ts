import type { Address } from '@hanse/protocol';
import type { SenderService } from './senderService.ts';

/** Signatures of one message to the worker: some 10 ms of its time, which is what a newcomer waits for. */
const BATCH_SIZE = 128;
/** One that the worker is busy with, and one that it finds when it is done. */
const MAX_AT_WORK = 2;

interface Waiting {
  readonly raw: Uint8Array;
  readonly resolve: (sender: Address | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Recovers senders for many sources at once, each of which has its share of every batch: whoever sends thousands of transactions
 * delays its own, not a client's single one nor those of a proposal. What comes in one turn of the event loop goes together.
 */
export class FairRecovery {
  readonly #senders: Pick<SenderService, 'recover'>;
  readonly #bySource = new Map<string, Waiting[]>();
  #atWork = 0;

  constructor(senders: Pick<SenderService, 'recover'>) {
    this.#senders = senders;
  }

  /** The account whose signature a transaction's encoding carries, if it gives one. Rejects if the worker fails. */
  recover(raw: Uint8Array, source: string): Promise<Address | undefined> {
    return new Promise((resolve, reject) => {
      const waiting = this.#bySource.get(source);
      if (waiting !== undefined) waiting.push({ raw, resolve, reject });
      else this.#bySource.set(source, [{ raw, resolve, reject }]);
      queueMicrotask(() => this.#start());
    });
  }

  #start(): void {
    while (this.#atWork < MAX_AT_WORK && this.#bySource.size > 0) {
      this.#atWork += 1;
      void this.#work(this.#nextBatch()).finally(() => {
        this.#atWork -= 1;
        this.#start();
      });
    }
  }

  async #work(batch: readonly Waiting[]): Promise<void> {
    try {
      const senders = await this.#senders.recover(batch.map(({ raw }) => raw));
      batch.forEach(({ resolve }, index) => {
        resolve(senders[index]);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  /** From each source as much as from any other, as long as they have it. */
  #nextBatch(): readonly Waiting[] {
    const batch: Waiting[] = [];
    while (batch.length < BATCH_SIZE && this.#bySource.size > 0) {
      const share = Math.max(1, Math.floor((BATCH_SIZE - batch.length) / this.#bySource.size));
      for (const [source, waiting] of [...this.#bySource]) {
        if (batch.length >= BATCH_SIZE) break;
        batch.push(...waiting.splice(0, share));
        this.#bySource.delete(source);
        // Behind the others, so that where there are more sources than places each has its turn.
        if (waiting.length > 0) this.#bySource.set(source, waiting);
      }
    }
    return batch;
  }
}
