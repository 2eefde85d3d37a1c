import {
  anchorAbi,
  anchorAddress,
  currencyAbi,
  currencyFactoryAbi,
  currencyFactoryAddress,
  instanceAddress,
  membersAbi,
  membersAddress,
  moduleNumbers,
} from '@hanse/modules/abi';
import type { Address, Hex } from '@hanse/protocol';
import { type Abi, decodeErrorResult } from 'viem';

/** The ABI of a native module, and what people call it. */
export interface ModuleAbi {
  readonly name: 'members' | 'currency factory' | 'currency' | 'anchor';
  readonly abi: Abi;
}

const MODULES = new Map<Address, ModuleAbi>([
  [membersAddress, { name: 'members', abi: membersAbi }],
  [currencyFactoryAddress, { name: 'currency factory', abi: currencyFactoryAbi }],
  [anchorAddress, { name: 'anchor', abi: anchorAbi }],
]);

const CURRENCY: ModuleAbi = { name: 'currency', abi: currencyAbi };
/** What the addresses of all currencies have in common. */
const CURRENCY_PREFIX = instanceAddress(moduleNumbers.currency, 0n).slice(0, -16);

/** The module that stands at an address; undefined for accounts and contracts. */
export function moduleAbiAt(address: string): ModuleAbi | undefined {
  const key = address.toLowerCase() as Address;
  return MODULES.get(key) ?? (key.startsWith(CURRENCY_PREFIX) ? CURRENCY : undefined);
}

const ERRORS: Abi = [membersAbi, currencyFactoryAbi, currencyAbi, anchorAbi].flatMap((abi) =>
  (abi as Abi).filter(({ type }) => type === 'error'),
);

/** Solidity's own panics, in words (Solidity documentation, "Panic via assert and Error via require"). */
const PANICS: Readonly<Record<string, string>> = {
  '1': 'an assertion failed',
  '17': 'arithmetic overflow',
  '18': 'division by zero',
  '33': 'conversion to an enum out of range',
  '49': 'pop of an empty array',
  '50': 'array index out of bounds',
  '65': 'too much memory',
};

/**
 * What revert data says, in one line: a contract's reason, a panic, or a custom error of the modules with its arguments. Data that
 * nobody here knows is shown by its selector.
 */
export function describeRevert(data: Hex): string {
  if (data === '0x') return 'no reason was given';
  try {
    const { errorName, args, abiItem } = decodeErrorResult({ abi: ERRORS, data });
    if (errorName === 'Error') return String(args?.[0]);
    if (errorName === 'Panic') return PANICS[String(args?.[0])] ?? `panic ${String(args?.[0])}`;
    const inputs = 'inputs' in abiItem ? abiItem.inputs : [];
    const values = (args ?? []).map((value, index) => `${inputs?.[index]?.name ?? index}: ${plainText(value)}`);
    return `${errorName}(${values.join(', ')})`;
  } catch {
    return `a custom error with the selector ${data.slice(0, 10)}`;
  }
}

const plainText = (value: unknown): string => (typeof value === 'string' ? value.toLowerCase() : String(value));
