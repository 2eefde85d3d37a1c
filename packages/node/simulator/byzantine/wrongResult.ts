import { bytesToHex, type FinalizeStatement } from '@hanse/protocol';
import { encodeVotes, messageKinds } from '../../src/engine/messages.ts';
import { engineFrame } from '../world/wire.ts';
import type { Attacker, Behaviour } from './attacker.ts';

/** Signs another result than execution gives: the same wrong one for all, or one of its own for each; or the right one for some. */
export function wrongResult(attacker: Attacker): Behaviour {
  const { random } = attacker;
  const consistent = random.chance(50);
  const wrong = new Map<string, FinalizeStatement>();
  const twist = (statement: FinalizeStatement, to: number): FinalizeStatement => {
    const key = `${statement.epoch} ${statement.view} ${consistent ? '' : to}`;
    const known = wrong.get(key);
    if (known !== undefined) return known;
    const twisted = { ...statement, blockHash: bytesToHex(random.bytes(32)) };
    wrong.set(key, twisted);
    return twisted;
  };
  return {
    outgoing(to, { message, bytes }) {
      if (message?.type !== 'votes') return [bytes];
      const votes = message.votes.map((vote) => {
        const { statement } = vote;
        if (statement.kind !== 'finalize' || random.chance(20)) return vote;
        return attacker.sign(twist(statement, to));
      });
      return [engineFrame(message.epoch, messageKinds.votes, encodeVotes(votes))];
    },
  };
}
