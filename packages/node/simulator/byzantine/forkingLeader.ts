import type { Height, View } from '@hanse/protocol';
import type { ProposalEnvelope } from '../../src/engine/messages.ts';
import { type Attacker, type Behaviour, proposalFrame } from './attacker.ts';

/** As leader it builds on an ancestor of the block that it should build on, past a notarized block that nobody nullified. */
export function forkingLeader(attacker: Attacker): Behaviour {
  const fork = (envelope: ProposalEnvelope): ProposalEnvelope => {
    const { message } = envelope;
    const parent = attacker.proposals.get(message.proposal.parentDigest)?.message;
    if (parent === undefined) return envelope;
    const { parentDigest, height } = parent.proposal;
    const parentView = (attacker.proposals.get(parentDigest)?.message.leaderVote.statement.view ?? 0) as View;
    const forked = attacker.signProposal(message, { parentDigest, height: height as Height }, { parentView });
    return { ...envelope, message: forked };
  };
  return {
    outgoing(_to, { message, bytes }) {
      if (message?.type !== 'proposal' || attacker.random.chance(30)) return [bytes];
      return [proposalFrame(fork(message.envelope))];
    },
  };
}
