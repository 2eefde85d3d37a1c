import { readFileSync } from 'node:fs';
import { bytesToHex } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { compileInterface, plainAbi } from '../scripts/compileSolidity.mjs';
import { anchorAddress, currencyAddress, currencyFactoryAddress, membersAddress } from './abi/addresses.ts';
import { encodeMarker } from './marker.ts';
import { nativeModules } from './nativeModules.ts';
import { describeLayout } from './storage/placement.ts';
import { TestChain } from './testing/testChain.ts';

const interfaces: Readonly<Record<string, string>> = {
  members: 'IMembers',
  currency: 'ICurrency',
  'currency-factory': 'ICurrencyFactory',
  anchor: 'IAnchor',
};

describe.each(nativeModules.map((module) => [module.name, module] as const))('module %s', (name, module) => {
  // A slot that moves would read another variable's past. New variables and new members of structs go to the end, here and in the file.
  it('keeps its frozen storage layout', () => {
    const golden = readFileSync(new URL(`../golden/${name}.layout`, import.meta.url), 'utf8');
    expect(`${describeLayout(module.storage).join('\n')}\n`).toBe(golden);
  });

  it('has the ABI of its Solidity interface (else: node packages/modules/scripts/generateAbi.mjs)', () => {
    const contract = interfaces[name]!;
    const { abi } = compileInterface(contract)[contract] as { readonly abi: readonly object[] };
    const sorted = (items: readonly object[]) => items.map((item) => JSON.stringify(item)).sort();
    expect(sorted(module.abi)).toEqual(sorted(plainAbi(abi)));
  });

  it('has a handler for every function, all of whose values have names or are alone', () => {
    const functions = module.abi.filter((item) => item.type === 'function');
    expect(Object.keys(module.handlers).sort()).toEqual(functions.map((item) => item.name).sort());
  });
});

describe('markers', () => {
  it('stand at the reserved addresses, frozen', () => {
    const { state } = new TestChain();
    const markerAt = (address: `0x${string}`) => bytesToHex(state.getCode(address));
    // EF "HANSE" 01, length and text of the name, version.
    expect(markerAt(membersAddress)).toBe('0xef48414e534501076d656d626572730001');
    expect(markerAt(currencyFactoryAddress)).toBe('0xef48414e5345011063757272656e63792d666163746f72790001');
    expect(markerAt(currencyAddress(1n))).toBe('0xef48414e5345010863757272656e63790001');
    expect(markerAt(anchorAddress)).toBe('0xef48414e53450106616e63686f720001');
    expect(membersAddress).toBe('0x48616e7365000000000000000000000000000001');
    expect(currencyFactoryAddress).toBe('0x48616e7365000000000000000000000000000002');
    expect(anchorAddress).toBe('0x48616e7365000000000000000000000000000003');
    expect(currencyAddress(1n)).toBe('0x48616e7365000000000000020000000000000001');
  });

  it('refuse names and versions that are none', () => {
    for (const name of ['', 'Upper', 'a b', 'a'.repeat(32)]) {
      expect(() => encodeMarker({ name, version: 1 })).toThrow(RangeError);
    }
    for (const version of [0, 65_536, 1.5]) expect(() => encodeMarker({ name: 'a', version })).toThrow(RangeError);
  });
});
