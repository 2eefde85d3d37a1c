import { bytesToHex, hexToBytes } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { moduleAddress } from '../abi/addresses.ts';
import { defineModule } from '../defineModule.ts';
import { GAS } from '../gasSchedule.ts';
import { uint256 } from '../storage/storageType.ts';
import { TestChain, testAccounts, testGenesis, testSuite } from '../testing/testChain.ts';

const probeAbi = [
  {
    type: 'function',
    name: 'isPublicKey',
    stateMutability: 'view',
    inputs: [{ name: 'key', type: 'bytes' }],
    outputs: [{ name: '', type: 'bool' }],
  },
  {
    type: 'function',
    name: 'verify',
    stateMutability: 'view',
    inputs: [
      { name: 'key', type: 'bytes' },
      { name: 'message', type: 'bytes' },
      { name: 'signature', type: 'bytes' },
    ],
    outputs: [{ name: '', type: 'bool' }],
  },
] as const;

const probe = defineModule({
  name: 'probe',
  version: 1,
  number: 201,
  kind: 'single',
  abi: probeAbi,
  storage: { nothing: uint256 },
  handlers: {
    isPublicKey: (context, key) => context.isPublicKey(hexToBytes(key)),
    verify: (context, key, message, signature) =>
      context.verifySignature(hexToBytes(key), hexToBytes(message), hexToBytes(signature)),
  },
});

const privateKey = new Uint8Array(32).fill(7);
const publicKey = testSuite.publicKey(privateKey);
/** Gas besides what decoding and the result cost. */
const frameGas = (chain: TestChain, words: number) => chain.lastGasUsed - BigInt(GAS.base + 4 + words * 32 + 32);

function start() {
  const chain = new TestChain(testGenesis(), [probe]);
  return { chain, call: chain.at(probeAbi, moduleAddress(201)) };
}

describe('what a handler has of the suite', () => {
  it('tells public keys of its curve, compressed, from other bytes', () => {
    const { chain, call } = start();
    expect(call(testAccounts.bank, 'isPublicKey', publicKey)).toBe(true);
    expect(frameGas(chain, 4)).toBe(BigInt(GAS.publicKey));
    const uncompressed = bytesToHex(testSuite.primitives.secp256k1PublicKey(privateKey, false));
    for (const key of ['0x', '0x02', uncompressed, `0x02${'00'.repeat(31)}05`, `0x05${publicKey.slice(4)}`] as const) {
      expect(call(testAccounts.bank, 'isPublicKey', key)).toBe(false);
    }
  });

  it('verifies signatures, and gives false for whatever is malformed', () => {
    const { chain, call } = start();
    const message = new Uint8Array(40).fill(1);
    const signature = bytesToHex(testSuite.sign(privateKey, message));
    const verify = (key = publicKey, text = bytesToHex(message), signed = signature) =>
      call(testAccounts.bank, 'verify', key, text, signed);
    expect(verify()).toBe(true);
    expect(frameGas(chain, 3 + 3 + 3 + 3)).toBe(BigInt(GAS.signature + GAS.hash + 2 * GAS.hashWord));
    expect(verify(testSuite.publicKey(new Uint8Array(32).fill(8)))).toBe(false);
    expect(verify(publicKey, '0x01')).toBe(false);
    expect(verify('0x', bytesToHex(message))).toBe(false);
    for (const signed of ['0x', `${signature}00`, `0x${'00'.repeat(64)}`, `0x${'ff'.repeat(64)}`] as const) {
      expect(verify(publicKey, bytesToHex(message), signed)).toBe(false);
    }
  });
});
