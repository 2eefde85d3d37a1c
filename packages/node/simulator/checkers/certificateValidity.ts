import { bytesToHex, encodeCertificate, type Hash, type Height, verifyCertificate } from '@hanse/protocol';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';
import type { Machine } from '../world/machine.ts';
import type { ToldBlock } from '../world/memberProcess.ts';
import type { Checker, CheckerContext } from './checker.ts';
import { EpochSets } from './epochSets.ts';

/** So many blocks may stand below the nearest certified one: a branch has that many unfinalized ones at the most, and some empty ones. */
const MAX_UNCERTIFIED = 1_024;

/** Every certificate in storage is of its block and verifies against the set of its epoch, and the newest block has one. */
export class CertificateValidity implements Checker {
  readonly name = 'certificate validity';
  readonly #context: CheckerContext;
  readonly #good = new Set<string>();
  readonly #sets: EpochSets;

  constructor(context: CheckerContext) {
    this.#context = context;
    this.#sets = new EpochSets(context.cluster.setup.suite);
  }

  finalized(machine: Machine, blocks: readonly ToldBlock[], reader: LedgerReader): void {
    if (!machine.honest) return;
    for (const { height } of blocks) this.#check(machine, height, reader);
    const last = blocks.at(-1)?.height;
    if (last !== undefined && reader.certificate(last as Height) === undefined)
      this.#context.report(`${machine.name} told of block ${last}, which no certificate covers`);
  }

  finish(): void {
    for (const machine of this.#context.cluster.honest) {
      const reader = machine.process?.reader;
      if (reader === undefined) continue;
      let uncovered = 0;
      for (let height = reader.headHeight() as number; height > 0; height--) {
        uncovered = this.#check(machine, height, reader) ? 0 : uncovered + 1;
        if (uncovered >= MAX_UNCERTIFIED)
          this.#context.report(`no certificate covers block ${height} of ${machine.name}`);
      }
    }
  }

  /** Whether there is one. */
  #check(machine: Machine, height: number, reader: LedgerReader): boolean {
    const { suite, genesisHash } = this.#context.cluster.setup;
    const certificate = reader.certificate(height as Height);
    if (certificate === undefined) return false;
    const wrong = (reason: string): void =>
      this.#context.report(`the certificate of block ${height} at ${machine.name}: ${reason}`);
    const { statement } = certificate;
    const hash: Hash | undefined = reader.header(height as Height)?.hash;
    const digest = reader.proposal(height as Height)?.digest;
    if (statement.kind !== 'finalize') wrong('it is no finalization');
    else if (statement.blockHash !== hash || statement.digest !== digest || statement.height !== height)
      wrong('it is of another block');
    // Members hold many equal ones.
    const key = bytesToHex(encodeCertificate(certificate));
    if (this.#good.has(key)) return true;
    const set = this.#sets.of(statement.epoch, reader);
    const reason =
      set === undefined
        ? `the state knows no epoch ${statement.epoch}`
        : verifyCertificate(suite, genesisHash, set, certificate);
    if (reason === undefined) this.#good.add(key);
    else wrong(reason);
    return true;
  }
}
