import type { Epoch, ValidatorIndex, ValidatorSet } from '@hanse/protocol';
import type { EngineTransport } from './ports.ts';

/** How the engines of all epochs reach members: by name, every message with the epoch that it is of. */
export interface MemberTransport {
  /** See `EngineTransport`. */
  send(to: string, epoch: Epoch, kind: number, payload: Uint8Array): void;
  broadcast(epoch: Epoch, kind: number, payload: Uint8Array): void;
  request(to: string, epoch: Epoch, kind: number, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  connected(): readonly string[];
  misbehaved(peer: string, reason: string): void;
}

/**
 * An engine speaks to places of its epoch's set, the network to members by name. Members that are no validators have
 * places behind the set, so that observers can ask for what they follow.
 */
export class EpochTransport implements EngineTransport {
  readonly #epoch: Epoch;
  readonly #transport: MemberTransport;
  readonly #validatorCount: number;
  readonly #names: string[];
  readonly #places: Map<string, ValidatorIndex>;

  constructor({ epoch, validators }: ValidatorSet, transport: MemberTransport) {
    this.#epoch = epoch;
    this.#transport = transport;
    this.#validatorCount = validators.length;
    this.#names = validators.map(({ name }) => name);
    this.#places = new Map(this.#names.map((name, index) => [name, index]));
  }

  /** The place of a member, given at first sight to those outside the set. */
  placeOf(name: string): ValidatorIndex {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place = this.#names.length;
    this.#names.push(name);
    this.#places.set(name, place);
    return place;
  }

  nameOf(place: ValidatorIndex): string {
    const name = this.#names[place];
    if (name === undefined) throw new RangeError(`There is no member at place ${place}.`);
    return name;
  }

  isValidator(name: string): boolean {
    return (this.#places.get(name) ?? this.#validatorCount) < this.#validatorCount;
  }

  send(to: ValidatorIndex, kind: number, payload: Uint8Array): void {
    this.#transport.send(this.nameOf(to), this.#epoch, kind, payload);
  }

  broadcast(kind: number, payload: Uint8Array): void {
    this.#transport.broadcast(this.#epoch, kind, payload);
  }

  request(to: ValidatorIndex, kind: number, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return this.#transport.request(this.nameOf(to), this.#epoch, kind, payload, timeoutMs);
  }

  /** Connected validators: who else is connected has nothing that an engine would ask for. */
  connected(): readonly ValidatorIndex[] {
    return this.#transport.connected().flatMap((name) => (this.isValidator(name) ? [this.placeOf(name)] : []));
  }

  misbehaved(peer: ValidatorIndex, reason: string): void {
    this.#transport.misbehaved(this.nameOf(peer), reason);
  }
}
