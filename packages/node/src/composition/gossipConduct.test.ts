import { describe, expect, it } from 'vitest';
import type { Rejection } from '../chain/transactionRejection.ts';
import { ManualClock } from '../runtime/manualClock.ts';
import { GossipConduct } from './gossipConduct.ts';

const refused = (code: Rejection['code'], count = 1): Rejection[] =>
  Array.from({ length: count }, () => ({ code, message: `${code} in words` }));

describe('the conduct of peers that pass on transactions', () => {
  it('is an offence with a single transaction that nobody can take', () => {
    const conduct = new GossipConduct(new ManualClock());
    expect(conduct.judge('bank', [...refused('nonce-too-low'), ...refused('invalid-sender')])).toBe(
      'it passed on a transaction that nobody can take: invalid-sender in words',
    );
  });

  it('is none with what differs between honest members, however much of it', () => {
    const conduct = new GossipConduct(new ManualClock());
    for (const code of ['nonce-too-low', 'already-known', 'pool-full'] as const) {
      expect(conduct.judge('bank', refused(code, 100_000))).toBeUndefined();
    }
  });

  it('is an offence with more than a budget of what is refused for its sender, each peer by itself', () => {
    const clock = new ManualClock();
    const conduct = new GossipConduct(clock);
    const flood = (peer: string, count: number) => conduct.judge(peer, refused('sender-not-permitted', count));
    expect(flood('bank', 8_192)).toBeUndefined();
    expect(flood('bank', 1)).toBe('it passed on too many transactions that are refused');
    expect(flood('farm', 8_192)).toBeUndefined();
    clock.advance(1_000);
    expect(flood('bank', 512)).toBeUndefined();
    expect(flood('bank', 1)).toBeDefined();
  });
});
