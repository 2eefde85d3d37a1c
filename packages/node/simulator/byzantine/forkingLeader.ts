import type { View } from '@hanse/protocol';
import type { ProposalEnvelope } from '../../src/engine/messages.ts';
import { type Attacker, type Behaviour, proposalFrame } from './attacker.ts';

/**
 * Before it leads it builds on an ancestor of the block that it will have to build on, past a block that nobody nullified, whose
 * transactions it takes over; and tells everybody at once, so that its proposal is there when the others enter its view.
 */
export function forkingLeader(attacker: Attacker): Behaviour {
  const forked = new Map<string, Uint8Array>();
  /** Beside a block that was just proposed, for the next view. */
  const fork = ({ message }: ProposalEnvelope): void => {
    const { proposal, leaderVote } = message;
    const view = (leaderVote.statement.view + 1) as View;
    const { parentView } = leaderVote.statement;
    const change = { view, leader: attacker.place, timeMs: proposal.timeMs + 1 };
    const instead = attacker.signProposal(message, change, { view, parentView });
    const frame = proposalFrame({ message: { ...instead, justification: [] }, inline: [] });
    forked.set(keyOf(attacker.epoch, view), frame);
    for (const peer of attacker.peers) attacker.send(peer, frame);
  };
  return {
    incoming(_from, { message }) {
      if (message?.type !== 'proposal' || message.epoch !== attacker.epoch) return;
      const { view } = message.envelope.message.leaderVote.statement;
      const next = keyOf(attacker.epoch, view + 1);
      if (view !== attacker.view || !attacker.leads(view + 1) || forked.has(next)) return;
      if (attacker.random.chance(70)) fork(message.envelope);
    },
    outgoing(_to, { message, bytes }) {
      if (message?.type !== 'proposal') return [bytes];
      const { view } = message.envelope.message.leaderVote.statement;
      // Not what its program makes of that view: a second proposal would give it away.
      return [forked.get(keyOf(message.epoch, view)) ?? bytes];
    },
  };
}

const keyOf = (epoch: number, view: number): string => `${epoch} ${view}`;
