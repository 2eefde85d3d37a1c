import type { ValidatorIndex, ValidatorSet } from '@hanse/protocol';
import { type Engine, messageKinds, RequestDenied } from '../engine/index.ts';
import type { EngineTransport } from '../engine/ports.ts';
import { MessageKind } from '../network/messageKinds.ts';
import type { PeerNetwork } from '../network/peers.ts';
import { RequestRefusal } from '../network/requestError.ts';

const REQUEST_KINDS: readonly number[] = [
  messageKinds.requestBodies,
  messageKinds.requestProposal,
  messageKinds.requestCertificates,
  messageKinds.requestStatus,
];

const wireKind = (kind: number): number => MessageKind.engineFirst + kind;

/** The engine speaks to places of the validator set; the network to members by name. This is the dictionary between them. */
export class EngineTransportAdapter implements EngineTransport {
  readonly #peers: PeerNetwork;
  readonly #names: readonly string[];
  readonly #places: ReadonlyMap<string, ValidatorIndex>;

  constructor(peers: PeerNetwork, validators: ValidatorSet) {
    this.#peers = peers;
    this.#names = validators.validators.map(({ name }) => name);
    this.#places = new Map(this.#names.map((name, index) => [name, index]));
  }

  send(to: ValidatorIndex, kind: number, payload: Uint8Array): void {
    this.#peers.send(this.#name(to), wireKind(kind), payload, { priority: 'consensus', droppable: true });
  }

  broadcast(kind: number, payload: Uint8Array): void {
    this.#peers.broadcast(wireKind(kind), payload, { priority: 'consensus', droppable: true });
  }

  request(to: ValidatorIndex, kind: number, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return this.#peers.request(this.#name(to), wireKind(kind), payload, timeoutMs, 'consensus');
  }

  connected(): readonly ValidatorIndex[] {
    return this.#peers.connected().flatMap((name) => this.#places.get(name) ?? []);
  }

  misbehaved(peer: ValidatorIndex, reason: string): void {
    this.#peers.penalize(this.#name(peer), reason);
  }

  /** Hands what arrives to the engine. Members outside the set are heard by nobody here. */
  deliverTo(engine: Engine): void {
    for (const kind of Object.values(messageKinds)) {
      if (REQUEST_KINDS.includes(kind)) {
        this.#peers.onRequest(wireKind(kind), (peer, payload) => this.#serve(engine, peer, kind, payload), 'consensus');
      } else {
        this.#peers.onMessage(wireKind(kind), (peer, payload) => {
          const place = this.#places.get(peer);
          if (place !== undefined) engine.receive(place, kind, payload);
        });
      }
    }
    this.#peers.onConnected((peer) => {
      const place = this.#places.get(peer);
      if (place !== undefined) engine.peerConnected(place);
    });
  }

  #name(place: ValidatorIndex): string {
    const name = this.#names[place];
    if (name === undefined) throw new RangeError(`There is no validator ${place}.`);
    return name;
  }

  async #serve(engine: Engine, peer: string, kind: number, payload: Uint8Array): Promise<Uint8Array> {
    const place = this.#places.get(peer);
    // Budgets are kept by place; who has none follows by importing blocks.
    if (place === undefined) throw new RequestRefusal(`${peer} is no validator`);
    try {
      return await engine.serve(place, kind, payload);
    } catch (error) {
      throw error instanceof RequestDenied ? new RequestRefusal(error.message) : error;
    }
  }
}
