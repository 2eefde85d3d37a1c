import type { Hash, Hex } from '@hanse/protocol';
import { createConsoleLogger } from '../../runtime/consoleLogger.ts';
import { ManualClock } from '../../runtime/manualClock.ts';
import { MemoryHub } from '../../runtime/memoryNetwork.ts';
import { SeededRandom } from '../../runtime/seededRandom.ts';
import type { PeerMember } from '../peer.ts';
import { PeerNetwork, type PeerNetworkOptions } from '../peers.ts';

export const GENESIS_HASH: Hash = `0x${'ab'.repeat(32)}`;

/** Keys in the order of the numbers. A smaller number wins a tie-break, by its name. */
export const keyOf = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`;

export function memberOf(number: number): PeerMember {
  return { name: `member-${number}`, transportKey: keyOf(number), endpoints: [`host-${number}:1`] };
}

export interface ClusterMember {
  readonly peers: PeerNetwork;
  readonly log: string[];
}

/** Members in one process on a clock that the test moves, over the in-memory network. */
export class PeerCluster {
  readonly clock = new ManualClock();
  readonly hub = new MemoryHub();
  readonly #running: PeerNetwork[] = [];

  /** Member `number` of `count`, not started. */
  create(number: number, count: number, options: Partial<PeerNetworkOptions> = {}): ClusterMember {
    const log: string[] = [];
    const sink = { write: (text: string) => log.push(text) };
    const member = memberOf(number);
    const peers = new PeerNetwork(
      {
        self: member,
        genesisHash: GENESIS_HASH,
        chainId: 7,
        listen: member.endpoints[0],
        members: Array.from({ length: count }, (_, index) => memberOf(index + 1)),
        headHeight: 0,
        ...options,
      },
      {
        network: this.hub.network(member.transportKey),
        clock: this.clock,
        random: new SeededRandom(`${number} ${this.#running.length}`),
        logger: createConsoleLogger({ level: 'debug', format: 'json', sink, nowMs: () => this.clock.nowMs() }),
      },
    );
    this.#running.push(peers);
    return { peers, log };
  }

  async start(members: readonly ClusterMember[]): Promise<void> {
    for (const { peers } of members) await peers.start();
    await this.pass(1_000);
  }

  /** Everything that can happen without time passing happens. */
  async settle(): Promise<void> {
    // Microtasks run to their end before an immediate does; one for each hop of a conversation is plenty.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Time passes in steps of 100 ms, with everything that it brings about. */
  async pass(milliseconds: number): Promise<void> {
    await this.settle();
    for (let left = milliseconds; left > 0; left -= 100) {
      this.clock.advance(Math.min(100, left));
      await this.settle();
    }
  }

  async close(): Promise<void> {
    for (const peers of this.#running.splice(0)) await peers.close();
  }
}
