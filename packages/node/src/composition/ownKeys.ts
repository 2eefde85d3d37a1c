import type { MemberRecord, ModuleReaders } from '@hanse/modules';
import type { Hex, StateReader } from '@hanse/protocol';

/** The public halves of what lies in a member's folder of keys, in the folder's order. */
export interface HeldKeys {
  readonly votes: readonly Hex[];
  readonly transports: readonly Hex[];
}

/** Where a member stands by the chain, as far as this node knows it. */
export type Membership = 'none' | 'active' | 'removed';

export function membershipOf(self: MemberRecord | undefined): Membership {
  if (self === undefined) return 'none';
  return self.active ? 'active' : 'removed';
}

/** What a member's keys say about it at the start. */
export type OwnKeys =
  /** `transport` is the one to prove; `replaced`: the chain has others, and the held ones may be those that replaced them since. */
  | { readonly ok: true; readonly transport: Hex; readonly replaced: boolean }
  /** These keys can never be this member's. */
  | { readonly ok: false };

/**
 * Which transport key a member proves at the start: that which the chain has for it, as far as the chain is known here. The other
 * members may have replaced lost keys while this one was away, so keys that the chain never had are let through, and the node follows
 * until it knows. Keys that the chain has or had, but not for this member now, are another member's or an old copy.
 */
export function chooseOwnKeys(
  held: HeldKeys,
  self: MemberRecord | undefined,
  readers: Pick<ModuleReaders, 'isVoteKeyKnown' | 'isTransportKeyKnown'>,
  state: StateReader,
): OwnKeys {
  const [first] = held.transports;
  if (first === undefined) return { ok: false };
  if (self === undefined || !self.active) return { ok: true, transport: first, replaced: false };
  const holdsVote = held.votes.includes(self.voteKey);
  const holdsTransport = held.transports.includes(self.transportKey);
  const newVote = held.votes.some((key) => !readers.isVoteKeyKnown(state, key));
  const newTransport = held.transports.find((key) => !readers.isTransportKeyKnown(state, key));
  if (!holdsVote && !newVote) return { ok: false };
  const transport = holdsTransport ? self.transportKey : newTransport;
  return transport === undefined ? { ok: false } : { ok: true, transport, replaced: !holdsVote || !holdsTransport };
}
