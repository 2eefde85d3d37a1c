import {
  type Account,
  type Address,
  emptyTrieRoot,
  encodeAccount,
  encodeStorageWord,
  type Hash,
  type Suite,
  type TrieChange,
  type TrieUpdate,
  updateTrie,
} from '@hanse/protocol';
import type { SlotMap } from '../storage/slotMap.ts';
import type { StateKeys } from '../storage/stateKeys.ts';
import { type StateBase, type StateChanges, StateOverlay, type TriePath } from '../storage/stateOverlay.ts';
import type { AccountChange, RawChanges } from './journaledState.ts';

/**
 * Computes what a block's changes make of the state that they were made on: the new storage roots, the account trie's
 * root, and every trie node to store. Each trie is gone through once for the whole block.
 */
export function commitState(base: StateBase, raw: RawChanges, suite: Suite, keys: StateKeys): StateChanges {
  if (base instanceof StateOverlay) base.assertCurrent();
  const wipedStorage = new Set<Address>();
  const slots = new Map<Address, SlotMap<bigint>>();
  const storageTries = new Map<Address, ReadonlyMap<TriePath, Uint8Array | undefined>>();
  // In the order of their keys, which is that of the trie, and that of the tables that storage will write.
  const changed = Array.from(raw.accounts, ([address, change]) => ({
    key: keys.ofAddress(address).nibbles,
    address,
    change,
  }));
  changed.sort((a, b) => (a.key < b.key ? -1 : 1));
  const accounts = new Map<Address, Account | undefined>();
  const changes: TrieChange[] = [];
  for (const { key, address, change } of changed) {
    if (change.storageWiped) wipedStorage.add(address);
    let account: Account | undefined;
    if (change.account !== undefined) {
      const { root, nodes } = updateStorage(base, address, change, suite, keys);
      account = { ...change.account, storageRoot: root };
      if (change.slots !== undefined) slots.set(address, change.slots);
      if (nodes.size > 0) storageTries.set(address, nodes);
    }
    accounts.set(address, account);
    changes.push([key, account === undefined ? undefined : encodeAccount(account)]);
  }
  const { root, nodes } = updateTrie((path) => base.accountTrieNode(path), base.stateRoot, changes, suite);
  return { stateRoot: root, accounts, wipedStorage, slots, codes: raw.codes, accountTrie: nodes, storageTries };
}

const NO_NODES: ReadonlyMap<TriePath, Uint8Array | undefined> = new Map();

function updateStorage(
  base: StateBase,
  address: Address,
  change: AccountChange,
  suite: Suite,
  keys: StateKeys,
): TrieUpdate {
  const before: Hash | undefined = change.storageWiped ? undefined : base.account(address)?.storageRoot;
  const root = before ?? emptyTrieRoot(suite);
  if (change.slots === undefined) return { root, nodes: NO_NODES };
  const changes: TrieChange[] = [];
  for (const [slot, word] of change.slots) {
    changes.push([keys.ofSlot(slot).nibbles, word === 0n ? undefined : encodeStorageWord(word)]);
  }
  changes.sort((a, b) => (a[0] < b[0] ? -1 : 1));
  return updateTrie((path) => base.storageTrieNode(address, path), root, changes, suite);
}
