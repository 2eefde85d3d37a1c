import { readFileSync } from 'node:fs';
import solc from 'solc';
import { createPublicClient, createWalletClient, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

const network = JSON.parse(readFileSync(`${process.env.HANSE_DATA ?? '.hanse'}/network.json`, 'utf8'));
const { privateKey } = network.accounts.find(({ name }) => name === 'developer');

// Nothing here is of Hanse: plain solc, plain viem.
const sources = { 'Counter.sol': { content: readFileSync(new URL('Counter.sol', import.meta.url), 'utf8') } };
const settings = { evmVersion: 'prague', outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } };
const output = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings })));
const { abi, evm } = output.contracts['Counter.sol'].Counter;

const transport = http(network.members[0].rpcUrl);
const chain = {
  id: network.chainId,
  name: 'Hanse',
  nativeCurrency: { name: 'Hanse gas', symbol: 'HGAS', decimals: 18 },
  rpcUrls: { default: { http: [network.members[0].rpcUrl] } },
};
const account = privateKeyToAccount(privateKey);
const reader = createPublicClient({ chain, transport, pollingInterval: 50 });
const wallet = createWalletClient({ account, chain, transport });

const deployment = await wallet.deployContract({ abi, bytecode: `0x${evm.bytecode.object}` });
const { contractAddress: address } = await reader.waitForTransactionReceipt({ hash: deployment });
const call = await wallet.writeContract({ address, abi, functionName: 'increment' });
const { blockNumber } = await reader.waitForTransactionReceipt({ hash: call });
const count = await reader.readContract({ address, abi, functionName: 'count' });
console.log(`Counter at ${address}: ${count} since block ${blockNumber}`);
