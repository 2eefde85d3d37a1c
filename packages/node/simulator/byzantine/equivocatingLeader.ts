import type { Statement } from '@hanse/protocol';
import type { ProposalEnvelope } from '../../src/engine/messages.ts';
import { type Attacker, type Behaviour, proposalFrame } from './attacker.ts';

/**
 * As leader it shows one block to some and another to the rest, each with all bodies, and signs every notarize and finalize vote that others
 * sign for either.
 */
export function equivocatingLeader(attacker: Attacker): Behaviour {
  const variants = new Map<string, readonly ProposalEnvelope[]>();
  const variantsOf = (envelope: ProposalEnvelope): readonly ProposalEnvelope[] => {
    const { message } = envelope;
    const known = variants.get(message.digest);
    if (known !== undefined) return known;
    const { timeMs, transactionHashes } = message.proposal;
    const later = attacker.signProposal(message, { timeMs: timeMs + 1 });
    const fewer = attacker.signProposal(message, { transactionHashes: transactionHashes.slice(0, -1) });
    const made = [message, transactionHashes.length > 1 && attacker.random.chance(50) ? fewer : later].map((each) => ({
      message: each,
      inline: envelope.inline,
    }));
    variants.set(message.digest, made);
    return made;
  };
  const signed = new Set<string>();
  const echo = (statement: Statement): void => {
    const key = JSON.stringify(statement);
    if (signed.has(key)) return;
    signed.add(key);
    attacker.tellAll(statement);
  };
  return {
    outgoing(_to, { message, bytes }) {
      if (message?.type !== 'proposal') return [bytes];
      const both = variantsOf(message.envelope).map(proposalFrame);
      return attacker.random.chance(30) ? both : [attacker.random.pick(both)];
    },
    incoming(_from, { message }) {
      if (message?.type !== 'votes') return;
      for (const { statement } of message.votes) {
        if (statement.kind !== 'nullify' && attacker.random.chance(70)) echo(statement);
      }
    },
  };
}
