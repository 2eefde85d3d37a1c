import type { LogLevel } from '../../src/runtime/logger.ts';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';
import type { Machine } from '../world/machine.ts';
import type { ToldBlock } from '../world/memberProcess.ts';
import type { Checker, CheckerContext } from './checker.ts';
import { LostVotes } from './lostVotes.ts';

/** What Byzantine members can make an honest one say. */
const PROVOKED: readonly string[] = ['equivocation', 'conflicting-results', 'no-result-can-reach-quorum'];
/** What a failing disk makes it say; `stopped` when an epoch begins after that. */
const DISK: readonly string[] = [
  'disk-failed',
  'log-failed',
  'storage-failed',
  'import-failed',
  'engine-failed',
  'stopped',
];

/**
 * An honest member raises no alarm without a cause outside of it, blames no honest one, logs no error, and lets nothing out of its
 * program uncaught.
 */
export class Composure implements Checker {
  readonly name = 'composure';
  readonly #context: CheckerContext;
  readonly #anyByzantine: boolean;
  readonly #lostVotes = new LostVotes();

  constructor(context: CheckerContext) {
    this.#context = context;
    this.#anyByzantine = context.cluster.machines.some(({ honest }) => !honest);
  }

  starting(machine: Machine): void {
    const { suite } = this.#context.cluster.setup;
    if (machine.honest)
      this.#lostVotes.starting(
        machine,
        machine.voteKeys.map((key) => suite.publicKey(key)),
      );
  }

  sent(from: Machine, _to: number, frame: Uint8Array): void {
    if (from.honest) this.#lostVotes.sent(from, frame);
  }

  finalized(machine: Machine, blocks: readonly ToldBlock[], reader: LedgerReader): void {
    const last = blocks.at(-1);
    if (machine.honest && last !== undefined) this.#lostVotes.finalized(machine, last.height, reader);
  }

  alarm(machine: Machine, kind: string, detail: string): void {
    if (!machine.honest) return;
    const expected =
      (this.#anyByzantine && PROVOKED.includes(kind)) ||
      (machine.diskFailed && DISK.includes(kind)) ||
      (kind === 'amnesia' && this.#lostVotes.isLost(machine));
    if (!expected) this.#context.report(`${machine.name} raised the alarm ${kind}: ${detail}`);
  }

  logged(machine: Machine, level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void {
    if (!machine.honest) return;
    if (message === 'peer penalized') this.#penalized(machine, fields);
    // Alarms are logged too, and judged above.
    else if (level === 'error' && !message.startsWith('alarm') && !machine.diskFailed)
      this.#context.report(`${machine.name} logged an error: ${message} ${describe(fields)}`);
  }

  startFailed(machine: Machine, error: unknown): void {
    if (machine.honest && !machine.diskFailed)
      this.#context.report(
        `${machine.name} could not start: ${error instanceof Error ? error.message : String(error)}`,
      );
  }

  threw(machine: Machine, error: unknown): void {
    this.#context.report(
      `an error left the program of ${machine.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }

  #penalized(machine: Machine, fields: Readonly<Record<string, unknown>>): void {
    const { names } = this.#context.cluster.setup;
    const peer = this.#context.cluster.machine(names.indexOf(String(fields.peer)));
    if (peer.honest) this.#context.report(`${machine.name} blames ${peer.name}, which is honest: ${fields.reason}`);
  }
}

function describe(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value instanceof Error ? (value.stack ?? value.message) : String(value)}`)
    .join(' ');
}
