import { describe, expect, it } from 'vitest';
import { syncCheck } from './memberStatus.ts';

describe('the health of a member', () => {
  const behind = (height: number, forMs: number) => syncCheck({ startHeight: 0, height, target: 100, forMs });

  it('does not suffer when it is a few blocks behind for a moment', () => {
    expect(syncCheck(undefined)).toEqual({ healthy: true, detail: 'at the head of the chain' });
    expect(behind(99, 20)).toEqual({ healthy: true, detail: 'catching up: block 99 of 100' });
    expect(behind(92, 5_000).healthy).toBe(true);
  });

  it('suffers when it is many blocks behind, or does not catch up', () => {
    expect(behind(91, 20)).toEqual({ healthy: false, detail: 'catching up: block 91 of 100' });
    expect(behind(99, 5_001).healthy).toBe(false);
  });
});
