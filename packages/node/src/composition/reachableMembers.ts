import type { MemberRecord, ModuleReaders } from '@hanse/modules';
import { Epoch, type StateReader } from '@hanse/protocol';
import type { PeerMember } from '../network/peer.ts';

/**
 * A member of today, as another member told of it: what a node needs that begins at the genesis, whose members may all have
 * left or changed their keys since.
 */
export type Introduction = PeerMember;

export interface ReachableOptions {
  /** This member's own name. */
  readonly name: string;
  /** What the operator knows, tried before what the chain says. */
  readonly known: Readonly<Record<string, readonly string[]>>;
  /** Members that others told of; absent: none. */
  readonly introduced?: readonly Introduction[];
}

/**
 * The other members as the network dials and admits them, by a finalized state of this height. Validators that left with the epoch
 * before stay until the new set has finalized its first block: until then others may need from them what closed it. An introduction
 * counts until the chain, as far as it is known here, has or had the key in it; from then on the chain decides.
 */
export function reachableMembers(
  options: ReachableOptions,
  readers: ModuleReaders,
  state: StateReader,
  height: number,
): readonly PeerMember[] {
  const leavers = leavingValidators(readers, state, height);
  const introduced = pendingIntroductions(options, readers, state);
  const names = new Set([options.name, ...introduced.map(({ name }) => name)]);
  const reachable = ({ name, transportKey, endpoints }: PeerMember): PeerMember => ({
    name,
    transportKey,
    endpoints: [...new Set([...(options.known[name] ?? []), ...endpoints])],
  });
  const members = readers
    .readMembers(state)
    .filter(({ active, name }: MemberRecord) => (active || leavers.has(name)) && !names.has(name));
  return [...members, ...introduced].map(reachable);
}

/** The introductions of members, or of keys of members, that this state does not know yet. */
export function pendingIntroductions(
  { name: self, introduced = [] }: ReachableOptions,
  readers: ModuleReaders,
  state: StateReader,
): readonly Introduction[] {
  return introduced.filter(
    ({ name, transportKey }) => name !== self && !readers.isTransportKeyKnown(state, transportKey),
  );
}

function leavingValidators(readers: ModuleReaders, state: StateReader, height: number): ReadonlySet<string> {
  const epoch = readers.readEpoch(state);
  if (epoch === 0 || readers.readEpochStart(state, epoch) !== height) return new Set();
  const before = readers.readValidatorSet(state, Epoch(epoch - 1));
  return new Set(before?.validators.map(({ name }) => name));
}
