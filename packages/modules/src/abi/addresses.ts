import type { Address } from '@hanse/protocol';

/**
 * Reserved addresses, 20 bytes that anybody recognises:
 *
 *     48616e7365 000000000000 MM NNNNNNNNNNNNNNNN
 *     "Hanse"    zero         |  8 bytes, big-endian
 *
 * MM = 00: the module itself, N its number. MM > 00: instance N (from 1) of module MM. Nobody has the private key of such an
 * address, and no contract is created at one, short of a preimage of 88 bits of zeros and text under Keccak-256.
 */
export const RESERVED_ADDRESS_PREFIX = '0x48616e7365000000000000';

/** The numbers of the native modules. Append only. */
export const moduleNumbers = { members: 1, currency: 2, anchor: 3 } as const;

/** The address of the module with this number, 1 to 255. */
export function moduleAddress(number: number): Address {
  return `${RESERVED_ADDRESS_PREFIX}00${number.toString(16).padStart(16, '0')}` as Address;
}

/** The address of an instance, from 1 on, of a module with instances. */
export function instanceAddress(number: number, instance: bigint): Address {
  const module = number.toString(16).padStart(2, '0');
  return `${RESERVED_ADDRESS_PREFIX}${module}${instance.toString(16).padStart(16, '0')}` as Address;
}

export const membersAddress: Address = moduleAddress(moduleNumbers.members);
export const currencyFactoryAddress: Address = moduleAddress(moduleNumbers.currency);
export const anchorAddress: Address = moduleAddress(moduleNumbers.anchor);

/** The address of a currency, by its number in the factory (the first is 1). */
export const currencyAddress = (instance: bigint): Address => instanceAddress(moduleNumbers.currency, instance);

/** Whether an address is of the modules' kind, in use or not. */
export const isReservedAddress = (address: Address): boolean => address.startsWith(RESERVED_ADDRESS_PREFIX);
