import type { RuleVersions } from '@hanse/protocol';
import { EVMAdapter, type EVMAdapterOptions } from './evmAdapter.ts';

/** The contract engines of a thread, one for each gas schedule that was in force; few networks ever have more than one at a time. */
export class EngineBySchedule {
  readonly #options: Omit<EVMAdapterOptions, 'gasSchedule'>;
  readonly #engines = new Map<number, EVMAdapter>();

  constructor(options: Omit<EVMAdapterOptions, 'gasSchedule'>) {
    this.#options = options;
  }

  of(rules: RuleVersions): EVMAdapter {
    const gasSchedule = rules.of('gas-schedule');
    const known = this.#engines.get(gasSchedule);
    if (known !== undefined) return known;
    const engine = new EVMAdapter({ ...this.#options, gasSchedule });
    this.#engines.set(gasSchedule, engine);
    return engine;
  }
}
