import {
  type Account,
  type Address,
  createInternationalSuite,
  emptyHashes,
  type Hash,
  type Log,
  portablePrimitives,
  type StateReader,
} from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { JournaledState } from './journaledState.ts';

const suite = createInternationalSuite(portablePrimitives);
const EMPTY = emptyHashes(suite);
const alice: Address = `0x${'aa'.repeat(20)}`;
const bob: Address = `0x${'bb'.repeat(20)}`;
const token: Address = `0x${'cc'.repeat(20)}`;
const CODE = Uint8Array.of(0x60, 0x00);
const CODE_HASH = suite.hashHex(CODE);
const log = (data: number): Log => ({ address: token, topics: [], data: Uint8Array.of(data) });

/** A parent where alice has 100 wei and token has code and the word 7 in slot 1; counts what is asked of it. */
function parent(): StateReader & { readonly reads: string[] } {
  const reads: string[] = [];
  const accounts = new Map<Address, Account>([
    [alice, { nonce: 3n, balance: 100n, storageRoot: EMPTY.trieRoot, codeHash: EMPTY.code }],
    [token, { nonce: 1n, balance: 0n, storageRoot: `0x${'12'.repeat(32)}`, codeHash: CODE_HASH }],
  ]);
  return {
    reads,
    account: (address) => {
      reads.push(address);
      return accounts.get(address);
    },
    storage: (address, slot) => {
      reads.push(`${address}.${slot}`);
      return address === token && slot === 1n ? 7n : 0n;
    },
    code: (hash: Hash) => {
      reads.push(hash);
      if (hash !== CODE_HASH) throw new Error('no such code');
      return CODE;
    },
  };
}

function begin(base = parent()): JournaledState {
  const state = new JournaledState(base, suite);
  state.beginTransaction();
  return state;
}

describe('reading', () => {
  it('asks the parent once for an account, a slot and a code', () => {
    const base = parent();
    const state = begin(base);
    for (let i = 0; i < 3; i++) {
      expect(state.getBalance(alice)).toBe(100n);
      expect(state.getNonce(alice)).toBe(3n);
      expect(state.getStorage(token, 1n)).toBe(7n);
      expect(state.getOriginalStorage(token, 1n)).toBe(7n);
      expect(state.getCode(token)).toEqual(CODE);
      expect(state.getCodeHash(token)).toBe(CODE_HASH);
      expect(state.exists(bob)).toBe(false);
      expect(state.getCode(bob)).toEqual(new Uint8Array(0));
      expect(state.getCodeHash(bob)).toBe(EMPTY.code);
    }
    expect(base.reads).toEqual([alice, token, `${token}.1`, CODE_HASH, bob]);
  });

  it('does not ask for slots of an account that has no storage', () => {
    const base = parent();
    expect(begin(base).getStorage(alice, 5n)).toBe(0n);
    expect(base.reads).toEqual([alice]);
  });
});

describe('snapshots', () => {
  it('undo every kind of write, logs included, and nest', () => {
    const state = begin();
    const before = state.snapshot();
    state.setBalance(alice, 50n);
    state.addLog(log(1));
    const middle = state.snapshot();
    state.setNonce(alice, 9n);
    state.setBalance(bob, 50n);
    state.setStorage(token, 1n, 8n);
    state.setStorage(token, 1n, 9n);
    state.setTransientStorage(token, 1n, 5n);
    state.setCode(bob, CODE);
    state.markCreated(bob);
    state.destroy(bob);
    state.addLog(log(2));
    expect(state.isDestroyed(bob)).toBe(true);
    state.revertTo(middle);
    expect(state.getNonce(alice)).toBe(3n);
    expect(state.getBalance(alice)).toBe(50n);
    expect(state.exists(bob)).toBe(false);
    expect(state.getStorage(token, 1n)).toBe(7n);
    expect(state.getTransientStorage(token, 1n)).toBe(0n);
    expect(state.getCode(bob)).toEqual(new Uint8Array(0));
    expect(state.isCreated(bob) || state.isDestroyed(bob)).toBe(false);
    expect(state.logs()).toEqual([log(1)]);
    state.revertTo(before);
    expect(state.getBalance(alice)).toBe(100n);
    expect(state.finishTransaction()).toEqual([]);
    expect(state.changes()).toEqual({ accounts: new Map(), codes: new Map() });
  });

  it('cannot be reverted to twice beyond an earlier one', () => {
    const state = begin();
    const outer = state.snapshot();
    state.setNonce(alice, 4n);
    const inner = state.snapshot();
    state.revertTo(outer);
    expect(() => state.revertTo(inner)).toThrow('already');
  });
});

describe('transactions', () => {
  it('give their own logs and forget transient storage', () => {
    const state = begin();
    state.setTransientStorage(token, 1n, 5n);
    state.addLog(log(1));
    expect(state.finishTransaction()).toEqual([log(1)]);
    state.beginTransaction();
    expect(state.getTransientStorage(token, 1n)).toBe(0n);
    state.addLog(log(2));
    expect(state.finishTransaction()).toEqual([log(2)]);
  });

  it('see as original the word that the transaction before left', () => {
    const state = begin();
    state.setStorage(token, 1n, 8n);
    expect(state.getOriginalStorage(token, 1n)).toBe(7n);
    state.finishTransaction();
    state.beginTransaction();
    expect(state.getOriginalStorage(token, 1n)).toBe(8n);
    const mark = state.snapshot();
    state.setStorage(token, 1n, 9n);
    state.revertTo(mark);
    expect(state.getOriginalStorage(token, 1n)).toBe(8n);
    state.setStorage(token, 1n, 0n);
    expect(state.getOriginalStorage(token, 1n)).toBe(8n);
  });

  it('leave nothing when discarded', () => {
    const state = begin();
    state.setBalance(bob, 1n);
    state.addLog(log(1));
    state.discardTransaction();
    expect(state.changes().accounts.size).toBe(0);
    state.beginTransaction();
    expect(state.exists(bob)).toBe(false);
    expect(state.finishTransaction()).toEqual([]);
  });

  it('must be open to write, and closed to collect the changes', () => {
    const state = new JournaledState(parent(), suite);
    for (const write of [
      () => state.setNonce(alice, 1n),
      () => state.setBalance(alice, 1n),
      () => state.setCode(alice, CODE),
      () => state.setStorage(alice, 1n, 1n),
      () => state.setTransientStorage(alice, 1n, 1n),
      () => state.addLog(log(1)),
      () => state.touch(alice),
      () => state.revertTo(0),
      () => state.finishTransaction(),
    ]) {
      expect(write).toThrow('No transaction is open');
    }
    state.beginTransaction();
    expect(() => state.beginTransaction()).toThrow('still open');
    expect(() => state.changes()).toThrow('still open');
    expect(() => state.setBalance(alice, -1n)).toThrow('negative');
  });
});

describe('accounts at the end of a transaction', () => {
  it('disappear if touched and empty (EIP-161), unless the touch was reverted', () => {
    const state = begin();
    state.touch(bob);
    state.setBalance(alice, 0n);
    state.setNonce(alice, 0n);
    expect(state.exists(alice)).toBe(false);
    state.finishTransaction();
    expect(state.changes().accounts).toEqual(
      new Map([[alice, { account: undefined, storageWiped: false, slots: undefined }]]),
    );
    const other = begin();
    const mark = other.snapshot();
    other.setBalance(alice, 0n);
    other.revertTo(mark);
    other.finishTransaction();
    expect(other.changes().accounts.size).toBe(0);
  });

  it('disappear if created and destroyed in it (EIP-6780), and can come back in the next', () => {
    const state = begin();
    state.markCreated(bob);
    state.setNonce(bob, 1n);
    state.setCode(bob, CODE);
    state.setStorage(bob, 1n, 1n);
    expect(state.isCreated(bob)).toBe(true);
    state.destroy(bob);
    expect(state.getCode(bob)).toEqual(CODE);
    state.finishTransaction();
    expect(state.isCreated(bob) || state.isDestroyed(bob)).toBe(false);
    expect(state.exists(bob)).toBe(false);
    expect(state.changes().accounts.size).toBe(0);
    expect(state.changes().codes.size).toBe(0);
    state.beginTransaction();
    expect(state.getStorage(bob, 1n)).toBe(0n);
    expect(() => state.destroy(bob)).toThrow('not created');
    state.setBalance(bob, 5n);
    state.finishTransaction();
    expect(state.changes().accounts.get(bob)?.account?.balance).toBe(5n);
  });

  it('lose the storage of before when they are destroyed', () => {
    const state = begin();
    state.markCreated(token);
    state.destroy(token);
    state.finishTransaction();
    state.beginTransaction();
    expect(state.getStorage(token, 1n)).toBe(0n);
    state.setNonce(token, 1n);
    state.setStorage(token, 2n, 2n);
    state.finishTransaction();
    const change = state.changes().accounts.get(token)!;
    expect(change.storageWiped).toBe(true);
    expect([...change.slots!]).toEqual([[2n, 2n]]);
  });

  it('must not have storage and nothing else', () => {
    const state = begin();
    state.setStorage(bob, 1n, 1n);
    expect(() => state.finishTransaction()).toThrow('is empty, but has storage');
  });

  it('are occupied with a nonce, code or storage (EIP-684, EIP-7610)', () => {
    const state = begin();
    expect([alice, token, bob].map((address) => state.isOccupied(address))).toEqual([true, true, false]);
    state.setBalance(bob, 1n);
    expect(state.isOccupied(bob)).toBe(false);
    state.setStorage(bob, 1n, 1n);
    expect(state.isOccupied(bob)).toBe(true);
  });
});

describe('changes', () => {
  it('hold only what differs from the parent', () => {
    const state = begin();
    state.setBalance(alice, 1n);
    state.setStorage(token, 1n, 8n);
    state.setStorage(token, 2n, 8n);
    state.setCode(bob, CODE);
    state.finishTransaction();
    state.beginTransaction();
    state.setBalance(alice, 100n);
    state.setStorage(token, 1n, 7n);
    state.finishTransaction();
    const { accounts, codes } = state.changes();
    expect([...accounts.keys()].sort()).toEqual([bob, token]);
    expect([...accounts.get(token)!.slots!]).toEqual([[2n, 8n]]);
    expect(accounts.get(bob)!.account).toEqual({ nonce: 0n, balance: 0n, codeHash: CODE_HASH });
    expect(codes).toEqual(new Map([[CODE_HASH, CODE]]));
  });
});
