import type { Certificate, FinalizeStatement, Hash, Height, Proposal, View, Vote } from '@hanse/protocol';
import type { ProposalMessage } from '../types.ts';

/** A finalized block as the simulated storage keeps it and members hand it to each other. */
export interface StoredBlock {
  readonly height: Height;
  readonly digest: Hash;
  readonly blockHash: Hash;
  readonly view: View;
  readonly proposal: Proposal;
}

/** What travels between simulated members. */
export type Message =
  | { readonly type: 'proposal'; readonly message: ProposalMessage }
  | { readonly type: 'vote'; readonly vote: Vote }
  | { readonly type: 'certificate'; readonly certificate: Certificate }
  | {
      readonly type: 'status';
      readonly view: View;
      readonly finalizedHeight: Height;
      readonly finalizedView: View;
      readonly certificates: readonly Certificate[];
      readonly asks: boolean;
    }
  | { readonly type: 'fetchCertificates'; readonly fromView: View; readonly toView: View }
  | { readonly type: 'fetchProposal'; readonly digest: Hash }
  | { readonly type: 'heldProposal'; readonly message: ProposalMessage }
  | { readonly type: 'fetchBlocks'; readonly fromHeight: number; readonly certificate: Certificate<FinalizeStatement> }
  | {
      readonly type: 'blocks';
      readonly blocks: readonly StoredBlock[];
      readonly certificate: Certificate<FinalizeStatement>;
    }
  | { readonly type: 'transaction'; readonly hash: Hash };

/** One record of a member's log. */
export type LogEntry =
  | { readonly type: 'vote'; readonly vote: Vote }
  | { readonly type: 'certificate'; readonly certificate: Certificate }
  | { readonly type: 'proposal'; readonly message: ProposalMessage };
