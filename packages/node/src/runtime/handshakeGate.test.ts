import { describe, expect, it } from 'vitest';
import { DEFAULT_HANDSHAKE_LIMITS, HandshakeGate } from './handshakeGate.ts';
import { ManualClock } from './manualClock.ts';

const limits = { ...DEFAULT_HANDSHAKE_LIMITS, maxPerAddress: 2, maxTotal: 3, attemptsPerSecond: 1, attemptsBurst: 4 };

function gate() {
  const clock = new ManualClock();
  const dropped: string[] = [];
  const one = new HandshakeGate(limits, clock);
  const enter = (key: string, address: string): boolean =>
    one.enter(key, address, (reason) => dropped.push(`${key} ${reason}`));
  return { clock, dropped, gate: one, enter };
}

describe('the gate for unproved connections', () => {
  it('drops the oldest of an address that holds too many', () => {
    const { enter, dropped } = gate();
    for (const key of ['a1', 'b1', 'a2', 'a3']) enter(key, key.startsWith('a') ? '192.0.2.1' : '192.0.2.2');
    expect(dropped).toEqual(['a1 too many unproved connections']);
  });

  it('drops from the busiest address when there are too many in all, never the newcomer', () => {
    const { enter, dropped, gate: one } = gate();
    enter('b1', '192.0.2.2');
    enter('a1', '192.0.2.1');
    enter('a2', '192.0.2.1');
    expect(enter('c1', '192.0.2.3')).toBe(true);
    expect(dropped).toEqual(['a1 too many unproved connections']);
    expect(one.halfOpen).toBe(3);
  });

  it('counts the addresses of one IPv6 network together, and mapped IPv4 addresses as IPv4', () => {
    const { enter, dropped } = gate();
    enter('a1', '2001:db8:0:1::1');
    enter('b1', '2001:db8:0:2::1');
    enter('a2', '2001:db8:0:1:ffff::2');
    enter('a3', '2001:db8::1:0:0:0:3');
    expect(dropped).toEqual(['a1 too many unproved connections']);
    const other = gate();
    for (const key of ['a', 'b', 'c']) other.enter(key, key === 'b' ? '::ffff:192.0.2.1' : '192.0.2.1');
    expect(other.dropped).toEqual(['a too many unproved connections']);
  });

  it('gives a handshake its time and no more', () => {
    const { enter, dropped, clock, gate: one } = gate();
    enter('a', '192.0.2.1');
    clock.advance(limits.timeoutMs - 1);
    expect(dropped).toEqual([]);
    clock.advance(1);
    expect([dropped, one.proved('a'), clock.pending]).toEqual([['a handshake timed out'], false, 0]);
  });

  it('turns away an address that tries in vain too often, until time has passed', () => {
    const { enter, clock, gate: one } = gate();
    const tryOnce = (): boolean => {
      const entered = enter('a', '192.0.2.1');
      one.leave('a');
      return entered;
    };
    expect([1, 2, 3, 4, 5].map(tryOnce)).toEqual([true, true, true, true, false]);
    expect(enter('b', '192.0.2.2')).toBe(true);
    clock.advance(1_000);
    expect([tryOnce(), tryOnce()]).toEqual([true, false]);
  });

  it('does not count those that prove a member', () => {
    const { enter, gate: one } = gate();
    for (let count = 0; count < 20; count++) {
      expect(enter('a', '192.0.2.1')).toBe(true);
      expect(one.proved('a')).toBe(true);
    }
  });

  it('remembers a bounded number of addresses', () => {
    const { enter, gate: one } = gate();
    for (let count = 0; count < 10_000; count++) {
      const key = `10.${count >> 8}.${count & 255}.1`;
      expect(enter(key, key)).toBe(true);
    }
    expect(one.halfOpen).toBe(3);
    one.clear();
    expect(one.halfOpen).toBe(0);
  });
});
