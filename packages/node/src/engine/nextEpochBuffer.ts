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
/** Of all members together: who they are is up to the alliance, and so how many. */
const MAX_TOTAL_BYTES = 64 * 1024 * 1024;

/** Messages of the epoch after the present one, from members that entered it first; bounded, for each member and for all. */
export class NextEpochBuffer {
  readonly #byPeer = new Map<string, { readonly messages: EarlyMessage[]; bytes: number }>();
  #messages = 0;
  #bytes = 0;

  /** Keeps a message if there is room for it among those of its sender. The payload is one frame's, so that it holds no other memory than its own. */
  put(message: EarlyMessage): void {
    const held = this.#byPeer.get(message.peer) ?? { messages: [], bytes: 0 };
    this.#byPeer.set(message.peer, held);
    const { length } = message.payload;
    if (held.messages.length >= MAX_MESSAGES || held.bytes + length > MAX_BYTES) return;
    if (this.#bytes + length > MAX_TOTAL_BYTES) return;
    held.messages.push(message);
    held.bytes += length;
    this.#messages += 1;
    this.#bytes += length;
  }

  /** What is held of all members. */
  get size(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  /** Everything held, member by member in the order in which it came; the buffer is empty afterwards. */
  take(): readonly EarlyMessage[] {
    const messages = [...this.#byPeer.values()].flatMap((held) => held.messages);
    this.#byPeer.clear();
    this.#messages = 0;
    this.#bytes = 0;
    return messages;
  }
}
