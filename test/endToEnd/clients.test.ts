import { Contract, ContractFactory, JsonRpcProvider, Wallet, WebSocketProvider } from 'ethers';
import { createPublicClient, createWalletClient, defineChain, http, type Log, webSocket } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CompiledContract, compileSolidity } from './compileSolidity.ts';
import { freePorts, LocalNetwork, removeFolders, temporaryFolder } from './localNetwork.ts';

const SOURCE = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
contract Tally {
  event Counted(address indexed by, uint256 indexed step, string note);
  error TooLarge(uint256 step, uint256 limit);
  uint256 public total;
  constructor(uint256 start) { total = start; }
  function count(uint256 step, string calldata note) external returns (uint256) {
    if (step > 100) revert TooLarge(step, 100);
    require(step > 0, "a step of nothing");
    total += step;
    emit Counted(msg.sender, step, note);
    return total;
  }
}`;

describe('clients of Ethereum, unchanged', () => {
  let network: LocalNetwork;
  let tally: CompiledContract;

  beforeAll(async () => {
    tally = compileSolidity(SOURCE, 'Tally');
    network = await LocalNetwork.start(temporaryFolder(), await freePorts(4));
  });

  afterAll(async () => {
    await network.stop();
    removeFolders();
  });

  it('viem deploys, calls, waits for receipts, filters events and subscribes over WebSocket', async () => {
    const { rpcUrl, wsUrl } = network.member('bank');
    const account = privateKeyToAccount(network.account('developer').privateKey);
    const chain = defineChain({
      id: network.description.chainId,
      name: 'Hanse',
      nativeCurrency: { name: 'gas', symbol: 'GAS', decimals: 18 },
      rpcUrls: { default: { http: [rpcUrl] } },
    });
    const reader = createPublicClient({ chain, transport: http(), pollingInterval: 50 });
    const wallet = createWalletClient({ chain, account, transport: http() });
    const watcher = createPublicClient({ chain, transport: webSocket(wsUrl) });

    const hash = await wallet.deployContract({ abi: tally.abi, bytecode: tally.bytecode, args: [5n] });
    const deployed = await reader.waitForTransactionReceipt({ hash });
    expect(deployed.status).toBe('success');
    const address = deployed.contractAddress as `0x${string}`;
    expect(await reader.readContract({ abi: tally.abi, address, functionName: 'total' })).toBe(5n);

    const heads: bigint[] = [];
    const headSeen = new Promise<void>((resolve) => {
      watcher.watchBlocks({
        onBlock: ({ number }) => {
          heads.push(number);
          resolve();
        },
      });
    });
    const eventSeen = new Promise<Log[]>((resolve) => {
      watcher.watchContractEvent({ abi: tally.abi, address, eventName: 'Counted', onLogs: resolve });
    });
    // The subscriptions stand once a request behind them was answered.
    await watcher.getBlockNumber();
    const { request, result } = await reader.simulateContract({
      abi: tally.abi,
      address,
      functionName: 'count',
      args: [7n, 'seven'],
      account,
    });
    expect(result).toBe(12n);
    const counted = await reader.waitForTransactionReceipt({ hash: await wallet.writeContract(request) });
    expect(counted.logs).toHaveLength(1);
    await headSeen;
    expect(heads[0]).toBe(counted.blockNumber);
    const [event] = (await eventSeen) as unknown as { args: { by: string; step: bigint; note: string } }[];
    expect(event?.args).toMatchObject({ by: account.address, step: 7n, note: 'seven' });

    const logs = await reader.getContractEvents({
      abi: tally.abi,
      address,
      eventName: 'Counted',
      args: { by: account.address },
      fromBlock: 0n,
    });
    expect(logs.map(({ transactionHash }) => transactionHash)).toEqual([counted.transactionHash]);
    await expect(
      reader.simulateContract({ abi: tally.abi, address, functionName: 'count', args: [101n, ''], account }),
    ).rejects.toThrow(/TooLarge/);
    await expect(
      reader.simulateContract({ abi: tally.abi, address, functionName: 'count', args: [0n, ''], account }),
    ).rejects.toThrow(/a step of nothing/);
    (await watcher.transport.getRpcClient()).close();
  });

  it('ethers deploys, calls, waits for receipts, filters events and subscribes over WebSocket', async () => {
    const { rpcUrl, wsUrl } = network.member('market');
    const provider = new JsonRpcProvider(rpcUrl);
    const signer = new Wallet(network.account('developer').privateKey, provider);
    const contract = await new ContractFactory(tally.abi, tally.bytecode, signer).deploy(40n);
    await contract.waitForDeployment();
    const address = await contract.getAddress();
    const bound = new Contract(address, tally.abi, signer);
    expect(await bound.getFunction('total')()).toBe(40n);

    // One after another, each waited for: nonces and heights that ethers remembers must not be outdated.
    for (const step of [3n, 4n]) expect((await (await bound.getFunction('count')(step, '')).wait()).status).toBe(1);

    const socket = new WebSocketProvider(wsUrl);
    const subscribed = new Contract(address, tally.abi, socket);
    const eventSeen = new Promise<unknown[]>((resolve) => {
      void subscribed.on('Counted', (...values: unknown[]) => {
        resolve(values.slice(0, 3));
      });
    });
    const headSeen = new Promise<number>((resolve) => {
      void socket.on('block', resolve);
    });
    await socket.getBlockNumber();
    const sent = await bound.getFunction('count')(2n, 'two');
    const receipt = await sent.wait();
    expect(receipt.status).toBe(1);
    expect(await eventSeen).toEqual([signer.address, 2n, 'two']);
    expect(await headSeen).toBe(receipt.blockNumber);

    const found = await bound.queryFilter(bound.filters.Counted!(signer.address, 2n), 0);
    expect(found.map(({ transactionHash }) => transactionHash)).toEqual([receipt.hash]);
    const overSocket = new Contract(address, tally.abi, new Wallet(network.account('developer').privateKey, socket));
    for (const step of [5n, 6n])
      expect((await (await overSocket.getFunction('count')(step, '')).wait()).status).toBe(1);
    await expect(bound.getFunction('count').staticCall(500n, '')).rejects.toMatchObject({
      revert: { name: 'TooLarge' },
    });
    await socket.destroy();
    provider.destroy();
  });

  it('are told that an account may not deploy, and that an unknown account may not send', async () => {
    const provider = new JsonRpcProvider(network.member('bank').rpcUrl);
    const alice = new Wallet(network.account('alice').privateKey, provider);
    await expect(new ContractFactory(tally.abi, tally.bytecode, alice).deploy(1n)).rejects.toThrow(
      /deploy not permitted/,
    );
    const stranger = new Wallet(`0x${'5a'.repeat(32)}`, provider);
    await expect(stranger.sendTransaction({ to: alice.address })).rejects.toThrow(/sender not permitted/);
    provider.destroy();
  });
});
