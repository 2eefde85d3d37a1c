import { decodeVote, type Height, type Hex, type Vote } from '@hanse/protocol';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';
import type { Machine } from '../world/machine.ts';
import { VoteTap } from './voteTap.ts';

/**
 * How far a key whose log was lost has come with the rule of "Amnesia" (packages/consensus/spec.md): it voted again in a view; then its member
 * stored a block of that view or a later one; then a further vote was sent, with which the log's word that the rule was followed is durable.
 */
type Progress =
  | { readonly step: 'lost' }
  | { readonly step: 'voted' | 'stored'; readonly epoch: number; readonly view: number };

/** Which keys may still say that their logs were lost: those whose member lost its log and has not followed the rule to its end since. */
export class LostVotes {
  readonly #keys = new Map<Machine, Map<Hex, Progress>>();
  readonly #everSent = new Set<string>();
  readonly #tap = new VoteTap();
  /** Every key whose log was ever lost, by machine, and how many ledgers the machine had lost when that was looked at. */
  readonly #ever = new Map<Machine, { readonly keys: Set<Hex>; ledgersLost: number }>();

  /** Whether the key that reigns for a member, or none, is one of them. */
  isLost(machine: Machine): boolean {
    const key = reigningKey(machine);
    return key !== undefined && this.#keys.get(machine)?.has(key) === true;
  }

  starting(machine: Machine, publicKeys: readonly Hex[]): void {
    const ever = this.#ever.get(machine) ?? { keys: new Set<Hex>(), ledgersLost: 0 };
    this.#ever.set(machine, ever);
    const keys = this.#keys.get(machine) ?? new Map<Hex, Progress>();
    this.#keys.set(machine, keys);
    // What was not known to be durable may be gone.
    for (const key of keys.keys()) keys.set(key, { step: 'lost' });
    const logIsGone = machine.lostLog && machine.disk.durableFiles('log').size === 0;
    if (logIsGone) for (const key of publicKeys) ever.keys.add(key);
    // An older ledger leads back to views in which the lost log held votes, of which others may remind the member once more.
    if (logIsGone || machine.ledgersLost > ever.ledgersLost)
      for (const key of ever.keys) keys.set(key, { step: 'lost' });
    ever.ledgersLost = machine.ledgersLost;
  }

  sent(machine: Machine, frame: Uint8Array): void {
    for (const bytes of this.#tap.newVotes(machine, frame)) {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
      if (this.#everSent.has(text)) continue;
      this.#everSent.add(text);
      const keys = this.#keys.get(machine);
      if (keys !== undefined && keys.size > 0) this.#voted(machine, keys, decodeVote(bytes));
    }
  }

  finalized(machine: Machine, height: number, reader: LedgerReader): void {
    const key = reigningKey(machine);
    const keys = this.#keys.get(machine);
    const progress = key === undefined ? undefined : keys?.get(key);
    const block = reader.proposal(height as Height)?.proposal;
    const state = machine.process?.member?.engine.state();
    if (progress?.step !== 'voted' || block === undefined || state === undefined) return;
    if (block.epoch !== progress.epoch || state.epoch !== progress.epoch || block.view < progress.view) return;
    keys!.set(key!, { step: 'stored', epoch: progress.epoch, view: state.view });
  }

  #voted(machine: Machine, keys: Map<Hex, Progress>, { statement, signer }: Vote): void {
    const validators = machine.process?.member?.engine.validators;
    const key = validators?.epoch === statement.epoch ? validators.validators[signer]?.voteKey : undefined;
    const progress = key === undefined ? undefined : keys.get(key);
    if (key === undefined || progress === undefined) return;
    const { epoch, view } = statement;
    if (progress.step === 'stored' && epoch === progress.epoch && view > progress.view) keys.delete(key);
    else if (progress.step === 'lost' || progress.epoch !== epoch) keys.set(key, { step: 'voted', epoch, view });
  }
}

/** The vote key that the present set names for a member. */
function reigningKey({ name, process }: Machine): Hex | undefined {
  return process?.member?.engine.validators.validators.find((validator) => validator.name === name)?.voteKey;
}
