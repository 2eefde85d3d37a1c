import { readFileSync } from 'node:fs';
import { Contract, JsonRpcProvider, Wallet } from 'ethers';

const network = JSON.parse(readFileSync(`${process.env.HANSE_DATA ?? '.hanse'}/network.json`, 'utf8'));
const account = (name) => network.accounts.find((candidate) => candidate.name === name);
const [currency] = network.currencies;

const provider = new JsonRpcProvider(network.members[1].rpcUrl);
const bank = new Wallet(account('bank').privateKey, provider);
const abi = [
  'function transfer(address to, uint256 value) returns (bool)',
  'function balanceOf(address) view returns (uint256)',
];
const yuan = new Contract(currency.address, abi, bank);

const payment = await yuan.transfer(account('bob').address, 1_00n);
const receipt = await payment.wait();
console.log(`1.00 ${currency.symbol} to bob: final in block ${receipt.blockNumber}`);
console.log(`bob holds ${(await yuan.balanceOf(account('bob').address)) / 100n} ${currency.symbol}`);
provider.destroy();
