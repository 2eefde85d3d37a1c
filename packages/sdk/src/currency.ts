import { currencyAbi, currencyFactoryAbi, currencyFactoryAddress } from '@hanse/modules/abi';
import type { Address } from '@hanse/protocol';
import { formatAmount, parseAmount } from './amount.ts';
import type { HanseConnection } from './hanseConnection.ts';
import { type SentTransaction, sentTransaction } from './sentTransaction.ts';

/** Smallest units, or text as people write it ("12.50"). */
export type Amount = bigint | string;

/** One currency of the network. Every amount that it returns is in smallest units. */
export interface Currency {
  readonly address: Address;
  readonly symbol: string;
  readonly name: string;
  readonly decimals: number;
  balanceOf(account: Address): Promise<bigint>;
  totalSupply(): Promise<bigint>;
  /** Pays from the client's account. */
  transfer(payment: { to: Address; amount: Amount }): Promise<SentTransaction>;
  /** Creates money for a member bank: the authority's account only. */
  issue(issue: { bank: Address; amount: Amount }): Promise<SentTransaction>;
  /** Takes money back from a member bank: the authority's account only. */
  redeem(redeem: { bank: Address; amount: Amount }): Promise<SentTransaction>;
  parse(text: string): bigint;
  format(units: bigint): string;
}

/** The currency with a symbol; rejects if the network has none. */
export async function getCurrency(connection: HanseConnection, symbol: string): Promise<Currency> {
  const { publicClient } = connection;
  const address = await publicClient.readContract({
    address: currencyFactoryAddress,
    abi: currencyFactoryAbi,
    functionName: 'currencyBySymbol',
    args: [symbol],
  });
  if (BigInt(address) === 0n) throw new RangeError(`This network has no currency ${symbol}.`);
  return await currencyAt(connection, address.toLowerCase() as Address);
}

/** All currencies of the network, in the order in which they were created. */
export async function listCurrencies(connection: HanseConnection): Promise<readonly Currency[]> {
  const factory = { address: currencyFactoryAddress, abi: currencyFactoryAbi } as const;
  const count = await connection.publicClient.readContract({ ...factory, functionName: 'currencyCount' });
  const addresses = await Promise.all(
    Array.from({ length: Number(count) }, (_, index) =>
      connection.publicClient.readContract({ ...factory, functionName: 'currencyAt', args: [BigInt(index)] }),
    ),
  );
  return await Promise.all(addresses.map((address) => currencyAt(connection, address.toLowerCase() as Address)));
}

async function currencyAt(connection: HanseConnection, address: Address): Promise<Currency> {
  const { publicClient } = connection;
  const contract = { address, abi: currencyAbi } as const;
  const [symbol, name, decimals] = await Promise.all([
    publicClient.readContract({ ...contract, functionName: 'symbol' }),
    publicClient.readContract({ ...contract, functionName: 'name' }),
    publicClient.readContract({ ...contract, functionName: 'decimals' }),
  ]);
  const units = (amount: Amount): bigint => (typeof amount === 'bigint' ? amount : parseAmount(amount, decimals));
  const write = async (
    functionName: 'transfer' | 'issue' | 'redeem',
    account: Address,
    amount: Amount,
  ): Promise<SentTransaction> => {
    const wallet = connection.requireWallet();
    const hash = await wallet.writeContract({ ...contract, functionName, args: [account, units(amount)] });
    return sentTransaction(publicClient, hash);
  };
  return {
    address,
    symbol,
    name,
    decimals,
    balanceOf: (account) => publicClient.readContract({ ...contract, functionName: 'balanceOf', args: [account] }),
    totalSupply: () => publicClient.readContract({ ...contract, functionName: 'totalSupply' }),
    transfer: ({ to, amount }) => write('transfer', to, amount),
    issue: ({ bank, amount }) => write('issue', bank, amount),
    redeem: ({ bank, amount }) => write('redeem', bank, amount),
    parse: (text) => parseAmount(text, decimals),
    format: (value) => formatAmount(value, decimals),
  };
}
