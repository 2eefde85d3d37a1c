import { ModuleReaders } from '@hanse/modules';
import type { Epoch, Suite, ValidatorSet } from '@hanse/protocol';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';

/** The validators of each epoch as the first state that a checker saw has them; a set never changes. */
export class EpochSets {
  readonly #readers: ModuleReaders;
  readonly #sets = new Map<Epoch, ValidatorSet>();

  constructor(suite: Suite) {
    this.#readers = new ModuleReaders(suite);
  }

  /** Undefined for an epoch that the state knows nothing of. */
  of(epoch: Epoch, reader: LedgerReader): ValidatorSet | undefined {
    const set = this.#sets.get(epoch) ?? this.#readers.readValidatorSet(reader.state(), epoch);
    if (set !== undefined) this.#sets.set(epoch, set);
    return set;
  }
}
