import type { MemberRecord, ModuleReaders } from '@hanse/modules';
import { Epoch, type StateReader } from '@hanse/protocol';
import type { PeerMember } from '../network/peer.ts';

export interface ReachableOptions {
  /** This member's own name. */
  readonly name: string;
  /** What the operator knows, tried before what the chain says. */
  readonly known: Readonly<Record<string, readonly string[]>>;
}

/**
 * The other members as the network dials and admits them, by a finalized state of this height. Validators that left with the epoch
 * before stay until the new set has finalized its first block: until then others may need from them what closed it.
 */
export function reachableMembers(
  options: ReachableOptions,
  readers: ModuleReaders,
  state: StateReader,
  height: number,
): readonly PeerMember[] {
  const leavers = leavingValidators(readers, state, height);
  return readers
    .readMembers(state)
    .filter(({ active, name }) => (active || leavers.has(name)) && name !== options.name)
    .map(({ name, transportKey, endpoints }: MemberRecord) => ({
      name,
      transportKey,
      endpoints: [...new Set([...(options.known[name] ?? []), ...endpoints])],
    }));
}

function leavingValidators(readers: ModuleReaders, state: StateReader, height: number): ReadonlySet<string> {
  const epoch = readers.readEpoch(state);
  if (epoch === 0 || readers.readEpochStart(state, epoch) !== height) return new Set();
  const before = readers.readValidatorSet(state, Epoch(epoch - 1));
  return new Set(before?.validators.map(({ name }) => name));
}
