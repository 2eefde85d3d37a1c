import type { ValidatorIndex } from '@hanse/protocol';
import type { Logger } from '../runtime/logger.ts';
import { messageKinds } from './messages.ts';
import type { PeerDesk } from './peerDesk.ts';
import type { EngineTransport } from './ports.ts';
import type { Sleeper } from './sleeper.ts';

export interface StatusExchangeOptions {
  readonly self: ValidatorIndex | undefined;
  readonly validatorCount: number;
  readonly statusIntervalMs: number;
  readonly askIntervalMs: number;
  readonly requestTimeoutMs: number;
}

export interface StatusExchangeModules {
  readonly transport: EngineTransport;
  readonly peers: PeerDesk;
  readonly sleeper: Sleeper;
  readonly logger: Logger;
}

/**
 * Keeps members informed where each is: own status to everybody at intervals, so that an idle straggler is never cold, and
 * after a start a question to each, whose answer the first vote waits for (packages/consensus/spec.md, "Idle" and rule S1).
 */
export class StatusExchange {
  readonly #options: StatusExchangeOptions;
  readonly #modules: StatusExchangeModules;
  readonly #asking = new Set<ValidatorIndex>();
  #asksAgain = false;
  #closed = false;

  constructor(options: StatusExchangeOptions, modules: StatusExchangeModules) {
    this.#options = options;
    this.#modules = modules;
  }

  start(): void {
    this.#gossip();
    this.askAll();
  }

  close(): void {
    this.#closed = true;
  }

  /** Asks everybody who has not answered, and again until all have. */
  askAll(): void {
    const { transport, peers, sleeper } = this.#modules;
    if (this.#closed) return;
    for (const peer of transport.connected()) {
      if (peer !== this.#options.self && !peers.answered.has(peer)) void this.ask(peer);
    }
    if (this.#asksAgain || peers.answered.size >= this.#options.validatorCount - 1) return;
    this.#asksAgain = true;
    void sleeper.sleep(this.#options.askIntervalMs).then(() => {
      this.#asksAgain = false;
      this.askAll();
    });
  }

  /** Asks one peer where it is, telling it the same; its answer goes to the peer desk. */
  async ask(peer: ValidatorIndex): Promise<void> {
    const { transport, peers, logger } = this.#modules;
    if (this.#closed || this.#asking.has(peer)) return;
    this.#asking.add(peer);
    try {
      const own = peers.status(undefined);
      const answer = await transport.request(peer, messageKinds.requestStatus, own, this.#options.requestTimeoutMs);
      if (!this.#closed) peers.receiveStatusAnswer(peer, answer);
    } catch (error) {
      logger.log('debug', 'no status', { peer, error: String(error) });
    } finally {
      this.#asking.delete(peer);
    }
  }

  #gossip(): void {
    const { transport, peers, sleeper } = this.#modules;
    if (this.#closed) return;
    transport.broadcast(messageKinds.status, peers.status(undefined));
    void sleeper.sleep(this.#options.statusIntervalMs).then(() => this.#gossip());
  }
}
