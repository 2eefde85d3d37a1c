import type { Account, Address, Hash, StateReader } from '@hanse/protocol';
import type { SlotMap } from './slotMap.ts';

/**
 * A place of a trie node: the nibbles from the root as lower-case hexadecimal digits, '' for the root itself.
 */
export type TriePath = string;

/** What executing a block changed: the flat state, and the tries above it. Made by `commitState`, never changed afterwards. */
export interface StateChanges {
  /** The root of the account trie after the changes. */
  readonly stateRoot: Hash;
  /** The accounts as they are now; undefined: removed. */
  readonly accounts: ReadonlyMap<Address, Account | undefined>;
  /** Accounts whose whole storage of before was removed; `slots` holds what was written since. */
  readonly wipedStorage: ReadonlySet<Address>;
  /** The words as they are now; 0n: removed. */
  readonly slots: ReadonlyMap<Address, SlotMap<bigint>>;
  /** New code by its hash. Code is never removed. */
  readonly codes: ReadonlyMap<Hash, Uint8Array>;
  /** Nodes of the account trie by path; undefined: removed. */
  readonly accountTrie: ReadonlyMap<TriePath, Uint8Array | undefined>;
  /** Nodes of the storage tries by account and path; undefined: removed. */
  readonly storageTries: ReadonlyMap<Address, ReadonlyMap<TriePath, Uint8Array | undefined>>;
}

/** A state that one can also build upon: its tries' nodes are readable. */
export interface StateBase extends StateReader {
  readonly stateRoot: Hash;
  /** The node of the account trie at a path, or undefined. */
  accountTrieNode(path: TriePath): Uint8Array | undefined;
  /** The node of an account's storage trie at a path, or undefined. */
  storageTrieNode(address: Address, path: TriePath): Uint8Array | undefined;
}

/**
 * An executed block that is not final yet: its changes over the state of its parent, which is another overlay or the
 * finalized state in storage. Once the parent itself is in storage, `rebase` cuts it out of the chain.
 */
export class StateOverlay implements StateBase {
  readonly changes: StateChanges;
  /** The root of the state that the changes were made on. */
  readonly parentRoot: Hash;
  #parent: StateBase;

  constructor(parent: StateBase, changes: StateChanges) {
    this.#parent = parent;
    this.parentRoot = parent.stateRoot;
    this.changes = changes;
  }

  get stateRoot(): Hash {
    return this.changes.stateRoot;
  }

  get parent(): StateBase {
    return this.#parent;
  }

  /** Stands on `parent` from now on, which must be the state that the changes were made on. */
  rebase(parent: StateBase): void {
    if (parent.stateRoot !== this.parentRoot) {
      throw new Error(`An overlay on state ${this.parentRoot} cannot move onto state ${parent.stateRoot}.`);
    }
    this.#parent = parent;
  }

  /**
   * Throws if some state below is no longer what the changes were made on: storage has moved on to a block of another
   * branch, and this overlay should have been dropped. Storage that already holds this very overlay's state is fine.
   */
  assertCurrent(): void {
    const below = this.#parent.stateRoot;
    if (below === this.changes.stateRoot) return;
    if (below !== this.parentRoot) {
      throw new Error(
        `The overlay ${this.changes.stateRoot} was made on state ${this.parentRoot}, which is now ${below}.`,
      );
    }
    if (this.#parent instanceof StateOverlay) this.#parent.assertCurrent();
  }

  account(address: Address): Account | undefined {
    const account = this.changes.accounts.get(address);
    if (account !== undefined || this.changes.accounts.has(address)) return account;
    return this.#parent.account(address);
  }

  storage(address: Address, slot: bigint): bigint {
    const word = this.changes.slots.get(address)?.get(slot);
    if (word !== undefined) return word;
    return this.changes.wipedStorage.has(address) ? 0n : this.#parent.storage(address, slot);
  }

  code(codeHash: Hash): Uint8Array {
    return this.changes.codes.get(codeHash) ?? this.#parent.code(codeHash);
  }

  accountTrieNode(path: TriePath): Uint8Array | undefined {
    const node = this.changes.accountTrie.get(path);
    if (node !== undefined || this.changes.accountTrie.has(path)) return node;
    return this.#parent.accountTrieNode(path);
  }

  storageTrieNode(address: Address, path: TriePath): Uint8Array | undefined {
    const nodes = this.changes.storageTries.get(address);
    if (nodes !== undefined) {
      const node = nodes.get(path);
      if (node !== undefined || nodes.has(path)) return node;
    }
    return this.changes.wipedStorage.has(address) ? undefined : this.#parent.storageTrieNode(address, path);
  }
}
