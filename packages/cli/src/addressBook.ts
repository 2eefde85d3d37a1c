import type { Address } from '@hanse/protocol';
import { getAddress, isAddress } from 'viem';
import { CLIError } from './cliError.ts';
import type { ConnectedNetwork } from './networkTarget.ts';

/** Who is who on a network: members, and the development accounts of a local one. Addresses are lower-case. */
export class AddressBook {
  readonly #addresses = new Map<string, Address>();
  readonly #names = new Map<Address, string>();

  constructor(entries: Iterable<readonly [name: string, address: Address]>) {
    for (const [name, address] of entries) {
      const key = address.toLowerCase() as Address;
      // The first name wins: a member's own account bears the member's name in both lists.
      if (!this.#addresses.has(name)) this.#addresses.set(name, key);
      if (!this.#names.has(key)) this.#names.set(key, name);
    }
  }

  /** The address of a name or an address in text; a CLIError names whom the network knows. */
  resolve(text: string): Address {
    if (text.startsWith('0x')) return parseAddress(text);
    const address = this.#addresses.get(text);
    if (address !== undefined) return address;
    throw new CLIError(
      `Nobody here is called ${text}. Known are: ${[...this.#addresses.keys()].join(', ')}. Addresses begin with 0x.`,
    );
  }

  nameOf(address: string): string | undefined {
    return this.#names.get(address.toLowerCase() as Address);
  }

  /** "bank (0x...)", or the address alone. */
  label(address: string): string {
    const name = this.nameOf(address);
    return name === undefined ? address : `${name} (${address})`;
  }
}

/** Reads an address; one in mixed case must have the checksum of ERC-55, which finds mistyped ones. */
export function parseAddress(text: string): Address {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text))
    throw new CLIError(`${text} is no address: it has 0x and 40 hexadecimal digits.`);
  const lower = text.toLowerCase() as Address;
  const mixed = text !== lower && text.slice(2) !== text.slice(2).toUpperCase();
  if (mixed && !isAddress(text))
    throw new CLIError(`${text} is mistyped: its checksum is wrong (it could be ${getAddress(lower)}).`);
  return lower;
}

/** The members as the chain has them now, then the local network's development accounts. */
export async function loadAddressBook({ client, file }: ConnectedNetwork): Promise<AddressBook> {
  const members = await client.members.list();
  const entries = [...members, ...(file?.accounts ?? [])].map(({ name, address }): [string, Address] => [
    name,
    address,
  ]);
  return new AddressBook(entries);
}
