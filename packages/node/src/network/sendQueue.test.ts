import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Priority, SendQueue } from './sendQueue.ts';

const frame = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
/** The same bound of bytes for each class. */
const limits = (maxBytes: number, maxFrames: number) => ({
  maxBytes: { consensus: maxBytes, transactions: maxBytes, sync: maxBytes },
  maxFrames,
});
const drain = (queue: SendQueue): number[] => {
  const order: number[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) order.push(next[0]!);
  return order;
};

describe('the send queue', () => {
  it('sends consensus before transactions before sync, each in order', () => {
    const queue = new SendQueue(limits(100, 100));
    queue.push('sync', 3, false, frame(31));
    queue.push('transactions', 2, true, frame(21));
    queue.push('consensus', 1, false, frame(11));
    queue.push('consensus', 9, true, frame(12));
    queue.push('transactions', 2, true, frame(22));
    queue.push('consensus', 1, false, frame(13));
    expect(drain(queue)).toEqual([11, 12, 13, 21, 22, 31]);
    expect([queue.bytes, queue.frames]).toEqual([0, 0]);
  });

  it('drops the oldest of the same kind first, then the oldest droppable, never what must arrive', () => {
    const queue = new SendQueue(limits(100, 3));
    queue.push('consensus', 1, true, frame(11));
    queue.push('consensus', 2, true, frame(21));
    queue.push('consensus', 3, false, frame(31));
    expect(queue.push('consensus', 2, true, frame(22))).toBe(true);
    expect(queue.push('consensus', 4, false, frame(41))).toBe(true);
    expect(queue.push('consensus', 5, false, frame(51))).toBe(true);
    expect(queue.push('consensus', 6, true, frame(61))).toBe(false);
    expect(drain(queue)).toEqual([31, 41, 51]);
    expect([queue.dropped, queue.refused]).toEqual([3, 1]);
  });

  it('lets a lower class through now and then under a flood of a higher one', () => {
    const queue = new SendQueue(limits(1_000, 1_000));
    for (let count = 0; count < 100; count++) queue.push('consensus', 1, true, frame(1));
    queue.push('sync', 3, false, frame(3));
    const order = drain(queue);
    expect(order.indexOf(3)).toBe(32);
  });

  it('has a bound of bytes for each class', () => {
    const queue = new SendQueue({ maxBytes: { consensus: 8, transactions: 4, sync: 2 }, maxFrames: 100 });
    const fits = (priority: Priority): number => {
      let count = 0;
      while (queue.push(priority, 1, false, frame(1))) count++;
      return count;
    };
    expect([fits('consensus'), fits('transactions'), fits('sync')]).toEqual([8, 4, 2]);
  });

  it('takes a single frame larger than its bound, and nothing beside it', () => {
    const queue = new SendQueue(limits(4, 10));
    expect(queue.push('sync', 1, false, new Uint8Array(10))).toBe(true);
    expect(queue.push('sync', 1, false, frame(1))).toBe(false);
  });

  it('never holds more than its bounds, and keeps the order inside a class', () => {
    const step = fc.record({
      priority: fc.constantFrom<Priority>('consensus', 'transactions', 'sync'),
      kind: fc.integer({ min: 0, max: 3 }),
      droppable: fc.boolean(),
      size: fc.integer({ min: 1, max: 40 }),
      shifts: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const queue = new SendQueue(limits(200, 20));
        const numbers = new Map<Uint8Array, { readonly order: number; readonly priority: Priority }>();
        const lastOut: Partial<Record<Priority, number>> = {};
        let order = 0;
        for (const { priority, kind, droppable, size, shifts } of steps) {
          const one = new Uint8Array(size);
          numbers.set(one, { order: order++, priority });
          queue.push(priority, kind, droppable, one);
          expect(queue.bytes).toBeLessThanOrEqual(600);
          expect(queue.frames).toBeLessThanOrEqual(60);
          for (let count = 0; count < shifts; count++) {
            const out = numbers.get(queue.shift() ?? new Uint8Array(0));
            if (out === undefined) continue;
            expect(out.order).toBeGreaterThan(lastOut[out.priority] ?? -1);
            lastOut[out.priority] = out.order;
          }
        }
      }),
      { seed: 20_231_201, numRuns: 100 },
    );
  });
});
