import type { Address, StateReader, WorldState } from '@hanse/protocol';
import type { SlotAccess, SlotReader } from './accessors.ts';
import type { SlotHasher } from './slotHasher.ts';

/** An account's slots in a finished state, without frame and gas. */
export class StateSlots implements SlotReader {
  readonly hasher: SlotHasher;
  readonly #state: Pick<StateReader, 'storage'>;
  readonly #address: Address;

  constructor(state: Pick<StateReader, 'storage'>, address: Address, hasher: SlotHasher) {
    this.#state = state;
    this.#address = address;
    this.hasher = hasher;
  }

  read(slot: bigint): bigint {
    return this.#state.storage(this.#address, slot);
  }
}

/** An account's slots in the state being made, without frame and gas: for the genesis, and for a recovery. */
export class WorldSlots implements SlotAccess {
  readonly hasher: SlotHasher;
  readonly #state: WorldState;
  readonly #address: Address;

  constructor(state: WorldState, address: Address, hasher: SlotHasher) {
    this.#state = state;
    this.#address = address;
    this.hasher = hasher;
  }

  read(slot: bigint): bigint {
    return this.#state.getStorage(this.#address, slot);
  }

  write(slot: bigint, word: bigint): void {
    this.#state.setStorage(this.#address, slot, word);
  }
}
