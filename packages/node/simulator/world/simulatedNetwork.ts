import type { Hex } from '@hanse/protocol';
import type { ManualClock } from '../../src/runtime/manualClock.ts';
import type { Acceptor, Connection, Network } from '../../src/runtime/network.ts';
import type { Life } from './life.ts';
import { SimulatedConnection } from './simulatedConnection.ts';
import type { SimulationRandom } from './simulationRandom.ts';

/** How the way from one machine to another is at present. Chances are in percent of frames. */
export interface Link {
  /** Nothing arrives, and nobody is told. */
  blocked: boolean;
  leastMs: number;
  mostMs: number;
  /** A packet was lost: what is behind it waits for its repetition. */
  stallPercent: number;
  resetPercent: number;
  duplicatePercent: number;
}

/** What a Byzantine process does with its connections; frames are whole envelopes. */
export interface Interceptor {
  /** What leaves in place of a frame of the member's own program. */
  outgoing(to: number, frame: Uint8Array): readonly Uint8Array[];
  /** What its program gets to see of a frame; undefined for nothing. */
  incoming(from: number, frame: Uint8Array): Uint8Array | undefined;
  /** A connection was made; `send` passes by `outgoing`. */
  connected(to: number, send: (frame: Uint8Array) => void): void;
  disconnected(to: number): void;
}

/** Where a process is: on the machine of a member. Two processes of one member, which only a Byzantine one has, are told apart by `twin`. */
export interface Place {
  readonly member: number;
  readonly twin: number;
  readonly life: Life;
  readonly interceptor?: Interceptor | undefined;
}

export interface NetworkEvents {
  /** A program hands a frame to a connection. */
  sent(from: Place, to: number, frame: Uint8Array): void;
  /** A frame reaches a program. */
  delivered(from: number, to: Place, frame: Uint8Array): void;
}

/** As the real network gives up. */
const DIAL_TIMEOUT_MS = 10_000;
export const NORMAL_LINK: Readonly<Link> = {
  blocked: false,
  leastMs: 0.3,
  mostMs: 3,
  stallPercent: 0,
  resetPercent: 0,
  duplicatePercent: 0,
};

/** What the two sides of a connection prove. */
interface KeyPair {
  readonly expectedKey: Hex;
  readonly ownKey: Hex;
}

interface Listening {
  readonly place: Place;
  readonly acceptor: Acceptor;
}

/**
 * The network between the members: ordered connections that take time, stall, break and pass through partitions, each way on its
 * own. Frames of one connection keep their order, as in TCP; those of different ones do not.
 */
export class SimulatedNetwork {
  readonly clock: ManualClock;
  readonly random: SimulationRandom;
  readonly events: NetworkEvents;
  /** Which process of a member faces another member: only of a member with a twin there are two. */
  facing: (member: number, other: number) => number = () => 0;
  /** The keys that each member holds, the one that it proves by itself first. */
  readonly #keys: Hex[][];
  #normal: Readonly<Link> = NORMAL_LINK;
  readonly #links: readonly (readonly Link[])[];
  readonly #listening = new Map<string, Listening[]>();
  readonly #connections = new Set<SimulatedConnection>();

  constructor(options: { keys: readonly Hex[]; clock: ManualClock; random: SimulationRandom; events: NetworkEvents }) {
    this.#keys = options.keys.map((key) => [key]);
    this.clock = options.clock;
    this.random = options.random;
    this.events = options.events;
    this.#links = options.keys.map(() => options.keys.map(() => ({ ...NORMAL_LINK })));
  }

  link(from: number, to: number): Link {
    return this.#links[from]![to]!;
  }

  /** Sets what every way is like without faults, now and whenever it is mended. */
  setNormal(normal: Readonly<Link>): void {
    this.#normal = normal;
    for (const link of this.#links.flat()) Object.assign(link, normal);
  }

  /** Makes a way what it is without faults; a shut one stays shut. */
  mend(link: Link): void {
    Object.assign(link, this.#normal, { blocked: link.blocked });
  }

  keyOf(member: number): Hex {
    return this.#keys[member]![0]!;
  }

  /** A member has a further key that it can prove. */
  addKey(member: number, key: Hex): void {
    this.#keys[member]!.push(key);
  }

  /** A member proves another key from now on; false if it does not hold it. */
  useKey(member: number, key: Hex): boolean {
    const keys = this.#keys[member]!;
    if (!keys.includes(key)) return false;
    this.#keys[member] = [key, ...keys.filter((other) => other !== key)];
    return true;
  }

  /** A member destroyed a key that it does not use any more: whoever expects that one finds nobody. */
  dropKey(member: number, key: Hex): void {
    if (this.keyOf(member) === key) throw new Error(`member ${member} proves ${key} at present`);
    this.#keys[member] = this.#keys[member]!.filter((other) => other !== key);
  }

  /** The network as a process sees it. */
  of(place: Place): Network {
    return {
      listen: async (endpoint, acceptor) => {
        const listening = { place, acceptor };
        const others = this.#listening.get(endpoint) ?? [];
        this.#listening.set(endpoint, [...others.filter((other) => other.place.twin !== place.twin), listening]);
        return { endpoint, close: async () => this.#deafen(endpoint, listening) };
      },
      dial: (endpoint, expectedKey, ownKey = this.keyOf(place.member)) =>
        this.#dial(place, endpoint, { expectedKey, ownKey }),
      ownKeys: () => this.#keys[place.member]!,
    };
  }

  /** Blocks or opens one way. What waited arrives when the sender's kernel tries again. */
  setBlocked(from: number, to: number, blocked: boolean): void {
    const link = this.link(from, to);
    if (link.blocked === blocked) return;
    link.blocked = blocked;
    if (blocked) return;
    for (const connection of this.#connections) {
      if (connection.own.member === from && connection.peer.member === to) connection.retry();
    }
  }

  /** Breaks every connection between two members, as a device between them might. */
  reset(a: number, b: number): void {
    for (const connection of [...this.#connections]) {
      const { own, peer } = connection;
      if ((own.member === a && peer.member === b) || (own.member === b && peer.member === a)) connection.break();
    }
  }

  /**
   * A process ended. If its machine still runs, the kernel closes what it had open; after a power cut the others learn of it only
   * when the machine is back, or by the silence.
   */
  processEnded(place: Place, how: 'kill' | 'power'): void {
    for (const [endpoint, list] of this.#listening) {
      this.#listening.set(
        endpoint,
        list.filter((listening) => listening.place !== place),
      );
    }
    for (const connection of [...this.#connections]) if (connection.own === place) connection.abandon(how);
  }

  /** A machine is back after a power cut: what the others still send on old connections is refused. */
  machineStarted(member: number, twin: number): void {
    for (const connection of [...this.#connections]) {
      const { peer } = connection;
      if (peer.member === member && peer.twin === twin && !peer.life.alive) connection.refuse();
    }
  }

  /** The connections between two processes that no longer face each other end. */
  refaced(): void {
    for (const connection of [...this.#connections]) {
      const { own, peer } = connection;
      if (this.facing(own.member, peer.member) !== own.twin) connection.break();
    }
  }

  forget(connection: SimulatedConnection): void {
    this.#connections.delete(connection);
  }

  /** How long a frame takes that leaves now, ignoring what is before it. */
  latencyMs(from: number, to: number): number {
    const { leastMs, mostMs, stallPercent } = this.link(from, to);
    const travelMs = this.random.milliseconds(leastMs, mostMs);
    // TCP repeats a lost segment after 200 ms at the least, and doubles that each time.
    if (stallPercent > 0 && this.random.chance(stallPercent))
      return travelMs + 200 * 2 ** this.random.below(3) + this.random.milliseconds(0, 50);
    return travelMs;
  }

  #deafen(endpoint: string, listening: Listening): void {
    const rest = (this.#listening.get(endpoint) ?? []).filter((other) => other !== listening);
    this.#listening.set(endpoint, rest);
  }

  #dial(place: Place, endpoint: string, keys: KeyPair): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const target = this.#keys.findIndex((held) => held.includes(keys.expectedKey));
      const { life, member } = place;
      const answer = (work: () => void): void => {
        this.clock.schedule(this.latencyMs(target, member), () => life.run('frame', work));
      };
      const fail = (reason: string): void => reject(new Error(`${endpoint}: ${reason}`));
      if (!life.before('send')) return;
      if (target < 0) {
        this.clock.schedule(this.random.milliseconds(1, 10), () => life.run('frame', () => fail('proved another key')));
        return;
      }
      this.clock.schedule(this.latencyMs(member, target), () => {
        if (!life.alive) return;
        if (this.link(member, target).blocked || this.link(target, member).blocked) {
          this.clock.schedule(DIAL_TIMEOUT_MS, () => life.run('timer', () => fail('timed out')));
          return;
        }
        const listening = this.#listenerFor(place, target, endpoint);
        const refusal = listening?.acceptor.refusal(keys.ownKey);
        if (listening === undefined) answer(() => fail('connect ECONNREFUSED'));
        else if (refusal !== undefined) answer(() => fail(`refused by the other side: ${refusal}`));
        else answer(() => this.#connect(place, listening, { endpoint, keys }, resolve, fail));
      });
    });
  }

  #listenerFor(place: Place, target: number, endpoint: string): Listening | undefined {
    if (this.facing(place.member, target) !== place.twin) return undefined;
    const twin = this.facing(target, place.member);
    return this.#listening.get(endpoint)?.find((listening) => listening.place.twin === twin);
  }

  #connect(
    place: Place,
    { place: target, acceptor }: Listening,
    { endpoint, keys }: { readonly endpoint: string; readonly keys: KeyPair },
    resolve: (connection: Connection) => void,
    fail: (reason: string) => void,
  ): void {
    if (!target.life.alive) {
      fail('connect ECONNRESET');
      return;
    }
    const dialled = new SimulatedConnection(this, place, target, keys.expectedKey, endpoint);
    const accepted = new SimulatedConnection(this, target, place, keys.ownKey, `member ${place.member}`);
    dialled.join(accepted);
    accepted.join(dialled);
    for (const connection of [dialled, accepted]) this.#connections.add(connection);
    // The accepting side learns last, when the dialling one has proved its key.
    this.clock.schedule(this.latencyMs(place.member, target.member), () =>
      target.life.run('frame', () => accepted.open(() => acceptor.accepted(accepted))),
    );
    dialled.open(() => resolve(dialled));
  }
}
