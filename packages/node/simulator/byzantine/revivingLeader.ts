import type { Height } from '@hanse/protocol';
import type { ProposalEnvelope } from '../../src/engine/messages.ts';
import { type Attacker, type Behaviour, proposalFrame, votesFrameWithout } from './attacker.ts';

/**
 * As leader it builds on the proposal of the view before though nobody notarized it, as if that view had not been given up. Its notarize
 * votes for others it keeps to itself, so that under faults there are such proposals.
 */
export function revivingLeader(attacker: Attacker): Behaviour {
  const revive = (envelope: ProposalEnvelope): ProposalEnvelope => {
    const { message } = envelope;
    const { view } = message.leaderVote.statement;
    // Its own program builds on the newest notarized block: another proposal of the view before was given up.
    const given = [...attacker.proposals.values()].find(
      ({ message: other }) => other.leaderVote.statement.view === view - 1 && other.digest !== message.digest,
    )?.message;
    if (given === undefined || given.digest === message.proposal.parentDigest) return envelope;
    const change = {
      parentDigest: given.digest,
      height: (given.proposal.height + 1) as Height,
      timeMs: Math.max(message.proposal.timeMs, given.proposal.timeMs + 1),
      // What the other block holds already would be final twice.
      transactionHashes: [],
    };
    const parentView = given.leaderVote.statement.view;
    return { message: attacker.signProposal(message, change, { parentView }), inline: [] };
  };
  const revived = new Map<string, ProposalEnvelope>();
  return {
    outgoing(_to, { message, bytes }) {
      if (message?.type === 'votes') return votesFrameWithout('notarize', message);
      if (message?.type !== 'proposal') return [bytes];
      const { digest } = message.envelope.message;
      const instead = revived.get(digest) ?? revive(message.envelope);
      revived.set(digest, instead);
      return instead.message.digest === digest ? [bytes] : [proposalFrame(instead)];
    },
  };
}
