// Follows the chain through all members in turn and says which transactions became final.
import { batch } from './jsonRPC.mjs';

const POLL_MS = 40;
const MAX_BLOCKS_AT_ONCE = 20;

export class LedgerWatch {
  height;
  transactions = 0;
  failed = 0;
  #urls;
  #waiting = new Map();
  #turn = 0;
  #running = true;

  /** Begins above `height`. */
  constructor(urls, height) {
    this.#urls = urls;
    this.height = height;
    this.finished = this.#follow();
  }

  get inFlight() {
    return this.#waiting.size;
  }

  /** How long the transaction that waits for the longest time has waited, in milliseconds. */
  get oldestMs() {
    const first = this.#waiting.values().next().value;
    return first === undefined ? 0 : performance.now() - first.sinceMs;
  }

  /** Resolves to the receipt when the transaction is final. */
  receipt(hash) {
    return new Promise((resolve) => {
      this.#waiting.set(hash, { resolve, sinceMs: performance.now() });
    });
  }

  forget(hash) {
    this.#waiting.delete(hash);
  }

  async stop() {
    this.#running = false;
    await this.finished;
  }

  async #follow() {
    while (this.#running) {
      const url = this.#urls[this.#turn++ % this.#urls.length];
      const [{ result }] = await batch(url, [['eth_blockNumber', []]]);
      const head = Math.min(Number(result), this.height + MAX_BLOCKS_AT_ONCE);
      const heights = Array.from({ length: Math.max(0, head - this.height) }, (_, index) => this.height + 1 + index);
      const answers = await batch(
        url,
        heights.map((height) => ['eth_getBlockReceipts', [`0x${height.toString(16)}`]]),
      );
      for (const { result: receipts, error } of answers) {
        if (!Array.isArray(receipts)) throw new Error(`${url} did not give a block below its head: ${error?.message}`);
        this.#take(receipts);
        this.height += 1;
      }
      if (answers.length < MAX_BLOCKS_AT_ONCE) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  #take(receipts) {
    this.transactions += receipts.length;
    for (const receipt of receipts) {
      if (receipt.status !== '0x1') this.failed += 1;
      const waiting = this.#waiting.get(receipt.transactionHash);
      this.#waiting.delete(receipt.transactionHash);
      waiting?.resolve(receipt);
    }
  }
}
