import {
  bytesToHex,
  bytesToNumber,
  type Certificate,
  decodeCertificate,
  type FinalizeStatement,
  type Hash,
  type Header,
  type Height,
  hexToBytes,
  type Proposal,
  type SignedTransaction,
  type StoredReceipt,
  type Suite,
  utf8ToBytes,
} from '@hanse/protocol';
import type { KeyValueStore } from './keyValueStore.ts';
import {
  decodeBody,
  decodeBodyEncodings,
  decodeHead,
  decodeHeight,
  decodePlace,
  decodeStoredHeader,
  decodeStoredProposal,
  decodeStoredReceipts,
  type Head,
  heightKey,
  iterateBody,
  iterateStoredReceipts,
  storedProposalEncoding,
  type TransactionPlace,
} from './ledgerCodecs.ts';
import { StateKeys } from './stateKeys.ts';
import type { StateBase } from './stateOverlay.ts';
import { StorageError } from './storageError.ts';
import { StoredState } from './storedState.ts';

/** The version of everything in tables.ts. A folder of another version is refused. */
export const LEDGER_FORMAT = 1;

export const META_KEYS = {
  formatVersion: utf8ToBytes('formatVersion'),
  genesisHash: utf8ToBytes('genesisHash'),
  head: utf8ToBytes('head'),
} as const;

export interface LedgerStoreModules {
  readonly suite: Suite;
  /** Shared with whoever commits states in this thread, so that a key is hashed once. */
  readonly keys?: StateKeys;
}

/** Typed reading of the finalized chain; every thread may have one of its own. */
export class LedgerReader {
  protected readonly store: KeyValueStore;
  protected readonly suite: Suite;
  protected readonly keys: StateKeys;
  readonly #state: StoredState;

  /** Throws a StorageError if the folder's format is not this program's. */
  constructor(store: KeyValueStore, { suite, keys = new StateKeys(suite) }: LedgerStoreModules) {
    this.store = store;
    this.suite = suite;
    this.keys = keys;
    this.#state = new StoredState(store, { suite, keys, head: () => this.head() });
    this.#assertFormat();
  }

  /** Whether a genesis is there. Everything else but `genesisHash` throws `not-initialized` until then. */
  isInitialized(): boolean {
    return this.store.get('meta', META_KEYS.head) !== undefined;
  }

  /** The hash of block 0, or undefined in an empty folder. */
  genesisHash(): Hash | undefined {
    const hash = this.store.get('meta', META_KEYS.genesisHash);
    return hash === undefined ? undefined : bytesToHex(hash);
  }

  /** Makes reads see the newest commit of other threads. */
  refresh(): void {
    this.store.refresh();
  }

  head(): Head {
    const head = this.store.get('meta', META_KEYS.head);
    if (head === undefined) throw new StorageError('not-initialized', 'The ledger has no genesis yet.');
    return decodeHead(head);
  }

  /** The newest finalized height. */
  headHeight(): Height {
    return this.head().height;
  }

  header(height: Height): { readonly header: Header; readonly hash: Hash } | undefined {
    const bytes = this.store.get('headers', heightKey(height));
    return bytes === undefined ? undefined : decodeStoredHeader(bytes);
  }

  heightOf(blockHash: Hash): Height | undefined {
    const bytes = this.store.get('heights', hexToBytes(blockHash));
    return bytes === undefined ? undefined : decodeHeight(bytes);
  }

  transactions(height: Height): readonly SignedTransaction[] | undefined {
    const bytes = this.store.get('bodies', heightKey(height));
    return bytes === undefined ? undefined : decodeBody(bytes, this.suite);
  }

  receipts(height: Height): readonly StoredReceipt[] | undefined {
    const bytes = this.store.get('receipts', heightKey(height));
    return bytes === undefined ? undefined : decodeStoredReceipts(bytes);
  }

  /** The EIP-2718 encodings of a block's transactions in order, as another member gets them. */
  encodedTransactions(height: Height): readonly Uint8Array[] | undefined {
    const bytes = this.store.get('bodies', heightKey(height));
    return bytes === undefined ? undefined : decodeBodyEncodings(bytes);
  }

  /** As `transactions`, decoded one at a time while the caller iterates. */
  iterateTransactions(height: Height): Iterable<SignedTransaction> | undefined {
    const bytes = this.store.get('bodies', heightKey(height));
    return bytes === undefined ? undefined : iterateBody(bytes, this.suite);
  }

  /** As `receipts`, decoded one at a time while the caller iterates. */
  iterateReceipts(height: Height): Iterable<StoredReceipt> | undefined {
    const bytes = this.store.get('receipts', heightKey(height));
    return bytes === undefined ? undefined : iterateStoredReceipts(bytes);
  }

  findTransaction(hash: Hash): TransactionPlace | undefined {
    const bytes = this.store.get('transactions', hexToBytes(hash));
    return bytes === undefined ? undefined : decodePlace(bytes);
  }

  /** Undefined for the genesis, which nobody proposed. */
  proposal(height: Height): { readonly proposal: Proposal; readonly digest: Hash } | undefined {
    const bytes = this.store.get('proposals', heightKey(height));
    return bytes === undefined ? undefined : decodeStoredProposal(bytes);
  }

  /** The proposal's encoding. */
  encodedProposal(height: Height): Uint8Array | undefined {
    const bytes = this.store.get('proposals', heightKey(height));
    return bytes === undefined ? undefined : storedProposalEncoding(bytes);
  }

  encodedCertificate(height: Height): Uint8Array | undefined {
    return this.store.get('certificates', heightKey(height));
  }

  /** Only if this very block was certified; a later block's certificate covers it otherwise. */
  certificate(height: Height): Certificate<FinalizeStatement> | undefined {
    const bytes = this.store.get('certificates', heightKey(height));
    // appendBlock takes finalize certificates only, so nothing else is here.
    return bytes === undefined ? undefined : (decodeCertificate(bytes) as Certificate<FinalizeStatement>);
  }

  /** The newest finalized state; it moves on with the ledger. */
  state(): StateBase {
    return this.#state;
  }

  close(): Promise<void> {
    return this.store.close();
  }

  #assertFormat(): void {
    const bytes = this.store.get('meta', META_KEYS.formatVersion);
    if (bytes === undefined) return;
    const version = bytesToNumber(bytes);
    if (version > LEDGER_FORMAT) {
      throw new StorageError(
        'newer-format',
        `The ledger has format ${version}, which a newer version of this program wrote; this one knows format ${LEDGER_FORMAT}.`,
      );
    }
    if (version < LEDGER_FORMAT) {
      throw new StorageError(
        'older-format',
        `The ledger has format ${version}, and this program knows format ${LEDGER_FORMAT} only.`,
      );
    }
  }
}
