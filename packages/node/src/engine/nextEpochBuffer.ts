import type { Epoch } from '@hanse/protocol';

/** A message that came before its epoch began here. */
export interface EarlyMessage {
  readonly peer: string;
  readonly epoch: Epoch;
  readonly kind: number;
  readonly payload: Uint8Array;
}

/** What of one member is kept: the votes and certificates of some views, and a proposal. What is beyond comes again (rule R1 of spec.md). */
const MAX_MESSAGES = 128;
const MAX_BYTES = 4 * 1024 * 1024;

/** Messages of the epoch after the present one, from members that entered it first; bounded per member. */
export class NextEpochBuffer {
  readonly #byPeer = new Map<string, { readonly messages: EarlyMessage[]; bytes: number }>();

  /** Keeps a message if there is room for it among those of its sender. The payload is one frame's, so that it holds no other memory than its own. */
  put(message: EarlyMessage): void {
    const held = this.#byPeer.get(message.peer) ?? { messages: [], bytes: 0 };
    this.#byPeer.set(message.peer, held);
    if (held.messages.length >= MAX_MESSAGES || held.bytes + message.payload.length > MAX_BYTES) return;
    held.messages.push(message);
    held.bytes += message.payload.length;
  }

  /** What is held of all members. */
  get size(): { readonly messages: number; readonly bytes: number } {
    const all = [...this.#byPeer.values()];
    return {
      messages: all.reduce((sum, { messages }) => sum + messages.length, 0),
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** Everything held, member by member in the order in which it came; the buffer is empty afterwards. */
  take(): readonly EarlyMessage[] {
    const messages = [...this.#byPeer.values()].flatMap((held) => held.messages);
    this.#byPeer.clear();
    return messages;
  }
}
