import { type Address, bytesToHex, type CallResult, CompiledAbi } from '@hanse/protocol';
import type { Abi } from 'abitype';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anchorAddress, currencyAddress, currencyFactoryAddress, membersAddress } from './abi/addresses.ts';
import { anchorAbi } from './abi/anchorAbi.ts';
import { currencyAbi } from './abi/currencyAbi.ts';
import { currencyFactoryAbi } from './abi/currencyFactoryAbi.ts';
import { membersAbi } from './abi/membersAbi.ts';
import { TestChain, testAccounts, testSuite } from './testing/testChain.ts';

const accounts = Object.values(testAccounts);
const { authority, bank } = testAccounts;
const memberAccounts: readonly Address[] = [authority, bank, testAccounts.farm, testAccounts.market];
const dcny = currencyAddress(1n);
const euro = currencyAddress(2n);

const compile = (abi: Abi) => new CompiledAbi<Abi>(abi, testSuite);
const currency = compile(currencyAbi);
const factory = compile(currencyFactoryAbi);
const members = compile(membersAbi);
const anchor = compile(anchorAbi);

interface Call {
  readonly from: Address;
  readonly to: Address;
  readonly name: string;
  readonly values: readonly unknown[];
  readonly input: Uint8Array;
  readonly gas: bigint;
}

const account = fc.constantFrom(...accounts);
const amount = fc.oneof(
  fc.bigInt({ min: 0n, max: 2_000n }),
  fc.constantFrom(0n, (1n << 127n) + 1n, (1n << 128n) - 1n, 1n << 128n, (1n << 256n) - 1n),
);
const commitment = fc.nat(5).map((n) => bytesToHex(new Uint8Array(32).fill(n)));
const endpoint = fc.constantFrom('a.example:1', '[::1]:9', 'no port', `${'b'.repeat(50)}:80`);

function callOf(
  abi: CompiledAbi<Abi>,
  to: fc.Arbitrary<Address>,
  name: string,
  ...values: readonly fc.Arbitrary<unknown>[]
): fc.Arbitrary<Call> {
  // Mostly enough gas, sometimes so little that the call ends in the middle.
  const gas = fc.oneof(
    { arbitrary: fc.constant(10_000_000n), weight: 5 },
    { arbitrary: fc.bigInt({ min: 0n, max: 80_000n }), weight: 1 },
  );
  return fc.tuple(account, to, gas, fc.tuple(...values)).map(([from, target, limit, list]) => ({
    from,
    to: target,
    name,
    values: list,
    input: abi.function(name as never).encodeCall(list as never),
    gas: limit,
  }));
}

const anyCurrency = fc.constantFrom(dcny, dcny, euro);
const at = (address: Address) => fc.constant(address);
const call: fc.Arbitrary<Call> = fc.oneof(
  { arbitrary: callOf(currency, anyCurrency, 'issue', account, amount), weight: 4 },
  {
    arbitrary: callOf(currency, anyCurrency, 'issue', at(bank), amount).map((c) => ({ ...c, from: authority })),
    weight: 4,
  },
  { arbitrary: callOf(currency, anyCurrency, 'redeem', account, amount), weight: 3 },
  {
    arbitrary: callOf(currency, anyCurrency, 'redeem', at(bank), amount).map((c) => ({ ...c, from: authority })),
    weight: 3,
  },
  { arbitrary: callOf(currency, anyCurrency, 'transfer', account, amount), weight: 8 },
  { arbitrary: callOf(currency, anyCurrency, 'approve', account, amount), weight: 3 },
  { arbitrary: callOf(currency, anyCurrency, 'transferFrom', account, account, amount), weight: 4 },
  callOf(
    factory,
    at(currencyFactoryAddress),
    'createCurrency',
    fc.constantFrom('EURX', 'x'),
    at('Euro' as Address),
    at(2 as never),
  ),
  { arbitrary: callOf(members, at(membersAddress), 'registerAccount', account, fc.boolean()), weight: 2 },
  { arbitrary: callOf(members, at(membersAddress), 'removeAccount', account), weight: 2 },
  { arbitrary: callOf(members, at(membersAddress), 'setMayDeploy', account, fc.boolean()), weight: 2 },
  { arbitrary: callOf(members, at(membersAddress), 'setMayTransact', account, fc.boolean()), weight: 2 },
  callOf(members, at(membersAddress), 'setEndpoints', fc.array(endpoint, { maxLength: 9 })),
  callOf(anchor, at(anchorAddress), 'anchor', commitment),
  callOf(anchor, at(anchorAddress), 'anchorMany', fc.array(commitment, { maxLength: 4 })),
  callOf(anchor, at(anchorAddress), 'anchorBatch', commitment, fc.nat(2)),
);

/** Who may succeed with what; everything else anybody may. */
const allowed: Readonly<Record<string, (from: Address) => boolean>> = {
  issue: (from) => from === authority,
  redeem: (from) => from === authority,
  createCurrency: (from) => from === authority,
  setMayTransact: (from) => from === authority,
  registerAccount: (from) => memberAccounts.includes(from),
  removeAccount: (from) => memberAccounts.includes(from),
  setMayDeploy: (from) => memberAccounts.includes(from),
  setEndpoints: (from) => memberAccounts.includes(from),
};

/** What the currencies must hold, kept in the simplest way. */
class Model {
  readonly balances = new Map<string, bigint>();
  readonly allowances = new Map<string, bigint>();

  balance = (token: Address, holder: Address): bigint => this.balances.get(`${token} ${holder}`) ?? 0n;

  apply({ from, to: token, name, values }: Call): void {
    const add = (holder: unknown, value: bigint) => {
      this.balances.set(`${token} ${holder}`, this.balance(token, holder as Address) + value);
    };
    const [first, second, third] = values as readonly [Address, bigint, bigint];
    if (name === 'issue') add(first, second);
    if (name === 'redeem') add(first, -second);
    if (name === 'approve') this.allowances.set(`${token} ${from} ${first}`, second);
    if (name === 'transfer') {
      add(from, -second);
      add(first, second);
    }
    if (name === 'transferFrom') {
      const key = `${token} ${first} ${from}`;
      const rest = this.allowances.get(key) ?? 0n;
      if (rest < (1n << 256n) - 1n) this.allowances.set(key, rest - third);
      expect(rest).toBeGreaterThanOrEqual(third);
      add(first, -third);
      add(second, third);
    }
  }
}

describe('any sequence of calls by anybody', () => {
  it('conserves supply, respects permissions, leaves no trace when it fails, and costs the same everywhere', () => {
    const outcomes = { success: 0, revert: 0, failure: 0 };
    const succeeded = new Set<string>();
    fc.assert(
      fc.property(fc.array(call, { minLength: 20, maxLength: 60 }), (calls) => {
        const chain = new TestChain();
        const twin = new TestChain();
        const model = new Model();
        for (const one of calls) {
          if (chain.state.getCode(one.to).length === 0) continue;
          const before = JSON.stringify(chain.state.dump());
          const result = chain.send(one.from, one.to, one.input, { gas: one.gas });
          const again: CallResult = twin.send(one.from, one.to, one.input, { gas: one.gas });
          expect(again).toEqual(result);
          outcomes[result.status]++;
          if (result.status === 'success') {
            succeeded.add(one.name);
            expect(allowed[one.name]?.(one.from) ?? true).toBe(true);
            model.apply(one);
          } else {
            expect(JSON.stringify(chain.state.dump())).toBe(before);
            expect(chain.logs).toHaveLength(0);
          }
          for (const { address } of chain.readers.readCurrencies(chain.state)) {
            expect(chain.readers.checkSupply(chain.state, address)).toMatchObject({ conserved: true });
          }
        }
        const balanceOf = (token: Address, holder: Address) =>
          chain.at(currencyAbi, token)(holder, 'balanceOf', holder);
        for (const { address } of chain.readers.readCurrencies(chain.state)) {
          for (const holder of accounts) expect(balanceOf(address, holder)).toBe(model.balance(address, holder));
        }
        expect(twin.state.dump()).toEqual(chain.state.dump());
      }),
      { numRuns: 60, seed: 20_251_122 },
    );
    // The sequences reach everything, in success and in failure.
    expect(outcomes.success).toBeGreaterThan(300);
    expect(outcomes.revert).toBeGreaterThan(300);
    expect(outcomes.failure).toBeGreaterThan(30);
    expect(succeeded.size).toBe(14);
  });
});
