import type { ModuleReaders } from '@hanse/modules';
import {
  type Epoch,
  type Hash,
  isSamePlan,
  ProtocolError,
  type RecoveredSet,
  type Recovery,
  type RecoveryPlan,
  recoveredSet,
  recoveryHash,
  type StateReader,
  type Suite,
} from '@hanse/protocol';
import type { PendingRecovery } from './ledger.ts';
import type { ValidatorSets } from './validatorSets.ts';

export interface RecoveryOptions {
  readonly suite: Suite;
  readonly genesisHash: Hash;
  /** What the operator put beside the ledger: for one height several, if one that came to nothing was superseded by the next. */
  readonly recoveries: readonly Recovery[];
  /** The plans that this member signed: it signs nothing else until the chain here goes on by them. */
  readonly promises: readonly RecoveryPlan[];
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
  /** Ascending by height, and by epoch where one supersedes another. */
  readonly #ordered: readonly Recovery[];

  constructor(options: RecoveryOptions, modules: { readonly readers: ModuleReaders; readonly sets: ValidatorSets }) {
    this.#options = options;
    this.#readers = modules.readers;
    this.#sets = modules.sets;
    this.#ordered = [...options.recoveries].sort((a, b) => a.height - b.height || a.epoch - b.epoch);
  }

  /**
   * What keeps this member from signing anything, with its head at a height: a document from a block above, or a plan that it signed and
   * whose complete document it does not have. In whatever epoch the chain goes on without that document: others may still complete it.
   */
  pending(height: number): PendingRecovery | undefined {
    const ahead = this.#ordered.find((recovery) => recovery.height > height);
    if (ahead !== undefined) return { height: ahead.height, complete: true };
    const promised = this.#options.promises.find((plan) => !this.#ordered.some((given) => isSamePlan(given, plan)));
    return promised === undefined ? undefined : { height: promised.height, complete: false };
  }

  /** The hash of the recovery that began an epoch, as the chain here stands at a height: past a recovery's block it went on by that recovery. */
  begunBy(height: number, epoch: Epoch): Hash | undefined {
    const began = this.#ordered.find((recovery) => recovery.height <= height && recovery.epoch === epoch);
    return began === undefined ? undefined : recoveryHash(this.#options.suite, began);
  }

  /** The one recovery for each height that was not superseded. */
  inForce(): readonly Recovery[] {
    return this.#ordered.filter(({ height }, index) => this.#ordered[index + 1]?.height !== height);
  }

  /**
   * What goes on from a block by a recovery; undefined if none names its height. One that supersedes another goes on from the set and the members of that
   * one. Throws a ProtocolError if a recovery is of another block, or is not what the members of that block may sign.
   */
  after(base: RecoveryBase): RecoveredSet | undefined {
    let recovered: RecoveredSet | undefined;
    for (const recovery of this.#ordered) {
      if (recovery.height === base.height) recovered = this.#supersede(recovered, base, recovery);
    }
    return recovered;
  }

  #supersede(before: RecoveredSet | undefined, base: RecoveryBase, recovery: Recovery): RecoveredSet {
    if (recovery.blockHash !== base.hash) {
      throw new ProtocolError(
        'invalid-recovery',
        `recovery: it goes on from block ${base.height} ${recovery.blockHash}, but here that block is ${base.hash}`,
      );
    }
    const { suite, genesisHash } = this.#options;
    const left = before?.removed ?? [];
    const members = this.#readers
      .readMembers(base.state)
      .filter(({ active, name }) => active && !left.includes(name))
      .map(({ name, address, voteKey }) => ({ name, address, voteKey }));
    const previous = before?.set ?? this.#sets.next(base.state);
    const { set, removed } = recoveredSet(suite, genesisHash, previous, members, recovery);
    return { set, removed: [...left, ...removed] };
  }
}
