import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMPT } from '@ethereumjs/mpt';
import {
  type Address,
  bigintToBytes,
  bigintToFixedBytes,
  bytesToBigint,
  bytesToHex,
  constantHeaderFields,
  createInternationalSuite,
  decodeAccount,
  decodeTrieNode,
  EMPTY_BYTES,
  Epoch,
  emptyHashes,
  encodeRlp,
  type Hash,
  type Header,
  Height,
  headerHash,
  hexToBytes,
  portablePrimitives,
  View,
  ZERO_HASH,
} from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { emptyState } from '../storage/emptyState.ts';
import type { KeyValueStore } from '../storage/keyValueStore.ts';
import { LedgerStore } from '../storage/ledgerStore.ts';
import { LMDBKeyValueStore } from '../storage/lmdbKeyValueStore.ts';
import { MemoryDatabase } from '../storage/memoryKeyValueStore.ts';
import { StateKeys } from '../storage/stateKeys.ts';
import { type StateBase, type StateChanges, StateOverlay } from '../storage/stateOverlay.ts';
import { JournaledState } from './journaledState.ts';
import { commitState } from './stateCommit.ts';

const suite = createInternationalSuite(portablePrimitives);
const EMPTY = emptyHashes(suite);

/** The simplest state there is: whole maps, copied where something might be undone. */
interface ModelAccount {
  nonce: bigint;
  balance: bigint;
  code: Uint8Array;
  slots: Map<bigint, bigint>;
  destroyed: boolean;
}
type Model = Map<Address, ModelAccount>;

const copyOf = (model: Model): Model =>
  new Map([...model].map(([address, account]) => [address, { ...account, slots: new Map(account.slots) }]));

/** The state root of a model, by another implementation and from nothing. */
async function referenceRoot(model: Model): Promise<Hash> {
  const trie = await createMPT({ useKeyHashing: true });
  for (const [address, account] of model) {
    const storage = await createMPT({ useKeyHashing: true });
    for (const [slot, word] of account.slots) {
      if (word !== 0n) await storage.put(bigintToFixedBytes(slot, 32), encodeRlp(bigintToBytes(word)));
    }
    const encoded = encodeRlp([
      bigintToBytes(account.nonce),
      bigintToBytes(account.balance),
      storage.root(),
      suite.hash(account.code),
    ]);
    await trie.put(hexToBytes(address), encoded);
  }
  return bytesToHex(trie.root());
}

/** A small generator of numbers (xorshift), so that a seed replays a whole history. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}

const ADDRESSES = Array.from({ length: 24 }, (_, i): Address => bytesToHex(suite.hash(Uint8Array.of(i)).subarray(12)));
/** Scalars, neighbours, and slots that differ only above their lowest 64 bits. */
const SLOTS = [0n, 1n, 2n, 1023n, 1024n, 1025n, 1n << 64n, 2n << 64n, 3n << 64n, (1n << 256n) - 1n, 77n << 200n];
const WORDS = [0n, 0n, 1n, 127n, 128n, 1n << 255n];

/** One random change of one account, made to the journal and to the model. */
function change(state: JournaledState, model: Model, dice: Dice): void {
  const address = dice.pick(ADDRESSES);
  const account = model.get(address) ?? {
    nonce: 0n,
    balance: 0n,
    code: EMPTY_BYTES,
    slots: new Map(),
    destroyed: false,
  };
  model.set(address, account);
  const isContract = account.code.length > 0;
  switch (dice.below(isContract ? 8 : 5)) {
    case 0:
      account.balance = BigInt(dice.below(3));
      state.setBalance(address, account.balance);
      return;
    case 1:
      account.nonce = isContract ? account.nonce + 1n : BigInt(dice.below(2));
      state.setNonce(address, account.nonce);
      return;
    case 2:
      if (isContract) return;
      account.code = new Uint8Array(1 + dice.below(40)).fill(dice.below(5));
      account.nonce = 1n;
      state.markCreated(address);
      state.setNonce(address, 1n);
      state.setCode(address, account.code);
      return;
    case 3:
      state.touch(address);
      return;
    case 4:
      if (!isContract || dice.below(6) !== 0) return;
      // A contract that the transaction created again over its old self: the only way in which storage is removed.
      state.markCreated(address);
      state.destroy(address);
      account.destroyed = true;
      return;
    default: {
      const slot = dice.pick(SLOTS);
      const word = dice.pick(WORDS);
      account.slots.set(slot, word);
      state.setStorage(address, slot, word);
    }
  }
}

/** Runs changes in nested frames, some of them reverted; the model goes the way of copies. */
function frame(state: JournaledState, model: Model, dice: Dice, depth: number): Model {
  let current = model;
  for (let i = dice.below(6); i >= 0; i--) {
    if (depth < 3 && dice.below(4) === 0) {
      const mark = state.snapshot();
      const inner = frame(state, copyOf(current), dice, depth + 1);
      if (dice.below(2) === 0) state.revertTo(mark);
      else current = inner;
    } else {
      change(state, current, dice);
    }
  }
  return current;
}

interface Block {
  readonly header: Header;
  readonly hash: Hash;
  readonly changes: StateChanges;
  readonly overlay: StateOverlay;
  readonly model: Model;
}

function executeBlock(
  parent: { header: Header | undefined; hash: Hash; state: StateBase; model: Model },
  dice: Dice,
  keys: StateKeys,
): Block {
  const state = new JournaledState(parent.state, suite);
  let model = copyOf(parent.model);
  for (let i = dice.below(4); i >= 0; i--) {
    state.beginTransaction();
    const before = copyOf(model);
    model = frame(state, model, dice, 0);
    if (dice.below(8) === 0) {
      state.discardTransaction();
      model = before;
      continue;
    }
    state.finishTransaction();
    for (const [address, account] of [...model]) {
      const isEmpty = account.nonce === 0n && account.balance === 0n && account.code.length === 0;
      if (account.destroyed || isEmpty) model.delete(address);
    }
  }
  const changes = commitState(parent.state, state.changes(), suite, keys);
  const header: Header = {
    ...constantHeaderFields(suite),
    parentHash: parent.hash,
    beneficiary: ADDRESSES[0]!,
    stateRoot: changes.stateRoot,
    transactionsRoot: EMPTY.trieRoot,
    receiptsRoot: EMPTY.trieRoot,
    logsBloom: bytesToHex(new Uint8Array(256)),
    number: Height(parent.header === undefined ? 0 : parent.header.number + 1),
    gasLimit: 0n,
    gasUsed: 0n,
    timestamp: 0,
    extraData: ZERO_HASH,
    mixHash: ZERO_HASH,
    baseFeePerGas: BigInt(dice.below(1 << 30)),
  };
  return { header, hash: headerHash(suite, header), changes, overlay: new StateOverlay(parent.state, changes), model };
}

function append(store: LedgerStore, { header, hash, changes }: Block): void {
  store.appendBlock({
    header,
    hash,
    stateChanges: changes,
    proposal: {
      epoch: Epoch(0),
      view: View(1),
      leader: 0,
      parentDigest: ZERO_HASH,
      height: header.number,
      timeMs: 1,
      transactionHashes: [],
    },
    digest: ZERO_HASH,
    transactions: [],
    receipts: [],
  });
}

function expectState(state: StateBase, model: Model): void {
  for (const address of ADDRESSES) {
    const account = model.get(address);
    const found = state.account(address);
    expect(found?.nonce).toBe(account?.nonce);
    expect(found?.balance).toBe(account?.balance);
    expect(found === undefined ? undefined : state.code(found.codeHash)).toEqual(account?.code);
    for (const slot of SLOTS) expect(state.storage(address, slot)).toBe(account?.slots.get(slot) ?? 0n);
  }
}

/** The tables hold the model and the nodes that the root leads to, and nothing else. */
function expectTables(store: KeyValueStore, root: Hash, model: Model, keys: StateKeys): void {
  const latin = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
  const table = (name: 'accounts' | 'slots' | 'accountTrie' | 'storageTrie'): Map<string, Uint8Array> =>
    new Map(Array.from(store.range(name, {}), ({ key, value }) => [latin(key), value]));
  const reachable = (nodes: Map<string, Uint8Array>, prefix: string, rootHash: Hash): string[] => {
    const found: string[] = [];
    const visit = (reference: Uint8Array, path: string): void => {
      const encoded = reference.length === 32 ? nodes.get(prefix + path)! : reference;
      if (reference.length === 32) {
        found.push(prefix + path);
        expect(suite.hash(encoded)).toEqual(reference);
      }
      const node = decodeTrieNode(encoded);
      if (node.kind === 'extension') visit(node.child as Uint8Array, path + node.nibbles);
      if (node.kind !== 'branch') return;
      for (let nibble = 0; nibble < 16; nibble++) {
        const child = node.child(nibble);
        if (child !== undefined) visit(child as Uint8Array, path + nibble.toString(16));
      }
    };
    if (rootHash !== EMPTY.trieRoot) visit(hexToBytes(rootHash), '');
    return found;
  };
  const accounts = table('accounts');
  const slots = table('slots');
  const storageNodes = table('storageTrie');
  const reachableStorage: string[] = [];
  let words = 0;
  expect(accounts.size).toBe(model.size);
  for (const [address, account] of model) {
    const key = latin(keys.ofAddress(address).bytes);
    const { storageRoot } = decodeAccount(accounts.get(key)!);
    reachableStorage.push(...reachable(storageNodes, key, storageRoot));
    for (const [slot, word] of account.slots) {
      const stored = slots.get(key + latin(keys.ofSlot(slot).bytes));
      expect(stored === undefined ? 0n : bytesToBigint(stored)).toBe(word);
      if (word !== 0n) words++;
    }
  }
  expect(slots.size).toBe(words);
  expect([...storageNodes.keys()].sort()).toEqual(reachableStorage.sort());
  const accountNodes = table('accountTrie');
  expect([...accountNodes.keys()].sort()).toEqual(reachable(accountNodes, '/', root).sort());
}

/** Blocks on blocks: some branches are dropped, the oldest block of the kept one becomes final, the store is reopened. */
async function history(open: () => KeyValueStore, seed: number, blocks: number): Promise<void> {
  const dice = new Dice(seed);
  let keys = new StateKeys(suite);
  let base = open();
  let store = new LedgerStore(base, { suite, keys });
  const nothing = { header: undefined, hash: ZERO_HASH, state: emptyState(suite), model: new Map() };
  const genesis = executeBlock(nothing, dice, keys);
  store.initialize({ header: genesis.header, hash: genesis.hash, stateChanges: genesis.changes });
  let final: Block = genesis;
  let chain: Block[] = [];
  const parentAt = (index: number) => {
    const block = chain[index] ?? final;
    return { ...block, state: index < 0 ? store.state() : block.overlay };
  };
  for (let i = 0; i < blocks; i++) {
    // A fork: the branch above a random block is dropped.
    if (dice.below(5) === 0) chain = chain.slice(0, dice.below(chain.length + 1));
    const block = executeBlock(parentAt(chain.length - 1), dice, keys);
    chain.push(block);
    expect(block.changes.stateRoot).toBe(await referenceRoot(block.model));
    expectState(block.overlay, block.model);
    while (chain.length > 0 && dice.below(2) === 0) {
      final = chain.shift()!;
      append(store, final);
      chain[0]?.overlay.rebase(store.state());
      expectState(store.state(), final.model);
      const last = chain.at(-1);
      if (last !== undefined) expectState(last.overlay, last.model);
    }
    if (dice.below(8) === 0) {
      chain = [];
      await store.close();
      keys = new StateKeys(suite);
      base = open();
      store = new LedgerStore(base, { suite, keys });
      expect(store.head()).toEqual({
        height: final.header.number,
        hash: final.hash,
        stateRoot: final.header.stateRoot,
      });
      expectState(store.state(), final.model);
    }
  }
  expectTables(base, final.header.stateRoot, final.model, keys);
  await store.close();
}

describe('random histories give the state roots, states and tables of the simplest model', () => {
  it.each([11, 22, 33, 44, 55, 66])('in memory, seed %i', async (seed) => {
    const database = new MemoryDatabase();
    await history(() => database.open(), seed, 30);
  });

  it('in LMDB, seed 77', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hanse-history-'));
    await history(() => new LMDBKeyValueStore(folder), 77, 30);
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('overlays', () => {
  const keys = new StateKeys(suite);
  const dice = new Dice(99);
  const nothing = { header: undefined, hash: ZERO_HASH, state: emptyState(suite), model: new Map() };
  const genesis = executeBlock(nothing, dice, keys);

  /** A block whose state is none of these. */
  function blockOn(parent: Block, state: StateBase, ...others: Block[]): Block {
    for (;;) {
      const block = executeBlock({ ...parent, state }, dice, keys);
      if (![parent, ...others].some((other) => other.changes.stateRoot === block.changes.stateRoot)) return block;
    }
  }

  function stored(): LedgerStore {
    const store = new LedgerStore(new MemoryDatabase().open(), { suite, keys });
    store.initialize({ header: genesis.header, hash: genesis.hash, stateChanges: genesis.changes });
    return store;
  }

  it('refuse to move onto another state than their own parent', () => {
    const store = stored();
    const first = blockOn(genesis, store.state());
    const second = blockOn(first, first.overlay);
    expect(() => second.overlay.rebase(store.state())).toThrow('cannot move');
    append(store, first);
    second.overlay.rebase(store.state());
    expectState(second.overlay, second.model);
  });

  it('of a branch that a finalization excluded are not built upon', () => {
    const store = stored();
    const kept = blockOn(genesis, store.state());
    const dropped = blockOn(genesis, store.state(), kept);
    const above = blockOn(dropped, dropped.overlay, kept);
    append(store, kept);
    for (const block of [dropped, above]) {
      expect(() => executeBlock({ ...block, state: block.overlay }, dice, keys)).toThrow('which is now');
    }
    executeBlock({ ...kept, state: kept.overlay }, dice, keys);
  });
});
