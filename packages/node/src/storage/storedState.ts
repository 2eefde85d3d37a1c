import {
  type Account,
  type Address,
  bigintToBytes,
  bytesToBigint,
  decodeAccount,
  emptyHashes,
  encodeAccount,
  type Hash,
  hexToBytes,
  type Suite,
} from '@hanse/protocol';
import type { KeyValueStore, WriteBatch } from './keyValueStore.ts';
import type { StateKeys } from './stateKeys.ts';
import type { StateBase, StateChanges, TriePath } from './stateOverlay.ts';

/**
 * The newest finalized state in storage. It moves on with every block that is stored: a reader in another thread
 * sees one block's state until it refreshes the store or its turn of the event loop ends.
 */
export class StoredState implements StateBase {
  readonly #store: KeyValueStore;
  readonly #keys: StateKeys;
  readonly #emptyCodeHash: Hash;
  readonly #head: () => { readonly stateRoot: Hash };

  constructor(
    store: KeyValueStore,
    modules: { readonly suite: Suite; readonly keys: StateKeys; readonly head: () => { readonly stateRoot: Hash } },
  ) {
    this.#store = store;
    this.#keys = modules.keys;
    this.#head = modules.head;
    this.#emptyCodeHash = emptyHashes(modules.suite).code;
  }

  get stateRoot(): Hash {
    return this.#head().stateRoot;
  }

  account(address: Address): Account | undefined {
    const encoded = this.#store.get('accounts', this.#keys.ofAddress(address).bytes);
    return encoded === undefined ? undefined : decodeAccount(encoded);
  }

  storage(address: Address, slot: bigint): bigint {
    const key = joined(this.#keys.ofAddress(address).bytes, this.#keys.ofSlot(slot).bytes);
    const word = this.#store.get('slots', key);
    return word === undefined ? 0n : bytesToBigint(word);
  }

  code(codeHash: Hash): Uint8Array {
    if (codeHash === this.#emptyCodeHash) return new Uint8Array(0);
    const code = this.#store.get('codes', hexToBytes(codeHash));
    if (code === undefined) throw new Error(`The database has lost the code ${codeHash}.`);
    return code;
  }

  accountTrieNode(path: TriePath): Uint8Array | undefined {
    return this.#store.get('accountTrie', accountNodeKey(path));
  }

  storageTrieNode(address: Address, path: TriePath): Uint8Array | undefined {
    return this.#store.get('storageTrie', storageNodeKey(this.#keys.ofAddress(address).bytes, path));
  }
}

/**
 * The entries below the accounts whose storage was removed; to be read before the transaction that deletes them. `before`: the changes
 * of blocks that the same transaction writes first, which storage does not show yet.
 */
export function wipedEntries(
  store: KeyValueStore,
  changes: StateChanges,
  keys: StateKeys,
  before: readonly StateChanges[] = [],
): (readonly ['slots' | 'storageTrie', Uint8Array])[] {
  const found: (readonly ['slots' | 'storageTrie', Uint8Array])[] = [];
  for (const address of changes.wipedStorage) {
    const start = keys.ofAddress(address).bytes;
    const end = nextPrefix(start);
    for (const table of ['slots', 'storageTrie'] as const) {
      for (const { key } of store.range(table, { start, ...(end && { end }) })) found.push([table, key]);
    }
    for (const { slots, storageTries } of before) {
      for (const [slot] of slots.get(address) ?? []) found.push(['slots', joined(start, keys.ofSlot(slot).bytes)]);
      for (const path of storageTries.get(address)?.keys() ?? [])
        found.push(['storageTrie', storageNodeKey(start, path)]);
    }
  }
  return found;
}

/** Brings the flat state, the codes and the tries from a block's parent to the block. */
export function writeState(
  batch: WriteBatch,
  changes: StateChanges,
  wiped: readonly (readonly ['slots' | 'storageTrie', Uint8Array])[],
  keys: StateKeys,
): void {
  for (const [table, key] of wiped) batch.delete(table, key);
  for (const [address, account] of changes.accounts) {
    const key = keys.ofAddress(address).bytes;
    if (account === undefined) batch.delete('accounts', key);
    else batch.put('accounts', key, encodeAccount(account));
  }
  for (const [address, slots] of changes.slots) {
    const prefix = keys.ofAddress(address).bytes;
    for (const [slot, word] of slots) {
      const key = joined(prefix, keys.ofSlot(slot).bytes);
      if (word === 0n) batch.delete('slots', key);
      else batch.put('slots', key, bigintToBytes(word));
    }
  }
  for (const [hash, code] of changes.codes) batch.put('codes', hexToBytes(hash), code);
  for (const [path, node] of changes.accountTrie) {
    if (node === undefined) batch.delete('accountTrie', accountNodeKey(path));
    else batch.put('accountTrie', accountNodeKey(path), node);
  }
  for (const [address, nodes] of changes.storageTries) {
    const prefix = keys.ofAddress(address).bytes;
    for (const [path, node] of nodes) {
      const key = storageNodeKey(prefix, path);
      if (node === undefined) batch.delete('storageTrie', key);
      else batch.put('storageTrie', key, node);
    }
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const key = new Uint8Array(a.length + b.length);
  key.set(a);
  key.set(b, a.length);
  return key;
}

const SLASH = 0x2f;

/** The slash, which is before every digit, gives the root a key; nodes then lie in the order of a walk through the trie. */
function accountNodeKey(path: TriePath): Uint8Array {
  const key = new Uint8Array(path.length + 1);
  key[0] = SLASH;
  for (let i = 0; i < path.length; i++) key[i + 1] = path.charCodeAt(i);
  return key;
}

function storageNodeKey(addressHash: Uint8Array, path: TriePath): Uint8Array {
  const key = new Uint8Array(addressHash.length + path.length);
  key.set(addressHash);
  for (let i = 0; i < path.length; i++) key[addressHash.length + i] = path.charCodeAt(i);
  return key;
}

/** The least key after all keys with this prefix; undefined if there is none. */
function nextPrefix(prefix: Uint8Array): Uint8Array | undefined {
  const next = prefix.slice();
  for (let i = next.length - 1; i >= 0; i--) {
    if (next[i]! < 0xff) {
      next[i]! += 1;
      return next.slice(0, i + 1);
    }
  }
  return undefined;
}
