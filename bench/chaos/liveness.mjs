// Whether finality goes on. While at most f members are troubled it must, within a bound; after more were troubled it must come
// back within another.

export class Liveness {
  /** The longest time without a new final payment while at most f were troubled, in milliseconds. */
  longestStallMs = 0;
  /** The longest time from the end of a fault of more than f until the next final payment. */
  longestRecoveryMs = 0;
  #payments;
  #findings;
  #stallMs;
  #demandedSinceMs;
  #recovering = false;
  #reported = false;
  #during = '';
  #ticker;

  constructor({ payments, findings, stallMs }) {
    this.#payments = payments;
    this.#findings = findings;
    this.#stallMs = stallMs;
  }

  start() {
    this.#demandedSinceMs = performance.now();
    this.#ticker = setInterval(() => this.#look(), 50);
  }

  /** More than f members are about to be troubled. */
  release(during) {
    this.#look();
    this.#demandedSinceMs = undefined;
    this.#during = during;
  }

  /** At most f are troubled (`during` says by what); after `release` this is where the recovery begins. */
  demand(during) {
    this.#during = during;
    if (this.#demandedSinceMs !== undefined) return;
    this.#demandedSinceMs = performance.now();
    this.#recovering = true;
    this.#reported = false;
  }

  stop() {
    this.#look();
    clearInterval(this.#ticker);
  }

  #look() {
    if (this.#demandedSinceMs === undefined) return;
    const nowMs = performance.now();
    const { lastFinalMs } = this.#payments;
    if (this.#recovering && lastFinalMs > this.#demandedSinceMs) {
      this.longestRecoveryMs = Math.max(this.longestRecoveryMs, lastFinalMs - this.#demandedSinceMs);
      this.#recovering = false;
    }
    const sinceMs = nowMs - Math.max(lastFinalMs, this.#demandedSinceMs);
    if (this.#recovering) this.longestRecoveryMs = Math.max(this.longestRecoveryMs, sinceMs);
    else this.longestStallMs = Math.max(this.longestStallMs, sinceMs);
    if (sinceMs < this.#stallMs) this.#reported = false;
    else if (!this.#reported) {
      this.#reported = true;
      this.#findings.add(`no payment became final for ${this.#stallMs / 1_000} s, during: ${this.#during}`);
    }
  }
}
