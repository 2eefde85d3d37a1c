// Lets a ledger grow by blocks that the present members certify together.
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModuleReaders } from '@hanse/modules';
import { quorum, statementBytes } from '@hanse/protocol';
import { readSenderPermissions } from '../../packages/node/dist/chain/senderPermissions.js';
import { LedgerReader } from '../../packages/node/dist/storage/ledgerReader.js';
import { LMDBKeyValueStore } from '../../packages/node/dist/storage/lmdbKeyValueStore.js';
import { PaymentSource } from './paymentSource.mjs';

const LEDGER_FILE = 'data.mdb';
const SHARED_MEMORY = '/dev/shm';
/** What one block of the preparation holds. */
const PREPARATIONS = 100;

export class ChainWriter {
  #network;
  #voters;
  #folder;
  #ledger;
  #reader;
  #source;
  #head;
  #closed = false;
  mebibytes = 0;

  /**
   * Opens a copy of the first present member's ledger in a scratch folder. In shared memory a durable commit costs nothing, so that the
   * pipeline runs as it is, one transaction a block, without waiting for a disk.
   */
  static async open(network, present, scratch) {
    const base = scratch ?? (existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir());
    const folder = mkdtempSync(join(base, 'hanse-chain-'));
    try {
      copyFileSync(join(network.ledger(present[0]), LEDGER_FILE), join(folder, LEDGER_FILE));
      const ledger = await network.openLedger(folder);
      const reader = new LedgerReader(new LMDBKeyValueStore(folder), { suite: network.suite });
      return new ChainWriter(network, present, { folder, ledger, reader, head: await ledger.finalizedHead() });
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  constructor(network, present, { folder, ledger, reader, head }) {
    this.#network = network;
    this.#folder = folder;
    this.#ledger = ledger;
    this.#reader = reader;
    this.#head = head;
    this.#voters = network.voters(present);
  }

  get height() {
    return this.#head.height;
  }

  /** Registers and funds the accounts that pay, where the chain does not have them yet. */
  async prepare(count) {
    const { suite, genesis, genesisHash, accounts } = this.#network;
    const readers = new ModuleReaders(suite);
    const state = this.#reader.state();
    this.#source = new PaymentSource(
      {
        suite,
        genesis,
        genesisHash,
        accounts,
        currency: readers.readCurrencies(state)[0].address,
        nonceOf: (address) => state.account(address)?.nonce ?? 0n,
      },
      count,
    );
    const preparation = this.#source.preparation((address) => readSenderPermissions(readers, state, address).maySend);
    for (let start = 0; start < preparation.length; start += PREPARATIONS) {
      await this.#append(preparation.slice(start, start + PREPARATIONS));
      this.#assertSuccess();
    }
  }

  /** One more block, of so many payments. */
  async payments(count) {
    await this.#append(this.#source.next(count));
    // A look now and then: a chain of payments that fail would measure nothing.
    if (this.height % 1_000 === 1) this.#assertSuccess();
  }

  async #append(transactions) {
    const { epoch, validators } = this.#head.validators;
    const view = this.#nextView(validators.length);
    const built = await this.#ledger.build({
      epoch,
      view,
      leader: view % validators.length,
      parentDigest: this.#head.digest,
      nowMs: await this.#time(),
      candidates: transactions,
    });
    if (built.transactions.length !== transactions.length)
      throw new Error(`Block ${this.height + 1} did not take every transaction: ${JSON.stringify(built.rejected[0])}`);
    const { digest, height, blockHash } = await this.#ledger.execute(built.digest);
    const certificate = this.#certify({ kind: 'finalize', epoch, view, digest, height, blockHash });
    await this.#ledger.finalize(digest, certificate);
    const { timeMs } = built.proposal;
    this.#head = { ...this.#head, height, digest, blockHash, timeMs, view };
    // LMDB lets go of what a reader saw when a turn of the event loop ends; until then the file can only grow.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Views that a member who is away would lead pass without a block, as they would in life. */
  #nextView(validators) {
    let view = this.#head.view + 1;
    while (!this.#voters.some(({ place }) => place === view % validators)) view++;
    return view;
  }

  /** Blocks have a millisecond each, and none may be of the future, or the members could not go on when they start. */
  async #time() {
    const least = this.#head.timeMs + 1;
    while (Date.now() < least) await new Promise((resolve) => setTimeout(resolve, 1));
    return Date.now();
  }

  #certify(statement) {
    const message = statementBytes(this.#network.genesisHash, statement);
    const signers = this.#voters.slice(0, quorum(this.#head.validators.validators.length));
    const signatures = signers.map(({ place, key }) => ({
      signer: place,
      signature: this.#network.suite.sign(key, message),
    }));
    return { statement, signatures };
  }

  #assertSuccess() {
    this.#reader.refresh();
    const failed = this.#reader.receipts(this.height).findIndex(({ success }) => !success);
    if (failed >= 0) throw new Error(`Transaction ${failed} of block ${this.height} failed.`);
  }

  /** Puts the chain into a member's folder, in place of the ledger there, durably. */
  install(name) {
    const folder = this.#network.ledger(name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const target = join(folder, LEDGER_FILE);
    copyFileSync(join(this.#folder, LEDGER_FILE), `${target}.new`);
    const file = openSync(`${target}.new`, 'r+');
    fsyncSync(file);
    closeSync(file);
    rmSync(join(folder, 'lock.mdb'), { force: true });
    renameSync(`${target}.new`, target);
  }

  /** The chain is made; nothing writes to it any more. */
  async close() {
    if (this.#closed) return;
    this.#closed = true;
    await this.#reader.close();
    await this.#ledger.close();
    this.mebibytes = Math.round(statSync(join(this.#folder, LEDGER_FILE)).size / 2 ** 20);
  }

  async discard() {
    await this.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
