// What a payment through the module host costs, without signatures: npx vitest bench packages/modules/bench
import { CompiledAbi } from '@hanse/protocol';
import { bench, describe } from 'vitest';
import { currencyAddress } from '../src/abi/addresses.ts';
import { currencyAbi } from '../src/abi/currencyAbi.ts';
import { TestChain, testAccounts, testAddress, testSuite } from '../src/testing/testChain.ts';

const chain = new TestChain();
const dcny = currencyAddress(1n);
const abi = new CompiledAbi(currencyAbi, testSuite);
const { authority, bank } = testAccounts;
chain.send(authority, dcny, abi.function('issue').encodeCall([bank, 1n << 100n]));
const calls = Array.from({ length: 1_000 }, (_, i) =>
  abi.function('transfer').encodeCall([testAddress(1_000 + i), 1n]),
);
for (const call of calls) chain.send(bank, dcny, call);
let next = 0;

describe('currency', () => {
  bench('transfer between known accounts', () => {
    const result = chain.send(bank, dcny, calls[next++ % calls.length]!);
    if (result.status !== 'success') throw new Error(result.error);
  });
});
