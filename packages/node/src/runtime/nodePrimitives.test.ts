import { portablePrimitives, type SuitePrimitives } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { suitePrimitivesContract } from '../../../protocol/src/suitePrimitives.contract.ts';
import {
  loadNativeSecp256k1,
  loadNodePrimitives,
  loadWasmSecp256k1,
  type Secp256k1Primitives,
} from './nodePrimitives.ts';

const loaded = await loadNodePrimitives();
const native = loadNativeSecp256k1();
const wasm = await loadWasmSecp256k1();

function withCurve(curve: Secp256k1Primitives): SuitePrimitives {
  return { ...loaded, ...curve, implementation: { ...loaded.implementation, secp256k1: curve.implementation } };
}

const sets: readonly (readonly [string, SuitePrimitives])[] = [
  ['loaded', loaded],
  ['WebAssembly', withCurve(wasm)],
];

describe.each(sets)('%s primitives against the portable ones', (_, primitives) => {
  for (const { name, check } of suitePrimitivesContract) {
    it(name, () => check(primitives, portablePrimitives));
  }
});

describe('choosing primitives', () => {
  it('takes the native addon where one loads, else WebAssembly, and says so', () => {
    expect(loaded.implementation.secp256k1).toBe(native?.implementation ?? wasm.implementation);
    expect(loaded.implementation.secp256k1).toMatch(/native|WebAssembly/);
    expect(loaded.implementation.keccak256).toContain('WebAssembly');
  });

  it.skipIf(native === undefined)('gives the same answers with the native addon and with WebAssembly', () => {
    for (const { check } of suitePrimitivesContract) check(withCurve(native!), withCurve(wasm));
  });
});
