import {
  type Address,
  type Certificate,
  encodeCertificate,
  type FinalizeStatement,
  type Hash,
  type Header,
  hexToBytes,
  numberToFixedBytes,
  type Proposal,
  type StoredReceipt,
} from '@hanse/protocol';
import type { WriteBatch } from './keyValueStore.ts';
import {
  encodeBody,
  encodeHead,
  encodePlace,
  encodeStoredHeader,
  encodeStoredProposal,
  encodeStoredReceipts,
  type Head,
  heightKey,
} from './ledgerCodecs.ts';
import { LEDGER_FORMAT, LedgerReader, META_KEYS } from './ledgerReader.ts';
import type { StateChanges } from './stateOverlay.ts';
import { StorageError } from './storageError.ts';
import { wipedEntries, writeState } from './storedState.ts';

/** Block 0 with the state that it makes of nothing. */
export interface GenesisBlockWrite {
  readonly header: Header;
  readonly hash: Hash;
  readonly stateChanges: StateChanges;
}

/** A finalized block with everything that storage keeps of it. */
export interface FinalizedBlockWrite extends GenesisBlockWrite {
  readonly proposal: Proposal;
  readonly digest: Hash;
  readonly transactions: readonly { readonly raw: Uint8Array; readonly sender: Address; readonly hash: Hash }[];
  readonly receipts: readonly StoredReceipt[];
  /** If this very block was certified. */
  readonly certificate?: Certificate<FinalizeStatement>;
}

/** The finalized chain for its one writer. */
export class LedgerStore extends LedgerReader {
  /**
   * Writes the genesis into an empty folder; does nothing if the folder has the same. Throws a StorageError with
   * `different-genesis`, and changes nothing, if it belongs to another network.
   */
  initialize(genesis: GenesisBlockWrite): void {
    const present = this.genesisHash();
    if (present === genesis.hash) return;
    if (present !== undefined) {
      throw new StorageError(
        'different-genesis',
        `The ledger belongs to the network with genesis ${present}, not ${genesis.hash}. Name the data folder of this network, or an empty one; nothing was changed.`,
      );
    }
    this.store.transaction((batch) => {
      batch.put('meta', META_KEYS.formatVersion, numberToFixedBytes(LEDGER_FORMAT, 4));
      batch.put('meta', META_KEYS.genesisHash, hexToBytes(genesis.hash));
      this.#write(batch, { ...genesis, transactions: [], receipts: [] }, []);
    });
  }

  /**
   * Appends the block after the head, with its state, in one atomic transaction that is durable when this returns. Throws,
   * and changes nothing, if the block does not follow the head or its state is not the one that its header names.
   */
  appendBlock(block: FinalizedBlockWrite): void {
    this.appendBlocks([block]);
  }

  /** The same for several blocks, each on the one before: all of them or none, at the price of one commit (2 to 3 ms). */
  appendBlocks(blocks: readonly FinalizedBlockWrite[]): void {
    let parent: Pick<Head, 'height' | 'hash'> = this.head();
    const wiped: ReturnType<typeof wipedEntries>[] = [];
    const before: StateChanges[] = [];
    for (const block of blocks) {
      assertFollows(parent, block);
      wiped.push(wipedEntries(this.store, block.stateChanges, this.keys, before));
      before.push(block.stateChanges);
      parent = { height: block.header.number, hash: block.hash };
    }
    this.store.transaction((batch) => {
      blocks.forEach((block, index) => {
        this.#write(batch, block, wiped[index]!);
      });
    });
  }

  #write(
    batch: WriteBatch,
    block: GenesisBlockWrite & Pick<FinalizedBlockWrite, 'transactions' | 'receipts'> & Partial<FinalizedBlockWrite>,
    wiped: ReturnType<typeof wipedEntries>,
  ): void {
    const { header, hash, transactions, receipts, proposal, digest, certificate, stateChanges } = block;
    const height = header.number;
    const key = heightKey(height);
    batch.put('headers', key, encodeStoredHeader(header, hash));
    batch.put('heights', hexToBytes(hash), key);
    batch.put('bodies', key, encodeBody(transactions));
    batch.put('receipts', key, encodeStoredReceipts(receipts));
    for (const [index, transaction] of transactions.entries()) {
      batch.put('transactions', hexToBytes(transaction.hash), encodePlace({ height, index }));
    }
    if (proposal !== undefined && digest !== undefined) {
      batch.put('proposals', key, encodeStoredProposal(proposal, digest));
    }
    if (certificate !== undefined) batch.put('certificates', key, encodeCertificate(certificate));
    writeState(batch, stateChanges, wiped, this.keys);
    batch.put('meta', META_KEYS.head, encodeHead({ height, hash, stateRoot: header.stateRoot }));
  }
}

function assertFollows(head: Pick<Head, 'height' | 'hash'>, block: FinalizedBlockWrite): void {
  const { header, stateChanges, certificate, transactions, receipts } = block;
  if (header.number !== head.height + 1 || header.parentHash !== head.hash) {
    throw new Error(`Block ${header.number} (${block.hash}) does not follow block ${head.height} (${head.hash}).`);
  }
  if (header.stateRoot !== stateChanges.stateRoot) {
    throw new Error(`Block ${header.number} names state ${header.stateRoot}, but has ${stateChanges.stateRoot}.`);
  }
  if (transactions.length !== receipts.length) {
    throw new Error(`Block ${header.number} has ${transactions.length} transactions and ${receipts.length} receipts.`);
  }
  if (certificate !== undefined && certificate.statement.blockHash !== block.hash) {
    throw new Error(`The certificate of block ${header.number} is of block ${certificate.statement.blockHash}.`);
  }
}
