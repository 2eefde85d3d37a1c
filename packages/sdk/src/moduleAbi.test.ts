import {
  anchorAddress,
  currencyAbi,
  currencyAddress,
  currencyFactoryAddress,
  membersAddress,
} from '@hanse/modules/abi';
import { encodeErrorResult, parseAbi } from 'viem';
import { describe, expect, it } from 'vitest';
import { describeRevert, moduleAbiAt } from './moduleAbi.ts';

describe('moduleAbiAt', () => {
  it('knows every module by its reserved address, currencies by their kind', () => {
    expect(moduleAbiAt(membersAddress)?.name).toBe('members');
    expect(moduleAbiAt(currencyFactoryAddress)?.name).toBe('currency factory');
    expect(moduleAbiAt(anchorAddress)?.name).toBe('anchor');
    expect(moduleAbiAt(currencyAddress(1n))?.name).toBe('currency');
    expect(moduleAbiAt(currencyAddress(77n))?.name).toBe('currency');
  });

  it('takes addresses in mixed case, as viem gives them', () => {
    expect(moduleAbiAt(`0x${membersAddress.slice(2).toUpperCase()}`)?.name).toBe('members');
  });

  it('knows nothing of accounts and contracts', () => {
    expect(moduleAbiAt(`0x${'11'.repeat(20)}`)).toBeUndefined();
  });
});

describe('describeRevert', () => {
  const solidity = parseAbi(['error Error(string)', 'error Panic(uint256)', 'error Stranger(uint256)']);

  it("gives a contract's reason as it stands", () => {
    const data = encodeErrorResult({ abi: solidity, errorName: 'Error', args: ['not today'] });
    expect(describeRevert(data)).toBe('not today');
  });

  it('says what a panic means', () => {
    const overflow = encodeErrorResult({ abi: solidity, errorName: 'Panic', args: [0x11n] });
    expect(describeRevert(overflow)).toBe('arithmetic overflow');
    const unknown = encodeErrorResult({ abi: solidity, errorName: 'Panic', args: [0x99n] });
    expect(describeRevert(unknown)).toBe('panic 153');
  });

  it("names a module's custom error and its arguments", () => {
    const sender = `0x${'ab'.repeat(20)}` as const;
    const data = encodeErrorResult({
      abi: currencyAbi,
      errorName: 'ERC20InsufficientBalance',
      args: [sender, 0n, 100n],
    });
    expect(describeRevert(data)).toBe(`ERC20InsufficientBalance(sender: ${sender}, balance: 0, needed: 100)`);
  });

  it('shows the selector of an error that nobody here knows, and copes with anything', () => {
    const data = encodeErrorResult({ abi: solidity, errorName: 'Stranger', args: [1n] });
    expect(describeRevert(data)).toBe(`a custom error with the selector ${data.slice(0, 10)}`);
    expect(describeRevert('0x')).toBe('no reason was given');
    expect(describeRevert('0x08c379a0')).toBe('a custom error with the selector 0x08c379a0');
    expect(describeRevert('0x01')).toBe('a custom error with the selector 0x01');
  });
});
