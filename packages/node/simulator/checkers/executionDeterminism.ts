import {
  encodeReceipt,
  type Hash,
  type Header,
  type Height,
  headerHash,
  logsBloom,
  orderedTrieRoot,
} from '@hanse/protocol';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';
import { TABLE_NAMES, type TableName } from '../../src/storage/tables.ts';
import type { Machine } from '../world/machine.ts';
import type { ToldBlock } from '../world/memberProcess.ts';
import type { Checker, CheckerContext } from './checker.ts';

/** Certificates may differ in their signers; everything else that members store of a chain is the same. */
const SAME_TABLES: readonly TableName[] = TABLE_NAMES.filter((name) => name !== 'certificates');

/**
 * The same blocks give the same results: state root and receipts root at each height, roots and hashes that fit what is stored, and in the
 * end the same ledger, byte for byte, at all members of one height.
 */
export class ExecutionDeterminism implements Checker {
  readonly name = 'execution determinism';
  readonly #context: CheckerContext;
  readonly #results = new Map<number, { readonly stateRoot: Hash; readonly receiptsRoot: Hash; readonly by: string }>();

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  finalized(machine: Machine, blocks: readonly ToldBlock[], reader: LedgerReader): void {
    if (!machine.honest) return;
    for (const { height } of blocks) {
      const stored = reader.header(height as Height);
      if (stored === undefined) continue;
      const { stateRoot, receiptsRoot } = stored.header;
      const known = this.#results.get(height);
      if (known === undefined) {
        this.#results.set(height, { stateRoot, receiptsRoot, by: machine.name });
        this.#checkRoots(machine, height, stored, reader);
      } else if (known.stateRoot !== stateRoot || known.receiptsRoot !== receiptsRoot) {
        this.#context.report(`${machine.name} and ${known.by} have different results at height ${height}`);
      }
    }
  }

  finish(): void {
    const reference = new Map<number, Machine>();
    for (const machine of this.#context.cluster.honest) {
      const height = machine.process?.reader?.headHeight();
      if (height === undefined) continue;
      const other = reference.get(height);
      if (other === undefined) reference.set(height, machine);
      else this.#compareLedgers(machine, other);
    }
  }

  #checkRoots(
    machine: Machine,
    height: number,
    { header, hash }: { readonly header: Header; readonly hash: Hash },
    reader: LedgerReader,
  ): void {
    const { suite } = this.#context.cluster.setup;
    const transactions = reader.transactions(height as Height) ?? [];
    const receipts = reader.receipts(height as Height) ?? [];
    const raws = transactions.map(({ raw }) => raw);
    const encoded = receipts.map((receipt) => encodeReceipt(suite, receipt, logsBloom(suite, receipt.logs)));
    const wrong = (what: string): void =>
      this.#context.report(`block ${height} of ${machine.name}: ${what} does not fit what is stored`);
    if (headerHash(suite, header) !== hash) wrong('its hash');
    if (orderedTrieRoot(raws, suite) !== header.transactionsRoot) wrong('its transactions root');
    if (orderedTrieRoot(encoded, suite) !== header.receiptsRoot) wrong('its receipts root');
    const listed = reader.proposal(height as Height)?.proposal.transactionHashes.join();
    if (listed !== transactions.map((transaction) => transaction.hash).join()) wrong('its proposal');
  }

  #compareLedgers(machine: Machine, other: Machine): void {
    const [own, theirs] = [machine.database.open(), other.database.open()];
    for (const table of SAME_TABLES) {
      const [left, right] = [[...own.range(table, {})], [...theirs.range(table, {})]];
      const differs =
        left.length !== right.length ||
        left.some(({ key, value }, index) => {
          const entry = right[index]!;
          return Buffer.compare(key, entry.key) !== 0 || Buffer.compare(value, entry.value) !== 0;
        });
      if (differs) this.#context.report(`${machine.name} and ${other.name} differ in their tables "${table}"`);
    }
  }
}
