import { createEVM } from '@ethereumjs/evm';
import { createAddressFromString } from '@ethereumjs/util';
import { bytesToHex, bytesToUtf8, bytesToWord, hexToBytes, utf8ToBytes } from '@hanse/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileSolidity } from '../../scripts/compileSolidity.mjs';
import { anchorStorage } from '../anchor/anchorStorage.ts';
import { currencyFactoryStorage, currencyStorage } from '../currency/currencyStorage.ts';
import { membersStorage } from '../members/membersStorage.ts';
import { testSuite } from '../testing/testChain.ts';
import { bindStorage, clearStorage, type SlotAccess } from './accessors.ts';
import { describeLayout } from './placement.ts';
import { SlotHasher } from './slotHasher.ts';
import {
  address,
  array,
  bool,
  bytes,
  bytes32,
  mapping,
  string,
  struct,
  uint8,
  uint16,
  uint32,
  uint48,
  uint64,
  uint128,
  uint256,
} from './storageType.ts';

const innerStruct = struct('Inner', { a: uint8, b: uint256, c: bool, d: address, e: uint16 });
const outerStruct = struct('Outer', {
  x: uint64,
  inner: innerStruct,
  y: uint8,
  text: string,
  numbers: array(uint48),
  marks: mapping(bytes32, uint8),
});
const everything = {
  flag: bool,
  small: uint8,
  short: uint16,
  medium: uint32,
  wide: uint48,
  wider: uint64,
  half: uint128,
  otherHalf: uint128,
  full: uint256,
  owner: address,
  hash: bytes32,
  afterwards: bool,
  inner: innerStruct,
  behind: uint8,
  shortText: string,
  longText: string,
  exactly31: bytes,
  exactly32: bytes,
  packed: array(uint8),
  pairs: array(uint128),
  people: array(address),
  structs: array(innerStruct),
  texts: array(string),
  nested: array(array(uint16)),
  balances: mapping(address, uint256),
  permissions: mapping(uint32, mapping(address, bool)),
  outers: mapping(string, outerStruct),
  byFlag: mapping(bool, uint64),
  names: mapping(uint256, string),
} as const;

interface SolidityVariable {
  readonly label: string;
  readonly slot: string;
  readonly offset: number;
  readonly type: string;
}
interface SolidityType {
  readonly label: string;
  readonly value?: string;
  readonly base?: string;
  readonly members?: readonly SolidityVariable[];
}
interface Contract {
  readonly storageLayout: {
    readonly storage: readonly SolidityVariable[];
    readonly types: Readonly<Record<string, SolidityType>>;
  };
  readonly evm: { readonly deployedBytecode: { readonly object: string } };
}

/** The compiler's layout in the words of `describeLayout`. */
function describeSolidity({ storageLayout: { storage, types } }: Contract): string[] {
  const structs = new Map<string, readonly SolidityVariable[]>();
  const visit = (name: string): void => {
    const type = types[name]!;
    if (type.members !== undefined) structs.set(type.label, type.members);
    if (type.value !== undefined) visit(type.value);
    if (type.base !== undefined) visit(type.base);
  };
  const lines = (variables: readonly SolidityVariable[], indent: string): string[] =>
    variables.map(({ slot, offset, label, type }) => {
      visit(type);
      return `${indent}${slot} ${offset} ${label} ${types[type]!.label}`;
    });
  const result = lines(storage, '');
  for (const [name, members] of structs) result.push(name, ...lines(members, '  '));
  return result;
}

/** Slots in a map; what is zero is absent. */
class MapSlots implements SlotAccess {
  readonly hasher = new SlotHasher(testSuite);
  readonly words = new Map<bigint, bigint>();
  read(slot: bigint): bigint {
    return this.words.get(slot) ?? 0n;
  }
  write(slot: bigint, word: bigint): void {
    if (word === 0n) this.words.delete(slot);
    else this.words.set(slot, word);
  }
  sorted(): readonly (readonly [string, string])[] {
    return [...this.words].map(([slot, word]) => [slot.toString(16), word.toString(16)] as const).sort();
  }
}

let contracts: Readonly<Record<string, Contract>>;
beforeAll(() => {
  const selection = ['storageLayout', 'evm.deployedBytecode.object'];
  contracts = compileSolidity([new URL('../testing/Layouts.sol', import.meta.url)], selection) as typeof contracts;
});

describe('storage', () => {
  it.each([
    ['Members', membersStorage],
    ['Currency', currencyStorage],
    ['CurrencyFactory', currencyFactoryStorage],
    ['Anchor', anchorStorage],
    ['Everything', everything],
  ])('of %s lies where solc puts it', (name, fields) => {
    expect(describeLayout(fields)).toEqual(describeSolidity(contracts[name]!));
  });

  it('is written word for word as compiled Solidity writes it, and read back', async () => {
    const code = hexToBytes(`0x${contracts.Everything!.evm.deployedBytecode.object}`);
    const evm = await createEVM();
    const account = createAddressFromString('0x00000000000000000000000000000000000c0de0');
    await evm.stateManager.putCode(account, code);
    const runSolidity = async (signature: string) => {
      const data = testSuite.keccak256(utf8ToBytes(signature)).subarray(0, 4);
      const { execResult } = await evm.runCall({ to: account, data, gasLimit: 100_000_000n });
      expect(execResult.exceptionError).toBeUndefined();
    };
    const solidityWords = async (): Promise<MapSlots> => {
      const slots = new MapSlots();
      const touched = new Set([...ours.words.keys(), ...seen]);
      for (const slot of touched) {
        seen.add(slot);
        const word = await evm.stateManager.getStorage(account, hexToBytes(`0x${slot.toString(16).padStart(64, '0')}`));
        slots.write(slot, bytesToWord(new Uint8Array([...new Uint8Array(32 - word.length), ...word])));
      }
      return slots;
    };
    const writtenBySolidity = new Set<bigint>();
    evm.events?.on('step', (step) => {
      if (step.opcode.name === 'SSTORE') writtenBySolidity.add(step.stack.at(-1)!);
    });
    const ours = new MapSlots();
    const seen = new Set<bigint>();

    await runSolidity('fill()');
    fill(ours);
    for (const slot of writtenBySolidity) seen.add(slot);
    expect(seen.size).toBeGreaterThan(40);
    expect((await solidityWords()).sorted()).toEqual(ours.sorted());

    await runSolidity('shrink()');
    shrink(ours);
    for (const slot of writtenBySolidity) seen.add(slot);
    expect((await solidityWords()).sorted()).toEqual(ours.sorted());
  });

  it('refuses values that do not fit, and places beyond an array', () => {
    const storage = bindStorage(new MapSlots(), everything);
    expect(() => storage.small.set(256)).toThrow(RangeError);
    expect(() => storage.small.set(-1)).toThrow(RangeError);
    expect(() => storage.full.set(1n << 256n)).toThrow(RangeError);
    expect(() => storage.owner.set('0x01')).toThrow(RangeError);
    expect(() => storage.packed.at(0)).toThrow(RangeError);
    expect(() => storage.packed.pop()).toThrow(RangeError);
  });
});

const longText = 'a text that is so long that it needs more than one word, and then some more to need a third';
const mark = bytesToHex(testSuite.keccak256(utf8ToBytes('mark')));
const small = (value: number) => `0x${value.toString(16).padStart(40, '0')}` as const;

function fill(slots: MapSlots): void {
  const s = bindStorage(slots, everything);
  const setInner = (
    inner: typeof s.inner,
    [a, b, c, d, e]: readonly [number, bigint, boolean, number, number],
  ): void => {
    inner.a.set(a);
    inner.b.set(b);
    inner.c.set(c);
    inner.d.set(small(d));
    inner.e.set(e);
  };
  s.flag.set(true);
  s.small.set(0x12);
  s.short.set(0x3456);
  s.medium.set(0x789abcde);
  s.wide.set(0x123456789abc);
  s.wider.set(0xfedcba9876543210n);
  s.half.set((1n << 128n) - 6n);
  s.otherHalf.set(6n);
  s.full.set((1n << 256n) - 8n);
  s.owner.set('0x1234567890abcdef1234567890abcdef12345678');
  s.hash.set(bytesToHex(testSuite.keccak256(utf8ToBytes('hash'))));
  s.afterwards.set(true);
  setInner(s.inner, [9, 10n, true, 0xbeef, 11]);
  s.behind.set(255);
  s.shortText.set('short – text');
  s.longText.set(longText);
  s.exactly31.set(hexToBytes('0x01020304050607080910111213141516171819202122232425262728293031'));
  s.exactly32.set(hexToBytes('0x0102030405060708091011121314151617181920212223242526272829303132'));
  for (let i = 0; i < 40; i++) s.packed.push().set(i + 1);
  for (const value of [1n, (1n << 128n) - 1n, 3n]) s.pairs.push().set(value);
  s.people.push().set(small(0xaaaa));
  s.people.push().set(small(0xbbbb));
  setInner(s.structs.push(), [1, 2n, true, 3, 4]);
  setInner(s.structs.push(), [5, 6n, false, 7, 8]);
  const texts = ['', 'second', 'the third of the texts is longer than thirty-one bytes'];
  for (const text of texts) s.texts.push().set(text);
  s.nested.push();
  const second = s.nested.push();
  second.push().set(7);
  second.push().set(8);
  s.balances.at(small(0xcafe)).set(77n);
  s.permissions.at(5).at(small(0xcafe)).set(true);
  const outer = s.outers.at('a key');
  outer.x.set(1n);
  setInner(outer.inner, [1, 2n, false, 4, 5]);
  outer.y.set(6);
  outer.text.set('inside');
  outer.numbers.push().set(2 ** 40);
  outer.numbers.push().set(2);
  outer.marks.at(mark).set(3);
  s.byFlag.at(true).set(9n);
  s.names.at(12345678901234567890n).set('numbered');
  // What was written is read back, from a binding of its own.
  const again = bindStorage(slots, everything);
  expect(again.wide.get()).toBe(0x123456789abc);
  expect(again.owner.get()).toBe('0x1234567890abcdef1234567890abcdef12345678');
  expect(again.shortText.get()).toBe('short – text');
  expect(again.longText.get()).toBe(longText);
  expect(again.exactly32.get()).toHaveLength(32);
  expect(bytesToUtf8(utf8ToBytes(again.texts.at(2).get()))).toBe(texts[2]);
  expect(Array.from({ length: again.packed.length() }, (_, i) => again.packed.at(i).get())[39]).toBe(40);
  expect(again.pairs.at(1).get()).toBe((1n << 128n) - 1n);
  expect(again.structs.at(1).b.get()).toBe(6n);
  expect(again.nested.at(1).at(1).get()).toBe(8);
  expect(again.outers.at('a key').inner.d.get()).toBe(small(4));
  expect(again.names.at(12345678901234567890n).get()).toBe('numbered');
}

function shrink(slots: MapSlots): void {
  const s = bindStorage(slots, everything);
  s.longText.set('short now');
  clearStorage(s.exactly32);
  s.exactly31.set(Uint8Array.of(0xff));
  clearStorage(s.inner);
  for (let i = 0; i < 10; i++) s.packed.pop();
  s.pairs.pop();
  s.structs.pop();
  s.texts.pop();
  clearStorage(s.people);
  clearStorage(s.nested);
  s.small.set(0);
  s.owner.set(small(0));
}
