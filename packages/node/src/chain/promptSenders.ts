import type { Address, Suite } from '@hanse/protocol';
import type { Clock } from '../runtime/clock.ts';
import { TokenBucket } from '../runtime/tokenBucket.ts';
import { SenderService } from './senderService.ts';

type Senders = Pick<SenderService, 'recover'>;

/** So few signatures cost this thread less (60 us each with the native library) than waking another one and being woken by it. */
const MAX_INLINE = 2;
/** How many a second at most: 3 % of the thread, whatever a flood of single transactions would like. */
const INLINE_PER_SECOND = 500;
const INLINE_BURST = 32;

/**
 * Recovers a transaction that comes alone in the caller's thread, and everything else on the worker: on an idle network the way to
 * the worker and back is longer than the work, at every member; under load the worker takes many at once.
 */
export class PromptSenders implements Senders {
  readonly #worker: Senders;
  readonly #local: Senders;
  readonly #clock: Clock;
  readonly #budget: TokenBucket;
  #atWorker = 0;

  constructor(modules: { readonly suite: Suite; readonly clock: Clock; readonly worker: Senders }) {
    this.#worker = modules.worker;
    this.#local = new SenderService(modules.suite);
    this.#clock = modules.clock;
    this.#budget = new TokenBucket(INLINE_PER_SECOND, INLINE_BURST, modules.clock.monotonicMs());
  }

  async recover(raws: readonly Uint8Array[]): Promise<readonly (Address | undefined)[]> {
    const alone = raws.length <= MAX_INLINE && this.#atWorker === 0;
    if (alone && this.#budget.take(raws.length, this.#clock.monotonicMs())) return await this.#local.recover(raws);
    this.#atWorker += 1;
    try {
      return await this.#worker.recover(raws);
    } finally {
      this.#atWorker -= 1;
    }
  }
}
