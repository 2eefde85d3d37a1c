import { encodeTransactions, messageKinds } from '../../src/engine/messages.ts';
import { encodeEnvelope } from '../../src/network/envelope.ts';
import { engineKindOf } from '../world/wire.ts';
import { type Attacker, type Behaviour, proposalFrame } from './attacker.ts';

/**
 * As leader it proposes to some only, and keeps the bodies to itself: neither with the proposal, nor when it is asked. Of its votes and
 * certificates some members get none.
 */
export function withholdingLeader(attacker: Attacker): Behaviour {
  /** Who hears of what, by view. */
  const heard = new Map<number, ReadonlySet<number>>();
  const audience = (view: number): ReadonlySet<number> => {
    const known = heard.get(view);
    if (known !== undefined) return known;
    const { random, peers } = attacker;
    const chosen = new Set(random.sample(peers, random.below(peers.length + 1)));
    heard.set(view, chosen);
    return chosen;
  };
  const bodyRequests = new Set<string>();
  return {
    outgoing(to, { message, envelope, bytes }) {
      if (message?.type === 'proposal') {
        const { view } = message.envelope.message.leaderVote.statement;
        if (!audience(view).has(to)) return [];
        return [proposalFrame({ ...message.envelope, inline: [] })];
      }
      if (message?.type === 'votes' || message?.type === 'certificates')
        return audience(attacker.view).has(to) || attacker.random.chance(30) ? [bytes] : [];
      if (envelope?.type === 'response' && bodyRequests.delete(`${to} ${envelope.id}`)) {
        const payload = encodeTransactions([]);
        return attacker.random.chance(50) ? [encodeEnvelope({ ...envelope, payload })] : [];
      }
      return [bytes];
    },
    incoming(from, { envelope }) {
      if (envelope?.type === 'request' && engineKindOf(envelope) === messageKinds.requestBodies)
        bodyRequests.add(`${from} ${envelope.id}`);
    },
  };
}
