import type { ModuleReaders } from '@hanse/modules';
import { membersAddress } from '@hanse/modules/abi';
import type { Epoch, Hash, StateReader, ValidatorSet } from '@hanse/protocol';

/** Storages of the module `members` whose set is remembered: those of the unfinalized blocks of a few branches. */
const REMEMBERED = 32;

/**
 * The validators that decide the block after a state. Few blocks change them, so what was read is remembered by the root of the storage
 * that it stands in: reading 31 validators takes some 200 reads of storage.
 */
export class ValidatorSets {
  readonly #readers: ModuleReaders;
  readonly #byRoot = new Map<Hash, ValidatorSet>();

  constructor(readers: ModuleReaders) {
    this.#readers = readers;
  }

  /** The set of the epoch that decides the next block. */
  next(state: StateReader): ValidatorSet {
    const root = state.account(membersAddress)?.storageRoot;
    const known = root === undefined ? undefined : this.#byRoot.get(root);
    if (known !== undefined) return known;
    const set = this.of(state, this.#readers.readEpoch(state));
    if (root !== undefined) this.#remember(root, set);
    return set;
  }

  /** The set of an epoch that the state knows; throws for another one. */
  of(state: StateReader, epoch: Epoch): ValidatorSet {
    const set = this.#readers.readValidatorSet(state, epoch);
    if (set === undefined) throw new Error(`The state has no validators for epoch ${epoch}.`);
    return set;
  }

  #remember(root: Hash, set: ValidatorSet): void {
    this.#byRoot.set(root, set);
    const [oldest] = this.#byRoot.keys();
    if (this.#byRoot.size > REMEMBERED && oldest !== undefined) this.#byRoot.delete(oldest);
  }
}
