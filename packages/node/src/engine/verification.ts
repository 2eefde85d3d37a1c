import type { ProposalMessage } from '@hanse/consensus';
import {
  type Certificate,
  type Hash,
  quorum,
  type Statement,
  type Suite,
  statementBytes,
  type ValidatorIndex,
  type ValidatorSet,
  type Vote,
} from '@hanse/protocol';
import { leastRecent } from './leastRecent.ts';
import type { ValidatorBudgets } from './validatorBudgets.ts';

export interface VerifierOptions {
  readonly suite: Suite;
  readonly genesisHash: Hash;
  readonly validators: ValidatorSet;
  readonly budgets: ValidatorBudgets;
  /** How many verified signatures are remembered, and how many verified certificates. */
  readonly rememberedSignatures?: number;
  readonly rememberedCertificates?: number;
}

const REMEMBERED_SIGNATURES = 16_384;
const REMEMBERED_CERTIFICATES = 1_024;

export type Verdict =
  | { readonly verdict: 'good' }
  /** Of another epoch, or of no use: no blame, and not for the core. */
  | { readonly verdict: 'ignored'; readonly reason: string }
  /** No honest member sends this. */
  | { readonly verdict: 'bad'; readonly reason: string };

const GOOD: Verdict = { verdict: 'good' };

/**
 * Verifies everything signed before the core sees it. Signatures that were verified once are remembered, so that a
 * certificate made of votes that were seen before costs no arithmetic, and every peer has a budget of new ones, so
 * that a Byzantine member cannot keep this thread busy with valid but useless signatures.
 */
export class Verifier {
  readonly #options: VerifierOptions;
  readonly #verified = leastRecent<string, true>();
  /** Verified certificates by statement: another set of signers for the same statement proves nothing new. */
  readonly #certificates = leastRecent<string, Certificate>();

  constructor(options: VerifierOptions) {
    this.#options = options;
  }

  get remembered(): { readonly signatures: number; readonly certificates: number } {
    return { signatures: this.#verified.size, certificates: this.#certificates.size };
  }

  /** Remembers a signature that this member made or read from its own log. */
  trust(statement: Statement, signer: ValidatorIndex, signature: Uint8Array): void {
    const message = statementBytes(this.#options.genesisHash, statement);
    this.#remember(signatureKey(message, signer, signature));
  }

  vote(from: ValidatorIndex, vote: Vote): Verdict {
    const { validators, genesisHash } = this.#options;
    if (vote.statement.epoch !== validators.epoch) return ignored(`epoch ${vote.statement.epoch}`);
    if (vote.signer >= validators.validators.length)
      return bad(`a vote by validator ${vote.signer}, who is not in the set`);
    const message = statementBytes(genesisHash, vote.statement);
    return this.#signatures(from, message, [vote]);
  }

  /** Structure first, then the signatures that were not verified before. */
  certificate(from: ValidatorIndex, certificate: Certificate): Verdict {
    const { validators, genesisHash } = this.#options;
    const { statement, signatures } = certificate;
    if (statement.epoch !== validators.epoch) return ignored(`epoch ${statement.epoch}`);
    const message = statementBytes(genesisHash, statement);
    const key = latin1(message);
    if (this.#certificates.has(key)) return GOOD;
    const n = validators.validators.length;
    // A surplus signature would give one statement many valid certificates, so exactly q are allowed.
    if (signatures.length !== quorum(n)) return bad(`a certificate of ${signatures.length} signatures`);
    let previous = -1;
    for (const { signer } of signatures) {
      if (signer <= previous || signer >= n)
        return bad('the signers of a certificate are not ascending members of the set');
      previous = signer;
    }
    const verdict = this.#signatures(from, message, signatures);
    if (verdict.verdict === 'good') {
      this.#certificates.set(key, certificate, this.#options.rememberedCertificates ?? REMEMBERED_CERTIFICATES);
    }
    return verdict;
  }

  /** The certificate that was verified first for a statement; only after `certificate` was good for it. */
  canonical(certificate: Certificate): Certificate {
    return (
      this.#certificates.get(latin1(statementBytes(this.#options.genesisHash, certificate.statement))) ?? certificate
    );
  }

  /** The leader's signature, its right to the view, and what binds the vote to the proposal; and the justification. */
  proposal(from: ValidatorIndex, message: ProposalMessage): Verdict {
    const own = this.leaderVote(from, message);
    if (own.verdict !== 'good') return own;
    for (const certificate of message.justification) {
      const verdict = this.certificate(from, certificate);
      if (verdict.verdict !== 'good') return verdict;
    }
    return GOOD;
  }

  /** A proposal without its justification. */
  leaderVote(from: ValidatorIndex, { proposal, leaderVote, digest }: ProposalMessage): Verdict {
    const { epoch, validators } = this.#options.validators;
    const { statement } = leaderVote;
    if (proposal.epoch !== epoch || statement.epoch !== epoch) return ignored(`epoch ${proposal.epoch}`);
    if (statement.digest !== digest) return bad('the leader voted for another digest');
    if (leaderVote.signer !== statement.view % validators.length)
      return bad(`validator ${leaderVote.signer} does not lead view ${statement.view}`);
    // An epoch-closing block is proposed again in later views with its view of origin (packages/consensus/spec.md, rule L3).
    if (proposal.view > statement.view) return bad('a proposal of a later view than its vote');
    if (proposal.leader !== proposal.view % validators.length)
      return bad('a proposal names a leader who does not lead its view');
    if (statement.parentView >= statement.view) return bad('a proposal names a parent of a later view');
    return this.vote(from, leaderVote);
  }

  #signatures(
    from: ValidatorIndex,
    message: Uint8Array,
    entries: readonly { readonly signer: ValidatorIndex; readonly signature: Uint8Array }[],
  ): Verdict {
    const { suite, validators, budgets } = this.#options;
    const unknown = entries
      .map((entry) => ({ ...entry, key: signatureKey(message, entry.signer, entry.signature) }))
      .filter(({ key }) => !this.#verified.has(key));
    if (unknown.length === 0) return GOOD;
    if (!budgets.take(from, 'signatures', unknown.length))
      return bad('more signatures than a member needs to have verified');
    for (const { signer, signature, key } of unknown) {
      const validator = validators.validators[signer]!;
      if (!suite.verify(validator.voteKey, message, signature)) return bad(`a wrong signature of ${validator.name}`);
      this.#remember(key);
    }
    return GOOD;
  }

  #remember(key: string): void {
    this.#verified.set(key, true, this.#options.rememberedSignatures ?? REMEMBERED_SIGNATURES);
  }
}

// The signature is part of the key: a certificate must not become valid by somebody's earlier good signature of its statement.
function signatureKey(message: Uint8Array, signer: ValidatorIndex, signature: Uint8Array): string {
  return `${signer}:${latin1(signature)}${latin1(message)}`;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function ignored(reason: string): Verdict {
  return { verdict: 'ignored', reason };
}

function bad(reason: string): Verdict {
  return { verdict: 'bad', reason };
}
