import {
  decodeVote,
  type Epoch,
  type Hash,
  type NotarizeStatement,
  type Proposal,
  proposalDigest,
  quorum,
  type Statement,
  type ValidatorIndex,
} from '@hanse/protocol';
import { messageKinds } from '../../src/engine/messages.ts';
import type { Machine } from '../world/machine.ts';
import { engineKindOf, readEngineMessage, readEnvelope } from '../world/wire.ts';
import type { Checker, CheckerContext } from './checker.ts';
import { VoteTap } from './voteTap.ts';

/**
 * An honest member notarizes a proposal only when it could have seen its parent notarized and every view between nullified
 * (packages/consensus/spec.md, P2): so many honest votes must have been on the wire before as those certificates cannot do without.
 */
export class NotarizedParents implements Checker {
  readonly name = 'notarized parents';
  readonly #context: CheckerContext;
  readonly #faulty: number;
  readonly #tap = new VoteTap();
  readonly #last = new Map<Machine, Uint8Array>();
  /** Who of the honest signed what, by epoch, view, kind and, of a proposal, its digest. */
  readonly #signers = new Map<string, Set<ValidatorIndex>>();
  readonly #proposals = new Map<Hash, Proposal>();

  constructor(context: CheckerContext) {
    this.#context = context;
    const { machines } = context.cluster;
    this.#faulty = new Set(machines.filter(({ honest }) => !honest).map(({ member }) => member)).size;
  }

  sent(from: Machine, _to: number, frame: Uint8Array): void {
    this.#readProposal(from, frame);
    if (!from.honest) return;
    for (const bytes of this.#tap.newVotes(from, frame)) {
      const { statement, signer } = decodeVote(bytes);
      const key = keyOf(statement);
      const signers = this.#signers.get(key) ?? new Set();
      this.#signers.set(key, signers.add(signer));
      if (statement.kind === 'notarize') this.#check(from, statement);
    }
  }

  #check(from: Machine, { epoch, view, parentView, digest }: NotarizeStatement): void {
    const proposal = this.#proposals.get(digest);
    const validators = from.process?.member?.engine.validators;
    if (proposal === undefined || validators?.epoch !== epoch) return;
    // The certificates may hold the votes of all Byzantine members, and one that its signer counted before anybody was connected.
    const least = quorum(validators.validators.length) - this.#faulty - 1;
    const isCertified = (statement: SignedBy): boolean => (this.#signers.get(keyOf(statement))?.size ?? 0) >= least;
    const complain = (what: string): void =>
      this.#context.report(`${from.name} notarized a proposal in view ${view} ${what}`);
    // An epoch's last block is proposed again in later views, on itself.
    const extended = proposal.view === view ? proposal.parentDigest : digest;
    if (parentView > 0 && !isCertified({ kind: 'notarize', epoch, view: parentView, digest: extended }))
      complain(`on a parent that was not notarized in view ${parentView}`);
    for (let between = parentView + 1; between < view; between++) {
      if (isCertified({ kind: 'nullify', epoch, view: between })) continue;
      complain(`across view ${between}, which was not nullified`);
      return;
    }
  }

  #readProposal(from: Machine, frame: Uint8Array): void {
    if (this.#last.get(from) === frame) return;
    this.#last.set(from, frame);
    const { suite, genesisHash } = this.#context.cluster.setup;
    const envelope = readEnvelope(frame);
    if (envelope === undefined || engineKindOf(envelope) !== messageKinds.proposal) return;
    const message = readEngineMessage(envelope, (proposal) => proposalDigest(suite, genesisHash, proposal));
    if (message?.type !== 'proposal') return;
    const { digest, proposal } = message.envelope.message;
    this.#proposals.set(digest, proposal);
  }
}

type SignedBy =
  | { readonly kind: 'notarize'; readonly epoch: Epoch; readonly view: number; readonly digest: Hash }
  | { readonly kind: 'nullify' | 'finalize'; readonly epoch: Epoch; readonly view: number };

function keyOf(statement: SignedBy | Statement): string {
  const { kind, epoch, view } = statement;
  return kind === 'notarize' ? `${epoch} ${view} ${kind} ${statement.digest}` : `${epoch} ${view} ${kind}`;
}
