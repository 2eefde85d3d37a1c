import { readFileSync } from 'node:fs';
import {
  type Address,
  bytesToHex,
  createAddress,
  emptyHashes,
  type Hex,
  headerHash,
  hexToBytes,
  type StateReader,
} from '@hanse/protocol';
import { encodeDeployData, encodeFunctionData, keccak256, toHex, zeroAddress } from 'viem';
import { describe, expect, it } from 'vitest';
import { hasSharedData, sharedData } from '../../../../test/sharedData.ts';
import { InternalExecutionError } from './internalExecutionError.ts';
import {
  ExecutionChain,
  initCodeFor,
  noModules,
  testAccount,
  testRules,
  testSuite,
  testTransaction,
} from './testing/executionFixture.ts';

const alice = testAccount(1);
const bob = testAccount(2);
const contract: Address = `0x${'c0'.repeat(20)}`;

describe('executeBlock', () => {
  const counter: Hex = '0x5f54600101805f555f5260205fa000'; // slot 0 += 1; LOG0 of the new value
  const allocation = { [contract]: { code: counter, nonce: '0x01' }, [alice.address]: { balance: '0x64' } } as const;

  const transactions = () => [
    testTransaction({ nonce: 0n, to: contract }),
    testTransaction({ nonce: 0n, to: contract }, bob),
    testTransaction({ nonce: 1n, to: bob.address, value: 7n }),
  ];

  it('runs transactions in order and counts their gas', async () => {
    const { receipts, gasUsed, overlay, header } = await new ExecutionChain(allocation).execute(transactions());
    expect(receipts.map(({ success }) => success)).toEqual([true, true, true]);
    expect(overlay.storage(contract, 0n)).toBe(2n);
    expect(receipts.map(({ gasUsed: used }) => used).reduce((sum, used) => sum + used)).toBe(gasUsed);
    expect(receipts.at(-1)?.cumulativeGasUsed).toBe(gasUsed);
    expect(header.gasUsed).toBe(gasUsed);
    expect(overlay.account(bob.address)).toMatchObject({ nonce: 1n, balance: 7n });
  });

  it('gives the same block from the same request, and another from any other', async () => {
    const run = async (list = transactions()) => (await new ExecutionChain(allocation).execute(list)).hash;
    expect(await run()).toBe(await run());
    const others = await Promise.all([
      run(transactions().slice(0, 2)),
      run(transactions().reverse().slice(1, 2)),
      run([]),
    ]);
    expect(new Set([await run(), ...others]).size).toBe(4);
  });

  it('writes the header of the rules: parent, time, randomness, limits, base fee, constants', async () => {
    const chain = new ExecutionChain(allocation, { rules: { ...testRules, blockGasLimit: 30_000_000n } });
    const parent = chain.head;
    const { header, hash } = await chain.execute(transactions());
    expect(hash).toBe(headerHash(testSuite, header));
    expect(header).toMatchObject({
      parentHash: parent.hash,
      mixHash: parent.hash,
      number: 1,
      timestamp: 1_700_000_001,
      gasLimit: 30_000_000n,
      baseFeePerGas: 0n,
      difficulty: 0n,
      blobGasUsed: 0n,
      excessBlobGas: 0n,
      withdrawalsRoot: emptyHashes(testSuite).trieRoot,
    });
    expect(header.extraData.length).toBe(66);
  });

  it('an empty block changes nothing but the chain', async () => {
    const chain = new ExecutionChain(allocation);
    const { header, receipts, stateChanges } = await chain.execute([]);
    expect(header.stateRoot).toBe(chain.blocks[0]?.header.stateRoot);
    expect([header.transactionsRoot, header.receiptsRoot]).toEqual(Array(2).fill(emptyHashes(testSuite).trieRoot));
    expect([receipts.length, header.gasUsed, stateChanges.accounts.size]).toEqual([0, 0n, 0]);
    expect(BigInt(header.logsBloom)).toBe(0n);
  });

  it('builds block on block, and finds the hashes of ancestors', async () => {
    // Stores BLOCKHASH(NUMBER - 2) in slot NUMBER.
    const chain = new ExecutionChain({ [contract]: { code: '0x60024303404355', nonce: '0x01' } });
    for (let nonce = 0n; nonce < 4n; nonce++) await chain.execute([testTransaction({ nonce, to: contract })]);
    expect(chain.state.storage(contract, 4n)).toBe(BigInt(chain.blocks[2]!.hash));
    expect(chain.state.storage(contract, 1n)).toBe(0n);
  });

  it('shows modules the hashes of exactly the last 256 blocks', async () => {
    const seen: (string | undefined)[] = [];
    const modules = {
      ...noModules,
      beginBlock: ({ block }: Parameters<typeof noModules.beginBlock>[0]) => {
        if (block.height === 258) seen.push(...[1, 2, 257, 258, 259, -1].map((height) => block.blockHash(height)));
        return [];
      },
    };
    const chain = new ExecutionChain({}, { modules });
    for (let height = 1; height <= 258; height++) await chain.execute([]);
    const [second, newest] = [chain.blocks[2]?.hash, chain.blocks[257]?.hash];
    expect(seen).toEqual([undefined, second, newest, undefined, undefined, undefined]);
  });

  it('runs the hooks of modules before the first transaction, and refuses logs of theirs', async () => {
    const seen: bigint[] = [];
    const modules = {
      ...noModules,
      beginBlock: (host: Parameters<typeof noModules.beginBlock>[0]) => {
        seen.push(host.state.getStorage(contract, 0n));
        host.state.setStorage(contract, 0n, 40n);
        return [{ module: 'another', error: 'out of gas' }];
      },
    };
    const block = await new ExecutionChain(allocation, { modules }).execute(transactions());
    expect(seen).toEqual([0n]);
    expect(block.overlay.storage(contract, 0n)).toBe(42n);
    expect(block.hookFailures).toEqual([{ module: 'another', error: 'out of gas' }]);
    const logging = {
      ...noModules,
      beginBlock: (host: Parameters<typeof noModules.beginBlock>[0]) => {
        host.state.addLog({ address: contract, topics: [], data: new Uint8Array(0) });
        return [];
      },
    };
    const failing = new ExecutionChain(allocation, { modules: logging }).execute([]);
    await expect(failing).rejects.toBeInstanceOf(InternalExecutionError);
  });

  it('asks the state after the block who decides the next one', async () => {
    const chain = new ExecutionChain(allocation);
    const asked: bigint[] = [];
    const before = await chain.execute(transactions(), (state: StateReader) => {
      asked.push(state.storage(contract, 0n));
      return `0x${'ab'.repeat(32)}`;
    });
    expect([asked, before.nextSetHash]).toEqual([[2n], `0x${'ab'.repeat(32)}`]);
  });

  it('can go on after an internal error', async () => {
    let broken = true;
    const modules = {
      ...noModules,
      beginBlock: () => {
        if (broken) throw new TypeError('a bug');
        return [];
      },
    };
    const chain = new ExecutionChain(allocation, { modules });
    await expect(chain.execute([])).rejects.toMatchObject({
      name: 'InternalExecutionError',
      cause: { message: 'a bug' },
    });
    broken = false;
    expect((await chain.execute(transactions())).gasUsed).toBeGreaterThan(0n);
  });

  it('puts what logs say into the bloom', async () => {
    const { header } = await new ExecutionChain(allocation).execute(transactions());
    const hash = hexToBytes(keccak256(contract));
    for (const pair of [0, 2, 4]) {
      const bit = ((hash[pair]! << 8) | hash[pair + 1]!) & 2047;
      expect((BigInt(header.logsBloom) >> BigInt(bit)) & 1n).toBe(1n);
    }
  });

  it('creates contracts that later transactions of the block call', async () => {
    const address = createAddress(testSuite, alice.address, 0n);
    const { receipts, overlay } = await new ExecutionChain({}).execute([
      testTransaction({ nonce: 0n, data: hexToBytes(`0x${initCodeFor(counter.slice(2))}`) }),
      testTransaction({ nonce: 1n, to: address }),
    ]);
    expect(receipts[0]?.contractAddress).toBe(address);
    expect([receipts[1]?.logs.length, overlay.storage(address, 0n)]).toEqual([1, 1n]);
  });
});

const artefact = 'contracts/openzeppelin-4.9.6/ERC20PresetFixedSupply.json';
const isPresent = hasSharedData(artefact, 'ERC-20 test');

describe.skipIf(!isPresent)('an ERC-20 of OpenZeppelin 4.9.6', () => {
  const read = () =>
    JSON.parse(readFileSync(sharedData(artefact), 'utf8')) as { abi: readonly unknown[]; bytecode: Hex };
  /** Where Solidity keeps a mapping's value: keccak256(key . slot). */
  const mappingSlot = (key: Address, slot: bigint) =>
    BigInt(keccak256(`0x${key.slice(2).padStart(64, '0')}${slot.toString(16).padStart(64, '0')}`));

  it('deploys, transfers and reverts with the expected storage, logs and gas', async () => {
    const { abi, bytecode } = read();
    const supply = 1_000_000n;
    const args = ['Token', 'TOK', supply, alice.address];
    const data = hexToBytes(encodeDeployData({ abi, bytecode, args }));
    const token = createAddress(testSuite, alice.address, 0n);
    const transfer = (to: Address, amount: bigint) =>
      hexToBytes(encodeFunctionData({ abi, functionName: 'transfer', args: [to, amount] }));
    const chain = new ExecutionChain({});
    const deployment = await chain.execute([testTransaction({ nonce: 0n, data, gasLimit: 2_000_000n })]);
    expect(deployment.receipts[0]).toMatchObject({ success: true, contractAddress: token });
    expect(deployment.overlay.storage(token, mappingSlot(alice.address, 0n))).toBe(supply);
    expect(deployment.overlay.storage(token, 2n)).toBe(supply);

    const { receipts, overlay } = await chain.execute([
      testTransaction({ nonce: 1n, to: token, data: transfer(bob.address, 250n) }),
      testTransaction({ nonce: 2n, to: token, data: transfer(bob.address, 50n) }),
      testTransaction({ nonce: 0n, to: token, data: transfer(alice.address, 301n) }, bob),
      testTransaction({ nonce: 3n, to: token, data: transfer(zeroAddress, 1n) }),
    ]);
    expect(receipts.map(({ success }) => success)).toEqual([true, true, false, false]);
    expect(overlay.storage(token, mappingSlot(alice.address, 0n))).toBe(supply - 300n);
    expect(overlay.storage(token, mappingSlot(bob.address, 0n))).toBe(300n);
    expect(new TextDecoder().decode(receipts[2]?.revertData)).toContain('ERC20: transfer amount exceeds balance');
    const log = receipts[0]?.logs[0];
    expect(log?.address).toBe(token);
    expect(log?.topics).toEqual([
      keccak256(toHex('Transfer(address,address,uint256)')),
      `0x${alice.address.slice(2).padStart(64, '0')}`,
      `0x${bob.address.slice(2).padStart(64, '0')}`,
    ]);
    expect(bytesToHex(log!.data)).toBe(`0x${250n.toString(16).padStart(64, '0')}`);
    // The second transfer writes a slot of the recipient that is in use: 2,900 instead of 20,000 (EIP-2200, EIP-2929).
    expect(receipts[0]!.gasUsed - receipts[1]!.gasUsed).toBe(17_100n);
  });
});
