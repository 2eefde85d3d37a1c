import { currencyAbi, currencyAddress, membersAbi, membersAddress } from '@hanse/modules/abi';
import { encodeAbiParameters, encodeEventTopics, encodeFunctionData, pad } from 'viem';
import { describe, expect, it } from 'vitest';
import { AddressBook } from './addressBook.ts';
import { ModuleCalls } from './moduleCalls.ts';

const alice = `0x${'a1'.repeat(20)}` as const;
const bank = `0x${'ba'.repeat(20)}` as const;
const DCNY = currencyAddress(1n);
const book = new AddressBook([
  ['alice', alice],
  ['bank', bank],
]);
const calls = new ModuleCalls(book, new Map([[DCNY, { symbol: 'DCNY', decimals: 2 }]]));

describe('a decoder of module calls', () => {
  it('shows a payment as people say it: names, and the amount in the currency', () => {
    const input = encodeFunctionData({ abi: currencyAbi, functionName: 'transfer', args: [alice, 123_450n] });
    const decoded = calls.call(DCNY, input);
    expect(decoded).toMatchObject({ module: 'DCNY', name: 'transfer' });
    expect(decoded && calls.text(decoded, DCNY)).toBe('DCNY.transfer(to: alice, value: 1,234.50)');
  });

  it('shows a currency that is not known by its kind and in units', () => {
    const input = encodeFunctionData({ abi: currencyAbi, functionName: 'issue', args: [bank, 7n] });
    const other = currencyAddress(9n);
    const decoded = calls.call(other, input);
    expect(decoded && calls.text(decoded, other)).toBe('currency.issue(bank: bank, amount: 7)');
  });

  it('shows lists and truth values', () => {
    const input = encodeFunctionData({ abi: membersAbi, functionName: 'setEndpoints', args: [['a:1', 'b:2']] });
    const decoded = calls.call(membersAddress, input);
    expect(decoded && calls.text(decoded, membersAddress)).toBe('members.setEndpoints(endpoints: [a:1, b:2])');
    const grant = encodeFunctionData({ abi: membersAbi, functionName: 'registerAccount', args: [alice, true] });
    const registered = calls.call(membersAddress, grant);
    expect(registered && calls.text(registered, membersAddress)).toBe(
      'members.registerAccount(account: alice, mayDeploy: true)',
    );
  });

  it('shows events', () => {
    const topics = encodeEventTopics({ abi: currencyAbi, eventName: 'Transfer', args: { from: bank, to: alice } });
    const data = encodeAbiParameters([{ type: 'uint256' }], [1250n]);
    const decoded = calls.event({ address: DCNY, data, topics: topics as `0x${string}`[] });
    expect(decoded && calls.text(decoded, DCNY)).toBe('DCNY.Transfer(from: bank, to: alice, value: 12.50)');
  });

  it('leaves alone what is no call of a module', () => {
    expect(calls.call(null, '0x60806040')).toBeUndefined();
    expect(calls.call(alice, '0x')).toBeUndefined();
    expect(calls.call(DCNY, '0x')).toBeUndefined();
    expect(calls.call(DCNY, '0xdeadbeef')).toBeUndefined();
    expect(calls.call(DCNY, `0xa9059cbb${'ff'.repeat(5)}`)).toBeUndefined();
    expect(calls.event({ address: alice, data: '0x', topics: [] })).toBeUndefined();
    expect(calls.event({ address: DCNY, data: '0x', topics: [pad('0x01')] })).toBeUndefined();
  });
});
