import { type Chain, defineChain } from 'viem';

export interface HanseChainOptions {
  readonly chainId: number;
  readonly rpcUrl: string;
  readonly wsUrl?: string;
  /** For people; default "Hanse". */
  readonly name?: string;
}

/**
 * A viem chain for a Hanse network. The native coin pays for nothing where the minimum gas price is 0 and is never shown
 * to people; wallets insist on a name for it.
 */
export function hanseChain({ chainId, rpcUrl, wsUrl, name = 'Hanse' }: HanseChainOptions): Chain {
  return defineChain({
    id: chainId,
    name,
    nativeCurrency: { name: 'Hanse gas', symbol: 'HGAS', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl], ...(wsUrl === undefined ? {} : { webSocket: [wsUrl] }) } },
  });
}
