import { Epoch } from '@hanse/protocol';
import type { EpochEngines, MemberTransport } from '../engine/index.ts';
import { messageKinds } from '../engine/index.ts';
import { MessageKind } from '../network/messageKinds.ts';
import type { PeerNetwork } from '../network/peers.ts';
import { RequestRefusal } from '../network/requestError.ts';

const REQUEST_KINDS: readonly number[] = [
  messageKinds.requestBodies,
  messageKinds.requestProposal,
  messageKinds.requestCertificates,
  messageKinds.requestStatus,
];

/** Every payload of the engine begins with its epoch, a big-endian number of 4 bytes, so that it can be told without parsing the rest. */
const EPOCH_BYTES = 4;

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
          async (peer, payload) => {
            if (payload.length < EPOCH_BYTES) throw new RequestRefusal('the epoch is missing');
            try {
              return await engines.serve(peer, epochOf(payload), kind, payload.subarray(EPOCH_BYTES));
            } catch (error) {
              // Not running, of another epoch, malformed or over a budget: what is to blame was blamed already.
              throw new RequestRefusal(error instanceof Error ? error.message : String(error));
            }
          },
          'consensus',
        );
      } else {
        this.#peers.onMessage(wireKind(kind), (peer, payload) => {
          if (payload.length < EPOCH_BYTES) this.#peers.penalize(peer, 'a message of consensus without an epoch');
          else engines.receive(peer, epochOf(payload), kind, payload.subarray(EPOCH_BYTES));
        });
      }
    }
    this.#peers.onConnected((peer) => engines.peerConnected(peer));
  }
}

function withEpoch(epoch: Epoch, payload: Uint8Array): Uint8Array {
  const message = new Uint8Array(EPOCH_BYTES + payload.length);
  new DataView(message.buffer).setUint32(0, epoch);
  message.set(payload, EPOCH_BYTES);
  return message;
}

function epochOf(payload: Uint8Array): Epoch {
  return Epoch(new DataView(payload.buffer, payload.byteOffset, EPOCH_BYTES).getUint32(0));
}
