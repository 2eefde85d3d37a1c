import type { ModuleReaders } from '@hanse/modules';
import {
  type Hash,
  ProtocolError,
  type RecoveredSet,
  type Recovery,
  recoveredSet,
  type StateReader,
  type Suite,
} from '@hanse/protocol';
import type { ValidatorSets } from './validatorSets.ts';

export interface RecoveryOptions {
  readonly suite: Suite;
  readonly genesisHash: Hash;
  /** What the operator put beside the ledger, at most one for a height. */
  readonly recoveries: readonly Recovery[];
}

/** A block that another can stand on, as far as a recovery is concerned. */
export interface RecoveryBase {
  readonly height: number;
  readonly hash: Hash;
  readonly state: StateReader;
}

/**
 * The recoveries that this member was given (packages/consensus/spec.md, "Loss of the quorum"): from the block of one on, another
 * set decides than the one that the state says.
 */
export class Recoveries {
  readonly #options: RecoveryOptions;
  readonly #readers: ModuleReaders;
  readonly #sets: ValidatorSets;

  constructor(options: RecoveryOptions, modules: { readonly readers: ModuleReaders; readonly sets: ValidatorSets }) {
    this.#options = options;
    this.#readers = modules.readers;
    this.#sets = modules.sets;
  }

  /** Whether one of a height above is still to come: until then this member signs nothing, since it has confirmed so. */
  isPending(height: number): boolean {
    return this.#options.recoveries.some((recovery) => recovery.height > height);
  }

  /**
   * What goes on from a block by a recovery; undefined if none names its height. Throws a ProtocolError if the recovery is of another
   * block, or is not what the members of that block may sign.
   */
  after(base: RecoveryBase): RecoveredSet | undefined {
    const recovery = this.#options.recoveries.find(({ height }) => height === base.height);
    if (recovery === undefined) return undefined;
    if (recovery.blockHash !== base.hash) {
      throw new ProtocolError(
        'invalid-recovery',
        `recovery: it goes on from block ${base.height} ${recovery.blockHash}, but here that block is ${base.hash}`,
      );
    }
    const { suite, genesisHash } = this.#options;
    const members = this.#readers
      .readMembers(base.state)
      .filter(({ active }) => active)
      .map(({ name, address, voteKey }) => ({ name, address, voteKey }));
    return recoveredSet(suite, genesisHash, this.#sets.next(base.state), members, recovery);
  }
}
