import { decodeList } from '../../src/engine/boundedList.ts';
import { splitEpoch } from '../../src/engine/index.ts';
import { MAX_VOTES, messageKinds } from '../../src/engine/messages.ts';
import type { Machine } from '../world/machine.ts';
import { engineKindOf, readEnvelope } from '../world/wire.ts';

/** Reads the votes off what one member's program sends, each encoding once a member, and what goes to many members once. */
export class VoteTap {
  readonly #known = new Map<Machine, Set<string>>();
  readonly #last = new Map<Machine, Uint8Array>();

  /** The encodings of votes in a frame that this member had not sent before. */
  newVotes(machine: Machine, frame: Uint8Array): readonly Uint8Array[] {
    if (this.#last.get(machine) === frame) return [];
    this.#last.set(machine, frame);
    const known = this.#known.get(machine) ?? new Set();
    this.#known.set(machine, known);
    return votesOf(frame).filter((bytes) => {
      const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
      if (known.has(key)) return false;
      known.add(key);
      return true;
    });
  }

  /** Everything that this member sends counts as new again. */
  forget(machine: Machine): void {
    this.#known.delete(machine);
    this.#last.delete(machine);
  }
}

function votesOf(frame: Uint8Array): readonly Uint8Array[] {
  const envelope = readEnvelope(frame);
  if (envelope?.type !== 'message') return [];
  const kind = engineKindOf(envelope);
  if (kind !== messageKinds.votes && kind !== messageKinds.proposal) return [];
  const { payload } = splitEpoch(envelope.payload);
  // A proposal's second part is the vote of its leader.
  return kind === messageKinds.votes ? decodeList(payload, MAX_VOTES) : decodeList(payload, 4).slice(1, 2);
}
