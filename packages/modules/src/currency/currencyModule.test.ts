import { CompiledAbi, ZERO_ADDRESS } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { currencyAddress, currencyFactoryAddress, membersAddress } from '../abi/addresses.ts';
import { currencyAbi } from '../abi/currencyAbi.ts';
import { currencyFactoryAbi } from '../abi/currencyFactoryAbi.ts';
import { ACTIVE_MEMBER, roleCodes } from '../abi/memberCodes.ts';
import { membersStorage } from '../members/membersStorage.ts';
import { bindStorage } from '../storage/accessors.ts';
import { SlotHasher } from '../storage/slotHasher.ts';
import { WorldSlots } from '../storage/stateSlots.ts';
import { TestChain, testAccounts, testSuite } from '../testing/testChain.ts';

const { authority, bank, farm, market, alice, stranger } = testAccounts;
const dcny = currencyAddress(1n);
const events = new CompiledAbi(currencyAbi, testSuite);

function start() {
  const chain = new TestChain();
  return {
    chain,
    currency: chain.at(currencyAbi, dcny),
    factory: chain.at(currencyFactoryAbi, currencyFactoryAddress),
    supply: () => chain.readers.checkSupply(chain.state, dcny),
  };
}

const decodeLogs = (chain: TestChain) =>
  chain.logs.map((log) => {
    const event = events.eventByTopic(log.topics[0]!)!;
    return { event: event.item.name, ...event.decode(log) };
  });

describe('currency', () => {
  it('has the terms of the genesis and no supply at first', () => {
    const { currency, supply } = start();
    expect(currency(stranger, 'name')).toBe('Digital yuan');
    expect(currency(stranger, 'symbol')).toBe('DCNY');
    expect(currency(stranger, 'decimals')).toBe(2);
    expect(currency(stranger, 'totalSupply')).toBe(0n);
    expect(currency(stranger, 'authority')).toBe(authority);
    expect(supply()).toMatchObject({ holders: 0, balances: 0n, conserved: true });
  });

  it('is issued by the authority to a bank, distributed, and redeemed', () => {
    const { chain, currency, supply } = start();
    currency(authority, 'issue', bank, 1_000n);
    expect(decodeLogs(chain)).toEqual([
      { event: 'Issued', bank, amount: 1_000n },
      { event: 'Transfer', from: ZERO_ADDRESS, to: bank, value: 1_000n },
    ]);
    expect(currency(bank, 'transfer', farm, 300n)).toBe(true);
    expect(decodeLogs(chain)).toEqual([{ event: 'Transfer', from: bank, to: farm, value: 300n }]);
    currency(authority, 'redeem', bank, 200n);
    expect(decodeLogs(chain)).toEqual([
      { event: 'Redeemed', bank, amount: 200n },
      { event: 'Transfer', from: bank, to: ZERO_ADDRESS, value: 200n },
    ]);
    expect(currency(stranger, 'balanceOf', bank)).toBe(500n);
    expect(currency(stranger, 'balanceOf', farm)).toBe(300n);
    expect(currency(stranger, 'holderCount')).toBe(2n);
    expect(currency(stranger, 'holderAt', 1n)).toBe(farm);
    expect(supply()).toEqual({
      holders: 2,
      balances: 800n,
      totalSupply: 800n,
      issued: 1_000n,
      redeemed: 200n,
      conserved: true,
    });
  });

  it('lets nobody but its authority issue, and to nobody but banks', () => {
    const { currency } = start();
    expect(() => currency(bank, 'issue', bank, 1n)).toThrow(`NotAuthority(${bank})`);
    expect(() => currency(alice, 'redeem', bank, 1n)).toThrow(`NotAuthority(${alice})`);
    expect(() => currency(authority, 'issue', farm, 1n)).toThrow(`NotBank(${farm})`);
    // An account of a bank's customer is not the bank.
    expect(() => currency(authority, 'issue', alice, 1n)).toThrow(`NotBank(${alice})`);
    expect(() => currency(authority, 'redeem', bank, 1n)).toThrow(`ERC20InsufficientBalance(${bank}, 0, 1)`);
  });

  it('is not issued by a member that is no authority any more, nor to one that left', () => {
    const { chain, currency } = start();
    const slots = new WorldSlots(chain.state, membersAddress, new SlotHasher(testSuite));
    const { members } = bindStorage(slots, membersStorage);
    members.at(1).role.set(roleCodes.company);
    expect(() => currency(authority, 'issue', bank, 1n)).toThrow(`NotAuthority(${authority})`);
    members.at(1).role.set(roleCodes.authority);
    members.at(1).status.set(2);
    expect(() => currency(authority, 'issue', bank, 1n)).toThrow(`NotAuthority(${authority})`);
    members.at(1).status.set(ACTIVE_MEMBER);
    members.at(2).status.set(2);
    expect(() => currency(authority, 'issue', bank, 1n)).toThrow(`NotBank(${bank})`);
    // The accounts of a member that left may do nothing.
    expect(chain.readers.readPermissions(chain.state, alice)).toEqual({ mayTransact: false, mayDeploy: false });
    members.at(2).status.set(ACTIVE_MEMBER);
    currency(authority, 'issue', bank, 1n);
  });

  it('keeps the supply below 2^128', () => {
    const { currency, supply } = start();
    const most = (1n << 128n) - 1n;
    expect(() => currency(authority, 'issue', bank, most + 1n)).toThrow(`SupplyExceeded(${most + 1n}, ${most})`);
    currency(authority, 'issue', bank, most);
    expect(() => currency(authority, 'issue', bank, 1n)).toThrow('SupplyExceeded(1, 0)');
    currency(bank, 'transfer', farm, most);
    expect(supply().conserved).toBe(true);
  });

  it('moves with allowances as ERC-20 says', () => {
    const { currency } = start();
    currency(authority, 'issue', bank, 100n);
    expect(() => currency(alice, 'transferFrom', bank, market, 1n)).toThrow(
      `ERC20InsufficientAllowance(${alice}, 0, 1)`,
    );
    currency(bank, 'approve', alice, 40n);
    currency(alice, 'transferFrom', bank, market, 30n);
    expect(currency(alice, 'allowance', bank, alice)).toBe(10n);
    currency(bank, 'approve', alice, (1n << 256n) - 1n);
    currency(alice, 'transferFrom', bank, market, 30n);
    expect(currency(alice, 'allowance', bank, alice)).toBe((1n << 256n) - 1n);
    expect(() => currency(alice, 'transferFrom', bank, market, 41n)).toThrow(
      `ERC20InsufficientBalance(${bank}, 40, 41)`,
    );
    expect(() => currency(bank, 'approve', ZERO_ADDRESS, 1n)).toThrow('ERC20InvalidSpender');
  });

  it('changes nothing when an account pays itself, and refuses the zero address and the currency itself', () => {
    const { currency, supply } = start();
    currency(authority, 'issue', bank, 100n);
    currency(bank, 'transfer', bank, 60n);
    expect(currency(bank, 'balanceOf', bank)).toBe(100n);
    expect(() => currency(bank, 'transfer', bank, 101n)).toThrow('ERC20InsufficientBalance');
    expect(() => currency(bank, 'transfer', ZERO_ADDRESS, 1n)).toThrow('ERC20InvalidReceiver');
    expect(() => currency(bank, 'transfer', dcny, 1n)).toThrow('ERC20InvalidReceiver');
    // Nothing received makes no holder.
    currency(bank, 'transfer', market, 0n);
    expect(supply()).toMatchObject({ holders: 1, conserved: true });
    expect(() => currency(bank, 'holderAt', 1n)).toThrow('UnknownHolder(1)');
  });
});

describe('currency factory', () => {
  it('creates a currency with an address of its own, by an authority only', () => {
    const { chain, factory } = start();
    expect(factory(stranger, 'currencyCount')).toBe(1n);
    expect(() => factory(bank, 'createCurrency', 'EURX', 'Euro', 2)).toThrow(`NotAuthority(${bank})`);
    const euro = factory(authority, 'createCurrency', 'EURX', 'Digital euro', 4);
    expect(euro).toBe('0x48616e7365000000000000020000000000000002');
    expect(factory(stranger, 'currencyBySymbol', 'EURX')).toBe(euro);
    expect(factory(stranger, 'currencyBySymbol', 'NONE')).toBe(ZERO_ADDRESS);
    expect(factory(stranger, 'currencyAt', 1n)).toBe(euro);
    expect(() => factory(stranger, 'currencyAt', 2n)).toThrow('UnknownCurrency(2)');
    const currency = chain.at(currencyAbi, euro);
    currency(authority, 'issue', bank, 5n);
    expect(currency(bank, 'balanceOf', bank)).toBe(5n);
    expect(chain.at(currencyAbi, dcny)(bank, 'balanceOf', bank)).toBe(0n);
    expect(chain.readers.readCurrencies(chain.state)).toEqual([
      { address: dcny, symbol: 'DCNY', name: 'Digital yuan', decimals: 2, authority: 1, totalSupply: 0n },
      { address: euro, symbol: 'EURX', name: 'Digital euro', decimals: 4, authority: 1, totalSupply: 5n },
    ]);
  });

  it('refuses terms that make no currency', () => {
    const { factory } = start();
    expect(() => factory(authority, 'createCurrency', 'DCNY', 'Again', 2)).toThrow(`SymbolTaken(DCNY, ${dcny})`);
    expect(() => factory(authority, 'createCurrency', 'lower', 'x', 2)).toThrow('InvalidSymbol(lower)');
    expect(() => factory(authority, 'createCurrency', 'A', '', 2)).toThrow('InvalidName()');
    expect(() => factory(authority, 'createCurrency', 'A', 'é'.repeat(33), 2)).toThrow('InvalidName');
    expect(() => factory(authority, 'createCurrency', 'A', 'a', 19)).toThrow('InvalidDecimals(19)');
  });
});
