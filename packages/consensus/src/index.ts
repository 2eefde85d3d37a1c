export {
  bestBranch,
  certificatesBetween,
  knowsCertificate,
  knowsProposal,
  knowsVote,
  statusCertificates,
  statusOf,
} from './catchUp.ts';
export { step } from './core.ts';
export type { Amnesia, Block, ConsensusState, Finalized, Round } from './state.ts';
export { createConsensus, leaderOf, PROPOSAL_WINDOW, VOTE_WINDOW } from './state.ts';
export { sameStatement } from './statements.ts';
export type * from './types.ts';
