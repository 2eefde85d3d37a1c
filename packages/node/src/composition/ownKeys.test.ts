import type { MemberRecord } from '@hanse/modules';
import type { Hex, StateReader } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { chooseOwnKeys } from './ownKeys.ts';

const state = {} as StateReader;
const key = (text: string): Hex => `0x${Buffer.from(text).toString('hex')}`;

/** The chain has the member's keys V and T; it knows besides V-old and T-old, which the member had, and V-other and T-other of another. */
const known = new Set(['V', 'V-old', 'V-other', 'T', 'T-old', 'T-other'].map(key));
const readers = {
  isVoteKeyKnown: (_: unknown, asked: Hex) => known.has(asked),
  isTransportKeyKnown: (_: unknown, asked: Hex) => known.has(asked),
};
const self = { active: true, voteKey: key('V'), transportKey: key('T') } as MemberRecord;

const choose = (
  votes: string,
  transports: string,
  { record }: { record: MemberRecord | undefined } = { record: self },
) =>
  chooseOwnKeys(
    { votes: votes.split(' ').map(key), transports: transports.split(' ').map(key) },
    record,
    readers,
    state,
  );

describe('chooseOwnKeys', () => {
  it.each([
    ['V', 'T'],
    ['V-old V V-new', 'T-old T T-new'],
    ['V-new V', 'T-new T'],
  ])('proves the key that the chain has, among votes %s and transports %s', (votes, transports) => {
    expect(choose(votes, transports)).toEqual({ ok: true, transport: key('T'), replaced: false });
  });

  it.each([
    ['V-new', 'T', 'T'],
    ['V', 'T-old T-new', 'T-new'],
    ['V-new', 'T-new', 'T-new'],
  ])('lets keys through that may have replaced lost ones: votes %s, transports %s', (votes, transports, transport) => {
    expect(choose(votes, transports)).toEqual({ ok: true, transport: key(transport), replaced: true });
  });

  it.each([
    ['V-other', 'T-other'],
    ['V-other', 'T'],
    ['V', 'T-other'],
    ['V-old', 'T'],
    ['V', 'T-old'],
  ])("refuses another member's keys and old copies: votes %s, transports %s", (votes, transports) => {
    expect(choose(votes, transports)).toEqual({ ok: false });
  });

  it('begins with the first transport key where the chain does not have the member', () => {
    const first = { ok: true, transport: key('A'), replaced: false };
    expect(choose('V-new', 'A B', { record: undefined })).toEqual(first);
    expect(choose('V', 'A T', { record: { ...self, active: false } })).toEqual(first);
  });
});
