import { type Address, utf8ToBytes, ZERO_ADDRESS } from '@hanse/protocol';
import { currencyAddress, moduleNumbers } from '../abi/addresses.ts';
import { currencyFactoryAbi } from '../abi/currencyFactoryAbi.ts';
import { defineModule, type GenesisContext, type ModuleContext } from '../defineModule.ts';
import { hasRole, memberOfOwnAccount, peekMembers } from '../members/membership.ts';
import type { FieldAccessors } from '../storage/accessors.ts';
import { currencyModule } from './currencyModule.ts';
import { currencyFactoryStorage, type currencyStorage } from './currencyStorage.ts';

type Context = ModuleContext<typeof currencyFactoryAbi, typeof currencyFactoryStorage>;

const SYMBOL = /^[A-Z][A-Z0-9]{0,10}$/;
const MAX_NAME_BYTES = 64;
const MAX_DECIMALS = 18;

interface CurrencyTerms {
  readonly symbol: string;
  readonly name: string;
  readonly decimals: number;
  /** The member that issues. */
  readonly authority: number;
}

/** Where the factory puts a currency: a frame of it, or the genesis. */
type Place = Pick<Context, 'storage' | 'createInstance'>;

function placeCurrency({ storage, createInstance }: Place, terms: CurrencyTerms): Address {
  const number = storage.currencyCount.get() + 1n;
  storage.currencyCount.set(number);
  storage.bySymbol.at(terms.symbol).set(number);
  const { address, storage: currency } = createInstance(currencyModule, number);
  writeTerms(currency, terms);
  return address;
}

function writeTerms(currency: FieldAccessors<typeof currencyStorage>, terms: CurrencyTerms): void {
  currency.authority.set(terms.authority);
  currency.decimals.set(terms.decimals);
  currency.name.set(terms.name);
  currency.symbol.set(terms.symbol);
}

function createCurrency(context: Context, symbol: string, name: string, decimals: number): Address {
  const { caller, storage } = context;
  const members = peekMembers(context);
  if (!hasRole(members, caller, 'authority')) throw context.error('NotAuthority', { caller });
  if (!SYMBOL.test(symbol)) throw context.error('InvalidSymbol', { symbol });
  const nameBytes = utf8ToBytes(name).length;
  if (nameBytes === 0 || nameBytes > MAX_NAME_BYTES) throw context.error('InvalidName', { name });
  if (decimals > MAX_DECIMALS) throw context.error('InvalidDecimals', { decimals });
  const taken = storage.bySymbol.at(symbol).get();
  if (taken !== 0n) throw context.error('SymbolTaken', { symbol, currency: currencyAddress(taken) });
  const authority = memberOfOwnAccount(members, caller);
  const place: Place = { storage, createInstance: (module, instance) => context.createInstance(module, instance) };
  const currency = placeCurrency(place, { symbol, name, decimals, authority });
  context.emit('CurrencyCreated', { currency, authority, symbol, name, decimals });
  return currency;
}

function initialize(context: GenesisContext<typeof currencyFactoryStorage>): void {
  const members = peekMembers(context);
  for (const { symbol, name, decimals, authority } of context.genesis.currencies) {
    const member = members.memberByName.at(authority).get();
    if (member === 0) throw new RangeError(`genesis: currency ${symbol} has an unknown authority`);
    placeCurrency(context, { symbol, name, decimals, authority: member });
  }
}

/** The list of currencies, and how one begins. */
export const currencyFactoryModule = defineModule({
  name: 'currency-factory',
  version: 1,
  number: moduleNumbers.currency,
  kind: 'single',
  abi: currencyFactoryAbi,
  storage: currencyFactoryStorage,
  initialize,
  handlers: {
    createCurrency,
    currencyCount: ({ storage }) => storage.currencyCount.get(),
    currencyAt(context, index) {
      if (index >= context.storage.currencyCount.get()) throw context.error('UnknownCurrency', { index });
      return currencyAddress(index + 1n);
    },
    currencyBySymbol({ storage }, symbol) {
      const number = storage.bySymbol.at(symbol).get();
      return number === 0n ? ZERO_ADDRESS : currencyAddress(number);
    },
  },
});
