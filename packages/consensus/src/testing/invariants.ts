import type { Hash, Proposal, Vote } from '@hanse/protocol';
import { View } from '@hanse/protocol';
import type { ConsensusState } from '../state.ts';
import { statementText } from './fakeSuite.ts';
import type { StoredBlock } from './messages.ts';

/** Watches what honest members sign and finalize; every breach is a sentence in `violations`. */
export class Invariants {
  readonly violations: string[] = [];
  readonly #votes = new Map<string, string>();
  readonly #final = new Map<number, { readonly digest: Hash; readonly blockHash: Hash }>();

  readonly #closesAtHeight: number | undefined;

  constructor(closesAtHeight: number | undefined) {
    this.#closesAtHeight = closesAtHeight;
  }

  get height(): number {
    return this.#final.size;
  }

  /** One notarize a view, one finalize a view, never nullify and finalize in a view; across restarts. */
  signed(member: number, { statement }: Vote): void {
    const text = statementText(statement);
    const key = (kind: string): string => `${member}|${statement.view}|${kind}`;
    const before = this.#votes.get(key(statement.kind));
    if (before !== undefined && before !== text) {
      this.violations.push(`member ${member} signed two ${statement.kind} votes in view ${statement.view}`);
    }
    this.#votes.set(key(statement.kind), text);
    const other = statement.kind === 'nullify' ? 'finalize' : statement.kind === 'finalize' ? 'nullify' : undefined;
    if (other !== undefined && this.#votes.has(key(other))) {
      this.violations.push(`member ${member} signed nullify and finalize in view ${statement.view}`);
    }
  }

  /** A notarize vote stands on a parent that is notarized and on views between that are nullified, as its signer knows them. */
  justified(member: number, state: ConsensusState, vote: Vote, proposal: Proposal | undefined): void {
    const { statement } = vote;
    if (statement.kind !== 'notarize' || proposal === undefined || statement.parentView < state.finalized.view) return;
    const { view, parentView } = statement;
    const extended = proposal.view === view ? proposal.parentDigest : statement.digest;
    const final = parentView === state.finalized.view;
    const parent = final ? state.finalized.digest : state.rounds.get(parentView)?.notarization?.statement.digest;
    if (parent !== extended)
      this.violations.push(`member ${member} notarized on a parent that is not notarized in view ${parentView}`);
    for (let between = parentView + 1; between < view; between++) {
      if (state.rounds.get(View(between))?.nullification !== undefined) continue;
      this.violations.push(`member ${member} notarized in view ${view} across view ${between}, which is not nullified`);
    }
  }

  /** Agreement on block and result at every height, and every block on top of the one before. */
  finalized(member: number, block: StoredBlock): void {
    const { height, digest, blockHash } = block;
    if (this.#closesAtHeight !== undefined && height > this.#closesAtHeight) {
      this.violations.push(`member ${member} finalized height ${height} above the block that closes the epoch`);
    }
    const before = this.#final.get(height);
    if (before === undefined) {
      const below = this.#final.get(height - 1);
      if (height > 1 && below?.digest !== block.proposal.parentDigest) {
        this.violations.push(`member ${member} finalized height ${height} on another parent`);
      }
      this.#final.set(height, { digest, blockHash });
    } else if (before.digest !== digest || before.blockHash !== blockHash) {
      this.violations.push(`member ${member} finalized another block at height ${height}`);
    }
  }
}
