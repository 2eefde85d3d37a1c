import { describe, expect, it } from 'vitest';
import { credibleHeight } from './credibleHeight.ts';

describe('the credible height', () => {
  it('is what one more than may lie have reached', () => {
    expect(credibleHeight([10, 2 ** 40, 12], 1)).toBe(12);
    expect(credibleHeight([10, 11, 12], 1)).toBe(11);
    expect(credibleHeight([2 ** 40, 2 ** 41, 7, 9, 8, 9], 2)).toBe(9);
  });

  it('is anybody’s where nobody may lie, and unknown among as many as may', () => {
    expect(credibleHeight([5, 7], 0)).toBe(7);
    expect(credibleHeight([2 ** 40], 1)).toBe(0);
    expect(credibleHeight([], 0)).toBe(0);
  });
});
