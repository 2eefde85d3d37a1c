import type { Account, Address, Hash, Log, StateReader, Suite, WorldState } from '@hanse/protocol';
import { emptyTrieRoot } from '@hanse/protocol';
import { SlotMap } from '../storage/slotMap.ts';

/** What a block did to one account, compared with the state before the block. */
export interface AccountChange {
  /** The account as it is now; undefined: it does not exist any more. The storage root is for `commitState` to compute. */
  readonly account: { readonly nonce: bigint; readonly balance: bigint; readonly codeHash: Hash } | undefined;
  /** Whether all storage of before the block is gone; `slots` then starts from nothing. */
  readonly storageWiped: boolean;
  /** Slots whose word differs; undefined: none. */
  readonly slots: SlotMap<bigint> | undefined;
}

/** Everything that a block changed, without the tries. */
export interface RawChanges {
  readonly accounts: ReadonlyMap<Address, AccountChange>;
  readonly codes: ReadonlyMap<Hash, Uint8Array>;
}

/** One slot of one account, as the block sees it. */
interface SlotEntry {
  value: bigint;
  /** The word before the block. */
  readonly before: bigint;
  /** The word when transaction `originalOf` began; meaningful in that transaction only. */
  original: bigint;
  originalOf: number;
}

/** One account, as the block sees it. An account that does not exist has nonce 0, balance 0 and no code. */
interface AccountEntry {
  readonly address: Address;
  readonly before: Account | undefined;
  nonce: bigint;
  balance: bigint;
  codeHash: Hash;
  code: Uint8Array | undefined;
  slots: SlotMap<SlotEntry> | undefined;
  /** Removed in an earlier transaction of the block: the parent's storage no longer counts. */
  storageWiped: boolean;
  /** The transaction that touched, created and doomed it last (0: none of this block). */
  touchedBy: number;
  createdBy: number;
  destroyedBy: number;
  /** Whether it is in the list of what the block changed. */
  listed: boolean;
}

/** How to take one write back; the journal is a stack of these. */
type UndoRecord =
  | { readonly kind: 'nonce' | 'balance'; readonly account: AccountEntry; readonly previous: bigint }
  | {
      readonly kind: 'code';
      readonly account: AccountEntry;
      readonly previous: Uint8Array | undefined;
      readonly previousHash: Hash;
    }
  | { readonly kind: 'slot'; readonly slot: SlotEntry; readonly previous: bigint }
  | { readonly kind: 'transient'; readonly slots: SlotMap<bigint>; readonly slot: bigint; readonly previous: bigint }
  | { readonly kind: 'touched' | 'created' | 'destroyed'; readonly account: AccountEntry; readonly previous: number }
  | { readonly kind: 'log' };

/**
 * The state that the transactions of one block (or one call) change, over the state of the parent. Reads go
 * to the parent once and to a map afterwards; every write leaves an undo record.
 *
 * A transaction runs between `beginTransaction` and `finishTransaction` (or `discardTransaction`); writing outside is a bug
 * and throws. Marks of `snapshot` hold within their transaction. What belongs to a transaction and not to a frame
 * (the schedule of begin-block hooks, the genesis allocation) is a transaction of its own here.
 */
export class JournaledState implements WorldState {
  readonly #parent: StateReader;
  readonly #suite: Suite;
  readonly #emptyCodeHash: Hash;
  readonly #emptyRoot: Hash;
  readonly #accounts = new Map<Address, AccountEntry>();
  readonly #changed: AccountEntry[] = [];
  readonly #codes = new Map<Hash, Uint8Array>();
  #transaction = 0;
  #open = false;
  #undo: UndoRecord[] = [];
  #logs: Log[] = [];
  #touched: AccountEntry[] = [];
  #transient = new Map<Address, SlotMap<bigint>>();

  constructor(parent: StateReader, suite: Suite) {
    this.#parent = parent;
    this.#suite = suite;
    this.#emptyCodeHash = suite.hashHex(new Uint8Array(0));
    this.#emptyRoot = emptyTrieRoot(suite);
  }

  /** Starts a transaction: from here `getOriginalStorage` counts, and marks and undo records begin anew. */
  beginTransaction(): void {
    if (this.#open) throw new Error('The transaction before is still open.');
    this.#open = true;
    this.#transaction += 1;
    this.#logs = [];
  }

  /**
   * Ends a transaction and gives its logs in order. Accounts that were created and destroyed in it (EIP-6780) and
   * touched accounts that are empty (EIP-161) are gone now; transient storage is dropped (EIP-1153).
   */
  finishTransaction(): readonly Log[] {
    this.#assertOpen();
    for (const entry of this.#touched) {
      if (entry.destroyedBy === this.#transaction) {
        this.#remove(entry);
      } else if (this.#isEmpty(entry)) {
        // A contract has a nonce and a module has marker code, so only a bug leaves storage to an account with nothing else.
        if (this.hasStorage(entry.address)) throw new Error(`${entry.address} is empty, but has storage.`);
        this.#remove(entry);
      }
      if (!entry.listed) {
        entry.listed = true;
        this.#changed.push(entry);
      }
    }
    const logs = this.#logs;
    this.#endTransaction();
    return logs;
  }

  /** Undoes the whole open transaction, as if it had never begun. */
  discardTransaction(): void {
    this.#assertOpen();
    this.revertTo(0);
    this.#endTransaction();
  }

  exists(address: Address): boolean {
    return !this.#isEmpty(this.#entry(address));
  }

  getNonce(address: Address): bigint {
    return this.#entry(address).nonce;
  }

  setNonce(address: Address, nonce: bigint): void {
    const entry = this.#touch(address);
    if (entry.nonce === nonce) return;
    this.#undo.push({ kind: 'nonce', account: entry, previous: entry.nonce });
    entry.nonce = nonce;
  }

  getBalance(address: Address): bigint {
    return this.#entry(address).balance;
  }

  setBalance(address: Address, balance: bigint): void {
    const entry = this.#touch(address);
    if (entry.balance === balance) return;
    if (balance < 0n) throw new Error(`The balance of ${address} would be negative.`);
    this.#undo.push({ kind: 'balance', account: entry, previous: entry.balance });
    entry.balance = balance;
  }

  getCode(address: Address): Uint8Array {
    const entry = this.#entry(address);
    entry.code ??= this.#loadCode(entry.codeHash);
    return entry.code;
  }

  /** The suite's hash of the code; the hash of nothing for an account without code or one that does not exist. */
  getCodeHash(address: Address): Hash {
    return this.#entry(address).codeHash;
  }

  setCode(address: Address, code: Uint8Array): void {
    const entry = this.#touch(address);
    this.#undo.push({ kind: 'code', account: entry, previous: entry.code, previousHash: entry.codeHash });
    entry.codeHash = code.length === 0 ? this.#emptyCodeHash : this.#suite.hashHex(code);
    entry.code = code;
    // A reverted deployment leaves its code here, which does no harm: `changes` hands out only code that an account has.
    if (code.length > 0) this.#codes.set(entry.codeHash, code);
  }

  getStorage(address: Address, slot: bigint): bigint {
    const entry = this.#entry(address);
    const known = entry.slots?.get(slot);
    return known === undefined ? this.#loadSlot(entry, slot).value : known.value;
  }

  getOriginalStorage(address: Address, slot: bigint): bigint {
    const entry = this.#entry(address);
    const known = entry.slots?.get(slot) ?? this.#loadSlot(entry, slot);
    return known.originalOf === this.#transaction ? known.original : known.value;
  }

  setStorage(address: Address, slot: bigint, value: bigint): void {
    const entry = this.#touch(address);
    const known = entry.slots?.get(slot) ?? this.#loadSlot(entry, slot);
    if (known.value === value) return;
    if (known.originalOf !== this.#transaction) {
      known.original = known.value;
      known.originalOf = this.#transaction;
    }
    this.#undo.push({ kind: 'slot', slot: known, previous: known.value });
    known.value = value;
  }

  getTransientStorage(address: Address, slot: bigint): bigint {
    return this.#transient.get(address)?.get(slot) ?? 0n;
  }

  setTransientStorage(address: Address, slot: bigint, value: bigint): void {
    this.#assertOpen();
    let slots = this.#transient.get(address);
    if (slots === undefined) {
      slots = new SlotMap();
      this.#transient.set(address, slots);
    }
    this.#undo.push({ kind: 'transient', slots, slot, previous: slots.get(slot) ?? 0n });
    slots.set(slot, value);
  }

  addLog(log: Log): void {
    this.#assertOpen();
    this.#undo.push({ kind: 'log' });
    this.#logs.push(log);
  }

  /** The logs of the open transaction so far, in order. */
  logs(): readonly Log[] {
    return this.#logs;
  }

  /** Touches an account in the sense of EIP-161: it is removed at the end of the transaction if it is empty then. */
  touch(address: Address): void {
    this.#touch(address);
  }

  /** Notes that the open transaction creates this contract (EIP-6780). */
  markCreated(address: Address): void {
    const entry = this.#touch(address);
    this.#undo.push({ kind: 'created', account: entry, previous: entry.createdBy });
    entry.createdBy = this.#transaction;
  }

  /** Whether the open transaction created this contract. */
  isCreated(address: Address): boolean {
    return this.#open && this.#accounts.get(address)?.createdBy === this.#transaction;
  }

  /**
   * Removes the account with its storage when the transaction ends. Only a contract that this transaction created may be
   * destroyed (EIP-6780); moving its balance is the caller's part.
   */
  destroy(address: Address): void {
    const entry = this.#touch(address);
    if (entry.createdBy !== this.#transaction) throw new Error(`${address} was not created in this transaction.`);
    this.#undo.push({ kind: 'destroyed', account: entry, previous: entry.destroyedBy });
    entry.destroyedBy = this.#transaction;
  }

  isDestroyed(address: Address): boolean {
    return this.#open && this.#accounts.get(address)?.destroyedBy === this.#transaction;
  }

  /**
   * Whether a contract could not be created at this address: it has a nonce, code, or storage (EIP-684, EIP-7610). Without the
   * last, a creation over old storage would have to be able to remove it.
   */
  isOccupied(address: Address): boolean {
    const entry = this.#entry(address);
    if (entry.nonce !== 0n || entry.codeHash !== this.#emptyCodeHash) return true;
    return this.hasStorage(address);
  }

  /** Whether the account has storage, or had some before the block. */
  hasStorage(address: Address): boolean {
    const entry = this.#entry(address);
    if (entry.slots !== undefined) for (const [, slot] of entry.slots) if (slot.value !== 0n) return true;
    if (entry.before === undefined || entry.storageWiped) return false;
    return entry.before.storageRoot !== this.#emptyRoot;
  }

  snapshot(): number {
    return this.#undo.length;
  }

  revertTo(snapshot: number): void {
    this.#assertOpen();
    if (snapshot > this.#undo.length) throw new Error('This mark has been reverted already.');
    while (this.#undo.length > snapshot) this.#undoOne(this.#undo.pop()!);
  }

  /** What the finished transactions changed, compared with the parent. No transaction may be open. */
  changes(): RawChanges {
    if (this.#open) throw new Error('A transaction is still open.');
    const accounts = new Map<Address, AccountChange>();
    const codes = new Map<Hash, Uint8Array>();
    for (const entry of this.#changed) {
      const change = this.#changeOf(entry);
      if (change === undefined) continue;
      accounts.set(entry.address, change);
      const code = this.#codes.get(entry.codeHash);
      if (code !== undefined && entry.codeHash !== entry.before?.codeHash) codes.set(entry.codeHash, code);
    }
    return { accounts, codes };
  }

  #changeOf(entry: AccountEntry): AccountChange | undefined {
    let slots: SlotMap<bigint> | undefined;
    for (const [slot, { value, before }] of entry.slots ?? []) {
      if (value === before) continue;
      slots ??= new SlotMap();
      slots.set(slot, value);
    }
    const { before, nonce, balance, codeHash } = entry;
    if (this.#isEmpty(entry)) {
      if (before === undefined) return undefined;
      return { account: undefined, storageWiped: before.storageRoot !== this.#emptyRoot, slots: undefined };
    }
    const storageWiped = entry.storageWiped && before !== undefined && before.storageRoot !== this.#emptyRoot;
    const same = before?.nonce === nonce && before.balance === balance && before.codeHash === codeHash;
    if (same && slots === undefined && !storageWiped) return undefined;
    return { account: { nonce, balance, codeHash }, storageWiped, slots };
  }

  #entry(address: Address): AccountEntry {
    return this.#accounts.get(address) ?? this.#loadAccount(address);
  }

  #loadAccount(address: Address): AccountEntry {
    const before = this.#parent.account(address);
    const entry: AccountEntry = {
      address,
      before,
      nonce: before?.nonce ?? 0n,
      balance: before?.balance ?? 0n,
      codeHash: before?.codeHash ?? this.#emptyCodeHash,
      code: undefined,
      slots: undefined,
      storageWiped: false,
      touchedBy: 0,
      createdBy: 0,
      destroyedBy: 0,
      listed: false,
    };
    this.#accounts.set(address, entry);
    return entry;
  }

  #loadSlot(entry: AccountEntry, slot: bigint): SlotEntry {
    const reads = entry.before !== undefined && !entry.storageWiped && entry.before.storageRoot !== this.#emptyRoot;
    const value = reads ? this.#parent.storage(entry.address, slot) : 0n;
    const known: SlotEntry = { value, before: value, original: value, originalOf: 0 };
    entry.slots ??= new SlotMap();
    entry.slots.set(slot, known);
    return known;
  }

  #loadCode(codeHash: Hash): Uint8Array {
    if (codeHash === this.#emptyCodeHash) return new Uint8Array(0);
    return this.#codes.get(codeHash) ?? this.#parent.code(codeHash);
  }

  #isEmpty(entry: AccountEntry): boolean {
    return entry.nonce === 0n && entry.balance === 0n && entry.codeHash === this.#emptyCodeHash;
  }

  /** The account for writing: it counts as touched by the open transaction. */
  #touch(address: Address): AccountEntry {
    this.#assertOpen();
    const entry = this.#entry(address);
    if (entry.touchedBy !== this.#transaction) {
      this.#undo.push({ kind: 'touched', account: entry, previous: entry.touchedBy });
      entry.touchedBy = this.#transaction;
      this.#touched.push(entry);
    }
    return entry;
  }

  #remove(entry: AccountEntry): void {
    entry.nonce = 0n;
    entry.balance = 0n;
    entry.codeHash = this.#emptyCodeHash;
    entry.code = undefined;
    entry.slots = undefined;
    entry.storageWiped = true;
  }

  #endTransaction(): void {
    this.#open = false;
    this.#undo = [];
    this.#touched = [];
    if (this.#transient.size > 0) this.#transient = new Map();
  }

  #undoOne(record: UndoRecord): void {
    switch (record.kind) {
      case 'nonce':
        record.account.nonce = record.previous;
        return;
      case 'balance':
        record.account.balance = record.previous;
        return;
      case 'code':
        record.account.code = record.previous;
        record.account.codeHash = record.previousHash;
        return;
      case 'slot':
        record.slot.value = record.previous;
        return;
      case 'transient':
        record.slots.set(record.slot, record.previous);
        return;
      case 'log':
        this.#logs.pop();
        return;
      case 'touched':
        record.account.touchedBy = record.previous;
        this.#touched.pop();
        return;
      case 'created':
        record.account.createdBy = record.previous;
        return;
      case 'destroyed':
        record.account.destroyedBy = record.previous;
        return;
    }
  }

  #assertOpen(): void {
    if (!this.#open) throw new Error('No transaction is open.');
  }
}
