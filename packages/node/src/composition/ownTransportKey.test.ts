import type { Hex } from '@hanse/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../runtime/manualClock.ts';
import { OwnTransportKey } from './ownTransportKey.ts';

const key = (name: string): Hex => `0x${Buffer.from(name).toString('hex')}`;
const [first, second, lost] = [key('first'), key('second'), key('lost')];

let clock: ManualClock;
let connected: boolean;
let behind: boolean;
let changes: Hex[];
let missing: Hex[];

beforeEach(() => {
  clock = new ManualClock();
  connected = false;
  behind = false;
  changes = [];
  missing = [];
});

const own = (held: readonly Hex[], current = first): OwnTransportKey =>
  new OwnTransportKey(current, {
    clock,
    logger: { log: () => undefined, child: () => ({ log: () => undefined }) as never },
    identify: (candidate) => held.includes(candidate),
    held: () => held,
    isConnected: () => connected,
    isBehind: () => behind,
    changed: (changed) => changes.push(changed),
    missing: (absent) => missing.push(absent),
  });

describe('the transport key that a member proves', () => {
  it('follows the chain, and one that is not at hand is told', () => {
    const transport = own([first, second]);
    connected = true;
    transport.follow(second);
    transport.follow(second);
    transport.follow(lost);
    expect([changes, missing, transport.current]).toEqual([[second], [lost], second]);
  });

  it('stays while others take it and know more of the chain', () => {
    const transport = own([first, second], second);
    connected = true;
    behind = true;
    transport.follow(first);
    expect(changes).toEqual([]);
    connected = false;
    transport.follow(first);
    expect(changes).toEqual([first]);
  });
});

describe('a member whose key nobody knows', () => {
  it('tries its keys in turn, and each longer than the one before', () => {
    const transport = own([first, second]);
    transport.refused();
    transport.refused();
    clock.advance(999);
    expect(changes).toEqual([]);
    clock.advance(1);
    expect(changes).toEqual([second]);
    transport.refused();
    clock.advance(1_999);
    expect(changes).toEqual([second]);
    clock.advance(1);
    expect(changes).toEqual([second, first]);
  });

  it('keeps the key by which somebody talks to it', () => {
    const transport = own([first, second]);
    transport.refused();
    connected = true;
    clock.advance(60_000);
    expect(changes).toEqual([]);
  });

  it('tries nothing without another key, and nothing once it is closed', () => {
    own([first]).refused();
    const closed = own([first, second]);
    closed.refused();
    closed.close();
    clock.advance(60_000);
    expect(changes).toEqual([]);
  });
});
