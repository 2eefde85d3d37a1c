import type { Hex } from '@hanse/protocol';
import { formatAmount, moduleAbiAt } from '@hanse/sdk';
import { type AbiParameter, decodeEventLog, decodeFunctionData } from 'viem';
import type { AddressBook } from './addressBook.ts';

/** What is known of a network's currencies, to show amounts as people write them. */
export type CurrencyNames = ReadonlyMap<string, { readonly symbol: string; readonly decimals: number }>;

export interface NamedValue {
  readonly name: string;
  readonly type: string;
  readonly value: unknown;
}

/** A call or an event of a native module, decoded. */
export interface DecodedCall {
  /** "members", "anchor", or the symbol of a currency. */
  readonly module: string;
  readonly name: string;
  readonly arguments: readonly NamedValue[];
}

/** Decodes calls and events of the native modules; undefined for everything else. */
export class ModuleCalls {
  readonly #book: AddressBook;
  readonly #currencies: CurrencyNames;

  constructor(book: AddressBook, currencies: CurrencyNames) {
    this.#book = book;
    this.#currencies = currencies;
  }

  call(to: string | null | undefined, input: Hex): DecodedCall | undefined {
    const module = to == null ? undefined : moduleAbiAt(to);
    if (module === undefined || to == null) return undefined;
    try {
      const { functionName, args } = decodeFunctionData({ abi: module.abi, data: input });
      const item = module.abi.find(
        (entry) =>
          entry.type === 'function' && entry.name === functionName && entry.inputs.length === (args ?? []).length,
      );
      const inputs = item?.type === 'function' ? item.inputs : [];
      return { module: this.#moduleName(to, module.name), name: functionName, arguments: named(inputs, args ?? []) };
    } catch {
      // Input that no function of the module takes: the module reverted, and there is nothing to decode.
      return undefined;
    }
  }

  event(log: {
    readonly address: string;
    readonly data: Hex;
    readonly topics: readonly Hex[];
  }): DecodedCall | undefined {
    const module = moduleAbiAt(log.address);
    if (module === undefined) return undefined;
    try {
      const { eventName, args } = decodeEventLog({
        abi: module.abi,
        data: log.data,
        topics: log.topics as [Hex, ...Hex[]],
      });
      const item = module.abi.find((entry) => entry.type === 'event' && entry.name === eventName);
      const inputs = item?.type === 'event' ? item.inputs : [];
      const values = args as unknown as Readonly<Record<string, unknown>>;
      const parameters = inputs.map(({ name, type }) => ({ name: name ?? '', type, value: values[name ?? ''] }));
      return { module: this.#moduleName(log.address, module.name), name: String(eventName), arguments: parameters };
    } catch {
      return undefined;
    }
  }

  /** "DCNY.transfer(to: farm, amount: 12.50)". */
  text(decoded: DecodedCall, address: string): string {
    const values = decoded.arguments.map((argument) => `${argument.name}: ${this.#valueText(argument, address)}`);
    return `${decoded.module}.${decoded.name}(${values.join(', ')})`;
  }

  #moduleName(address: string, name: string): string {
    return this.#currencies.get(address.toLowerCase())?.symbol ?? name;
  }

  #valueText({ name, type, value }: NamedValue, address: string): string {
    const currency = this.#currencies.get(address.toLowerCase());
    if (currency !== undefined && type === 'uint256' && AMOUNTS.has(name))
      return formatAmount(value as bigint, currency.decimals);
    return this.#plainText(value);
  }

  #plainText(value: unknown): string {
    if (Array.isArray(value)) return `[${value.map((item) => this.#plainText(item)).join(', ')}]`;
    if (typeof value === 'object' && value !== null)
      return `{${Object.entries(value)
        .map(([key, field]) => `${key}: ${this.#plainText(field)}`)
        .join(', ')}}`;
    const text = typeof value === 'string' && value.startsWith('0x') ? value.toLowerCase() : String(value);
    return this.#book.nameOf(text) ?? text;
  }
}

/** Parameters of a currency's functions and events that count its units. */
const AMOUNTS: ReadonlySet<string> = new Set(['value', 'amount']);

function named(inputs: readonly AbiParameter[], values: readonly unknown[]): readonly NamedValue[] {
  return inputs.map(({ name, type }, index) => ({ name: name ?? String(index), type, value: values[index] }));
}
