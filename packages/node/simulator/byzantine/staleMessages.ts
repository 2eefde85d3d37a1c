import type { Attacker, Behaviour } from './attacker.ts';

const MAX_KEPT = 300;

/** Sends again what it once sent or got: old certificates, old proposals, old votes of its own, old positions. */
export function staleMessages(attacker: Attacker): Behaviour {
  const { random } = attacker;
  const frames: Uint8Array[] = [];
  const keep = (bytes: Uint8Array): void => {
    if (frames.length < MAX_KEPT) frames.push(bytes);
    else frames[random.below(MAX_KEPT)] = bytes;
  };
  attacker.every(5, 80, () => {
    if (attacker.certificates.length > 0) {
      const count = random.between(1, 8);
      const certificates = Array.from({ length: count }, () => random.pick(attacker.certificates));
      attacker.sendCertificates(random.pick(attacker.peers), certificates);
    }
    if (frames.length > 0) attacker.send(random.pick(attacker.peers), random.pick(frames));
    const proposals = [...attacker.proposals.values()].filter(
      ({ message }) => message.leaderVote.signer === attacker.place,
    );
    if (proposals.length > 0 && random.chance(30))
      attacker.sendProposal(random.pick(attacker.peers), random.pick(proposals));
  });
  return {
    outgoing(_to, { message, bytes }) {
      if (message !== undefined) keep(bytes);
      return [bytes];
    },
  };
}
