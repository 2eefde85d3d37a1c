import type { Epoch } from '@hanse/protocol';
import type { EpochEngines, MemberTransport } from '../engine/index.ts';
import { messageKinds, splitEpoch, withEpoch } from '../engine/index.ts';
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

/** The engine's messages over the connections between members. */
export class EngineTransportAdapter implements MemberTransport {
  readonly #peers: PeerNetwork;

  constructor(peers: PeerNetwork) {
    this.#peers = peers;
  }

  send(to: string, epoch: Epoch, kind: number, payload: Uint8Array): void {
    this.#peers.send(to, wireKind(kind), withEpoch(epoch, payload), { priority: 'consensus', droppable: true });
  }

  broadcast(epoch: Epoch, kind: number, payload: Uint8Array): void {
    this.#peers.broadcast(wireKind(kind), withEpoch(epoch, payload), { priority: 'consensus', droppable: true });
  }

  request(to: string, epoch: Epoch, kind: number, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return this.#peers.request(to, wireKind(kind), withEpoch(epoch, payload), timeoutMs, 'consensus');
  }

  connected(): readonly string[] {
    return this.#peers.connected();
  }

  misbehaved(peer: string, reason: string): void {
    this.#peers.penalize(peer, reason);
  }

  /** Hands what arrives to the engine of its epoch. */
  deliverTo(engines: EpochEngines): void {
    for (const kind of Object.values(messageKinds)) {
      if (REQUEST_KINDS.includes(kind)) {
        this.#peers.onRequest(
          wireKind(kind),
          async (peer, message) => {
            const { epoch, payload } = splitEpoch(message);
            try {
              return await engines.serve(peer, epoch, kind, payload);
            } catch (error) {
              // Not running, of another epoch, malformed or over a budget: what is to blame was blamed already.
              throw new RequestRefusal(error instanceof Error ? error.message : String(error));
            }
          },
          'consensus',
        );
      } else {
        this.#peers.onMessage(wireKind(kind), (peer, message) => {
          const { epoch, payload } = splitEpoch(message);
          engines.receive(peer, epoch, kind, payload);
        });
      }
    }
    this.#peers.onConnected((peer) => engines.peerConnected(peer));
    this.#peers.onDisconnected((peer) => engines.peerDisconnected(peer));
  }
}
