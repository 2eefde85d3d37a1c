import type { Hash, Height } from '@hanse/protocol';
import type { ManualClock } from '../../src/runtime/manualClock.ts';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';
import { MixedHash } from '../crypto/mixedHash.ts';
import type { Ending, Observer } from './cluster.ts';
import type { Machine } from './machine.ts';
import type { ToldBlock } from './memberProcess.ts';

const EVENTS = {
  delivered: 1,
  flushed: 2,
  finalized: 3,
  alarm: 4,
  starting: 5,
  started: 6,
  ended: 7,
  note: 8,
} as const;

/** A running hash over everything that happens: two runs of one seed that differ anywhere differ here. */
export class Audit implements Observer {
  readonly #clock: ManualClock;
  readonly #hash = new MixedHash();
  #frames = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  /** How many frames reached a program. */
  get frames(): number {
    return this.#frames;
  }

  toString(): string {
    return this.#hash.toString();
  }

  /** A timer of anything, or something on its way, came due. */
  fired(): void {
    this.#hash.number(this.#clock.monotonicMs());
  }

  delivered(from: number, to: Machine, frame: Uint8Array): void {
    this.#frames++;
    this.#event(EVENTS.delivered, to);
    this.#hash.word(from);
    this.#hash.bytes(frame);
  }

  flushed(machine: Machine, path: string): void {
    this.#event(EVENTS.flushed, machine);
    this.#hash.text(path);
  }

  finalized(machine: Machine, blocks: readonly ToldBlock[], reader: LedgerReader): void {
    this.#event(EVENTS.finalized, machine);
    for (const { height } of blocks) {
      const hash: Hash | undefined = reader.header(height as Height)?.hash;
      this.#hash.text(`${height} ${hash}`);
    }
  }

  alarm(machine: Machine, kind: string): void {
    this.#event(EVENTS.alarm, machine);
    this.#hash.text(kind);
  }

  starting(machine: Machine): void {
    this.#event(EVENTS.starting, machine);
  }

  started(machine: Machine): void {
    this.#event(EVENTS.started, machine);
  }

  ended(machine: Machine, how: Ending): void {
    this.#event(EVENTS.ended, machine);
    this.#hash.text(how);
  }

  /** A fault, in words. */
  note(what: string): void {
    this.#hash.word(EVENTS.note);
    this.#hash.text(what);
  }

  #event(event: number, machine: Machine): void {
    this.#hash.word(event);
    this.#hash.word(machine.member * 2 + machine.twin);
  }
}
