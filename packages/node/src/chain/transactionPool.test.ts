import {
  type Account,
  type Address,
  createInternationalSuite,
  decodeTransaction,
  portablePrimitives,
  type SignedTransaction,
  type StateReader,
  signTransaction,
} from '@hanse/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../runtime/manualClock.ts';
import { defaultPoolOptions, type PoolOptions, TransactionPool } from './transactionPool.ts';

const suite = createInternationalSuite(portablePrimitives);
const key = new Uint8Array(32).fill(7);
const address = (digit: number): Address => `0x${digit.toString(16).padStart(40, '0')}`;
const ALICE = address(0xa11ce);
const BOB = address(0xb0b);

/** A transaction as the pool sees it: who signed it was found out before. */
function transaction(
  sender: Address,
  nonce: number,
  fees: { tip?: bigint; cap?: bigint; data?: number } = {},
): SignedTransaction {
  const raw = signTransaction(
    {
      type: 2,
      chainId: 1n,
      nonce: BigInt(nonce),
      gasLimit: 21_000n,
      maxFeePerGas: fees.cap ?? fees.tip ?? 0n,
      maxPriorityFeePerGas: fees.tip ?? 0n,
      to: sender,
      value: 0n,
      data: new Uint8Array(fees.data ?? 0),
      accessList: [],
    },
    key,
    suite,
  );
  return { ...decodeTransaction(raw instanceof Uint8Array ? raw : raw.raw, suite), sender };
}

describe('the transaction pool', () => {
  let nonces: Map<Address, bigint>;
  let banned: Set<Address>;
  let clock: ManualClock;
  let pool: TransactionPool;

  const state: StateReader = {
    account: (who): Account | undefined => {
      const nonce = nonces.get(who);
      return nonce === undefined ? undefined : { nonce, balance: 0n, storageRoot: '0x', codeHash: '0x' };
    },
    storage: () => 0n,
    code: () => new Uint8Array(0),
  };

  function createPool(options: Partial<PoolOptions> = {}): TransactionPool {
    return new TransactionPool(
      { ...defaultPoolOptions, ...options },
      {
        clock,
        state: () => state,
        check: ({ sender }) => (banned.has(sender) ? { code: 'sender-not-permitted', message: 'no' } : undefined),
      },
    );
  }

  const noncesOf = (who: Address, exclude: ReadonlySet<`0x${string}`> = new Set()): bigint[] =>
    pool
      .candidates({ maxCount: 100, maxBytes: 1_000_000, exclude })
      .filter(({ sender }) => sender === who)
      .map(({ hash }) => pool.get(hash)?.nonce ?? -1n);

  beforeEach(() => {
    nonces = new Map();
    banned = new Set();
    clock = new ManualClock();
    pool = createPool();
  });

  it("offers a sender's transactions in nonce order, whatever the order in which they came", () => {
    expect(pool.add([transaction(ALICE, 2), transaction(ALICE, 0), transaction(ALICE, 1)])).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(noncesOf(ALICE)).toEqual([0n, 1n, 2n]);
  });

  it('queues what stands behind a gap until the gap is filled', () => {
    pool.add([transaction(ALICE, 1)]);
    expect(pool.hasRunnable(new Set())).toBe(false);
    expect(pool.pendingNonce(ALICE)).toBe(0n);
    pool.add([transaction(ALICE, 0)]);
    expect(noncesOf(ALICE)).toEqual([0n, 1n]);
    expect(pool.pendingNonce(ALICE)).toBe(2n);
  });

  it('steps over what stands in unfinalized blocks and offers what follows', () => {
    const first = transaction(ALICE, 0);
    pool.add([first, transaction(ALICE, 1)]);
    expect(noncesOf(ALICE, new Set([first.hash]))).toEqual([1n]);
  });

  it('puts the better tip first, and among equals the earlier', () => {
    const [early, late, rich] = [transaction(ALICE, 0), transaction(BOB, 0), transaction(address(3), 0, { tip: 5n })];
    pool.add([early, late, rich]);
    const order = pool.candidates({ maxCount: 10, maxBytes: 1_000_000, exclude: new Set() }).map(({ hash }) => hash);
    expect(order).toEqual([rich.hash, early.hash, late.hash]);
  });

  it('bounds what it offers by count and bytes', () => {
    pool.add([transaction(ALICE, 0), transaction(BOB, 0)]);
    expect(pool.candidates({ maxCount: 1, maxBytes: 1_000_000, exclude: new Set() })).toHaveLength(1);
    expect(pool.candidates({ maxCount: 9, maxBytes: 10, exclude: new Set() })).toHaveLength(0);
  });

  it('replaces by nonce only for a tenth more of both fees', () => {
    const first = transaction(ALICE, 0, { tip: 100n });
    pool.add([first]);
    const codes = (next: SignedTransaction): string | undefined => pool.add([next])[0]?.code;
    expect(codes(transaction(ALICE, 0, { tip: 109n }))).toBe('replacement-underpriced');
    expect(codes(transaction(ALICE, 0, { tip: 100n, cap: 200n }))).toBe('replacement-underpriced');
    expect(codes(transaction(ALICE, 0, { tip: 110n }))).toBeUndefined();
    expect(pool.get(first.hash)).toBeUndefined();
    expect(pool.size).toBe(1);
  });

  it('refuses a known transaction, a used nonce and what the rules refuse', () => {
    nonces.set(ALICE, 5n);
    banned.add(BOB);
    const good = transaction(ALICE, 5);
    const answers = pool.add([transaction(ALICE, 4), good, good, transaction(BOB, 0)]).map((answer) => answer?.code);
    expect(answers).toEqual(['nonce-too-low', undefined, 'already-known', 'sender-not-permitted']);
  });

  it('drops what a finalized block held or overtook, and follows the account', () => {
    const held = [0, 1, 2].map((nonce) => transaction(ALICE, nonce));
    pool.add(held);
    nonces.set(ALICE, 2n);
    pool.finalized([ALICE]);
    expect(noncesOf(ALICE)).toEqual([2n]);
    expect(pool.size).toBe(1);
  });

  it('drops the waiting transactions of a sender that lost its permission', () => {
    const held = [transaction(ALICE, 0), transaction(ALICE, 1)];
    pool.add(held);
    nonces.set(ALICE, 1n);
    banned.add(ALICE);
    pool.finalized([ALICE]);
    expect(pool.size).toBe(0);
  });

  it('follows a sender whose nonce was used by a transaction that never waited here', () => {
    const [loser, next] = [transaction(ALICE, 0), transaction(ALICE, 1)];
    pool.add([loser, next, transaction(BOB, 0)]);
    nonces.set(ALICE, 1n);
    pool.finalized([ALICE, ALICE]);
    expect(pool.get(loser.hash)).toBeUndefined();
    expect(noncesOf(ALICE)).toEqual([1n]);
    expect(noncesOf(BOB)).toEqual([0n]);
  });

  it('keeps its bound in bytes when a small transaction is replaced by a large one', () => {
    const small = transaction(ALICE, 0, { tip: 100n });
    pool = createPool({ maxBytes: 1_500 });
    pool.add([small, transaction(BOB, 0, { data: 1_000 })]);
    const answer = pool.add([transaction(ALICE, 0, { tip: 200n, data: 1_000 })])[0];
    expect(answer?.code).toBe('pool-full');
    expect(pool.get(small.hash)).toBeDefined();
    expect(pool.add([transaction(ALICE, 0, { tip: 200n, data: 10 })])).toEqual([undefined]);
    expect(pool.bytes).toBeLessThanOrEqual(1_500);
    expect(pool.size).toBe(2);
  });

  it('lets a full sender replace what it has', () => {
    pool = createPool({ maxPerSender: 1, maxTransactions: 1 });
    pool.add([transaction(ALICE, 0, { tip: 100n })]);
    expect(pool.add([transaction(ALICE, 0, { tip: 200n })])).toEqual([undefined]);
    expect(pool.size).toBe(1);
  });

  it('offers for sending again what could run, not what waits behind a gap', () => {
    pool.add([1, 2, 3].map((nonce) => transaction(ALICE, nonce)));
    const runnable = transaction(BOB, 0);
    pool.add([runnable]);
    clock.advance(1_000);
    expect(pool.waitingSince(1_000, 2)).toEqual([runnable]);
  });

  it('lets one sender hold no more than its share', () => {
    pool = createPool({ maxPerSender: 2 });
    const codes = pool.add([0, 1, 2].map((nonce) => transaction(ALICE, nonce))).map((answer) => answer?.code);
    expect(codes).toEqual([undefined, undefined, 'account-limit']);
  });

  it('when full, gives a newcomer the last place of the sender with the most', () => {
    pool = createPool({ maxTransactions: 4 });
    pool.add([0, 1, 2, 3].map((nonce) => transaction(ALICE, nonce)));
    expect(pool.add([transaction(BOB, 0)])).toEqual([undefined]);
    expect(noncesOf(ALICE)).toEqual([0n, 1n, 2n]);
    expect(pool.size).toBe(4);
    expect(pool.add([transaction(ALICE, 3)])[0]?.code).toBe('pool-full');
  });

  it('counts bytes, and gives them back', () => {
    const large = transaction(ALICE, 0, { data: 1_000 });
    pool = createPool({ maxBytes: 1_500 });
    pool.add([large]);
    expect(pool.bytes).toBe(large.raw.length);
    expect(pool.add([transaction(BOB, 0, { data: 1_000 })])[0]?.code).toBe('pool-full');
    nonces.set(ALICE, 1n);
    pool.finalized([ALICE]);
    expect(pool.bytes).toBe(0);
  });

  it('forgets what waited behind a gap for too long, and nothing else', () => {
    pool = createPool({ queuedLifetimeMs: 1_000 });
    pool.add([transaction(ALICE, 0), transaction(BOB, 1)]);
    clock.advance(1_001);
    pool.finalized([]);
    expect(noncesOf(ALICE)).toEqual([0n]);
    expect(pool.size).toBe(1);
  });

  it('keeps the order of a hundred senders through adding, replacing and finalizing', () => {
    const senders = Array.from({ length: 100 }, (_, index) => address(index + 1));
    pool.add(senders.flatMap((sender) => [1, 0].map((nonce) => transaction(sender, nonce))));
    const offered = pool.candidates({ maxCount: 1_000, maxBytes: 10_000_000, exclude: new Set() });
    const seen = new Map<Address, bigint>();
    for (const { hash, sender } of offered) {
      const nonce = pool.get(hash)?.nonce ?? -1n;
      expect(nonce).toBe(seen.get(sender) ?? 0n);
      seen.set(sender, nonce + 1n);
    }
    expect(offered).toHaveLength(200);
  });
});
