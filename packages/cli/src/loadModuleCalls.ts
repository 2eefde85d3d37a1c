import type { AddressBook } from './addressBook.ts';
import { ModuleCalls } from './moduleCalls.ts';
import type { ConnectedNetwork } from './networkTarget.ts';

/** A decoder that knows the network's people and currencies. */
export async function loadModuleCalls({ client }: ConnectedNetwork, book: AddressBook): Promise<ModuleCalls> {
  const currencies = await client.currencies();
  return new ModuleCalls(
    book,
    new Map(currencies.map(({ address, symbol, decimals }) => [address, { symbol, decimals }])),
  );
}
