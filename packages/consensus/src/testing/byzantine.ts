import type { Certificate, Hash, NotarizeStatement, Proposal, Statement, Vote } from '@hanse/protocol';
import { Epoch, Height, View } from '@hanse/protocol';
import type { ProposalMessage } from '../types.ts';
import { fakeCertificate, fakeDigest, fakeHash, fakeVote } from './fakeSuite.ts';
import type { Message } from './messages.ts';
import type { SeededRandom } from './seededRandom.ts';
import { INVALID_TRANSACTION, resultOf } from './simulatedMember.ts';

/** What a Byzantine member knows and may do beyond following the protocol: see all it is sent, and send anything it can sign. */
export interface Adversary {
  readonly index: number;
  readonly random: SeededRandom;
  readonly validators: readonly number[];
  /** Every proposal it saw or made, by digest; shared by all Byzantine members of a run. */
  readonly proposals: Map<Hash, Proposal>;
  send(to: number, message: Message): void;
}

/**
 * A way to break the protocol. It wraps an honest member: `outgoing` says what leaves in place of a message of that
 * member, `incoming` may add anything upon a message that arrives.
 */
export interface Behaviour {
  outgoing(self: Adversary, to: number, message: Message): readonly Message[];
  incoming(self: Adversary, message: Message): void;
}

/** The result that honest members get from a proposal, as far as its ancestors are known. */
function honestResult(self: Adversary, digest: Hash): Hash {
  const chain: Hash[] = [];
  for (let at: Hash | undefined = digest; at !== undefined && self.proposals.has(at); ) {
    chain.unshift(at);
    at = self.proposals.get(at)?.parentDigest;
  }
  let result = fakeHash('genesis block');
  for (const each of chain) result = resultOf(result, each);
  return result;
}

function statementOf(message: Message): Statement | undefined {
  switch (message.type) {
    case 'vote':
      return message.vote.statement;
    case 'certificate':
      return message.certificate.statement;
    case 'proposal':
      return message.message.leaderVote.statement;
    default:
      return undefined;
  }
}

function remember(self: Adversary, message: Message): void {
  if (message.type === 'proposal') self.proposals.set(message.message.digest, message.message.proposal);
}

function tellAll(self: Adversary, statement: Statement): void {
  const vote = fakeVote(statement, self.index);
  for (const to of self.validators) if (to !== self.index) self.send(to, { type: 'vote', vote });
}

/** The same place in the chain, other content. */
function twinOf(self: Adversary, message: ProposalMessage, change: Partial<Proposal>): ProposalMessage {
  const proposal: Proposal = { ...message.proposal, ...change };
  const digest = fakeDigest(proposal);
  self.proposals.set(digest, proposal);
  const statement: NotarizeStatement = { ...message.leaderVote.statement, digest };
  return { ...message, proposal, digest, leaderVote: fakeVote(statement, self.index) };
}

/** As leader proposes one block to one half and another to the other, and signs everything anybody might want to hear. */
export const equivocator: Behaviour = {
  outgoing(self, to, message) {
    remember(self, message);
    if (message.type === 'proposal' && (to % 2 === 1 || self.random.chance(20))) {
      const change = { timeMs: message.message.proposal.timeMs + 1 };
      const twin: Message = { type: 'proposal', message: twinOf(self, message.message, change) };
      return self.random.chance(20) ? [message, twin] : [twin];
    }
    return [message];
  },
  incoming(self, message) {
    doubleVoter.incoming(self, message);
  },
};

/** Signs notarize for every proposal, finalize for every proposal with the right result, and nullify, in every view. */
export const doubleVoter: Behaviour = {
  outgoing(self, _to, message) {
    remember(self, message);
    return [message];
  },
  incoming(self, message) {
    remember(self, message);
    const statement = statementOf(message);
    if (statement === undefined || statement.kind !== 'notarize' || !self.random.chance(50)) return;
    const { view, digest } = statement;
    const proposal = self.proposals.get(digest);
    tellAll(self, statement);
    tellAll(self, { kind: 'nullify', epoch: Epoch(0), view });
    if (proposal === undefined) return;
    const { height } = proposal;
    tellAll(self, { kind: 'finalize', epoch: Epoch(0), view, digest, height, blockHash: honestResult(self, digest) });
  },
};

/** Nullifies every view it hears of, and the next ones. */
export const nuller: Behaviour = {
  outgoing: (_self, _to, message) => [message],
  incoming(self, message) {
    const view = statementOf(message)?.view;
    if (view === undefined || !self.random.chance(20)) return;
    for (let ahead = 0; ahead < 3; ahead++)
      tellAll(self, { kind: 'nullify', epoch: Epoch(0), view: View(view + ahead) });
  },
};

/** As leader proposes on the parent of the right parent, below a notarized block that was not nullified. */
export const forker: Behaviour = {
  outgoing(self, _to, message) {
    remember(self, message);
    if (message.type !== 'proposal') return [message];
    const { proposal, leaderVote } = message.message;
    const parent = self.proposals.get(proposal.parentDigest);
    if (parent === undefined) return [message];
    const digest = parent.parentDigest;
    const extended = self.proposals.get(digest);
    const change = { parentDigest: digest, height: Height((extended?.height ?? 0) + 1) };
    const parentView = extended?.view ?? View(0);
    const statement = { ...leaderVote.statement, parentView };
    const forked = twinOf(self, { ...message.message, leaderVote: { ...leaderVote, statement } }, change);
    return [{ type: 'proposal', message: forked }];
  },
  incoming(self, message) {
    doubleVoter.incoming(self, message);
  },
};

/**
 * Two of them that lead one after the other: the first shows a twin of its proposal to a few, and sometimes nothing to
 * the rest; the second builds on the twin, which nobody notarized.
 */
export const colluder: Behaviour = {
  outgoing(self, to, message) {
    remember(self, message);
    if (message.type !== 'proposal') return [message];
    const { proposal, leaderVote } = message.message;
    const view = View(proposal.view - 1);
    const before = [...self.proposals].filter((entry) => entry[1].view === view).at(-1);
    if (before !== undefined) {
      const change = { parentDigest: before[0], height: Height(before[1].height + 1) };
      const statement = { ...leaderVote.statement, parentView: view };
      const onTwin = { ...message.message, leaderVote: { ...leaderVote, statement } };
      return [{ type: 'proposal', message: twinOf(self, onTwin, change) }];
    }
    const twin = twinOf(self, message.message, { timeMs: proposal.timeMs + 1 });
    if (to % 6 === 0) return [{ type: 'proposal', message: twin }];
    const toTheRest = Number.parseInt(message.message.digest.slice(-1), 16) % 2 === 0;
    return toTheRest ? [message] : [];
  },
  incoming(self, message) {
    doubleVoter.incoming(self, message);
  },
};

/** Keeps what it should send from half of the others, at random; as leader from most. */
export const withholder: Behaviour = {
  outgoing(self, _to, message) {
    return self.random.chance(message.type === 'proposal' ? 70 : 50) ? [] : [message];
  },
  incoming() {},
};

/** Lies in everything that can be lied in: results, signatures, certificates, positions, contents. */
export const liar: Behaviour = {
  outgoing(self, to, message) {
    switch (message.type) {
      case 'proposal':
        if (to % 3 === 0) return [message];
        return [
          { type: 'proposal', message: twinOf(self, message.message, { transactionHashes: [INVALID_TRANSACTION] }) },
        ];
      case 'vote':
        return [message, ...forgedVotes(self, message.vote)];
      case 'status':
        return [{ ...message, view: View(2 ** 40), finalizedHeight: Height(2 ** 40), finalizedView: View(2 ** 40) }];
      default:
        return [message];
    }
  },
  incoming(self, message) {
    const statement = statementOf(message);
    if (statement === undefined || !self.random.chance(10)) return;
    const forged: Certificate = fakeCertificate(statement, [self.index]);
    for (const to of self.validators)
      if (to !== self.index) self.send(to, { type: 'certificate', certificate: forged });
    tellAll(self, { kind: 'nullify', epoch: Epoch(0), view: View(statement.view + 1_000) });
  },
};

/** Votes in others' names, which no host may pass on, and a result of its own invention. */
function forgedVotes(self: Adversary, vote: Vote): Message[] {
  const signer = self.random.pick(self.validators);
  const messages: Message[] = [{ type: 'vote', vote: { ...vote, signer } }];
  if (vote.statement.kind === 'finalize') {
    const statement = { ...vote.statement, blockHash: fakeHash('an invented result') };
    messages.unshift({ type: 'vote', vote: fakeVote(statement, self.index) });
  }
  return signer === self.index ? [] : messages;
}

export const behaviours: Readonly<Record<string, Behaviour>> = {
  equivocator,
  doubleVoter,
  nuller,
  forker,
  colluder,
  withholder,
  liar,
};
