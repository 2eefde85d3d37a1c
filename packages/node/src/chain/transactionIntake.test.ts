import {
  createInternationalSuite,
  encodeTransaction,
  portablePrimitives,
  recoverSender,
  type SignedTransaction,
  signTransaction,
  type Transaction,
  type UnsignedTransaction,
} from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { rpcErrors } from '../rpc/codes.ts';
import { ManualClock } from '../runtime/manualClock.ts';
import { SenderService } from './senderService.ts';
import { TransactionIntake } from './transactionIntake.ts';
import { defaultPoolOptions, TransactionPool } from './transactionPool.ts';
import { blameFor, type Rejection, rejectionCodes } from './transactionRejection.ts';

const suite = createInternationalSuite(portablePrimitives);
const key = new Uint8Array(32).fill(7);

const transaction = (fields: Partial<UnsignedTransaction> = {}): SignedTransaction =>
  signTransaction(
    {
      type: 2,
      chainId: 1n,
      nonce: 0n,
      gasLimit: 21_000n,
      maxFeePerGas: 0n,
      maxPriorityFeePerGas: 0n,
      to: `0x${'11'.repeat(20)}`,
      value: 0n,
      data: new Uint8Array(0),
      accessList: [],
      ...fields,
    },
    key,
    suite,
  );

/** An intake over an empty pool that takes everything; counts the signatures that were recovered. */
function intakeWith(
  options: Partial<ConstructorParameters<typeof TransactionIntake>[0]> = {},
  checkForm: (transaction: Transaction) => Rejection | undefined = () => undefined,
) {
  const recovered: Uint8Array[] = [];
  const senders = new SenderService(suite);
  const pool = new TransactionPool(defaultPoolOptions, {
    clock: new ManualClock(),
    state: () => ({ account: () => undefined, storage: () => 0n, code: () => new Uint8Array(0) }),
    check: () => undefined,
  });
  const intake = new TransactionIntake(
    { maxTransactionBytes: 131_072, maxProposalBodies: 100, maxProposalBytes: 1_000_000, ...options },
    {
      suite,
      pool,
      checkForm,
      senders: {
        recover: (raws) => {
          recovered.push(...raws);
          return senders.recover(raws);
        },
      },
    },
  );
  return { intake, pool, recovered };
}

const broken = (raw: Uint8Array, change: (bytes: Uint8Array) => void): Uint8Array => {
  const copy = Uint8Array.from(raw);
  change(copy);
  return copy;
};

describe('the intake', () => {
  const good = transaction();

  it.each<[string, Uint8Array, Rejection['code']]>([
    ['nothing', new Uint8Array(0), 'invalid-transaction'],
    ['text', Buffer.from('hello'), 'transaction-type'],
    ['a list that is cut off', good.raw.subarray(0, -1), 'rlp'],
    ['bytes behind the list', Buffer.concat([good.raw, Uint8Array.of(0)]), 'rlp'],
    ['an empty list', Uint8Array.of(2, 0xc0), 'invalid-transaction'],
    ['a blob transaction', broken(good.raw, (bytes) => bytes.set([3])), 'transaction-type'],
    ['an EIP-7702 transaction', broken(good.raw, (bytes) => bytes.set([4])), 'transaction-type'],
    ['an s that is no number of the curve', broken(good.raw, (bytes) => bytes.fill(0xff, -32)), 'invalid-signature'],
    ['more bytes than the limit', new Uint8Array(131_073), 'oversized'],
  ])('refuses %s in the words of the table, before any signature is recovered', async (_name, raw, code) => {
    const { intake, recovered } = intakeWith();
    const result = await intake.submitOne(raw);
    expect(result.ok ? undefined : result.rejection.code).toBe(code);
    expect(result.ok ? '' : result.rejection.message).toMatch(new RegExp(`^${rpcErrors[code].message}`));
    expect(recovered).toEqual([]);
  });

  it('holds a transaction to its form before it recovers the sender', async () => {
    const refusal: Rejection = { code: 'wrong-chain', message: 'invalid chain id for signer: have 1 want 2' };
    const { intake, recovered } = intakeWith({}, () => refusal);
    expect(await intake.submitOne(good.raw)).toEqual({ ok: false, rejection: refusal });
    expect(recovered).toEqual([]);
  });

  it('names the sender that the signature gives, and refuses a signature that gives none', async () => {
    const { intake, pool } = intakeWith();
    expect(await intake.submitOne(good.raw)).toEqual({ ok: true, hash: good.hash });
    expect(pool.get(good.hash)?.sender).toBe(recoverSender(good, suite));
    // Of the small numbers that are no x of a point on the curve, 5 is the first.
    const senderless = encodeTransaction(good, { r: 5n, s: 1n, yParity: 0 });
    expect(await intake.submitOne(senderless)).toMatchObject({ ok: false, rejection: { code: 'invalid-sender' } });
  });

  it('keeps the bodies of proposals up to a number and up to a size, the oldest going first', async () => {
    const [a, b, c] = [0n, 1n, 2n].map((nonce) => transaction({ nonce, data: new Uint8Array(1_000) })) as [
      SignedTransaction,
      SignedTransaction,
      SignedTransaction,
    ];
    const kept = async (options: Parameters<typeof intakeWith>[0]): Promise<readonly boolean[]> => {
      const { intake, pool } = intakeWith(options);
      await intake.accept([a.raw, b.raw, c.raw]);
      pool.drop([a.hash, b.hash, c.hash]);
      const found = intake.bodies([a.hash, b.hash, c.hash]);
      return [a, b, c].map(({ hash }) => found.has(hash));
    };
    expect(await kept({ maxProposalBodies: 2 })).toEqual([false, true, true]);
    expect(await kept({ maxProposalBytes: 2 * c.raw.length })).toEqual([false, true, true]);
    expect(await kept({ maxProposalBytes: c.raw.length })).toEqual([false, false, true]);
    // What was released or came twice is not counted for ever.
    const { intake, pool } = intakeWith({ maxProposalBytes: 2 * c.raw.length });
    for (let round = 0; round < 5; round++) await intake.accept([a.raw, b.raw]);
    intake.release([b.hash]);
    await intake.accept([c.raw]);
    pool.drop([a.hash, c.hash]);
    expect([...intake.bodies([a.hash, c.hash]).keys()]).toEqual([a.hash, c.hash]);
  });
});

describe('the blame for a transaction that is refused', () => {
  it('is certain only where no state can make it good, and none where honest members differ', () => {
    const by = (blame: string) => rejectionCodes.filter((code) => blameFor(code) === blame);
    expect(by('certain')).toContain('invalid-sender');
    expect(by('certain')).not.toContain('sender-not-permitted');
    expect(by('none')).toEqual([
      'nonce-too-low',
      'nonce-too-high',
      'already-known',
      'replacement-underpriced',
      'account-limit',
      'pool-full',
    ]);
    expect(by('doubtful')).toContain('sender-not-permitted');
  });
});
