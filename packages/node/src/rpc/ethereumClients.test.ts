import { ethers } from 'ethers';
import { createPublicClient, createWalletClient, defineChain, http, parseAbi, parseAbiItem, webSocket } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alice, bob, keyOf, signed, TEST_CHAIN_ID, token, transferLog } from './testing/testChain.ts';
import { startTestServer, type TestServer } from './testing/testServer.ts';

// Both libraries exactly as an application uses them: no custom formatters, transports or networks.

const abi = parseAbi([
  'function totalSupply() view returns (uint256)',
  'function unknown() view returns (uint256)',
  'event Transfer(address indexed from, address indexed to, uint256 value)',
]);
const transferEvent = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)');

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

let nonce = 100n;
const transfer = (amount: bigint) => ({
  transaction: signed('bob', { nonce: nonce++, to: token }),
  logs: [transferLog(bob, alice, amount)],
});

describe('viem', () => {
  const chainOf = () =>
    defineChain({
      id: Number(TEST_CHAIN_ID),
      name: 'Hanse',
      nativeCurrency: { name: 'Coin', symbol: 'COIN', decimals: 18 },
      rpcUrls: { default: { http: [server.url], webSocket: [server.webSocketURL] } },
    });
  const overHTTP = () => createPublicClient({ chain: chainOf(), transport: http() });

  it('reads blocks, transactions, receipts and state', async () => {
    const client = overHTTP();
    expect(await client.getChainId()).toBe(Number(TEST_CHAIN_ID));
    const block = await client.getBlock({ blockNumber: 2n, includeTransactions: true });
    expect(block).toMatchObject({ number: 2n, baseFeePerGas: 0n, gasUsed: 102_000n, withdrawals: [] });
    expect(block.transactions.map(({ type }) => type)).toEqual(['eip1559', 'eip2930', 'eip1559']);
    const { hash } = block.transactions[0]!;
    expect(await client.getTransaction({ hash })).toMatchObject({
      from: alice,
      nonce: 1,
      chainId: Number(TEST_CHAIN_ID),
    });
    const receipt = await client.waitForTransactionReceipt({ hash });
    expect(receipt).toMatchObject({
      status: 'success',
      gasUsed: 51_000n,
      effectiveGasPrice: 0n,
      contractAddress: null,
    });
    expect(await client.getTransactionReceipt({ hash: block.transactions[2]!.hash })).toMatchObject({
      status: 'reverted',
    });
    expect(await client.getTransactionConfirmations({ hash })).toBe(3n);
    expect(await client.getBalance({ address: alice })).toBe(10n ** 18n);
    expect(await client.getTransactionCount({ address: bob })).toBe(2);
    expect(await client.getCode({ address: token })).toBe('0x6080604052');
    expect(await client.getStorageAt({ address: token, slot: '0x0' })).toMatch(/3e8$/);
    expect(await client.getFeeHistory({ blockCount: 4, rewardPercentiles: [50] })).toMatchObject({ oldestBlock: 1n });
    expect(await client.estimateFeesPerGas()).toEqual({ maxFeePerGas: 0n, maxPriorityFeePerGas: 0n });
    await expect(client.getBlock({ blockNumber: 99n })).rejects.toThrow('could not be found');
    await expect(client.getTransaction({ hash: `0x${'12'.repeat(32)}` })).rejects.toThrow('could not be found');
  });

  it('reads contracts and understands why they revert', async () => {
    const client = overHTTP();
    expect(await client.readContract({ address: token, abi, functionName: 'totalSupply' })).toBe(1_000n);
    await expect(client.readContract({ address: token, abi, functionName: 'unknown' })).rejects.toMatchObject({
      cause: { name: 'ContractFunctionRevertedError', reason: 'unknown' },
    });
    await expect(client.getBalance({ address: alice, blockNumber: 1n })).rejects.toThrow('keeps only the newest state');
  });

  it('sends a transaction from a local account, preparing it by itself', async () => {
    const account = privateKeyToAccount(`0x${Buffer.from(keyOf('bob')).toString('hex')}`);
    expect(account.address.toLowerCase()).toBe(bob);
    const wallet = createWalletClient({ account, chain: chainOf(), transport: http() });
    const hash = await wallet.sendTransaction({ to: token, data: '0x18160ddd' });
    expect(server.pool.get(hash)).toMatchObject({ sender: bob, nonce: 2n, type: 2, gasLimit: 23_456n });
    server.pool.refusal = { code: 'nonce-too-low', message: 'nonce too low: next nonce 9, tx nonce 2' };
    await expect(wallet.sendTransaction({ to: token, nonce: 2 })).rejects.toMatchObject({
      cause: { name: 'NonceTooLowError' },
    });
    server.pool.refusal = { code: 'insufficient-funds', message: '' };
    await expect(wallet.sendTransaction({ to: token, value: 5n })).rejects.toMatchObject({
      cause: { name: 'InsufficientFundsError' },
    });
    server.pool.refusal = undefined;
    server.pool.waiting.clear();
  });

  it('filters events', async () => {
    const client = overHTTP();
    const logs = await client.getLogs({ address: token, event: transferEvent, fromBlock: 0n, toBlock: 4n });
    expect(logs.map(({ args }) => args.value)).toEqual([5n, 7n, 3n, 9n]);
    const fromBob = await client.getContractEvents({
      address: token,
      abi,
      eventName: 'Transfer',
      args: { from: bob },
      fromBlock: 'earliest',
    });
    expect(fromBob.map(({ args }) => args.value)).toEqual([3n, 9n]);
    const filter = await client.createEventFilter({ address: token, event: transferEvent });
    server.chain.append([transfer(77n)]);
    expect((await client.getFilterChanges({ filter })).map(({ args }) => args.value)).toEqual([77n]);
    expect(await client.uninstallFilter({ filter })).toBe(true);
  });

  it('watches blocks and events over WebSocket', async () => {
    const client = createPublicClient({ chain: chainOf(), transport: webSocket() });
    const head = server.chain.headHeight();
    let unwatch: (() => void)[] = [];
    const { subscribe } = await client.transport.getRpcClient().then(() => client.transport);
    // Both watches are subscribed when one more subscription, asked for later, is there.
    const blocks = new Promise<bigint[]>((resolve, reject) => {
      const numbers: bigint[] = [];
      const stop = client.watchBlocks({
        onBlock: (block) => {
          numbers.push(block.number);
          if (numbers.length === 3) resolve(numbers);
        },
        onError: reject,
      });
      unwatch = [...unwatch, stop];
    });
    const events = new Promise<unknown[]>((resolve, reject) => {
      const stop = client.watchEvent({ address: token, event: transferEvent, onLogs: resolve, onError: reject });
      unwatch = [...unwatch, stop];
    });
    const last = await subscribe({ params: ['newHeads'], onData: () => {} });
    server.chain.append([]);
    server.chain.append([transfer(88n)]);
    server.chain.append([]);
    // viem asks for the three blocks at once, and shows them as the answers come.
    expect((await blocks).map(Number).sort()).toEqual([head + 1, head + 2, head + 3]);
    expect(await events).toMatchObject([{ args: { value: 88n }, blockNumber: BigInt(head + 2), removed: false }]);
    for (const stop of unwatch) stop();
    await last.unsubscribe();
    (await client.transport.getRpcClient()).close();
  });
});

describe('ethers', () => {
  it('reads, calls, estimates and filters over HTTP', async () => {
    const provider = new ethers.JsonRpcProvider(server.url);
    expect((await provider.getNetwork()).chainId).toBe(TEST_CHAIN_ID);
    const block = await provider.getBlock(2, true);
    expect(block).toMatchObject({ number: 2, gasUsed: 102_000n, baseFeePerGas: 0n });
    const [transaction, second, failed] = block!.prefetchedTransactions;
    expect([transaction?.type, second?.type]).toEqual([2, 1]);
    // ethers recovers the sender from the signature by itself.
    expect(transaction?.from.toLowerCase()).toBe(alice);
    expect(await provider.getTransactionReceipt(transaction!.hash)).toMatchObject({
      status: 1,
      gasUsed: 51_000n,
      index: 0,
    });
    expect((await provider.getTransactionReceipt(failed!.hash))?.status).toBe(0);
    const contract = new ethers.Contract(
      token,
      [
        'function totalSupply() view returns (uint256)',
        'function unknown() view returns (uint256)',
        'event Transfer(address indexed from, address indexed to, uint256 value)',
      ],
      provider,
    );
    expect(await contract.getFunction('totalSupply')()).toBe(1_000n);
    await expect(contract.getFunction('unknown')()).rejects.toMatchObject({
      code: 'CALL_EXCEPTION',
      reason: 'unknown',
    });
    const logs = await contract.queryFilter('Transfer', 0, 4);
    expect(logs.map((log) => (log as ethers.EventLog).args.getValue('value'))).toEqual([5n, 7n, 3n, 9n]);
    expect(await provider.getFeeData()).toMatchObject({ gasPrice: 0n });
    expect(await provider.getBalance(alice)).toBe(10n ** 18n);
    expect(await provider.getBlock(99)).toBeNull();
    provider.destroy();
  });

  it('sends a transaction from a wallet and recognises the errors', async () => {
    const provider = new ethers.JsonRpcProvider(server.url);
    const wallet = new ethers.Wallet(`0x${Buffer.from(keyOf('bob')).toString('hex')}`, provider);
    const sent = await wallet.sendTransaction({ to: token, data: '0x18160ddd' });
    expect(server.pool.get(sent.hash as `0x${string}`)).toMatchObject({ sender: bob });
    server.pool.refusal = { code: 'nonce-too-low', message: 'nonce too low: next nonce 9, tx nonce 2' };
    await expect(wallet.sendTransaction({ to: token, nonce: 2 })).rejects.toMatchObject({ code: 'NONCE_EXPIRED' });
    server.pool.refusal = undefined;
    server.pool.waiting.clear();
    provider.destroy();
  });

  it('hears of blocks and events over WebSocket', async () => {
    const own = await startTestServer();
    const provider = new ethers.WebSocketProvider(own.webSocketURL);
    const contract = new ethers.Contract(
      token,
      ['event Transfer(address indexed from, address indexed to, uint256 value)'],
      provider,
    );
    const block = new Promise<number>((resolve) => void provider.on('block', resolve));
    const event = new Promise<bigint>(
      (resolve) => void contract.on('Transfer', (_from, _to, value: bigint) => resolve(value)),
    );
    await provider.getBlockNumber();
    // ethers subscribes in the background; the member counts what is subscribed.
    while (!(await (await fetch(`${own.url}/metrics`)).text()).includes('hanse_rpc_subscriptions 2')) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const height = own.chain.append([transfer(99n)]);
    expect([await block, await event]).toEqual([height, 99n]);
    await provider.destroy();
    await own.close();
  });
});
