import type { Hex } from '@hanse/protocol';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

export interface OwnTransportKeyModules {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Makes the network prove another key from now on; false if its private key is not at hand. */
  readonly identify: ((transportKey: Hex) => boolean) | undefined;
  /** The keys at hand; absent where there is nothing to try. */
  readonly held: (() => readonly Hex[]) | undefined;
  /** Whether some member talks to this one now. */
  readonly isConnected: () => boolean;
  /** Whether members that talk to this one know more of the chain than it does. */
  readonly isBehind: () => boolean;
  /** The key that is proved has changed: connections begin anew. */
  readonly changed: (transportKey: Hex) => void;
  readonly missing: (transportKey: Hex) => void;
}

/** How long a key is tried before the next one; doubled with each, so that a member that nobody knows asks seldom. */
const FIRST_TRIAL_MS = 1_000;
const LONGEST_TRIAL_MS = 60_000;

/**
 * Which of its transport keys a member proves: that which the chain has for it, as far as it knows the chain. Where it knows too little (its ledger
 * is older than the last change of the key, be it by moments or because it starts from nothing), the others refuse it, and could never tell it
 * better; so it tries its other keys, and keeps one that is taken until it has caught up.
 */
export class OwnTransportKey {
  readonly #modules: OwnTransportKeyModules;
  #current: Hex;
  #trialTimer: Timer | undefined;
  #trials = 0;

  constructor(current: Hex, modules: OwnTransportKeyModules) {
    this.#current = current;
    this.#modules = modules;
  }

  get current(): Hex {
    return this.#current;
  }

  /** Takes over the key that a block has for this member. */
  follow(transportKey: Hex): void {
    const { identify, held, isConnected, isBehind, missing } = this.#modules;
    if (transportKey === this.#current) return;
    // A key of the past would end the connections through which the blocks come that have the one of today.
    if (held !== undefined && isConnected() && isBehind()) return;
    if (identify?.(transportKey) !== true) missing(transportKey);
    else this.#change(transportKey);
  }

  /** A member says that the key which this one proves is nobody's. */
  refused(): void {
    const { clock, held } = this.#modules;
    if (this.#trialTimer !== undefined || held === undefined) return;
    const waitMs = Math.min(LONGEST_TRIAL_MS, FIRST_TRIAL_MS * 2 ** Math.min(this.#trials, 10));
    this.#trialTimer = clock.schedule(waitMs, () => {
      this.#trialTimer = undefined;
      this.#tryNext(held());
    });
  }

  close(): void {
    this.#trialTimer?.cancel();
  }

  #tryNext(keys: readonly Hex[]): void {
    const { identify, isConnected, logger } = this.#modules;
    if (isConnected()) {
      this.#trials = 0;
      return;
    }
    const next = keys[(keys.indexOf(this.#current) + 1) % keys.length];
    if (next === undefined || next === this.#current || identify?.(next) !== true) return;
    this.#trials++;
    logger.log('warn', 'no member knows the transport key: trying another one of the folder', { transportKey: next });
    this.#change(next);
  }

  #change(transportKey: Hex): void {
    this.#current = transportKey;
    this.#modules.changed(transportKey);
  }
}
