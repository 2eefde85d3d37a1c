import {
  createInternationalSuite,
  decodeTransaction,
  hexToBytes,
  recoverSender,
  signTransaction,
} from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { testTransaction } from '../../src/execution/testing/executionFixture.ts';
import { simulatedAccount } from '../world/networkSetup.ts';
import { SimulationRandom } from '../world/simulationRandom.ts';
import { fastPrimitives } from './fastPrimitives.ts';
import { MixedHash } from './mixedHash.ts';

const suite = createInternationalSuite(fastPrimitives);
const key = (byte: number) => new Uint8Array(32).fill(byte);

describe('the suite of the simulator', () => {
  it('signs for one key and one message', () => {
    const message = Uint8Array.of(1, 2, 3);
    const signature = suite.sign(key(1), message);
    expect(suite.verify(suite.publicKey(key(1)), message, signature)).toBe(true);
    expect(suite.verify(suite.publicKey(key(2)), message, signature)).toBe(false);
    expect(suite.verify(suite.publicKey(key(1)), Uint8Array.of(1, 2, 4), signature)).toBe(false);
    for (const index of [0, 31, 32, 63]) {
      const changed = signature.slice();
      changed[index]! ^= 1;
      expect(suite.verify(suite.publicKey(key(1)), message, changed)).toBe(false);
    }
    expect(suite.verify('0x02', message, signature)).toBe(false);
    expect(() => suite.sign(new Uint8Array(32), message)).toThrow(RangeError);
  });

  it('gives the sender of a transaction back, and of a changed one another or none', () => {
    const account = simulatedAccount(200, suite);
    const { signature: _, raw: __, hash: ___, sender: ____, ...fields } = testTransaction({ nonce: 5n });
    const transaction = signTransaction(fields, account.privateKey, suite);
    expect(recoverSender(decodeTransaction(transaction.raw, suite), suite)).toBe(account.address);
    expect(recoverSender({ ...decodeTransaction(transaction.raw, suite), nonce: 6n }, suite)).toBeUndefined();
    expect(suite.addressOf(hexToBytes(suite.publicKey(account.privateKey)))).toBe(account.address);
  });

  it('hashes inputs that hardly differ to as many values, each quarter of a hash for itself', () => {
    const COUNT = 30_000;
    const seen = [new Set<string>(), new Set<string>(), new Set<string>(), new Set<string>()];
    const bytes = new SimulationRandom(1, 'hash').bytes(60);
    for (let count = 0; count < COUNT; count++) {
      // One word of them counts; the rest stays.
      new DataView(bytes.buffer).setUint32(20, count);
      const hash = Buffer.from(fastPrimitives.keccak256(bytes)).toString('latin1');
      for (const [quarter, values] of seen.entries()) values.add(hash.slice(quarter * 8, quarter * 8 + 8));
    }
    expect(seen.map((values) => values.size)).toEqual([COUNT, COUNT, COUNT, COUNT]);
  });

  it('tells inputs apart that differ in length alone', () => {
    const zeros = Array.from({ length: 40 }, (_, length) => suite.hashHex(new Uint8Array(length)));
    expect(new Set(zeros).size).toBe(40);
    const words = new MixedHash();
    words.word(0);
    expect(words.toString()).not.toBe(new MixedHash().toString());
  });
});
