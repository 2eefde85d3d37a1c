import type { Height, Statement, View } from '@hanse/protocol';
import { encodeStatus, messageKinds } from '../../src/engine/messages.ts';
import { engineFrame } from '../world/wire.ts';
import type { Attacker, Behaviour } from './attacker.ts';

/** Speaks of views to come, with good signatures: votes near and far ahead, proposals for the next views that it leads, and positions nobody is in. */
export function futureViews(attacker: Attacker): Behaviour {
  const { random } = attacker;
  const ahead = (): View =>
    (attacker.view + (random.chance(80) ? random.between(1, 80) : random.below(2 ** 31))) as View;
  const vote = (): Statement => {
    const { epoch, proposals } = attacker;
    const view = ahead();
    const digest = [...proposals.keys()].at(-1);
    if (digest === undefined || random.chance(50)) return { kind: 'nullify', epoch, view };
    return { kind: 'notarize', epoch, view, parentView: attacker.view, digest };
  };
  const propose = (): void => {
    const known = [...attacker.proposals.values()].at(-1);
    if (known === undefined) return;
    const size = attacker.validators.validators.length;
    const next = attacker.view + ((attacker.place - (attacker.view % size) + size) % size) + size * random.below(3);
    if (next <= known.message.proposal.view) return;
    const view = next as View;
    const { proposal, digest } = known.message;
    const change = {
      view,
      leader: attacker.place,
      parentDigest: digest,
      height: (proposal.height + 1) as Height,
      timeMs: proposal.timeMs + random.between(1, 20_000),
      transactionHashes: [],
    };
    const message = attacker.signProposal(known.message, change, { view, parentView: proposal.view });
    for (const peer of attacker.peers)
      attacker.sendProposal(peer, { message: { ...message, justification: [] }, inline: [] });
  };
  attacker.every(20, 400, () => {
    attacker.tellAll(vote(), vote());
    if (random.chance(40)) propose();
    if (random.chance(20)) {
      const status = encodeStatus({
        epoch: attacker.epoch,
        view: ahead(),
        finalizedHeight: random.below(2 ** 31) as Height,
        finalizedView: ahead(),
        certificates: [],
        yourVotes: [],
      });
      attacker.send(random.pick(attacker.peers), engineFrame(attacker.epoch, messageKinds.status, status));
    }
  });
  return {};
}
