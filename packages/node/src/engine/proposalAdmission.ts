import {
  type ConsensusState,
  knowsCertificate,
  knowsProposal,
  PROPOSAL_WINDOW,
  type ProposalMessage,
} from '@hanse/consensus';
import type { Certificate, ValidatorIndex, View } from '@hanse/protocol';
import type { UntimedInput } from './blockPipeline.ts';
import type { ProposalEnvelope } from './messages.ts';
import type { ValidatorBudgets } from './validatorBudgets.ts';
import type { Verdict, Verifier } from './verification.ts';

/**
 * Transactions that come with a proposal are verified at once only if its view is at most so far ahead: what a leader of the next view sends
 * may overtake the certificate that ends this one. Those of later views are fetched when their view comes.
 */
const INLINE_WINDOW = 2;

export interface ProposalAdmissionModules {
  readonly core: () => ConsensusState;
  readonly verifier: Verifier;
  readonly budgets: ValidatorBudgets;
  readonly feed: (input: UntimedInput) => void;
}

/**
 * Decides what of a proposal that arrived is taken. The certificates in it help a member that is behind, whatever becomes of the proposal itself;
 * its bodies are what a Byzantine leader could fill memory and the senders thread with.
 */
export class ProposalAdmission {
  readonly #modules: ProposalAdmissionModules;

  constructor(modules: ProposalAdmissionModules) {
    this.#modules = modules;
  }

  /** What is left to be registered and fed to the core; otherwise why nothing is. */
  admit(
    from: ValidatorIndex,
    { message, inline }: ProposalEnvelope,
  ): ProposalEnvelope | Exclude<Verdict, { verdict: 'good' }> {
    const { core, verifier, budgets } = this.#modules;
    const { view } = message.leaderVote.statement;
    const isFarAhead = (): boolean => view > core().view + PROPOSAL_WINDOW;
    // What is certain to be of no use costs no verification.
    if (knowsProposal(core(), view, message.digest))
      return ignored('one of many proposals for a view, or a settled one');
    if (isFarAhead() && !budgets.take(from, 'distantVotes', 1)) return ignored('proposals for views far ahead');
    const verdict = verifier.leaderVote(from, message);
    if (verdict.verdict !== 'good') return verdict;
    const justification: Certificate[] = [];
    for (const certificate of message.justification) {
      const taken = this.#take(from, certificate);
      if ('verdict' in taken) return taken;
      justification.push(...taken);
    }
    if (isFarAhead()) return ignored('a view far ahead');
    const bodies = this.#takesInline(from, message, view, inline.length) ? inline : [];
    return { message: { ...message, justification }, inline: bodies };
  }

  /** Feeds a certificate of the justification to the core, as if it had come by itself; gives the one that was verified. */
  #take(
    from: ValidatorIndex,
    certificate: Certificate,
  ): readonly Certificate[] | Exclude<Verdict, { verdict: 'good' }> {
    const { core, verifier, feed } = this.#modules;
    const { kind, view, epoch } = certificate.statement;
    if (epoch === core().options.epoch && knowsCertificate(core(), certificate)) {
      // Held and verified, or of a settled view and of no more use: nothing in it needs to be believed or verified.
      const round = core().rounds.get(view);
      const held = kind === 'notarize' ? round?.notarization : kind === 'nullify' ? round?.nullification : undefined;
      return held === undefined ? [] : [held];
    }
    const verdict = verifier.certificate(from, certificate);
    if (verdict.verdict !== 'good') return verdict;
    const canonical = verifier.canonical(certificate);
    feed({ type: 'certificate', from, certificate: canonical });
    return [canonical];
  }

  #takesInline(from: ValidatorIndex, message: ProposalMessage, view: View, count: number): boolean {
    if (count === 0) return false;
    const { core, budgets } = this.#modules;
    const state = core();
    const round = state.rounds.get(view);
    const notarized = round?.notarization?.statement.digest === message.digest;
    // The first time only: its leader sends it again while nothing comes of it.
    const soon = view >= state.view && view <= state.view + INLINE_WINDOW && round?.message === undefined;
    return (notarized || soon) && budgets.take(from, 'bodies', count);
  }
}

function ignored(reason: string): { readonly verdict: 'ignored'; readonly reason: string } {
  return { verdict: 'ignored', reason };
}
