import type { Address, Hash, Hex } from '@hanse/protocol';

/** A member as `hanse_members` describes it. */
export interface MemberDescription {
  /** From 1 on, in the order of admission. */
  readonly number: number;
  readonly name: string;
  readonly role: 'authority' | 'bank' | 'company';
  readonly validator: boolean;
  readonly address: Address;
  readonly voteKey: Hex;
  readonly transportKey: Hex;
  readonly endpoints: readonly string[];
}

/** How a member is, as `hanse_status` describes it. */
export interface MemberStatus {
  readonly name: string;
  readonly version: string;
  readonly network: string;
  readonly chainId: number;
  readonly suite: string;
  readonly genesisHash: Hash;
  /** Which cryptographic implementation answers, by algorithm. */
  readonly cryptography: Readonly<Record<string, string>>;
  readonly height: number;
  readonly blockHash: Hash | null;
  readonly epoch: number;
  readonly view: number;
  /** The names of the validators of the epoch in their order. */
  readonly validators: readonly string[];
  /** `observer`: it has no vote. `waiting`, `amnesia`, `recovery`, `stopped`: it has one and does not use it (packages/consensus/spec.md). */
  readonly voting: 'voting' | 'observer' | 'waiting' | 'amnesia' | 'recovery' | 'stopped';
  /** The block of a recovery that it signed and by which the chain there has not gone on. */
  readonly recoveryPending: number | null;
  /** Whether the chain has this member, as far as the member knows the chain: `none` while it waits to be admitted. */
  readonly membership: 'active' | 'removed' | 'none';
  /** Signs its votes; null if it has none. */
  readonly voteKey: Hex | null;
  /** All vote keys in its folder of keys. */
  readonly voteKeys: readonly Hex[];
  readonly transportKey: Hex;
  /** How many proposals may be voted for. */
  readonly openProposals: number;
  /** The first scheduled rule that the member's program lacks. */
  readonly missingRule: { readonly feature: string; readonly version: number; readonly height: number } | null;
  readonly peers: readonly { readonly name: string; readonly endpoint: string; readonly connected: boolean }[];
  readonly pendingTransactions: number;
  readonly syncing: false | { readonly startingHeight: number; readonly highestHeight: number };
  readonly healthy: boolean;
  /** Blocks that it signed as final and does not know to be final. */
  readonly signedAsFinal: readonly { readonly height: number; readonly blockHash: Hash }[];
}

/** A vote as a validator signed it. */
export interface SignedVote {
  readonly kind: string;
  /** What the signature covers. */
  readonly statement: Hex;
  readonly signature: Hex;
}

/** Two votes of one validator that no honest one signs both, as `hanse_evidence` gives them. */
export interface SeenDoubleVote {
  readonly epoch: number;
  readonly view: number;
  /** The validator's place in the set of the epoch, and its name. */
  readonly signer: number;
  readonly validator: string;
  readonly first: SignedVote;
  readonly second: SignedVote;
  /** Whether the chain has it. */
  readonly recorded: boolean;
}

/** What `hanse_getFinality` gives: the proof that `verifyFinality` checks, and the same for people. */
export interface FinalityAnswer {
  readonly headers: readonly Hex[];
  readonly certificate: Hex;
  readonly nextSetHash: Hash;
  readonly height: number;
  readonly certifiedHeight: number;
  readonly epoch: number;
  readonly view: number;
  readonly signers: readonly string[];
}

/** The methods under `hanse_`, typed for viem's `request`. */
export type HanseRpcSchema = [
  { Method: 'hanse_members'; Parameters?: undefined; ReturnType: readonly MemberDescription[] },
  { Method: 'hanse_status'; Parameters?: undefined; ReturnType: MemberStatus },
  { Method: 'hanse_evidence'; Parameters?: undefined; ReturnType: readonly SeenDoubleVote[] },
  { Method: 'hanse_getFinality'; Parameters: [block: Hex | 'latest']; ReturnType: FinalityAnswer | null },
];
