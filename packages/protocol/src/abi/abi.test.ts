import fc from 'fast-check';
import * as viem from 'viem';
import { describe, expect, it } from 'vitest';
import { ethereumJson } from '../../test/ethereumData.ts';
import { bytesToHex, hexToBytes } from '../bytes.ts';
import { portablePrimitives } from '../portablePrimitives.ts';
import {
  AbiCodecError,
  CompiledAbi,
  decodeParameters,
  decodeRevertReason,
  encodeErrorReason,
  encodePanic,
  encodeParameters,
  ParameterCodec,
} from './index.ts';
import { wordToBytes } from './words.ts';

interface TypeAndValue {
  readonly parameter: viem.AbiParameter;
  readonly value: unknown;
}

const hexOf = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => bytesToHex(bytes));

/** A random elementary type with an arbitrary of its values. */
const elementary = fc
  .oneof(
    fc.constant('address'),
    fc.constant('bool'),
    fc.constant('string'),
    fc.constant('bytes'),
    fc.integer({ min: 1, max: 32 }).map((size) => `bytes${size}`),
    fc.integer({ min: 1, max: 32 }).map((size) => `uint${size * 8}`),
    fc.integer({ min: 1, max: 32 }).map((size) => `int${size * 8}`),
  )
  .map((type) => ({ parameter: { type } as viem.AbiParameter, values: valuesOf(type) }));

function valuesOf(type: string): fc.Arbitrary<unknown> {
  if (type === 'address') return hexOf(20, 20);
  if (type === 'bool') return fc.boolean();
  if (type === 'string') return fc.string({ unit: 'grapheme', maxLength: 40 });
  if (type === 'bytes') return hexOf(0, 70);
  const [, signed, bits] = /^(u?int)(\d+)$/.exec(type) ?? [];
  if (signed === undefined) return hexOf(Number(type.slice(5)), Number(type.slice(5)));
  const width = BigInt(bits!);
  const [min, max] = signed === 'uint' ? [0n, (1n << width) - 1n] : [-(1n << (width - 1n)), (1n << (width - 1n)) - 1n];
  return fc.bigInt({ min, max }).map((value) => (width <= 48n ? Number(value) : value));
}

interface TypeWithValues {
  readonly parameter: viem.AbiParameter;
  readonly values: fc.Arbitrary<unknown>;
}

const { type: anyType } = fc.letrec<{ type: TypeWithValues }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
    elementary as fc.Arbitrary<TypeWithValues>,
    tie('type').map(({ parameter, values }) => ({
      parameter: { ...parameter, type: `${parameter.type}[]` } as viem.AbiParameter,
      values: fc.array(values, { maxLength: 3 }),
    })),
    fc.tuple(tie('type'), fc.integer({ min: 1, max: 3 })).map(([{ parameter, values }, count]) => ({
      parameter: { ...parameter, type: `${parameter.type}[${count}]` } as viem.AbiParameter,
      values: fc.array(values, { minLength: count, maxLength: count }),
    })),
    fc.array(tie('type'), { minLength: 1, maxLength: 3 }).map((types) => ({
      parameter: {
        type: 'tuple',
        components: types.map(({ parameter }, i) => ({ ...parameter, name: `field${i}` })),
      } as viem.AbiParameter,
      values: fc.record(Object.fromEntries(types.map(({ values }, i) => [`field${i}`, values]))),
    })),
  ),
}));

const typedValues: fc.Arbitrary<TypeAndValue[]> = fc
  .array(anyType, { maxLength: 4 })
  .chain((types) =>
    fc
      .tuple(...types.map(({ values }) => values))
      .map((values) => types.map(({ parameter }, i) => ({ parameter, value: values[i] }))),
  );

describe('ABI parameters', () => {
  it('equal the encodings of ethereum-tests ABITests', () => {
    const cases = ethereumJson<
      Record<string, { readonly args: readonly unknown[]; readonly types: readonly string[]; readonly result: string }>
    >('ethereum-tests/ABITests/basic_abi_tests.json');
    expect(Object.keys(cases).length).toBeGreaterThan(0);
    for (const { args, types, result } of Object.values(cases)) {
      // The file writes fixed bytes and byte strings as text.
      const values = args.map((value, i) =>
        types[i]!.startsWith('bytes') ? bytesToHex(Uint8Array.from(value as string, (c) => c.charCodeAt(0))) : value,
      );
      const encoded = encodeParameters(
        types.map((type) => ({ type })),
        values as never,
      );
      expect(bytesToHex(encoded)).toBe(`0x${result}`);
    }
  });

  it('equal those of viem for random types and values, and decode to the same values', () => {
    fc.assert(
      fc.property(typedValues, (pairs) => {
        const parameters = pairs.map(({ parameter }) => parameter);
        const values = pairs.map(({ value }) => value);
        const encoded = encodeParameters(parameters, values as never);
        expect(bytesToHex(encoded)).toBe(viem.encodeAbiParameters(parameters, values));
        expect(decodeParameters(parameters, encoded)).toEqual(values);
      }),
      { numRuns: 1_000, seed: 20_240 },
    );
  });

  it('decode a damaged encoding to an error or to values that encode to the very same bytes', () => {
    const damage = fc.record({
      at: fc.nat(),
      byte: fc.oneof(fc.constantFrom(0, 1, 32, 64, 128, 255), fc.nat(255)),
      cut: fc.oneof(
        { arbitrary: fc.constant(0), weight: 3 },
        { arbitrary: fc.integer({ min: -40, max: 70 }), weight: 1 },
      ),
    });
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(typedValues, fc.array(damage, { minLength: 1, maxLength: 3 }), (pairs, damages) => {
        const parameters = pairs.map(({ parameter }) => parameter);
        let bytes = encodeParameters(parameters, pairs.map(({ value }) => value) as never).slice();
        for (const { at, byte, cut } of damages) {
          if (bytes.length > 0) bytes[at % bytes.length] = byte;
          const length = Math.max(0, bytes.length + cut);
          const resized = new Uint8Array(length);
          resized.set(bytes.subarray(0, length));
          bytes = resized;
        }
        try {
          const values = decodeParameters(parameters, bytes);
          accepted++;
          expect(bytesToHex(encodeParameters(parameters, values))).toBe(bytesToHex(bytes));
        } catch (error) {
          if (!(error instanceof AbiCodecError)) throw error;
          refused++;
        }
      }),
      { numRuns: 1_500, seed: 7 },
    );
    expect(accepted).toBeGreaterThan(50);
    expect(refused).toBeGreaterThan(200);
  });

  const problemOf = (action: () => unknown): string => {
    try {
      action();
    } catch (error) {
      if (error instanceof AbiCodecError) return error.problem;
      throw error;
    }
    return 'none';
  };
  const words = (...values: bigint[]) => {
    const bytes = new Uint8Array(32 * values.length);
    for (const [i, value] of values.entries()) bytes.set(wordToBytes(value), 32 * i);
    return bytes;
  };
  const decode = (type: string, data: Uint8Array) => problemOf(() => decodeParameters([{ type }], data));

  it.each([
    ['a cut word', 'uint256', new Uint8Array(31), 'too-short'],
    ['a byte too many', 'uint256', new Uint8Array(33), 'trailing-data'],
    ['an address of 21 bytes', 'address', words(1n << 160n), 'dirty-padding'],
    ['a bool of 2', 'bool', words(2n), 'out-of-range'],
    ['a uint8 of 256', 'uint8', words(256n), 'out-of-range'],
    ['an int8 of 128', 'int8', words(128n), 'out-of-range'],
    ['an int8 without its sign extension', 'int8', words(0x80n), 'out-of-range'],
    ['dirty bytes4', 'bytes4', words(1n), 'dirty-padding'],
    ['an offset into the head', 'bytes', words(0n, 0n), 'bad-offset'],
    ['an offset beyond the end', 'bytes', words(64n, 0n), 'bad-offset'],
    ['an offset of 2^255', 'bytes', words(1n << 255n, 0n), 'bad-offset'],
    ['a length beyond the end', 'bytes', words(32n, 33n, 0n), 'bad-length'],
    ['a length of 2^32 - 1', 'bytes', words(32n, (1n << 32n) - 1n), 'bad-length'],
    ['a length of 2^256 - 1', 'string', words(32n, (1n << 256n) - 1n), 'bad-length'],
    ['2^32 - 1 elements', 'uint256[]', words(32n, (1n << 32n) - 1n), 'bad-length'],
    ['2^64 elements', 'uint256[]', words(32n, 1n << 64n), 'bad-length'],
    ['dirty padding of bytes', 'bytes', words(32n, 1n, 1n), 'dirty-padding'],
    ['invalid UTF-8', 'string', words(32n, 1n, 0xffn << 248n), 'invalid-utf8'],
    ['a loop of offsets', 'bytes[]', words(32n, 2n, 0n, 0n), 'bad-offset'],
    ['two elements sharing one tail', 'bytes[]', words(32n, 2n, 64n, 64n, 0n), 'bad-offset'],
  ])('refuse %s', (_, type, data, problem) => {
    expect(decode(type, data)).toBe(problem);
  });

  it('refuse types without size, without sense and beyond the depth', () => {
    const compile = (parameter: object) => problemOf(() => new ParameterCodec([parameter as viem.AbiParameter]));
    for (const type of ['uint7', 'uint264', 'bytes33', 'bytes0', 'fixed128x18', 'uint256[0]', '', 'mapping']) {
      expect(compile({ type })).toBe('unsupported-type');
    }
    expect(compile({ type: 'tuple', components: [] })).toBe('unsupported-type');
    expect(compile({ type: `uint8${'[]'.repeat(16)}` })).toBe('none');
    expect(compile({ type: `uint8${'[]'.repeat(17)}` })).toBe('too-deep');
    expect(compile({ type: `uint8${'[1000]'.repeat(3)}` })).not.toBe('none');
  });

  it('refuse values that do not fit', () => {
    const encode = (type: string, value: unknown) => problemOf(() => encodeParameters([{ type }], [value] as never));
    expect(encode('uint8', 256)).toBe('out-of-range');
    expect(encode('uint8', -1n)).toBe('out-of-range');
    expect(encode('int8', -129n)).toBe('out-of-range');
    expect(encode('uint8', 1.5)).toBe('invalid-value');
    expect(encode('address', '0x01')).toBe('invalid-value');
    expect(encode('bytes4', '0x0102')).toBe('invalid-value');
    expect(encode('bool', 1)).toBe('invalid-value');
    expect(encode('string', '\ud800')).toBe('invalid-value');
    expect(encode('uint256[2]', [1n])).toBe('invalid-value');
  });
});

const abi = [
  ...viem.parseAbi([
    'function transfer(address to, uint256 value) returns (bool)',
    'function swap((address token, uint256[] amounts)[] legs, string memo) view returns (uint256 first, bytes rest)',
    'function ping()',
    'event Transfer(address indexed from, address indexed to, uint256 value)',
    'event Note(string indexed title, (uint8 a, string b)[] indexed parts, bytes body)',
    'error InsufficientBalance(address account, uint256 needed)',
  ]),
  {
    type: 'event',
    name: 'Hidden',
    anonymous: true,
    inputs: [{ name: 'value', type: 'uint256', indexed: true }],
  },
] as const;

describe('ABI functions, events and errors', () => {
  const compiled = new CompiledAbi(abi, portablePrimitives);
  const to = '0x00000000000000000000000000000000000000aa';

  it('encode calls and results as viem does', () => {
    const transfer = compiled.function('transfer');
    const call = transfer.encodeCall([to, 5n]);
    expect(bytesToHex(call)).toBe(viem.encodeFunctionData({ abi, functionName: 'transfer', args: [to, 5n] }));
    expect(transfer.decodeCall(call)).toEqual([to, 5n]);
    expect(transfer.decodeResult(transfer.encodeResult(true))).toBe(true);
    const swap = compiled.function('swap');
    const legs = [{ token: to, amounts: [1n, 2n] }] as const;
    const swapCall = swap.encodeCall([legs, 'memo']);
    expect(bytesToHex(swapCall)).toBe(viem.encodeFunctionData({ abi, functionName: 'swap', args: [legs, 'memo'] }));
    expect(swap.decodeResult(swap.encodeResult([7n, '0x01']))).toEqual([7n, '0x01']);
    const ping = compiled.function('ping');
    expect(ping.decodeResult(ping.encodeResult(undefined))).toBeUndefined();
    expect(compiled.functionBySelector(transfer.selectorNumber)).toBe(transfer);
    expect(() => transfer.decodeCall(swapCall)).toThrow(AbiCodecError);
  });

  it('encode logs as viem does, hashed topics of reference types included', () => {
    const transfer = { from: to, to, value: 9n } as const;
    const log = compiled.event('Transfer').encode(transfer);
    expect(log.topics).toEqual(viem.encodeEventTopics({ abi, eventName: 'Transfer', args: { from: to, to } }));
    expect(compiled.event('Transfer').decode(log)).toEqual(transfer);
    const note = compiled.event('Note').encode({ title: 'héllo', parts: [{ a: 1, b: 'x' }], body: '0x0102' });
    expect(note.topics[0]).toBe(viem.toEventSelector(abi[4]));
    expect(note.topics[1]).toBe(viem.keccak256(viem.toHex('héllo')));
    // In place: the number as a word, then the text padded to a word (Solidity documentation, "Encoding of Indexed Event Parameters").
    expect(note.topics[2]).toBe(
      viem.keccak256(
        viem.concat([viem.pad('0x01', { size: 32 }), viem.pad(viem.toHex('x'), { size: 32, dir: 'right' })]),
      ),
    );
    expect(compiled.event('Note').decode(note)).toEqual({
      title: note.topics[1],
      parts: note.topics[2],
      body: '0x0102',
    });
    const hidden = compiled.event('Hidden').encode({ value: 3n });
    expect(hidden.topics).toEqual([bytesToHex(wordToBytes(3n))]);
    expect(compiled.event('Hidden').decode(hidden)).toEqual({ value: 3n });
    expect(() => compiled.event('Transfer').decode(note)).toThrow(AbiCodecError);
    expect(compiled.event('Transfer').topicOf('from', to)).toBe(log.topics[1]);
  });

  it('encode custom errors, Error(string) and Panic as viem reads them', () => {
    const error = compiled.error('InsufficientBalance');
    const data = error.encode([to, 5n]);
    expect(viem.decodeErrorResult({ abi, data: bytesToHex(data) })).toMatchObject({ args: [viem.getAddress(to), 5n] });
    expect(error.decode(data)).toEqual([to, 5n]);
    expect(viem.decodeErrorResult({ data: bytesToHex(encodeErrorReason('no')) })).toMatchObject({ args: ['no'] });
    expect(viem.decodeErrorResult({ data: bytesToHex(encodePanic(0x11n)) })).toMatchObject({ args: [17n] });
    expect(decodeRevertReason(encodeErrorReason('no'))).toEqual({ kind: 'error', reason: 'no' });
    expect(decodeRevertReason(encodePanic(17n))).toMatchObject({ kind: 'panic', code: 17n });
    expect(decodeRevertReason(data)).toEqual({ kind: 'unknown', selector: error.selector });
    expect(decodeRevertReason(new Uint8Array(0))).toEqual({ kind: 'empty' });
    expect(decodeRevertReason(hexToBytes('0x08c379a0ff'))).toEqual({ kind: 'unknown', selector: '0x08c379a0' });
    expect(decodeRevertReason(Uint8Array.of(1))).toEqual({ kind: 'unknown', selector: undefined });
  });

  it('refuses an ABI with two items of one name', () => {
    const overloaded = viem.parseAbi(['function a()', 'function a(uint256)']);
    expect(() => new CompiledAbi(overloaded, portablePrimitives)).toThrow(AbiCodecError);
  });
});
