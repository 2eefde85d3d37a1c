import { readFileSync } from 'node:fs';
import { createHanseClient } from '@hanse/sdk';

const network = JSON.parse(readFileSync(`${process.env.HANSE_DATA ?? '.hanse'}/network.json`, 'utf8'));
const account = (name) => network.accounts.find((candidate) => candidate.name === name);
const connect = (name) => createHanseClient({ rpcUrl: network.members[0].rpcUrl, account: account(name).privateKey });

// The authority issues to a bank; the bank pays a customer.
const yuan = await (await connect('authority')).currency('DCNY');
await (await yuan.issue({ bank: account('bank').address, amount: '1000.00' })).final();

const wallet = await (await connect('bank')).currency('DCNY');
const payment = await wallet.transfer({ to: account('alice').address, amount: '12.50' });
const receipt = await payment.final();

console.log(`12.50 DCNY to alice: final in block ${receipt.blockNumber}`);
console.log(`alice holds ${wallet.format(await wallet.balanceOf(account('alice').address))} DCNY`);
