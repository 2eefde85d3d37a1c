import type { Hex } from '@hanse/protocol';
import { type Account, type Chain, createPublicClient, createWalletClient, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { type Anchors, anchorsOf } from './anchors.ts';
import { type Currency, getCurrency, listCurrencies } from './currency.ts';
import { hanseChain } from './hanseChain.ts';
import type { HanseConnection, HansePublicClient, HanseWalletClient } from './hanseConnection.ts';
import type { FinalityAnswer, HanseRpcSchema, MemberStatus } from './hanseRpc.ts';
import { type Members, membersOf } from './members.ts';

export interface HanseClientOptions {
  /** A member's JSON-RPC address, for example http://127.0.0.1:8545. */
  readonly rpcUrl: string;
  /** Whoever signs: a viem account, or a private key. Absent: a client that only reads. */
  readonly account?: Account | Hex;
  /** How often waiting for a receipt asks, in milliseconds; default 50, because blocks are final at once. */
  readonly pollingIntervalMs?: number;
}

/** A client of one member: viem's own clients, and the modules of the alliance in a few words. */
export interface HanseClient extends HanseConnection {
  readonly chain: Chain;
  readonly members: Members;
  readonly anchors: Anchors;
  currency(symbol: string): Promise<Currency>;
  currencies(): Promise<readonly Currency[]>;
  status(): Promise<MemberStatus>;
  /** What proves a block final; null if there is no such block. */
  finality(block: bigint | 'latest'): Promise<FinalityAnswer | null>;
}

/** Connects to a member; asks it for the chain id, and rejects if it does not answer. */
export async function createHanseClient(options: HanseClientOptions): Promise<HanseClient> {
  const transport = http(options.rpcUrl);
  const chainId = await createPublicClient({ transport }).getChainId();
  const chain = hanseChain({ chainId, rpcUrl: options.rpcUrl });
  const pollingInterval = options.pollingIntervalMs ?? 50;
  const publicClient: HansePublicClient = createPublicClient({
    chain,
    transport,
    pollingInterval,
    rpcSchema: undefined as unknown as HanseRpcSchema,
  });
  const account = typeof options.account === 'string' ? privateKeyToAccount(options.account) : options.account;
  const wallet: HanseWalletClient | undefined =
    account === undefined ? undefined : createWalletClient({ account, chain, transport, pollingInterval });
  const connection: HanseConnection = {
    publicClient,
    requireWallet: () => {
      if (wallet === undefined)
        throw new Error('This client has no account: give createHanseClient an account or a private key.');
      return wallet;
    },
  };
  return {
    ...connection,
    chain,
    members: membersOf(connection),
    anchors: anchorsOf(connection),
    currency: (symbol) => getCurrency(connection, symbol),
    currencies: () => listCurrencies(connection),
    status: () => publicClient.request({ method: 'hanse_status' }),
    finality: (block) =>
      publicClient.request({
        method: 'hanse_getFinality',
        params: [block === 'latest' ? block : `0x${block.toString(16)}`],
      }),
  };
}
