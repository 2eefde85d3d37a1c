import type { ConsensusState } from '@hanse/consensus';
import type { PeerDesk } from './peerDesk.ts';
import type { ProposalStore } from './proposalStore.ts';
import { type BudgetName, type ValidatorBudgets, validatorLimits } from './validatorBudgets.ts';
import type { Verifier } from './verification.ts';

/** For tests, and for whoever watches the memory. */
export interface EngineLoad {
  /** How much of what others may send is kept, by what it is. */
  readonly retained: Readonly<Record<string, number>>;
  /** The share of each budget that was used at most since the start, by any one validator: 0 nothing, 1 all of it. */
  readonly worstUse: Readonly<Record<BudgetName, number>>;
}

export function engineLoad({ core, verifier, store, peers }: EngineParts, budgets: ValidatorBudgets): EngineLoad {
  const { proposals, finalized, bytes } = store.size;
  const names = Object.keys(validatorLimits) as BudgetName[];
  return {
    retained: {
      views: core.rounds.size,
      blockFacts: core.blocks.size,
      proposals: proposals + finalized,
      proposalBytes: bytes,
      verifiedSignatures: verifier.remembered.signatures,
      verifiedCertificates: verifier.remembered.certificates,
      rememberedVotes: peers.rememberedVotes,
    },
    worstUse: Object.fromEntries(names.map((name) => [name, budgets.worstUse(name)])) as Record<BudgetName, number>,
  };
}

interface EngineParts {
  readonly core: ConsensusState;
  readonly verifier: Verifier;
  readonly store: ProposalStore;
  readonly peers: PeerDesk;
}
