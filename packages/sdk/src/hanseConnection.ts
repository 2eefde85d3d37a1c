import type { Account, Chain, HttpTransport, PublicClient, WalletClient } from 'viem';
import type { HanseRpcSchema } from './hanseRpc.ts';

export type HansePublicClient = PublicClient<HttpTransport, Chain, undefined, HanseRpcSchema>;
export type HanseWalletClient = WalletClient<HttpTransport, Chain, Account>;

/** What the parts of the client share. */
export interface HanseConnection {
  readonly publicClient: HansePublicClient;
  /** The wallet, or an error that says that the client has no account. */
  requireWallet(): HanseWalletClient;
}
