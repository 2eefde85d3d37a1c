import type { Height, View } from '@hanse/protocol';
import type { ProposalEnvelope } from '../../src/engine/messages.ts';
import { type Attacker, type Behaviour, proposalFrame, votesFrameWithout } from './attacker.ts';

/**
 * As leader it signs a sound proposal for a wrong place, which all refuse; and where such a one, or any that was given up, is of the view before,
 * it builds on that though nobody notarized it. Two such leaders in a row make others' rule of the notarized parent the last that holds.
 */
export function revivingLeader(attacker: Attacker): Behaviour {
  /** What the view before proposed, if it is another block than the one that this member's own program builds on. */
  const givenUp = ({ message }: ProposalEnvelope): ProposalEnvelope['message'] | undefined => {
    const { view } = message.leaderVote.statement;
    return [...attacker.proposals.values()]
      .map((known) => known.message)
      .find(
        ({ digest, leaderVote }) => leaderVote.statement.view === view - 1 && digest !== message.proposal.parentDigest,
      );
  };
  const revive = ({ message }: ProposalEnvelope, given: ProposalEnvelope['message']): ProposalEnvelope => {
    const change = {
      parentDigest: given.digest,
      height: (given.proposal.height + 1) as Height,
      timeMs: Math.max(message.proposal.timeMs, given.proposal.timeMs + 1),
      // What the block below holds already would be final twice.
      transactionHashes: [],
    };
    const { view: parentView } = given.leaderVote.statement;
    return { message: attacker.signProposal(message, change, { parentView }), inline: [] };
  };
  const misplace = (envelope: ProposalEnvelope): ProposalEnvelope => {
    const { message } = envelope;
    const { parentView } = message.leaderVote.statement;
    if (parentView === 0 || !attacker.random.chance(60)) return envelope;
    return { ...envelope, message: attacker.signProposal(message, {}, { parentView: (parentView - 1) as View }) };
  };
  const chosen = new Map<string, ProposalEnvelope>();
  return {
    outgoing(_to, { message, bytes }) {
      // Its program's votes for its own proposals would help those.
      if (message?.type === 'votes') return votesFrameWithout('notarize', message);
      if (message?.type !== 'proposal') return [bytes];
      const { envelope } = message;
      const { digest } = envelope.message;
      const given = givenUp(envelope);
      const instead = chosen.get(digest) ?? (given === undefined ? misplace(envelope) : revive(envelope, given));
      chosen.set(digest, instead);
      return [proposalFrame(instead)];
    },
  };
}
