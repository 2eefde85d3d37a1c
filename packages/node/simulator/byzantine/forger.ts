import {
  bytesToHex,
  type Certificate,
  type Hash,
  type Height,
  quorum,
  type Statement,
  type View,
} from '@hanse/protocol';
import type { Attacker, Behaviour } from './attacker.ts';

/** Makes certificates and votes that nobody signed: in others' names, with too few signatures, with one signature for all, for blocks of its own. */
export function forger(attacker: Attacker): Behaviour {
  const { random } = attacker;
  // Whoever notices one kind cuts it off before it can show the other.
  const certificatePercent = random.pick([20, 80]);
  const forged = (statement: Statement): Certificate => {
    const size = attacker.validators.validators.length;
    const own = attacker.sign(statement);
    const count = random.chance(70) ? quorum(size) : random.between(1, size);
    const signers = random.sample([...attacker.validators.validators.keys()], count).sort((a, b) => a - b);
    const real = [...attacker.votes].filter(({ statement: other }) => same(other, statement));
    return {
      statement,
      signatures: signers.map((signer) => {
        const honest = real.find((vote) => vote.signer === signer);
        if (honest !== undefined) return { signer, signature: honest.signature };
        return { signer, signature: random.chance(50) ? own.signature : random.bytes(64) };
      }),
    };
  };
  const statement = (): Statement => {
    const { epoch } = attacker;
    const view = Math.max(1, attacker.view + random.between(-2, 2)) as View;
    const known = random.chance(50) ? [...attacker.proposals.values()].at(-1)?.message : undefined;
    const digest: Hash = known?.digest ?? bytesToHex(random.bytes(32));
    switch (random.below(3)) {
      case 0:
        return { kind: 'notarize', epoch, view, parentView: Math.max(0, view - 1) as View, digest };
      case 1:
        return { kind: 'nullify', epoch, view };
      default: {
        const height = (known?.proposal.height ?? random.between(1, 50)) as Height;
        return { kind: 'finalize', epoch, view, digest, height, blockHash: bytesToHex(random.bytes(32)) };
      }
    }
  };
  // Whoever notices cuts it off for a while, so it tries now and then.
  attacker.every(50, 1_500, () => {
    const certificate = forged(
      random.chance(30) && attacker.votes.length > 0 ? random.pick(attacker.votes).statement : statement(),
    );
    const peers = random.chance(50) ? attacker.peers : [random.pick(attacker.peers)];
    for (const peer of peers) {
      if (random.chance(certificatePercent)) attacker.sendCertificates(peer, [certificate]);
      else {
        // As many as would make the certificate of whoever believes them.
        const votes = certificate.signatures.map((entry) => ({ ...entry, statement: certificate.statement }));
        attacker.sendVotes(peer, votes);
      }
    }
  });
  return {};
}

const same = (a: Statement, b: Statement): boolean => JSON.stringify(a) === JSON.stringify(b);
