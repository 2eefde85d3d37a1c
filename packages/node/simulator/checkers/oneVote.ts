import { sameStatement } from '@hanse/consensus';
import { decodeVote, type Statement } from '@hanse/protocol';
import type { Machine } from '../world/machine.ts';
import type { Checker, CheckerContext } from './checker.ts';
import { VoteTap } from './voteTap.ts';

interface Place {
  readonly epoch: number;
  readonly view: number;
}

/**
 * What honest keys sign, as seen on the wire and across restarts: one notarize and one finalize a view, and never nullify and finalize in
 * one view (packages/consensus/spec.md, S1, P6, E2); and after a lost log nothing new in views of which that may have spoken ("Amnesia").
 */
export class OneVote implements Checker {
  readonly name = 'one vote';
  readonly #context: CheckerContext;
  readonly #votes = new Map<string, Statement>();
  readonly #tap = new VoteTap();
  /** The highest view in which each member signed, and the one in which it had when it lost its log. */
  readonly #highest = new Map<Machine, Place>();
  readonly #lost = new Map<Machine, Place>();

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  starting(machine: Machine): void {
    const highest = this.#highest.get(machine);
    if (highest !== undefined && machine.disk.durableFiles('log').size === 0) this.#lost.set(machine, highest);
  }

  sent(from: Machine, _to: number, frame: Uint8Array): void {
    if (from.honest) for (const bytes of this.#tap.newVotes(from, frame)) this.#signed(from, bytes);
  }

  #signed(machine: Machine, bytes: Uint8Array): void {
    const { statement, signer } = decodeVote(bytes);
    const { kind, epoch, view } = statement;
    const lost = this.#lost.get(machine);
    if (lost?.epoch === epoch && view <= lost.view)
      this.#context.report(`${machine.name} signed ${kind} in view ${view} after it lost its log of view ${lost.view}`);
    const highest = this.#highest.get(machine);
    if (highest === undefined || epoch > highest.epoch || (epoch === highest.epoch && view > highest.view))
      this.#highest.set(machine, { epoch, view });
    const known = (other: Statement['kind']): Statement | undefined =>
      this.#votes.get(`${signer} ${epoch} ${view} ${other}`);
    const before = known(kind);
    if (before === undefined) this.#votes.set(`${signer} ${epoch} ${view} ${kind}`, statement);
    else if (!sameStatement(before, statement))
      this.#context.report(`${machine.name} signed two ${kind} votes in view ${view}`);
    if (known('nullify') !== undefined && known('finalize') !== undefined)
      this.#context.report(`${machine.name} signed nullify and finalize in view ${view}`);
  }
}
