import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SlotMap, slotKey } from './slotMap.ts';

it('behaves as a map from slots', () => {
  const slot = fc.oneof(fc.bigInt(0n, 3n), fc.bigInt(1022n, 1026n), fc.bigInt(0n, (1n << 256n) - 1n));
  fc.assert(
    fc.property(fc.array(fc.tuple(slot, fc.option(fc.nat(), { nil: undefined })), { maxLength: 60 }), (steps) => {
      const map = new SlotMap<number>();
      const model = new Map<bigint, number>();
      for (const [at, value] of steps) {
        if (value === undefined) {
          map.delete(at);
          model.delete(at);
        } else {
          map.set(at, value);
          model.set(at, value);
        }
        for (const [other] of steps) expect(map.get(other)).toBe(model.get(other));
        expect(map.size).toBe(model.size);
      }
      expect([...map]).toEqual([...model]);
    }),
    { seed: 20251, numRuns: 100 },
  );
});

it('gives different keys to slots that differ only above the lowest 64 bits', () => {
  const keys = Array.from({ length: 2000 }, (_, i) => slotKey(BigInt(i) << 64n));
  expect(new Set(keys).size).toBe(2000);
  expect(keys.filter((key) => typeof key === 'string').length).toBe(1999);
});
