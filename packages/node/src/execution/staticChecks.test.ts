import type { Account, Address, SignedTransaction, UnsignedTransaction } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import type { ExecutionRules } from './executionRules.ts';
import {
  BlockChecks,
  checkBlockTransactions,
  checkTransactionStatically,
  type RejectionCode,
  type SenderPermissions,
} from './staticChecks.ts';
import { stateOf, testAccount, testRules, testTransaction } from './testing/executionFixture.ts';

const alice = testAccount(1);
const bob = testAccount(2);
const recipient: Address = `0x${'77'.repeat(20)}`;
const everything: SenderPermissions = { maySend: true, mayDeploy: true };
const emptyRoot = `0x${'00'.repeat(32)}` as const;
const funded: Account = { nonce: 5n, balance: 10n ** 18n, storageRoot: emptyRoot, codeHash: testRules.emptyCodeHash };

interface Case {
  readonly name: string;
  readonly code: RejectionCode;
  readonly message: RegExp;
  readonly fields?: Partial<UnsignedTransaction>;
  readonly account?: Partial<Account>;
  readonly permissions?: Partial<SenderPermissions>;
  readonly rules?: Partial<ExecutionRules>;
}

const cases: readonly Case[] = [
  {
    name: 'an envelope type that the suite does not accept',
    code: 'transaction-type',
    message: /^transaction type not supported/,
    rules: { transactionTypes: new Set([0, 1]) },
  },
  {
    name: 'a legacy transaction without chain id',
    code: 'unprotected',
    message: /^only replay-protected \(EIP-155\) transactions allowed over RPC$/,
    fields: { type: 0, chainId: undefined },
  },
  {
    name: 'another chain',
    code: 'wrong-chain',
    message: /^invalid chain id for signer: have 1 want 1234$/,
    fields: { chainId: 1n },
  },
  { name: 'too many bytes', code: 'oversized', message: /^oversized data/, rules: { maxTransactionBytes: 50 } },
  {
    name: 'a tip above the fee cap',
    code: 'tip-above-fee-cap',
    message: /^max priority fee per gas higher than max fee per gas/,
    fields: { maxFeePerGas: 1n, maxPriorityFeePerGas: 2n },
  },
  {
    name: 'a fee cap below the base fee',
    code: 'fee-below-base',
    message: /^max fee per gas less than block base fee/,
    fields: { maxFeePerGas: 6n },
    rules: { baseFeePerGas: 7n },
  },
  {
    name: 'init code of 49,153 bytes (EIP-3860)',
    code: 'initcode-too-large',
    message: /^max initcode size exceeded: code size 49153, limit 49152$/,
    fields: { to: undefined, data: new Uint8Array(49_153) },
  },
  {
    name: 'gas below the intrinsic gas',
    code: 'intrinsic-gas',
    message: /^intrinsic gas too low: gas 20999, minimum needed 21000$/,
    fields: { gasLimit: 20_999n },
  },
  {
    name: 'gas below the floor of EIP-7623',
    code: 'floor-gas',
    message: /^insufficient gas for floor data gas cost: gas 25000, minimum needed 25040$/,
    // 101 bytes that are not zero: intrinsic 21,000 + 101 * 16 = 22,616, floor 21,000 + 101 * 40 = 25,040.
    fields: { gasLimit: 25_000n, data: new Uint8Array(101).fill(1) },
  },
  {
    name: 'more gas than a block has',
    code: 'gas-limit',
    message: /^exceeds block gas limit/,
    fields: { gasLimit: 16_000_000n },
    rules: { blockGasLimit: 15_000_000n },
  },
  {
    name: 'more gas than a transaction may have',
    code: 'transaction-gas-limit',
    message: /^transaction gas limit too high \(cap: 16777216, tx: 16777217\)$/,
    fields: { gasLimit: 16_777_217n },
  },
  {
    name: 'an account that is not registered',
    code: 'sender-not-permitted',
    message: /^sender not permitted/,
    permissions: { maySend: false },
  },
  {
    name: 'a creation by an account that may not deploy',
    code: 'deploy-not-permitted',
    message: /^deploy not permitted/,
    fields: { to: undefined },
    permissions: { mayDeploy: false },
  },
  {
    name: 'a sender with code (EIP-3607)',
    code: 'sender-not-eoa',
    message: /^sender not an eoa/,
    account: { codeHash: `0x${'ab'.repeat(32)}` },
  },
  {
    name: 'the last nonce (EIP-2681)',
    code: 'nonce-max',
    message: /^nonce has max value/,
    fields: { nonce: 2n ** 64n - 1n },
    account: { nonce: 2n ** 64n - 1n },
  },
  {
    name: 'a used nonce',
    code: 'nonce-too-low',
    message: /^nonce too low: address .*, tx: 4 state: 5$/,
    fields: { nonce: 4n },
  },
  {
    name: 'a value that cannot be paid',
    code: 'insufficient-funds',
    message: /^insufficient funds for gas \* price \+ value: address .* have 99 want 100$/,
    fields: { value: 100n },
    account: { balance: 99n },
  },
  {
    name: 'gas that cannot be paid',
    code: 'insufficient-funds',
    message: /have 41999 want 42000$/,
    fields: { gasLimit: 21_000n, maxFeePerGas: 2n },
    account: { balance: 41_999n },
  },
];

describe('checkTransactionStatically', () => {
  const check = ({ fields = {}, account = {}, permissions = {}, rules = {} }: Partial<Case>) =>
    checkTransactionStatically(
      testTransaction({ nonce: 5n, to: recipient, ...fields }),
      { ...funded, ...account },
      { ...everything, ...permissions },
      { ...testRules, ...rules },
    );

  it('accepts a good transfer and a good creation', () => {
    expect(check({})).toBeUndefined();
    expect(check({ fields: { to: undefined, data: new Uint8Array(100) } })).toBeUndefined();
  });

  it.each(cases)('rejects $name', ({ code, message, ...facts }) => {
    const rejection = check(facts);
    expect(rejection?.code).toBe(code);
    expect(rejection?.message).toMatch(message);
    expect(rejection?.temporary).toBeUndefined();
  });

  it('lets a transaction wait whose nonce is ahead, and an unknown account that pays nothing', () => {
    expect(check({ fields: { nonce: 9n } })).toBeUndefined();
    const first = testTransaction({ nonce: 0n, to: recipient });
    expect(checkTransactionStatically(first, undefined, everything, testRules)).toBeUndefined();
  });

  it('accepts every limit itself', () => {
    expect(check({ fields: { gasLimit: 16_777_216n } })).toBeUndefined();
    expect(check({ fields: { gasLimit: 21_000n } })).toBeUndefined();
    expect(check({ fields: { gasLimit: 25_040n, data: new Uint8Array(101).fill(1) } })).toBeUndefined();
    expect(check({ fields: { to: undefined, data: new Uint8Array(49_152) } })).toBeUndefined();
    expect(check({ fields: { value: 10n ** 18n } })).toBeUndefined();
    expect(
      check({ fields: { maxFeePerGas: 7n, maxPriorityFeePerGas: 7n }, rules: { baseFeePerGas: 7n } }),
    ).toBeUndefined();
  });
});

describe('BlockChecks', () => {
  const parentState = stateOf({
    [alice.address]: { balance: '0x186a0' }, // 100,000
    [bob.address]: { balance: '0x186a0', nonce: '0x07' },
  });
  const checks = (rules: Partial<ExecutionRules> = {}, permissions = everything) =>
    new BlockChecks({ rules: { ...testRules, ...rules }, parentState, permissions: () => permissions });
  const transfer = (nonce: bigint, fields: Partial<UnsignedTransaction> = {}, account = alice): SignedTransaction =>
    testTransaction({ nonce, to: recipient, gasLimit: 21_000n, ...fields }, account);

  it('takes consecutive nonces of several senders in any interleaving', () => {
    const block = checks();
    for (const transaction of [transfer(0n), transfer(7n, {}, bob), transfer(1n), transfer(8n, {}, bob)]) {
      expect(block.add(transaction)).toBeUndefined();
    }
    expect([block.count, block.gas]).toEqual([4, 84_000n]);
  });

  it('rejects a nonce gap for now and a repeated nonce for good', () => {
    const block = checks();
    expect(block.add(transfer(1n))).toMatchObject({ code: 'nonce-too-high', temporary: true });
    expect(block.add(transfer(0n))).toBeUndefined();
    const repeated = block.add(transfer(0n, { value: 1n }));
    expect(repeated?.code).toBe('nonce-too-low');
    expect(repeated?.temporary).toBeUndefined();
  });

  it('rejects the same transaction twice', () => {
    const block = checks();
    block.add(transfer(0n));
    expect(block.add(transfer(0n))).toMatchObject({ code: 'already-known' });
  });

  it('holds a sender to what all its transactions can cost together', () => {
    const block = checks();
    // 60,000 each, from 100,000.
    const fields = { maxFeePerGas: 1n, value: 39_000n };
    expect(block.add(transfer(0n, fields))).toBeUndefined();
    expect(block.add(transfer(1n, fields))).toMatchObject({ code: 'insufficient-funds', temporary: true });
    expect(block.add(transfer(1n, { maxFeePerGas: 1n, value: 19_000n }))).toBeUndefined();
    const hopeless = block.add(transfer(2n, { value: 100_001n }));
    expect(hopeless?.code).toBe('insufficient-funds');
    expect(hopeless?.temporary).toBeUndefined();
  });

  it('bounds the number, the gas limits and the bytes of a block', () => {
    const byNumber = checks({ maxBlockTransactions: 1 });
    expect(byNumber.add(transfer(0n))).toBeUndefined();
    expect(byNumber.add(transfer(1n))).toMatchObject({ code: 'block-full', temporary: true });
    expect(byNumber.isFull).toBe(true);
    const byGas = checks({ blockGasLimit: 42_000n });
    expect(byGas.add(transfer(0n))).toBeUndefined();
    expect(byGas.add(transfer(1n, { gasLimit: 21_001n }))).toMatchObject({ code: 'block-full' });
    expect(byGas.isFull).toBe(false);
    expect(byGas.add(transfer(1n))).toBeUndefined();
    expect(byGas.isFull).toBe(true);
    const size = transfer(0n).raw.length;
    const byBytes = checks({ maxBlockBytes: 2 * size });
    expect([byBytes.add(transfer(0n)), byBytes.add(transfer(1n))]).toEqual([undefined, undefined]);
    expect(byBytes.add(transfer(2n))).toMatchObject({ code: 'block-full' });
    expect(byBytes.bytes).toBe(2 * size);
  });

  it('asks for permission as of the parent', () => {
    expect(checks({}, { maySend: false, mayDeploy: false }).add(transfer(0n))?.code).toBe('sender-not-permitted');
    const deploy = testTransaction({ nonce: 0n });
    expect(checks({}, { maySend: true, mayDeploy: false }).add(deploy)?.code).toBe('deploy-not-permitted');
  });

  it('stays as it was after a rejection', () => {
    const block = checks();
    block.add(transfer(0n));
    const before = [block.count, block.gas, block.bytes];
    block.add(transfer(5n));
    block.add(transfer(1n, { value: 200_000n }));
    expect([block.count, block.gas, block.bytes]).toEqual(before);
    expect(block.add(transfer(1n))).toBeUndefined();
  });

  it('names the first transaction of a proposal that cannot stand', () => {
    const options = { rules: testRules, parentState, permissions: () => everything };
    expect(checkBlockTransactions([transfer(0n), transfer(1n)], options)).toBeUndefined();
    expect(checkBlockTransactions([transfer(0n), transfer(2n), transfer(9n)], options)).toMatchObject({
      index: 1,
      rejection: { code: 'nonce-too-high' },
    });
  });
});
