import type { ProposalMessage } from '@hanse/consensus';
import type { Certificate, Epoch, Hash, Vote } from '@hanse/protocol';
import { splitEpoch, withEpoch } from '../../src/engine/index.ts';
import {
  decodeCertificates,
  decodeProposalEnvelope,
  decodeStatus,
  decodeVotes,
  messageKinds,
  type ProposalEnvelope,
  type StatusMessage,
} from '../../src/engine/messages.ts';
import { decodeEnvelope, type Envelope, encodeEnvelope } from '../../src/network/envelope.ts';
import { MessageKind } from '../../src/network/messageKinds.ts';

/** What a frame between members says to the engine of the one who gets it. */
export type EngineMessage = { readonly epoch: Epoch } & (
  | { readonly type: 'proposal'; readonly envelope: ProposalEnvelope }
  | { readonly type: 'votes'; readonly votes: readonly Vote[] }
  | { readonly type: 'certificates'; readonly certificates: readonly Certificate[] }
  | { readonly type: 'status'; readonly status: StatusMessage }
);

export type DigestOf = (proposal: ProposalMessage['proposal']) => Hash;

/** The envelope in a frame; undefined for a hello, which is none, and for what is malformed. */
export function readEnvelope(frame: Uint8Array): Envelope | undefined {
  if (frame[0] === 0) return undefined;
  try {
    return decodeEnvelope(frame);
  } catch {
    return undefined;
  }
}

/** The engine's kind of a message or request; undefined if it is not the engine's. */
export function engineKindOf(envelope: Envelope): number | undefined {
  if (envelope.type !== 'message' && envelope.type !== 'request') return undefined;
  const kind = envelope.kind - MessageKind.engineFirst;
  return kind >= 0 && envelope.kind <= MessageKind.engineLast ? kind : undefined;
}

/** Reads a message of the engine; undefined if it is none, or malformed. */
export function readEngineMessage(envelope: Envelope, digestOf: DigestOf): EngineMessage | undefined {
  if (envelope.type !== 'message') return undefined;
  try {
    const { epoch, payload } = splitEpoch(envelope.payload);
    switch (engineKindOf(envelope)) {
      case messageKinds.proposal:
        return { epoch, type: 'proposal', envelope: decodeProposalEnvelope(payload, digestOf) };
      case messageKinds.votes:
        return { epoch, type: 'votes', votes: decodeVotes(payload) };
      case messageKinds.certificates:
        return { epoch, type: 'certificates', certificates: decodeCertificates(payload) };
      case messageKinds.status:
        return { epoch, type: 'status', status: decodeStatus(payload) };
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}

/** A frame that carries a message of the engine. */
export function engineFrame(epoch: Epoch, kind: number, payload: Uint8Array): Uint8Array {
  return encodeEnvelope({
    type: 'message',
    kind: MessageKind.engineFirst + kind,
    payload: withEpoch(epoch, payload),
  });
}
