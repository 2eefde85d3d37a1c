import type { Attacker, Behaviour } from './attacker.ts';

/** Signs everything that it hears of, and nullify besides: two notarize votes, two results, nullify and finalize, in every view. */
export function doubleVoter(attacker: Attacker): Behaviour {
  const signed = new Set<string>();
  return {
    incoming(_from, { message }) {
      if (message?.type !== 'votes' && message?.type !== 'proposal') return;
      const votes = message.type === 'votes' ? message.votes : [message.envelope.message.leaderVote];
      for (const { statement } of votes) {
        const { kind, epoch, view } = statement;
        const key = `${kind} ${epoch} ${view} ${JSON.stringify(statement)}`;
        if (signed.has(key) || !attacker.random.chance(60)) continue;
        signed.add(key);
        attacker.tellAll(statement);
        if (attacker.random.chance(50)) attacker.tellAll({ kind: 'nullify', epoch, view });
      }
    },
  };
}
