import { type FinalityProof, Height, hexToBytes, verifyFinality } from '@hanse/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schemaErrors } from '../testing/executionAPIs.ts';
import {
  addressTopic,
  alice,
  bob,
  signed,
  TEST_CHAIN_ID,
  TRANSFER_TOPIC,
  testSuite,
  testValidators,
  token,
  transferLog,
} from '../testing/testChain.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** The result, which must have the shape that the execution APIs prescribe for the method. */
async function ask(method: string, ...params: unknown[]): Promise<unknown> {
  const { result, error } = await server.rpc(method, ...params);
  expect(error).toBeUndefined();
  expect(schemaErrors(method, result)).toEqual([]);
  return result;
}

async function refusal(method: string, ...params: unknown[]) {
  const { error } = await server.rpc(method, ...params);
  return error;
}

type Fields = Record<string, unknown>;
const hashAt = (height: number) => server.chain.header(Height(height))!.hash;
const transactionsAt = (height: number) => server.chain.transactions(Height(height))!;

describe('blocks', () => {
  it('has every field of a Prague block and nothing else', async () => {
    const block = (await ask('eth_getBlockByNumber', '0x2', false)) as Fields;
    expect(Object.keys(block).sort()).toEqual([
      'baseFeePerGas',
      'blobGasUsed',
      'difficulty',
      'excessBlobGas',
      'extraData',
      'gasLimit',
      'gasUsed',
      'hash',
      'logsBloom',
      'miner',
      'mixHash',
      'nonce',
      'number',
      'parentBeaconBlockRoot',
      'parentHash',
      'receiptsRoot',
      'requestsHash',
      'sha3Uncles',
      'size',
      'stateRoot',
      'timestamp',
      'transactions',
      'transactionsRoot',
      'uncles',
      'withdrawals',
      'withdrawalsRoot',
    ]);
    expect(block).toMatchObject({ number: '0x2', hash: hashAt(2), parentHash: hashAt(1), uncles: [], withdrawals: [] });
    expect(block.transactions).toEqual(transactionsAt(2).map(({ hash }) => hash));
  });

  it('calls latest, safe, finalized and pending the newest block, and earliest the genesis', async () => {
    for (const tag of ['latest', 'safe', 'finalized', 'pending']) {
      expect(await ask('eth_getBlockByNumber', tag, false)).toMatchObject({ hash: hashAt(4) });
    }
    expect(await ask('eth_getBlockByNumber', 'earliest', true)).toMatchObject({ number: '0x0', hash: hashAt(0) });
    expect(await ask('eth_blockNumber')).toBe('0x4');
  });

  it('gives null for blocks that do not exist', async () => {
    expect(await ask('eth_getBlockByNumber', '0x5', false)).toBeNull();
    expect(await ask('eth_getBlockByNumber', '0xffffffffffffffff', false)).toBeNull();
    expect(await ask('eth_getBlockByHash', `0x${'ab'.repeat(32)}`, false)).toBeNull();
    expect(await ask('eth_getBlockReceipts', '0x5')).toBeNull();
    expect(await ask('eth_getBlockTransactionCountByNumber', '0x5')).toBeNull();
    expect(await ask('eth_getTransactionByBlockNumberAndIndex', '0x2', '0x3')).toBeNull();
  });

  it('finds the same block by hash, with whole transactions', async () => {
    const byHash = await ask('eth_getBlockByHash', hashAt(2), true);
    expect(byHash).toEqual(await ask('eth_getBlockByNumber', '0x2', true));
    expect((byHash as Fields).transactions).toHaveLength(3);
  });

  it('counts the bytes of the RLP of the block as its size', async () => {
    // 0xf9 prefix (3) + header + 0xc0 transactions + 0xc0 ommers + 0xc0 withdrawals
    const { encodeHeader } = await import('@hanse/protocol');
    const header = encodeHeader(server.chain.header(Height(3))!.header).length;
    expect(await ask('eth_getBlockByNumber', '0x3', false)).toMatchObject({ size: `0x${(header + 6).toString(16)}` });
  });

  it('counts transactions by number and by hash', async () => {
    expect(await ask('eth_getBlockTransactionCountByNumber', '0x2')).toBe('0x3');
    expect(await ask('eth_getBlockTransactionCountByHash', hashAt(3))).toBe('0x0');
  });
});

describe('transactions', () => {
  it('shows legacy, access list and fee market transactions with their own fields', async () => {
    const [creation] = transactionsAt(1);
    const legacy = (await ask('eth_getTransactionByHash', creation!.hash)) as Fields;
    expect(legacy).toMatchObject({ type: '0x0', from: alice, to: null, nonce: '0x0', blockNumber: '0x1' });
    expect(legacy).not.toHaveProperty('yParity');
    expect(legacy).not.toHaveProperty('accessList');
    // EIP-155
    expect(BigInt(legacy.v as string)).toBe(35n + 2n * TEST_CHAIN_ID + BigInt(creation!.signature.yParity));
    const feeMarket = (await ask('eth_getTransactionByBlockNumberAndIndex', '0x2', '0x0')) as Fields;
    expect(feeMarket).toMatchObject({ type: '0x2', accessList: [], maxFeePerGas: '0x0', maxPriorityFeePerGas: '0x0' });
    expect(feeMarket.v).toBe(feeMarket.yParity);
    const accessList = (await ask('eth_getTransactionByBlockHashAndIndex', hashAt(2), '0x1')) as Fields;
    expect(accessList).toMatchObject({ type: '0x1', from: bob, gasPrice: '0x0' });
    expect(accessList.accessList).toHaveLength(1);
    expect(accessList).not.toHaveProperty('maxFeePerGas');
  });

  it('shows a waiting transaction without a block', async () => {
    const waiting = signed('alice', { nonce: 3n, to: bob, maxFeePerGas: 7n });
    server.pool.take(waiting);
    expect((await server.rpc('eth_getTransactionByHash', waiting.hash)).result).toMatchObject({
      blockHash: null,
      blockNumber: null,
      transactionIndex: null,
      gasPrice: '0x7',
      hash: waiting.hash,
    });
    expect(await ask('eth_getTransactionReceipt', waiting.hash)).toBeNull();
    expect(await ask('eth_getTransactionCount', alice, 'latest')).toBe('0x3');
    expect(await ask('eth_getTransactionCount', alice, 'pending')).toBe('0x4');
    server.pool.waiting.clear();
    expect(await ask('eth_getTransactionCount', alice, 'pending')).toBe('0x3');
  });

  it('gives receipts with logs numbered through the block', async () => {
    const receipts = (await server.rpc('eth_getBlockReceipts', '0x2')).result as Fields[];
    const standard = receipts.map(({ revertReason, ...fields }) => fields);
    expect(schemaErrors('eth_getBlockReceipts', standard)).toEqual([]);
    const logIndexes = receipts.flatMap(({ logs }) => (logs as Fields[]).map(({ logIndex }) => logIndex));
    expect(logIndexes).toEqual(['0x0', '0x1', '0x2']);
    expect(receipts.map(({ cumulativeGasUsed }) => Number(cumulativeGasUsed))).toEqual([51_000, 81_000, 102_000]);
    expect(receipts.slice(0, 2)).toEqual([
      await ask('eth_getTransactionReceipt', transactionsAt(2)[0]!.hash),
      await ask('eth_getTransactionReceipt', transactionsAt(2)[1]!.hash),
    ]);
    const [creation] = (await ask('eth_getBlockReceipts', hashAt(1))) as Fields[];
    expect(creation).toMatchObject({ contractAddress: token, to: null, status: '0x1', type: '0x0' });
  });

  it('tells why a transaction failed, beside the fields of the standard', async () => {
    const { result } = await server.rpc('eth_getTransactionReceipt', transactionsAt(2)[2]!.hash);
    expect(result).toMatchObject({ status: '0x0', revertReason: '0xdeadbeef', logs: [] });
  });

  it('gives null for unknown transactions', async () => {
    expect(await ask('eth_getTransactionByHash', `0x${'00'.repeat(32)}`)).toBeNull();
    expect(await ask('eth_getTransactionReceipt', `0x${'00'.repeat(32)}`)).toBeNull();
  });

  it('decodes a block once for all the receipts that clients ask for', async () => {
    const fresh = await startTestServer();
    const before = fresh.chain.decodedBlocks;
    for (const { hash } of transactionsAt(2)) await fresh.rpc('eth_getTransactionReceipt', hash);
    expect(fresh.chain.decodedBlocks - before).toBe(1);
    await fresh.close();
  });
});

describe('state', () => {
  it('reads balance, nonce, code and storage of the newest block', async () => {
    expect(await ask('eth_getBalance', alice, 'latest')).toBe('0xde0b6b3a7640000');
    expect(await ask('eth_getBalance', alice.toUpperCase().replace('0X', '0x'))).toBe('0xde0b6b3a7640000');
    expect(await ask('eth_getTransactionCount', bob)).toBe('0x2');
    expect(await ask('eth_getCode', token)).toBe('0x6080604052');
    expect(await ask('eth_getStorageAt', token, '0x0')).toBe(`0x${'0'.repeat(61)}3e8`);
    expect(await ask('eth_getStorageAt', token, `0x${'0'.repeat(64)}`)).toBe(`0x${'0'.repeat(61)}3e8`);
    const nobody = `0x${'77'.repeat(20)}`;
    expect(await ask('eth_getBalance', nobody)).toBe('0x0');
    expect(await ask('eth_getCode', nobody)).toBe('0x');
    expect(await ask('eth_getStorageAt', nobody, '0x1')).toBe(`0x${'00'.repeat(32)}`);
  });

  it('takes the newest block by number, hash and EIP-1898 object', async () => {
    for (const block of ['0x4', hashAt(4), { blockNumber: '0x4' }, { blockHash: hashAt(4), requireCanonical: true }]) {
      expect(await ask('eth_getBalance', alice, block)).toBe('0xde0b6b3a7640000');
    }
  });

  it('says that older states are not kept, and that later blocks do not exist', async () => {
    const message =
      'state of block 3 is not available: this member keeps only the newest state (block 4); use "latest"';
    for (const block of ['0x3', hashAt(3)]) {
      expect(await refusal('eth_getBalance', alice, block)).toEqual({ code: -32000, message });
      expect(await refusal('eth_call', { to: token }, block)).toEqual({ code: -32000, message });
    }
    expect(await refusal('eth_getBalance', alice, '0x5')).toEqual({ code: -32000, message: 'header not found' });
  });

  it("has go-ethereum's errors for storage keys", async () => {
    const long = `0x${'0'.repeat(65)}`;
    expect(await refusal('eth_getStorageAt', alice, long, 'latest')).toEqual({
      code: -32602,
      message: `storage key too long (want at most 32 bytes): "${long}"`,
    });
    expect(await refusal('eth_getStorageAt', alice, '0xasdf', 'latest')).toEqual({
      code: -32602,
      message: 'invalid hex in storage key: "0xasdf"',
    });
  });
});

describe('logs', () => {
  const all = { fromBlock: 'earliest', toBlock: 'latest' };
  const places = (logs: unknown) => (logs as Fields[]).map(({ blockNumber, logIndex }) => `${blockNumber}/${logIndex}`);

  it('filters by range, address and topics', async () => {
    expect(places(await ask('eth_getLogs', all))).toEqual(['0x2/0x0', '0x2/0x1', '0x2/0x2', '0x4/0x0']);
    expect(places(await ask('eth_getLogs', {}))).toEqual(['0x4/0x0']);
    expect(places(await ask('eth_getLogs', { ...all, address: [bob, token] }))).toHaveLength(4);
    expect(await ask('eth_getLogs', { ...all, address: bob })).toEqual([]);
    expect(places(await ask('eth_getLogs', { ...all, topics: [TRANSFER_TOPIC, null, addressTopic(alice)] }))).toEqual([
      '0x2/0x1',
      '0x2/0x2',
    ]);
    expect(places(await ask('eth_getLogs', { ...all, topics: [[], [addressTopic(bob)]] }))).toEqual([
      '0x2/0x2',
      '0x4/0x0',
    ]);
    expect(await ask('eth_getLogs', { ...all, topics: [null, null, null, null] })).toEqual([]);
    expect(places(await ask('eth_getLogs', { blockHash: hashAt(2), address: token }))).toHaveLength(3);
  });

  it('refuses ranges as the execution APIs do', async () => {
    expect(await refusal('eth_getLogs', { fromBlock: '0x2', toBlock: '0x8' })).toEqual({
      code: -32602,
      message: 'block range extends beyond current head block',
    });
    expect(await refusal('eth_getLogs', { fromBlock: '0x9' })).toEqual({
      code: -32602,
      message: 'block range extends beyond current head block',
    });
    expect(await refusal('eth_getLogs', { fromBlock: '0x3', toBlock: '0x2' })).toEqual({
      code: -32602,
      message: 'invalid block range params',
    });
    expect(await refusal('eth_getLogs', { blockHash: hashAt(2), fromBlock: '0x1' })).toEqual({
      code: -32602,
      message: 'invalid argument 0: cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other',
    });
    expect(await refusal('eth_getLogs', { blockHash: `0x${'99'.repeat(32)}` })).toMatchObject({ code: -32000 });
    expect(await refusal('eth_getLogs', { topics: [null, null, null, null, null] })).toMatchObject({ code: -32005 });
    expect(await refusal('eth_getLogs', { address: '0x12' })).toMatchObject({ code: -32602 });
  });
});

describe('fees, network and client', () => {
  it('answers what wallets ask first', async () => {
    expect(await ask('eth_chainId')).toBe('0x13527d2');
    expect(await ask('net_version')).toBe('20260818');
    expect(await ask('eth_gasPrice')).toBe('0x0');
    expect(await ask('eth_maxPriorityFeePerGas')).toBe('0x0');
    expect(await ask('eth_accounts')).toEqual([]);
    expect(await ask('eth_syncing')).toBe(false);
    expect((await server.rpc('net_listening')).result).toBe(true);
    expect((await server.rpc('net_peerCount')).result).toBe('0x2');
    expect((await server.rpc('web3_clientVersion')).result).toMatch(/^Hanse\/v0\.1\.0\//);
    // The example of EIP-1474.
    expect((await server.rpc('web3_sha3', '0x68656c6c6f20776f726c64')).result).toBe(
      '0x47173285a8d7341e5e972fc677286384f802f8ef42a5ec5f03bbfa254cb01fad',
    );
  });

  it('shows progress while it catches up', async () => {
    const syncing = await startTestServer({ syncing: { startingHeight: 1, highestHeight: 300 } });
    const { result } = await syncing.rpc('eth_syncing');
    expect(result).toEqual({ startingBlock: '0x1', currentBlock: '0x4', highestBlock: '0x12c' });
    expect(schemaErrors('eth_syncing', result)).toEqual([]);
    await syncing.close();
  });

  it('gives the fee history of as many blocks as there are', async () => {
    expect(await ask('eth_feeHistory', '0x400', 'latest', [10, 90])).toEqual({
      oldestBlock: '0x0',
      baseFeePerGas: Array(6).fill('0x0'),
      baseFeePerBlobGas: Array(6).fill('0x0'),
      blobGasUsedRatio: Array(5).fill(0),
      gasUsedRatio: [0, 53_000 / 60_000_000, 102_000 / 60_000_000, 0, 21_000 / 60_000_000],
      reward: Array(5).fill(['0x0', '0x0']),
    });
    expect(await ask('eth_feeHistory', 1, '0x2')).not.toHaveProperty('reward');
    expect(await refusal('eth_feeHistory', '0x1', '0x9', [])).toMatchObject({ code: -32000 });
    expect(await refusal('eth_feeHistory', '0x1', 'latest', [50, 10])).toMatchObject({ code: -32602 });
    expect(await refusal('eth_feeHistory', '0x0', 'latest')).toMatchObject({ code: -32602 });
  });
});

describe('hanse', () => {
  it('proves blocks final to a light client, uncertified ones by their certified descendant', async () => {
    for (const [target, certified] of [
      [1, 1],
      [3, 4],
      [4, 4],
      [0, 1],
    ] as const) {
      const { result } = await server.rpc('hanse_getFinality', `0x${target}`);
      expect(result).toMatchObject({
        height: target,
        certifiedHeight: certified,
        signers: ['authority', 'bank', 'market'],
      });
      const proof = result as FinalityProof;
      const verified = verifyFinality(testSuite, server.chain.genesisHash, testValidators, proof);
      expect([verified.hash, verified.certifiedHeader.number]).toEqual([hashAt(target), certified]);
    }
    expect((await server.rpc('hanse_getFinality', '0x9')).result).toBeNull();
  });

  it('says so when no certificate is near enough', async () => {
    const far = await startTestServer({ limits: { maxFinalityHeaders: 0 } });
    expect((await far.rpc('hanse_getFinality', '0x3')).error).toEqual({
      code: -32000,
      message: 'no certified descendant: none of the 1 blocks from 3 on has a certificate here',
    });
    await far.close();
  });

  it('describes members and itself', async () => {
    const { result: members } = await server.rpc('hanse_members');
    expect((members as Fields[]).map(({ name }) => name)).toEqual(['authority', 'bank', 'farm', 'market']);
    expect((await server.rpc('hanse_status')).result).toMatchObject({
      name: 'farm',
      height: 4,
      blockHash: hashAt(4),
      view: 5,
      chainId: 20260818,
      suite: 'international',
      cryptography: { secp256k1: 'javascript' },
      healthy: true,
      syncing: false,
    });
    expect((await server.rpc('hanse_health')).result).toMatchObject({ healthy: true });
  });
});

it('takes a chain that grows into account at once', async () => {
  const growing = await startTestServer();
  growing.chain.append([
    {
      transaction: signed('bob', { nonce: 2n, to: token, data: hexToBytes('0x01') }),
      logs: [transferLog(bob, alice, 1n)],
    },
  ]);
  expect((await growing.rpc('eth_blockNumber')).result).toBe('0x5');
  expect((await growing.rpc('eth_getTransactionCount', bob, '0x5')).result).toBe('0x3');
  await growing.close();
});
