import type { Hash } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { WantedTransactions } from './wantedTransactions.ts';

const hashOf = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`;
const everything = (wanted: WantedTransactions) =>
  wanted.take(
    () => true,
    () => true,
  );

describe('wanted transactions', () => {
  it('let a peer that makes them up push out nothing but its own', () => {
    const wanted = new WantedTransactions(100);
    for (let number = 0; number < 30; number++) wanted.add(hashOf(number), 'honest');
    for (let number = 1_000; number < 3_000; number++) wanted.add(hashOf(number), 'liar');
    expect(wanted.size).toBe(100);
    const requests = everything(wanted);
    expect(requests.get('honest')).toEqual(Array.from({ length: 30 }, (_, number) => hashOf(number)));
    expect(requests.get('liar')?.at(-1)).toBe(hashOf(2_999));
    expect(wanted.size).toBe(0);
  });

  it('are asked of one holder after another', () => {
    const wanted = new WantedTransactions(10);
    for (const peer of ['a', 'b', 'a', 'c']) wanted.add(hashOf(1), peer);
    const asked = () => [...everything(wanted).keys()];
    expect([asked(), asked(), asked(), asked()]).toEqual([['a'], ['b'], ['c'], []]);
  });
});
