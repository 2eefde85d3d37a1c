import { describe, expect, it } from 'vitest';
import { portablePrimitives } from './portablePrimitives.ts';
import { suitePrimitivesContract } from './suitePrimitives.contract.ts';

describe('portable primitives', () => {
  for (const { name, check } of suitePrimitivesContract) {
    it(name, () => check(portablePrimitives, portablePrimitives));
  }

  it('says that it is JavaScript', () => {
    expect(portablePrimitives.implementation.secp256k1).toContain('javascript');
    expect(portablePrimitives.implementation.keccak256).toContain('javascript');
  });
});
