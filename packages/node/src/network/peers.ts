import { bytesToHex, type Hash, type Hex, ProtocolError } from '@hanse/protocol';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { type Connection, DEFAULT_MAX_FRAME_BYTES, type Listener, type Network } from '../runtime/network.ts';
import { type Random, randomFraction } from '../runtime/random.ts';
import { encodeEnvelope, MAX_ENVELOPE_BYTES } from './envelope.ts';
import { type Hello, MIN_PROTOCOL_VERSION, PROTOCOL_VERSION } from './hello.ts';
import { Peer, type PeerMember, type PeerStatus } from './peer.ts';
import { DEFAULT_PEER_LIMITS, type PeerLimits } from './peerLimits.ts';
import { type Direction, PeerSession, type SessionEvents, type Traffic } from './peerSession.ts';
import { RequestError, RequestRefusal } from './requestError.ts';
import type { Priority } from './sendQueue.ts';

export interface PeerNetworkOptions {
  readonly self: { readonly name: string; readonly transportKey: Hex };
  readonly genesisHash: Hash;
  readonly chainId: number;
  /** Where to accept members' connections; undefined only dials. */
  readonly listen: string | undefined;
  /** All members; this one may be among them and is passed over. */
  readonly members: readonly PeerMember[];
  /** This member's finalized height at the start; see `setHead`. */
  readonly headHeight: number;
  /** As the network below has it. */
  readonly maxFrameBytes?: number;
  readonly limits?: Partial<PeerLimits>;
}

export interface PeerNetworkModules {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface SendOptions {
  readonly priority: Priority;
  /** Whether the oldest of the kind may be dropped when the queue to a peer is full. */
  readonly droppable: boolean;
}

/** What a member says to whoever proves a key that is nobody's. */
const UNKNOWN_KEY = 'the key is no member of this network';

type MessageHandler = (peer: string, payload: Uint8Array) => void;
type RequestHandler = (peer: string, payload: Uint8Array) => Promise<Uint8Array>;

/** Connections that a member's key may hold before its hello; a further one replaces the oldest. */
const MAX_UNESTABLISHED = 2;
/** How long a connection that lost against its duplicate is still read: what was on its way arrives. */
const DRAIN_MS = 500;

/**
 * One connection to every other member. Both sides may dial; when two connections meet, the one that the member with the smaller key
 * dialled stays, so that both sides keep the same. Peers are named as the list of members names their keys, whatever they
 * say of themselves. A handler that throws a ProtocolError has its peer penalized; any other error is a bug and is not caught.
 */
export class PeerNetwork {
  readonly #options: PeerNetworkOptions;
  readonly #modules: PeerNetworkModules;
  readonly #limits: PeerLimits;
  readonly #maxPayloadBytes: number;
  readonly #instance: Hex;
  readonly #peersByKey = new Map<Hex, Peer>();
  readonly #peersByName = new Map<string, Peer>();
  readonly #owners = new WeakMap<PeerSession, Peer>();
  /** Lost against a duplicate and still being read. */
  readonly #draining = new Set<PeerSession>();
  readonly #messageHandlers = new Map<number, MessageHandler>();
  readonly #requestHandlers = new Map<number, { readonly handler: RequestHandler; readonly priority: Priority }>();
  readonly #connectedHandlers: ((peer: string) => void)[] = [];
  readonly #disconnectedHandlers: ((peer: string, reason: string) => void)[] = [];
  readonly #headHandlers: ((peer: string, headHeight: number) => void)[] = [];
  readonly #events: SessionEvents;
  /** This member's own transport key, as the chain has it now. */
  #ownKey: Hex;
  #refused: (() => void) | undefined;
  #headHeight: number;
  #listener: Listener | undefined;
  #started = false;
  #closed = false;

  constructor(options: PeerNetworkOptions, modules: PeerNetworkModules) {
    this.#options = options;
    this.#modules = modules;
    this.#limits = { ...DEFAULT_PEER_LIMITS, ...options.limits };
    this.#maxPayloadBytes = (options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES) - MAX_ENVELOPE_BYTES;
    this.#instance = bytesToHex(modules.random.bytes(8));
    this.#ownKey = options.self.transportKey;
    this.#headHeight = options.headHeight;
    this.#events = {
      established: (session, hello) => this.#established(session, hello),
      traffic: (session, envelope) => this.#traffic(session, envelope),
      expects: (session, id) => this.#owner(session).expects(id),
      writable: (session) => {
        const peer = this.#owner(session);
        if (peer.session === session) peer.flush();
      },
      headChanged: (session, headHeight) => this.#headChanged(this.#owner(session), headHeight),
      offence: (session, reason) => this.#penalize(this.#owner(session), reason),
      ended: (session, reason) => this.#ended(session, reason),
    };
    this.setMembers(options.members);
  }

  /** Listens, then dials everybody. Rejects when the endpoint cannot be bound. */
  async start(): Promise<void> {
    const { listen } = this.#options;
    if (listen !== undefined) {
      this.#listener = await this.#modules.network.listen(listen, {
        refusal: (key) => this.#refusal(key),
        accepted: (connection) => this.#accepted(connection),
      });
    }
    this.#started = true;
    for (const peer of this.#peersByKey.values()) this.#scheduleDial(peer);
  }

  /** The endpoint actually bound. */
  get endpoint(): string | undefined {
    return this.#listener?.endpoint;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#listener?.close();
    for (const peer of this.#peersByKey.values()) this.#drop(peer, 'the member stops');
  }

  /** One handler a kind. Set handlers before `start`. The payload may be kept; it shares its buffer with nothing else. */
  onMessage(kind: number, handler: MessageHandler): void {
    this.#messageHandlers.set(kind, handler);
  }

  /** Answers requests of a kind; throw a RequestRefusal to say why not. The answer goes out with `priority`. */
  onRequest(kind: number, handler: RequestHandler, priority: Priority): void {
    this.#requestHandlers.set(kind, { handler, priority });
  }

  onConnected(handler: (peer: string) => void): void {
    this.#connectedHandlers.push(handler);
  }

  onDisconnected(handler: (peer: string, reason: string) => void): void {
    this.#disconnectedHandlers.push(handler);
  }

  /** Called when a peer tells of a finalized height above the one known of it, on connecting and with its pings. */
  onHead(handler: (peer: string, headHeight: number) => void): void {
    this.#headHandlers.push(handler);
  }

  /** This member's finalized height, told to peers in hellos and pings. */
  setHead(headHeight: number): void {
    this.#headHeight = headHeight;
  }

  /** False when the peer is not connected or its queue has no room for this kind. */
  send(peer: string, kind: number, payload: Uint8Array, options: SendOptions): boolean {
    const target = this.#peersByName.get(peer);
    if (target?.session === undefined) return false;
    return target.enqueue(options.priority, kind, options.droppable, this.#encodeMessage(kind, payload));
  }

  /** To every connected peer. */
  broadcast(kind: number, payload: Uint8Array, options: SendOptions): void {
    const frame = this.#encodeMessage(kind, payload);
    for (const peer of this.#peersByKey.values()) {
      if (peer.session !== undefined) peer.enqueue(options.priority, kind, options.droppable, frame);
    }
  }

  /** Rejects with a RequestError that says why there is no answer. */
  request(peer: string, kind: number, payload: Uint8Array, timeoutMs: number, priority: Priority): Promise<Uint8Array> {
    this.#checkSize(payload);
    const target = this.#peersByName.get(peer);
    if (target === undefined) return Promise.reject(new RequestError('not-connected', `there is no member ${peer}`));
    return target.request(priority, kind, payload, timeoutMs);
  }

  peers(): readonly PeerStatus[] {
    return [...this.#peersByKey.values()].map((peer) => peer.status());
  }

  connected(): readonly string[] {
    return [...this.#peersByKey.values()]
      .filter(({ session }) => session !== undefined)
      .map(({ member }) => member.name);
  }

  isConnected(peer: string): boolean {
    return this.#peersByName.get(peer)?.session !== undefined;
  }

  /** Cuts off a peer that broke the rules; every further offence doubles the time before it may come back. */
  penalize(peer: string, reason: string): void {
    const offender = this.#peersByName.get(peer);
    if (offender !== undefined) this.#penalize(offender, reason);
  }

  /**
   * The chain has another transport key for this member from now on, and `network` proves it already: the others expect it, so
   * every connection is made anew.
   */
  changeOwnKey(transportKey: Hex): void {
    this.#ownKey = transportKey;
    for (const peer of this.#peersByKey.values()) {
      this.#drop(peer, 'the transport key changed');
      peer.dialAttempts = 0;
      this.#scheduleDial(peer);
    }
  }

  /** Takes over a new list of members: who is gone is cut off, who is new or moved is dialled. */
  setMembers(members: readonly PeerMember[]): void {
    const others = members.filter(({ transportKey }) => transportKey !== this.#ownKey);
    const keys = new Set(others.map(({ transportKey }) => transportKey));
    for (const [key, peer] of [...this.#peersByKey]) {
      if (keys.has(key)) continue;
      this.#peersByKey.delete(key);
      this.#drop(peer, 'no longer a member of this network');
    }
    this.#peersByName.clear();
    for (const member of others) {
      let peer = this.#peersByKey.get(member.transportKey);
      const moved = peer === undefined || peer.member.endpoints.join() !== member.endpoints.join();
      if (peer === undefined) {
        peer = new Peer(member, this.#limits, this.#modules.clock);
        this.#peersByKey.set(member.transportKey, peer);
      }
      peer.member = member;
      this.#peersByName.set(member.name, peer);
      if (moved) {
        peer.dialAttempts = 0;
        this.#scheduleDial(peer);
      }
    }
  }

  #encodeMessage(kind: number, payload: Uint8Array): Uint8Array {
    this.#checkSize(payload);
    return encodeEnvelope({ type: 'message', kind, payload });
  }

  #checkSize(payload: Uint8Array): void {
    if (payload.length > this.#maxPayloadBytes) {
      throw new RangeError(`a message of ${payload.length} bytes is over the limit of ${this.#maxPayloadBytes}`);
    }
  }

  #owner(session: PeerSession): Peer {
    const peer = this.#owners.get(session);
    if (peer === undefined) throw new Error('every session has an owner');
    return peer;
  }

  // Connections come about.

  #refusal(key: Hex): string | undefined {
    if (this.#closed) return 'the member stops';
    const peer = this.#peersByKey.get(key);
    if (peer === undefined) return UNKNOWN_KEY;
    if (peer.isPenalized) return `not before a while, after an offence: ${peer.lastError}`;
    if (peer.budget.mayConnect(this.#modules.clock.monotonicMs())) return undefined;
    peer.counters.connectsRefused++;
    return 'not before a while, it connects too often';
  }

  #accepted(connection: Connection): void {
    const peer = this.#peersByKey.get(connection.peerKey);
    // The list of members may have changed since the handshake asked.
    if (peer === undefined || this.#closed) connection.close(UNKNOWN_KEY);
    else this.#attach(peer, connection, 'inbound');
  }

  #attach(peer: Peer, connection: Connection, direction: Direction): void {
    if (peer.unestablished.length >= MAX_UNESTABLISHED) peer.unestablished[0]?.close('replaced by a newer connection');
    const { name } = this.#options.self;
    const ownHello: Hello = {
      minVersion: MIN_PROTOCOL_VERSION,
      version: PROTOCOL_VERSION,
      genesisHash: this.#options.genesisHash,
      chainId: this.#options.chainId,
      memberName: name,
      headHeight: this.#headHeight,
      instance: this.#instance,
    };
    const headHeight = (): number => this.#headHeight;
    const session = new PeerSession(
      {
        connection,
        direction,
        ownHello,
        headHeight,
        limits: this.#limits,
        budget: peer.budget,
        counters: peer.counters,
      },
      { clock: this.#modules.clock, events: this.#events },
    );
    this.#owners.set(session, peer);
    peer.unestablished.push(session);
  }

  #established(session: PeerSession, hello: Hello): void {
    const peer = this.#owner(session);
    forget(peer.unestablished, session);
    const current = peer.session;
    if (current === undefined) {
      this.#connected(peer, session, hello);
    } else if (current.hello?.instance !== hello.instance) {
      // The peer restarted and the old connection is a dead one that nobody noticed yet.
      current.close('the peer restarted');
      this.#connected(peer, session, hello);
    } else if (current.direction === session.direction || session.direction === this.#preferredDirection(peer)) {
      // The same side dialled anew because it lost the first, or the tie-break is for the newer one.
      peer.session = session;
      this.#retire(current);
      peer.flush();
    } else {
      this.#retire(session);
      // A living peer would know of the current connection, unless both dialled at once.
      current.probe();
    }
  }

  /** Nothing more is sent on it, but the other side may have sent before it knew. */
  #retire(session: PeerSession): void {
    this.#draining.add(session);
    this.#modules.clock.schedule(DRAIN_MS, () => session.close('duplicate connection'));
  }

  /** Both sides keep the connection that the member with the smaller key dialled. */
  #preferredDirection(peer: Peer): Direction {
    return this.#ownKey < peer.member.transportKey ? 'outbound' : 'inbound';
  }

  #connected(peer: Peer, session: PeerSession, hello: Hello): void {
    const { name } = peer.member;
    peer.session = session;
    peer.connectedMs = this.#modules.clock.monotonicMs();
    peer.lastError = undefined;
    peer.dialTimer?.cancel();
    peer.counters.connects++;
    const { direction, connection } = session;
    this.#modules.logger.log('info', 'peer connected', {
      peer: name,
      direction,
      remote: connection.remoteEndpoint,
      height: hello.headHeight,
    });
    if (hello.memberName !== name) {
      this.#modules.logger.log('warn', 'a peer calls itself otherwise than the chain does', {
        peer: name,
        itself: hello.memberName,
      });
    }
    peer.headHeight = undefined;
    for (const handler of this.#connectedHandlers) handler(name);
    this.#headChanged(peer, hello.headHeight);
  }

  #headChanged(peer: Peer, headHeight: number): void {
    if (peer.headHeight !== undefined && headHeight <= peer.headHeight) return;
    peer.headHeight = headHeight;
    for (const handler of this.#headHandlers) handler(peer.member.name, headHeight);
  }

  // Connections end.

  #ended(session: PeerSession, reason: string): void {
    const peer = this.#owner(session);
    forget(peer.unestablished, session);
    this.#draining.delete(session);
    if (peer.session === session) {
      // One that ends connections as soon as they are made would otherwise be dialled in a circle.
      if (this.#modules.clock.monotonicMs() - peer.connectedMs >= this.#limits.steadyMs) peer.dialAttempts = 0;
      peer.disconnected(reason);
      this.#modules.logger.log(this.#closed ? 'debug' : 'info', 'peer disconnected', {
        peer: peer.member.name,
        reason,
      });
      for (const handler of this.#disconnectedHandlers) handler(peer.member.name, reason);
    } else if (session.hello === undefined) {
      this.#noteFailure(peer, reason);
    }
    this.#scheduleDial(peer);
  }

  #drop(peer: Peer, reason: string): void {
    peer.dialTimer?.cancel();
    for (const session of [...peer.unestablished]) session.close(reason);
    for (const session of [...this.#draining]) if (this.#owner(session) === peer) session.close(reason);
    peer.session?.close(reason);
  }

  #penalize(peer: Peer, reason: string): void {
    const nowMs = this.#modules.clock.monotonicMs();
    if (peer.isPenalized) {
      // What it had sent before it was cut off is still being looked at: that is the same offence.
      this.#drop(peer, reason);
      return;
    }
    if (nowMs - peer.penalizedUntilMs > this.#limits.penaltyMemoryMs) peer.offences = 0;
    const backoffMs = Math.min(this.#limits.maxPenaltyMs, this.#limits.penaltyMs * 2 ** Math.min(peer.offences, 30));
    peer.offences++;
    peer.counters.offences++;
    peer.penalizedUntilMs = nowMs + backoffMs;
    this.#modules.logger.log('warn', 'peer penalized', { peer: peer.member.name, reason, backoffMs });
    this.#drop(peer, reason);
    peer.lastError = reason;
    this.#scheduleDial(peer);
  }

  // Dialling.

  #scheduleDial(peer: Peer): void {
    peer.dialTimer?.cancel();
    const { clock, random } = this.#modules;
    const known = this.#peersByKey.get(peer.member.transportKey) === peer;
    if (
      !this.#started ||
      this.#closed ||
      !known ||
      peer.dialling ||
      peer.session !== undefined ||
      peer.member.endpoints.length === 0
    )
      return;
    const growthMs = peer.dialAttempts === 0 ? 0 : this.#limits.dialBackoffMs * 2 ** Math.min(peer.dialAttempts, 20);
    const jitteredMs = Math.min(this.#limits.maxDialBackoffMs, growthMs) * (0.5 + randomFraction(random));
    const courtesyMs =
      this.#preferredDirection(peer) === 'inbound' ? this.#limits.dialCourtesyMs * (1 + randomFraction(random)) : 0;
    const penaltyMs = Math.max(0, peer.penalizedUntilMs - clock.monotonicMs());
    peer.dialTimer = clock.schedule(Math.max(penaltyMs, jitteredMs + courtesyMs), () => this.#dial(peer));
  }

  #dial(peer: Peer): void {
    const { endpoints, transportKey } = peer.member;
    const endpoint = endpoints[peer.dialAttempts % endpoints.length];
    if (endpoint === undefined || peer.session !== undefined || peer.dialling) return;
    peer.dialAttempts++;
    peer.dialling = true;
    const dialled = (connection: Connection): void => {
      peer.dialling = false;
      const known = this.#peersByKey.get(transportKey) === peer;
      if (this.#closed || !known || peer.isPenalized) connection.close('no longer wanted');
      // Another one came in meanwhile; if that one is to lose the tie-break, the hello settles it.
      else this.#attach(peer, connection, 'outbound');
    };
    const failed = (error: unknown): void => {
      peer.dialling = false;
      peer.counters.dialFailures++;
      const reason = error instanceof Error ? error.message : String(error);
      this.#noteFailure(peer, reason);
      if (!this.#closed && reason.includes(UNKNOWN_KEY)) this.#refused?.();
      this.#scheduleDial(peer);
    };
    this.#modules.network.dial(endpoint, transportKey).then(dialled, failed);
  }

  /** Calls whenever a member that this one dials does not know its key. */
  onRefused(handler: () => void): void {
    this.#refused = handler;
  }

  /** Says every new reason once: a peer that is off for a day would otherwise fill the log. */
  #noteFailure(peer: Peer, reason: string): void {
    if (peer.session !== undefined || peer.lastError === reason || this.#closed) return;
    peer.lastError = reason;
    this.#modules.logger.log('warn', 'no connection to a peer', { peer: peer.member.name, reason });
  }

  // Traffic.

  #traffic(session: PeerSession, envelope: Traffic): void {
    const peer = this.#owner(session);
    if (peer.session !== session && !this.#draining.has(session)) return;
    switch (envelope.type) {
      case 'message':
        this.#message(peer, envelope.kind, envelope.payload);
        break;
      case 'request':
        this.#request(peer, session, envelope);
        break;
      case 'response':
        peer.answered(envelope.id, envelope.payload);
        break;
      case 'refusal':
        peer.refused(envelope.id, new TextDecoder().decode(envelope.payload.subarray(0, 200)));
        break;
    }
  }

  #message(peer: Peer, kind: number, payload: Uint8Array): void {
    const handler = this.#messageHandlers.get(kind);
    // A newer version may know kinds that this one does not.
    if (handler === undefined) return;
    try {
      handler(peer.member.name, payload);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#penalize(peer, error.message);
    }
  }

  #request(
    peer: Peer,
    session: PeerSession,
    { kind, id, payload }: { kind: number; id: number; payload: Uint8Array },
  ): void {
    const registered = this.#requestHandlers.get(kind);
    const respond = (priority: Priority, type: 'response' | 'refusal', answer: Uint8Array): void => {
      // Answers belong to the run of the peer that asked: ids of a restarted one begin anew.
      if (peer.session?.hello?.instance !== session.hello?.instance) return;
      peer.enqueue(priority, kind, false, encodeEnvelope({ type, id, payload: answer }));
    };
    const refuse = (reason: string): void =>
      respond(registered?.priority ?? 'sync', 'refusal', Buffer.from(reason.slice(0, 200)));
    if (registered === undefined) {
      refuse('unknown kind of request');
      return;
    }
    if (peer.inboundRequests >= this.#limits.maxInboundRequests) {
      peer.counters.requestsRefused++;
      refuse('busy');
      return;
    }
    peer.inboundRequests++;
    // A handler that throws at once is as one that rejects: nothing that a peer asks may end the process.
    const answering = (async () => registered.handler(peer.member.name, payload))();
    answering
      .then((answer) => {
        if (answer.length > this.#maxPayloadBytes) throw new RequestRefusal('the answer is too large');
        respond(registered.priority, 'response', answer);
      })
      .catch((error: unknown) => {
        refuse(error instanceof RequestRefusal || error instanceof ProtocolError ? error.message : 'internal error');
        if (error instanceof ProtocolError) this.#penalize(peer, error.message);
        else if (!(error instanceof RequestRefusal) && peer.failureLines.take(1, this.#modules.clock.monotonicMs())) {
          this.#modules.logger.log('error', 'answering a request failed', { peer: peer.member.name, kind, error });
        }
      })
      .finally(() => {
        peer.inboundRequests--;
      });
  }
}

function forget(sessions: PeerSession[], session: PeerSession): void {
  const index = sessions.indexOf(session);
  if (index >= 0) sessions.splice(index, 1);
}
