import { ByteReader } from './byteCodec.ts';

/** What two members send each other once they know that they are of one network. */
export type Envelope =
  | { readonly type: 'message'; readonly kind: number; readonly payload: Uint8Array }
  | { readonly type: 'request'; readonly kind: number; readonly id: number; readonly payload: Uint8Array }
  | { readonly type: 'response'; readonly id: number; readonly payload: Uint8Array }
  /** The asked member does not answer, and says why in at most 200 characters. */
  | { readonly type: 'refusal'; readonly id: number; readonly payload: Uint8Array }
  /** Both carry the sender's finalized height. */
  | { readonly type: 'ping'; readonly id: number; readonly headHeight: number }
  | { readonly type: 'pong'; readonly id: number; readonly headHeight: number };

/** The first byte of every frame; 0 is the hello. */
const TYPES = ['hello', 'message', 'request', 'response', 'refusal', 'ping', 'pong'] as const;

/** Bytes that an envelope adds to its payload, at most. */
export const MAX_ENVELOPE_BYTES = 7;

export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const payload = 'payload' in envelope ? envelope.payload : EMPTY;
  const headerLength =
    envelope.type === 'message' ? 3 : envelope.type === 'request' ? 7 : 'headHeight' in envelope ? 13 : 5;
  const bytes = new Uint8Array(headerLength + payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = TYPES.indexOf(envelope.type);
  if ('kind' in envelope) view.setUint16(1, envelope.kind);
  if ('id' in envelope) view.setUint32(envelope.type === 'request' ? 3 : 1, envelope.id);
  if ('headHeight' in envelope) view.setBigUint64(5, BigInt(envelope.headHeight));
  bytes.set(payload, headerLength);
  return bytes;
}

const EMPTY = new Uint8Array(0);

/** Reads one frame; the payload is a view of it. Throws a ProtocolError on anything else, a second hello too. */
export function decodeEnvelope(frame: Uint8Array): Envelope {
  const reader = new ByteReader(frame, 'envelope');
  const type = TYPES[reader.u8()];
  switch (type) {
    case 'message':
      return { type, kind: reader.u16(), payload: reader.raw(reader.remaining) };
    case 'request':
      return { type, kind: reader.u16(), id: reader.u32(), payload: reader.raw(reader.remaining) };
    case 'response':
    case 'refusal':
      return { type, id: reader.u32(), payload: reader.raw(reader.remaining) };
    case 'ping':
    case 'pong': {
      const envelope = { type, id: reader.u32(), headHeight: reader.u64() } as const;
      reader.end();
      return envelope;
    }
    default:
      throw reader.fail('its type is unknown or out of place');
  }
}
