import type { Attacker, Behaviour } from './attacker.ts';

/** Proposes in views that others lead, as itself and in their name. */
export function usurpingLeader(attacker: Attacker): Behaviour {
  const { random } = attacker;
  const usurped = new Set<number>();
  return {
    incoming(_from, { message }) {
      if (message?.type !== 'proposal') return;
      const { view } = message.envelope.message.leaderVote.statement;
      if (attacker.leads(view) || usurped.has(view) || !random.chance(40)) return;
      usurped.add(view);
      const { proposal } = message.envelope.message;
      const leader = random.chance(50) ? attacker.place : proposal.leader;
      const own = attacker.signProposal(message.envelope.message, { timeMs: proposal.timeMs + 1, leader });
      for (const peer of attacker.peers) attacker.sendProposal(peer, { ...message.envelope, message: own });
    },
  };
}
