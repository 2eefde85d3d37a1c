import { describe, expect, it } from 'vitest';
import { defaultRPCLimits, readRPCLimits } from './limits.ts';

describe('readRPCLimits', () => {
  it('keeps the defaults of what is left out', () => {
    expect(readRPCLimits({})).toEqual(defaultRPCLimits);
    expect(readRPCLimits({ maxBatchCalls: 5, callGasCap: 1_000 })).toEqual({
      ...defaultRPCLimits,
      maxBatchCalls: 5,
      callGasCap: 1_000n,
    });
  });

  it('refuses names and values that are none', () => {
    expect(() => readRPCLimits([])).toThrow('must be an object');
    expect(() => readRPCLimits({ maxBatch: 5 })).toThrow('rpc.limits.maxBatch is not a limit');
    expect(() => readRPCLimits({ constructor: 5 })).toThrow('is not a limit');
    for (const value of [0, -1, 1.5, '5', null]) {
      expect(() => readRPCLimits({ maxBatchCalls: value })).toThrow('whole number of at least 1');
    }
  });
});
