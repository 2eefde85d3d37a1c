import { bytesToHex, type Height } from '@hanse/protocol';
import type { ProposalEnvelope } from '../../src/engine/messages.ts';
import { type Attacker, type Behaviour, proposalFrame } from './attacker.ts';

/**
 * As leader it proposes what breaks a static rule: a transaction that is final already, one with a changed signature, one that nobody has,
 * one twice, all in the wrong order, or a time or height that is not the next. Everything is signed and comes with its bodies.
 */
export function cheatingLeader(attacker: Attacker): Behaviour {
  const { random, suite } = attacker;
  const withHashes = (
    envelope: ProposalEnvelope,
    change: (hashes: readonly `0x${string}`[]) => readonly `0x${string}`[],
  ) => {
    const { message } = envelope;
    const transactionHashes = change(message.proposal.transactionHashes);
    return { ...envelope, message: attacker.signProposal(message, { transactionHashes }) };
  };
  const withBody = (envelope: ProposalEnvelope, raw: Uint8Array): ProposalEnvelope => ({
    ...withHashes(envelope, (hashes) => [suite.hashHex(raw), ...hashes]),
    inline: [raw, ...envelope.inline],
  });
  const cheat = (envelope: ProposalEnvelope): ProposalEnvelope => {
    const { message } = envelope;
    const { timeMs, height } = message.proposal;
    const known = attacker.bodies.length === 0 ? undefined : random.pick(attacker.bodies);
    switch (random.below(8)) {
      case 0:
        return known === undefined ? envelope : withBody(envelope, known);
      case 1: {
        if (known === undefined) return envelope;
        // A transaction's encoding ends in its signature.
        const changed = known.slice();
        changed[changed.length - 1 - random.below(30)]! ^= 1 << random.below(8);
        return withBody(envelope, changed);
      }
      case 2:
        return withHashes(envelope, (hashes) => [...hashes, bytesToHex(random.bytes(32))]);
      case 3:
        return withHashes(envelope, (hashes) => [...hashes, ...hashes.slice(0, 1)]);
      case 4:
        return withHashes(envelope, (hashes) => [...hashes].reverse());
      case 5:
        return {
          ...envelope,
          message: attacker.signProposal(message, { timeMs: timeMs - random.between(100, 100_000) }),
        };
      case 6:
        return {
          ...envelope,
          message: attacker.signProposal(message, { timeMs: timeMs + random.between(5_000, 3_600_000) }),
        };
      default:
        return { ...envelope, message: attacker.signProposal(message, { height: (height + 1) as Height }) };
    }
  };
  const cheated = new Map<string, ProposalEnvelope>();
  return {
    outgoing(_to, { message, bytes }) {
      if (message?.type !== 'proposal') return [bytes];
      const { digest } = message.envelope.message;
      // The same to everybody: it is to be refused for what it is, not for being one of two.
      const instead = cheated.get(digest) ?? (random.chance(70) ? cheat(message.envelope) : message.envelope);
      cheated.set(digest, instead);
      return [proposalFrame(instead)];
    },
  };
}
