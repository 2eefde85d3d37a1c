import {
  type Address,
  bigintToFixedBytes,
  bytesToHex,
  concatBytes,
  createAddress,
  type Hex,
  hexToBytes,
  type Suite,
} from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { EVMAdapter } from './evmAdapter.ts';
import { verifyKzgProof } from './kzgVerifier.ts';
import { initCodeFor, noModules, proposer, runMessage, testAccount, testSuite } from './testing/executionFixture.ts';

const sender = testAccount(1).address;
const contract: Address = `0x${'c0'.repeat(20)}`;
const other: Address = `0x${'d0'.repeat(20)}`;
const word = (value: bigint | number): Uint8Array => bigintToFixedBytes(BigInt(value), 32);
const hex = (digits: string): Uint8Array => hexToBytes(`0x${digits}`);
const precompile = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`;

/** Runtime code that returns the one word that an opcode pushes. */
const returning = (opcodes: string): Hex => `0x${opcodes}60005260206000f3`;

async function call(
  code: Hex,
  allocation: Record<string, object> = {},
  options: Parameters<typeof runMessage>[2] = {},
) {
  const { result } = await runMessage({ ...allocation, [contract]: { code } }, { to: contract }, options);
  return result;
}

describe('the block that contracts see', () => {
  it.each([
    ["CHAINID is the network's", '46', 1234n],
    ['NUMBER is the height', '43', 100n],
    ['TIMESTAMP is in seconds', '42', 1_700_000_100n],
    ['COINBASE is the proposer', '41', BigInt(proposer)],
    ["PREVRANDAO is the parent's hash", '44', BigInt(`0x${'5a'.repeat(32)}`)],
    ["GASLIMIT is the block's", '45', 60_000_000n],
    ['BASEFEE is the minimum gas price', '48', 0n],
    ['BLOBBASEFEE is constant', '4a', 1n],
    ['BLOBHASH finds none', '600049', 0n],
    ['BLOCKHASH of the parent', '606340', 99n],
    ['BLOCKHASH of the block itself', '606440', 0n],
    ['BLOCKHASH of a later block', '60ff40', 0n],
  ])('%s', async (_, opcodes, expected) => {
    const { output } = await call(returning(opcodes));
    expect(bytesToHex(output)).toBe(bytesToHex(word(expected)));
  });

  it('gives block hashes for exactly the last 256 blocks', async () => {
    const block = { height: 1_000, blockHash: (height: number) => bytesToHex(word(height)) };
    const oldest = await call(returning('6102e840'), {}, { block }); // 744 = 1,000 - 256
    expect(bytesToHex(oldest.output)).toBe(bytesToHex(word(744)));
    const beyond = await call(returning('6102e740'), {}, { block }); // 743
    expect(bytesToHex(beyond.output)).toBe(bytesToHex(word(0)));
  });
});

describe('the precompiles of Prague', () => {
  async function run(number: number, input: Uint8Array, gasLimit = 2_000_000n) {
    const { result } = await runMessage({}, { to: precompile(number), data: input, gasLimit });
    return result;
  }

  it('are 0x01 to 0x11', () => {
    const engine = new EVMAdapter({ suite: testSuite, chainId: 1n, fork: 'prague', isModuleCode: () => false });
    const addresses = Array.from({ length: 300 }, (_, number) => number).filter((n) =>
      engine.isPrecompile(precompile(n)),
    );
    expect(addresses).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]);
  });

  it("0x01 recovers a signer by the suite's own primitives, also from a high s", async () => {
    const hash = testSuite.keccak256(hex('00'));
    const { signature, recovery } = testSuite.primitives.secp256k1Sign(hash, testAccount(1).privateKey);
    const input = concatBytes(hash, word(27 + recovery), signature);
    const answer = await run(1, input);
    expect(bytesToHex(answer.output)).toBe(`0x${'00'.repeat(12)}${sender.slice(2)}`);
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const highS = word(order - BigInt(bytesToHex(signature.subarray(32))));
    const mirrored = await run(1, concatBytes(hash, word(28 - recovery), signature.subarray(0, 32), highS));
    expect(mirrored.output).toEqual(answer.output);
    expect((await run(1, concatBytes(hash, word(29), signature))).output.length).toBe(0);
  });

  it('0x02 is SHA-256 and 0x04 the identity', async () => {
    expect(bytesToHex((await run(2, new Uint8Array(0))).output)).toBe(
      '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect((await run(4, hex('aabbcc'))).output).toEqual(hex('aabbcc'));
  });

  // The vector of EIP-4844's precompile tests.
  const commitment = '8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca25f26936857bc3a7c2539ea8ec3a952b7';
  const kzgInput =
    '01e798154708fe7789429634053cbf9f99b619f9f084048927333fce637f549b' +
    '73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000' +
    '1522a4a7f34e1ea350ae07c29c96c7e79655aa926122e95fe69fcbd932ca49e9' +
    commitment +
    'a62ad71d14c5719385c0686f1871430475bf3a00f0aa3f7b8dd99a9abc2160744faf0070725e00b60ad9a026a15b1a8c';

  it('0x0a verifies a point evaluation for 50,000 gas', async () => {
    const { status, output, gasUsed } = await run(10, hex(kzgInput));
    expect(status).toBe('success');
    expect(bytesToHex(output)).toBe(
      `${bytesToHex(word(4096))}73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001`,
    );
    // 21,000, 50,000, and for the call data 7 zero bytes at 4 and 185 others at 16.
    expect(gasUsed).toBe(73_988n);
  });

  it('0x0a refuses a wrong value, proof, version and length with all its gas', async () => {
    const flip = (position: number) => {
      const bytes = hex(kzgInput);
      bytes[position]! ^= 1;
      return bytes;
    };
    for (const input of [flip(95), flip(191), flip(0), flip(100), hex(kzgInput).subarray(1), new Uint8Array(192)]) {
      const { status, gasUsed } = await run(10, input, 500_000n);
      expect([status, gasUsed]).toEqual(['failure', 500_000n]);
    }
  });

  it('a constant polynomial proves with the point at infinity; numbers beyond the field do not', () => {
    const infinity = `0xc0${'00'.repeat(47)}`;
    const zero = `0x${'00'.repeat(32)}`;
    const modulus = '0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001';
    expect(verifyKzgProof(infinity, zero, zero, infinity)).toBe(true);
    expect(verifyKzgProof(infinity, `0x${'00'.repeat(31)}07`, zero, infinity)).toBe(true);
    expect(verifyKzgProof(infinity, zero, `0x${'00'.repeat(31)}01`, infinity)).toBe(false);
    expect(verifyKzgProof(infinity, modulus, zero, infinity)).toBe(false);
    expect(verifyKzgProof(infinity, zero, modulus, infinity)).toBe(false);
    expect(verifyKzgProof(`0x${'ff'.repeat(48)}`, zero, zero, infinity)).toBe(false);
  });

  // EIP-2537: coordinates in 64 bytes each; the generator and its double are those of the EIP's test vectors.
  const pad = (coordinate: string) => coordinate.padStart(128, '0');
  const g1 =
    pad('17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb') +
    pad('08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1');
  const twiceG1 =
    pad('0572cbea904d67468808c8eb50a9450c9721db309128012543902d0ac358a62ae28f75bb8f1c7c42c39a8c5529bf0f4e') +
    pad('166a9d8cabc673a322fda673779d8e3822ba3ecb8670e461f73bb9021d5fd76a4c56d9d4cd16bd1bba86881979749d28');
  const minusG1 =
    g1.slice(0, 128) +
    pad('114d1d6855d545a8aa7d76c8cf2e21f267816aef1db507c96655b9d5caac42364e6f38ba0ecb751bad54dcd6b939c2ca');
  const g2 =
    pad('024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8') +
    pad('13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e') +
    pad('0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801') +
    pad('0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be');

  it('0x0b adds in G1, 0x0c multiplies, 0x0d adds in G2', async () => {
    expect(bytesToHex((await run(0x0b, hex(g1 + g1))).output)).toBe(`0x${twiceG1}`);
    expect(bytesToHex((await run(0x0c, concatBytes(hex(g1), word(2)))).output)).toBe(`0x${twiceG1}`);
    const doubled = await run(0x0d, hex(g2 + g2));
    const multiplied = await run(0x0e, concatBytes(hex(g2), word(2)));
    expect([doubled.status, doubled.output.length]).toEqual(['success', 256]);
    expect(multiplied.output).toEqual(doubled.output);
  });

  it('0x0f checks a product of pairings', async () => {
    expect((await run(0x0f, hex(g1 + g2 + minusG1 + g2))).output).toEqual(word(1));
    expect((await run(0x0f, hex(g1 + g2 + g1 + g2))).output).toEqual(word(0));
  });

  it('0x10 and 0x11 map field elements to the curve; a number beyond the field fails', async () => {
    expect((await run(0x10, new Uint8Array(64))).output.length).toBe(128);
    expect((await run(0x11, new Uint8Array(128))).output.length).toBe(256);
    expect((await run(0x10, new Uint8Array(64).fill(0xff))).status).toBe('failure');
  });
});

describe('gas schedule 2', () => {
  const gasOf = async (number: number, input: Uint8Array, gasSchedule: number, gasLimit = 16_000_000n) => {
    const { result } = await runMessage({}, { to: precompile(number), data: input, gasLimit }, { gasSchedule });
    return { status: result.status, output: result.output, gas: result.gasUsed };
  };

  it('asks of a pairing what its 15 ms are worth in a block of 2 s, and answers the same', async () => {
    const pairs = new Uint8Array(2 * 192);
    const [first, second] = [await gasOf(8, pairs, 1), await gasOf(8, pairs, 2)];
    expect(second.output).toEqual(first.output);
    expect(first.gas).toBeLessThan(140_000n);
    // Two pairs of 450,000 gas, beside what sending zeros costs.
    expect(second.gas).toBeGreaterThan(900_000n);
    expect(second.gas).toBeLessThan(930_000n);
  });

  it('refuses before it works: with less gas a pairing fails', async () => {
    expect(await gasOf(8, new Uint8Array(2 * 192), 2, 850_000n)).toMatchObject({ status: 'failure', gas: 850_000n });
  });

  it('leaves the quick precompiles as they are', async () => {
    for (const number of [1, 2, 3, 4, 6]) {
      const input = new Uint8Array(128);
      expect(await gasOf(number, input, 2), String(number)).toEqual(await gasOf(number, input, 1));
    }
  });
});

describe('contracts that come and go', () => {
  it('puts a creation where its sender and nonce say, with nonce 1', async () => {
    const { result, state } = await runMessage({}, { data: hex(initCodeFor('00')) });
    const address = createAddress(testSuite, sender, 0n);
    expect(result).toMatchObject({ status: 'success', contractAddress: address });
    expect([state.getNonce(address), bytesToHex(state.getCode(address))]).toEqual([1n, '0x00']);
  });

  it('refuses code that begins with EF (EIP-3541), so that nobody forges a marker', async () => {
    const { result, state } = await runMessage({}, { data: hex(initCodeFor('ef48414e5345')), gasLimit: 200_000n });
    expect(result).toMatchObject({
      status: 'failure',
      gasUsed: 200_000n,
      error: 'invalid code: must not begin with 0xef',
    });
    expect(state.exists(createAddress(testSuite, sender, 0n))).toBe(false);
  });

  it('refuses more than 24,576 bytes of code (EIP-170)', async () => {
    // PUSH2 length, PUSH0, RETURN
    const tooLong = await runMessage({}, { data: hex('6160015ff3'), gasLimit: 10_000_000n });
    expect(tooLong.result).toMatchObject({ status: 'failure', error: 'max code size exceeded' });
    const longest = await runMessage({}, { data: hex('6160005ff3'), gasLimit: 10_000_000n });
    expect(longest.result.status).toBe('success');
  });

  it('fails a creation at an address that has storage (EIP-7610) or code', async () => {
    const address = createAddress(testSuite, sender, 0n);
    for (const occupied of [
      { balance: '0x1', storage: { '0x01': '0x01' } },
      { code: '0x00' },
      { nonce: '0x1' },
    ] as const) {
      const { result } = await runMessage(
        { [address]: occupied },
        { data: hex(initCodeFor('00')), gasLimit: 100_000n },
      );
      expect(result).toMatchObject({ status: 'failure', error: 'contract address collision', gasUsed: 100_000n });
    }
    const { result } = await runMessage({ [address]: { balance: '0x1' } }, { data: hex(initCodeFor('00')) });
    expect(result.status).toBe('success');
  });

  it('SELFDESTRUCT moves the balance and leaves an old contract standing (EIP-6780)', async () => {
    const allocation = {
      [contract]: { balance: '0x64', code: `0x73${other.slice(2)}ff`, storage: { '0x01': '0x07' } },
    } as const;
    const { state } = await runMessage(allocation, { to: contract });
    expect([state.getBalance(contract), state.getBalance(other)]).toEqual([0n, 100n]);
    expect([state.getCode(contract).length, state.getStorage(contract, 1n)]).toEqual([22, 7n]);
  });

  it('SELFDESTRUCT in the creating transaction removes code, storage and nonce', async () => {
    // The init code writes slot 1 and destroys itself in favour of `other`.
    const initCode = hex(`600760015573${other.slice(2)}ff`);
    const allocation = { [sender]: { balance: '0x64' } } as const;
    const { result, state } = await runMessage(allocation, { data: initCode, value: 100n });
    const address = createAddress(testSuite, sender, 0n);
    expect(result.status).toBe('success');
    expect([state.exists(address), state.getStorage(address, 1n), state.getBalance(other)]).toEqual([false, 0n, 100n]);
  });

  it('a reverted frame leaves no state, no log and no destruction behind', async () => {
    // `other` logs, writes slot 1, and reverts; `contract` calls it, and then writes slot 2.
    const code = `0x6000600060006000600073${other.slice(2)}5af1506001600255` as Hex;
    const { result, logs, state } = await runMessage(
      { [contract]: { code }, [other]: { code: '0x60006000a0600160015560006000fd' } },
      { to: contract },
    );
    expect(result.status).toBe('success');
    expect([logs.length, state.getStorage(other, 1n), state.getStorage(contract, 2n)]).toEqual([0, 0n, 1n]);
  });

  it('transient storage ends with the transaction and with a revert', async () => {
    // TSTORE(0, 5); return TLOAD(0)
    const code: Hex = '0x60055f5d5f5c5f5260205ff3';
    const { output } = await call(code);
    expect(output).toEqual(word(5));
    // Reads slot 0 alone: nothing of another transaction.
    expect((await call('0x5f5c5f5260205ff3')).output).toEqual(word(0));
  });
});

describe('a contract that calls a module', () => {
  const marker: Hex = '0xef48414e534501';
  const modules = { ...noModules, isModuleCode: (code: Uint8Array) => code[0] === 0xef };
  const reason = 'a contract cannot call a module on this version of the chain';

  it.each([
    ['CALL', '6000600060006000600073', 'f1'],
    ['CALLCODE', '6000600060006000600073', 'f2'],
    ['DELEGATECALL', '600060006000600073', 'f4'],
    ['STATICCALL', '600060006000600073', 'fa'],
  ])('by %s gets a revert with a reason, and keeps its gas', async (_, pushes, opcode) => {
    // The call; then RETURNDATACOPY of everything, and REVERT with it if the call failed.
    const code = `0x${pushes}${other.slice(2)}5a${opcode}503d600060003e3d6000fd` as Hex;
    const { result } = await runMessage(
      { [contract]: { code }, [other]: { code: marker } },
      { to: contract },
      { modules },
    );
    expect(result.status).toBe('revert');
    expect(new TextDecoder().decode(result.output)).toContain(reason);
    expect(result.gasUsed).toBeLessThan(30_000n);
  });

  it('sees the marker as its code', async () => {
    const result = await call(returning(`73${other.slice(2)}3b`), { [other]: { code: marker } }, { modules });
    expect(result.output).toEqual(word(7));
  });
});

describe('the suite inside the EVM', () => {
  it('EXTCODEHASH and CREATE addresses are Keccak where the state hashes code otherwise', async () => {
    const commercial: Suite = {
      ...testSuite,
      id: 'commercial',
      hash: testSuite.primitives.sha256,
      hashHex: (data) => bytesToHex(testSuite.primitives.sha256(data)),
    };
    const code = '0x6001600255';
    const { result } = await runMessage(
      { [contract]: { code: returning(`73${other.slice(2)}3f`) }, [other]: { code } },
      { to: contract },
      { suite: commercial },
    );
    expect(result.output).toEqual(testSuite.keccak256(hexToBytes(code)));
    const created = await runMessage({}, { data: hex(initCodeFor('00')) }, { suite: commercial });
    expect(created.state.getCode(createAddress(testSuite, sender, 0n))).toEqual(hex('00'));
  });
});
