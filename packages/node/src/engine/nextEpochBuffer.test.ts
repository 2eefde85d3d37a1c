import { Epoch } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { NextEpochBuffer } from './nextEpochBuffer.ts';

const MIB = 1024 * 1024;
const message = (peer: string, bytes: number) => ({
  peer,
  epoch: Epoch(1),
  kind: 1,
  payload: new Uint8Array(bytes),
});

describe('messages of the next epoch', () => {
  it('are given back member by member, in the order in which they came, once', () => {
    const buffer = new NextEpochBuffer();
    const [one, two, three] = [message('bank', 1), message('farm', 2), message('bank', 3)];
    for (const each of [one, two, three]) buffer.put(each);
    expect(buffer.size).toEqual({ messages: 3, bytes: 6 });
    expect(buffer.take()).toEqual([one, three, two]);
    expect(buffer.take()).toEqual([]);
    expect(buffer.size).toEqual({ messages: 0, bytes: 0 });
  });

  it('are bounded for each member, in number and in bytes, and for all', () => {
    const buffer = new NextEpochBuffer();
    for (let count = 0; count < 200; count++) buffer.put(message('bank', 1));
    expect(buffer.size.messages).toBe(128);
    for (let count = 0; count < 200; count++) buffer.put(message('farm', MIB));
    expect(buffer.size.bytes).toBe(4 * MIB + 128);
    for (let member = 0; member < 100; member++) {
      for (let count = 0; count < 4; count++) buffer.put(message(`member-${member}`, MIB));
    }
    expect(buffer.size.bytes).toBeLessThanOrEqual(64 * MIB);
    expect(buffer.size.bytes).toBeGreaterThan(63 * MIB);
    // Whoever comes later is let in again when these are gone.
    buffer.take();
    buffer.put(message('late', MIB));
    expect(buffer.size).toEqual({ messages: 1, bytes: MIB });
  });
});
