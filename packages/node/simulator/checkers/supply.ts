import { ModuleReaders } from '@hanse/modules';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';
import type { Machine } from '../world/machine.ts';
import type { ToldBlock } from '../world/memberProcess.ts';
import type { Checker, CheckerContext } from './checker.ts';

/** Every currency's issued minus redeemed is its supply and the sum of its balances, after every block. */
export class Supply implements Checker {
  readonly name = 'supply';
  readonly #context: CheckerContext;
  readonly #readers: ModuleReaders;
  readonly #checkedRoots = new Set<string>();

  constructor(context: CheckerContext) {
    this.#context = context;
    this.#readers = new ModuleReaders(context.cluster.setup.suite);
  }

  finalized(machine: Machine, _blocks: readonly ToldBlock[], reader: LedgerReader): void {
    if (machine.honest) this.#check(machine, reader);
  }

  finish(): void {
    this.#checkedRoots.clear();
    for (const machine of this.#context.cluster.honest) {
      const reader = machine.process?.reader;
      if (reader !== undefined) this.#check(machine, reader);
    }
  }

  /** One state once: members of one root have the same one, which another checker holds them to. */
  #check(machine: Machine, reader: LedgerReader): void {
    const state = reader.state();
    if (this.#checkedRoots.has(state.stateRoot)) return;
    this.#checkedRoots.add(state.stateRoot);
    for (const { address, symbol } of this.#readers.readCurrencies(state)) {
      const report = this.#readers.checkSupply(state, address);
      if (report.conserved) continue;
      const { issued, redeemed, totalSupply, balances } = report;
      this.#context.report(
        `${symbol} at height ${reader.headHeight()} of ${machine.name}: issued ${issued}, redeemed ${redeemed}, supply ${totalSupply}, balances ${balances}`,
      );
    }
  }
}
