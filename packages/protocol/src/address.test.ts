import { describe, expect, it } from 'vitest';
import { checksumAddress, create2Address, createAddress, parseAddress } from './address.ts';
import { hexToBytes } from './bytes.ts';
import { portablePrimitives } from './portablePrimitives.ts';
import type { Address } from './types.ts';

const hasher = portablePrimitives;

describe('addresses', () => {
  it('of CREATE depend on sender and nonce', () => {
    // The first contracts of a well-known deployer, as block explorers show them.
    const sender = '0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0';
    expect(createAddress(hasher, sender, 0n)).toBe('0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d');
    expect(createAddress(hasher, sender, 1n)).toBe('0x343c43a37d37dff08ae8c4a11544c718abb4fcf8');
    expect(createAddress(hasher, sender, 2n)).toBe('0xf778b86fa74e846c4f0a1fbd1335fe81c00a0c91');
    expect(createAddress(hasher, sender, 3n)).toBe('0xfffd933a0bc612844eaf0c6fe3e5b8e9b6c1d19c');
  });

  it.each([
    ['0x0000000000000000000000000000000000000000', 0n, '0x00', '0x4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38'],
    ['0xdeadbeef00000000000000000000000000000000', 0n, '0x00', '0xB928f69Bb1D91Cd65274e3c79d8986362984fDA3'],
    [
      '0xdeadbeef00000000000000000000000000000000',
      0xfeed000000000000000000000000000000000000n,
      '0x00',
      '0xD04116cDd17beBE565EB2422F2497E06cC1C9833',
    ],
    ['0x0000000000000000000000000000000000000000', 0n, '0xdeadbeef', '0x70f2b2914A2a4b783FaEFb75f459A580616Fcb5e'],
    [
      '0x00000000000000000000000000000000deadbeef',
      0xcafebaben,
      '0xdeadbeef',
      '0x60f3f640a8508fC6a86d45DF051962668E1e8AC7',
    ],
    ['0x0000000000000000000000000000000000000000', 0n, '0x', '0xE33C0C7F7df4809055C3ebA6c09CFe4BaF1BD9e0'],
  ])('of CREATE2 are those of EIP-1014: %s %s %s', (sender, salt, initCode, expected) => {
    const address = create2Address(hasher, sender as Address, salt, hexToBytes(initCode));
    expect(checksumAddress(hasher, address)).toBe(expected);
  });

  it('checksum as the examples of EIP-55', () => {
    const examples = [
      '0x52908400098527886E0F7030069857D2E4169EE7',
      '0x8617E340B3D01FA5F11F306F4090FD50E238070D',
      '0xde709f2102306220921060314715629080e2fb77',
      '0x27b1fdb04752bbc536007a920d24acb045561c26',
      '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
      '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
      '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
      '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
    ];
    for (const example of examples) {
      expect(checksumAddress(hasher, example.toLowerCase() as Address)).toBe(example);
      expect(parseAddress(hasher, example)).toBe(example.toLowerCase());
    }
  });

  it('from people are refused with a mistyped character, and lack no digit', () => {
    const wrong = expect.objectContaining({ code: 'invalid-address' });
    expect(() => parseAddress(hasher, '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD')).toThrow(wrong);
    expect(() => parseAddress(hasher, '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe')).toThrow(wrong);
    expect(() => parseAddress(hasher, '5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed')).toThrow(wrong);
    expect(parseAddress(hasher, `0x${'AB'.repeat(20)}`)).toBe(`0x${'ab'.repeat(20)}`);
  });
});
