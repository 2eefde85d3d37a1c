import type { View } from '@hanse/protocol';
import type { ProposalEnvelope } from '../../src/engine/messages.ts';
import { type Attacker, type Behaviour, proposalFrame, votesFrameWithout } from './attacker.ts';

/**
 * As leader it builds on an ancestor of the block that it should build on, past a notarized block that nobody nullified, whose transactions
 * it takes over. Its finalize votes it keeps to itself, so that under faults that block is not final yet.
 */
export function forkingLeader(attacker: Attacker): Behaviour {
  const fork = (envelope: ProposalEnvelope): ProposalEnvelope => {
    const { message } = envelope;
    const parent = attacker.proposals.get(message.proposal.parentDigest)?.message;
    if (parent === undefined) return envelope;
    const { parentDigest, height, transactionHashes } = parent.proposal;
    const parentView = (attacker.proposals.get(parentDigest)?.message.leaderVote.statement.view ?? 0) as View;
    const change = { parentDigest, height, transactionHashes };
    return { message: attacker.signProposal(message, change, { parentView }), inline: [] };
  };
  return {
    outgoing(_to, { message, bytes }) {
      if (message?.type === 'votes') return votesFrameWithout('finalize', message);
      if (message?.type !== 'proposal' || attacker.random.chance(30)) return [bytes];
      return [proposalFrame(fork(message.envelope))];
    },
  };
}
