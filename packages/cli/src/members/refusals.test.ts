import { membersAbi } from '@hanse/modules/abi';
import type { MemberEntry } from '@hanse/sdk';
import { type AbiParameter, encodeErrorResult, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import { refusalText } from './refusals.ts';

const members = [
  { number: 1, name: 'bank', active: true },
] as readonly Partial<MemberEntry>[] as readonly MemberEntry[];

/** Something that fits a parameter; every member is the bank. */
function sample({ type }: AbiParameter): unknown {
  if (type === 'string') return 'mill';
  if (type === 'address') return `0x${'ab'.repeat(20)}`;
  if (type === 'bytes32') return `0x${'cd'.repeat(32)}`;
  return /^uint(8|16|32|48)$/.test(type) ? 1 : 1n;
}

const errors = membersAbi.filter(({ type }) => type === 'error');

describe('a refusal of the module members', () => {
  it.each(errors.map((error) => [error.name, error] as const))('%s is a line that says what is wrong', (_, error) => {
    const args = 'inputs' in error ? error.inputs.map(sample) : [];
    const data = encodeErrorResult({ abi: [error], errorName: error.name, args } as never);
    const text = refusalText(data, members);
    expect(text).toMatch(/^\S[^\n]{10,}$/);
    expect(text).not.toMatch(/undefined|NaN|\[object/);
    expect(text).not.toContain(error.name);
  });

  it('names members, and what to do', () => {
    const refusal = (errorName: 'NotReady' | 'ProposalClosed' | 'TooSoon', args: readonly unknown[]): string =>
      refusalText(encodeErrorResult({ abi: membersAbi, errorName, args } as never), members);
    expect(refusal('NotReady', [1])).toBe(
      'bank has not shown in the last hour that it follows the chain. Its operator runs: hanse member ready',
    );
    expect(refusal('NotReady', [9])).toContain('member 9 has not shown');
    expect(refusal('ProposalClosed', [7, 2])).toMatch(/hanse member enact 7$/);
    expect(refusal('ProposalClosed', [7, 5])).toBe('Proposal 7 has expired: propose it again.');
    expect(refusal('TooSoon', [1, 1_700_000_000])).toContain('2023-11-14T22:13:20Z');
  });

  it('of another contract is told as the client tells it', () => {
    const reason = encodeErrorResult({
      abi: [{ type: 'error', name: 'Error', inputs: [{ name: 'message', type: 'string' }] }],
      args: ['closed today'],
    });
    expect(refusalText(reason, members)).toBe('The chain refused: closed today.');
    expect(refusalText('0x12345678' as Hex, members)).toContain('selector 0x12345678');
  });
});
