import { Epoch, ProtocolError } from '@hanse/protocol';

/** Every message and request of consensus begins with its epoch, a big-endian number of 4 bytes, so that it can be told without parsing the rest. */
const EPOCH_BYTES = 4;

export function withEpoch(epoch: Epoch, payload: Uint8Array): Uint8Array {
  const message = new Uint8Array(EPOCH_BYTES + payload.length);
  new DataView(message.buffer).setUint32(0, epoch);
  message.set(payload, EPOCH_BYTES);
  return message;
}

/** The epoch and what follows it; the rest shares its bytes with the message. Throws a ProtocolError if there is no epoch. */
export function splitEpoch(message: Uint8Array): { readonly epoch: Epoch; readonly payload: Uint8Array } {
  if (message.length < EPOCH_BYTES)
    throw new ProtocolError('invalid-message', 'a message of consensus without an epoch');
  const epoch = Epoch(new DataView(message.buffer, message.byteOffset, EPOCH_BYTES).getUint32(0));
  return { epoch, payload: message.subarray(EPOCH_BYTES) };
}
