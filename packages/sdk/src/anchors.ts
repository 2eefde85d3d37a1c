import { anchorAbi, anchorAddress } from '@hanse/modules/abi';
import type { Address, Hash } from '@hanse/protocol';
import type { HanseConnection } from './hanseConnection.ts';
import { type SentTransaction, sentTransaction } from './sentTransaction.ts';

/** Who anchored a commitment, and when. */
export interface AnchorRecord {
  readonly account: Address;
  /** The number of the member that answers for the account; 0: nobody. */
  readonly member: number;
  /** 0 for a single commitment, else the number of leaves under a Merkle root. */
  readonly count: number;
  readonly height: number;
  /** Seconds since 1970. */
  readonly time: number;
}

/** Commitments of off-chain data (the module `anchor`). A commitment is H(salt || content hash). */
export interface Anchors {
  anchor(commitments: readonly Hash[]): Promise<SentTransaction>;
  anchorBatch(batch: { root: Hash; count: number }): Promise<SentTransaction>;
  /** The first record of a commitment, or undefined if nobody anchored it. */
  find(commitment: Hash): Promise<AnchorRecord | undefined>;
}

export function anchorsOf(connection: HanseConnection): Anchors {
  const contract = { address: anchorAddress, abi: anchorAbi } as const;
  return {
    anchor: async (commitments) => {
      const wallet = connection.requireWallet();
      const hash = await wallet.writeContract({ ...contract, functionName: 'anchorMany', args: [commitments] });
      return sentTransaction(connection.publicClient, hash);
    },
    anchorBatch: async ({ root, count }) => {
      const wallet = connection.requireWallet();
      const hash = await wallet.writeContract({ ...contract, functionName: 'anchorBatch', args: [root, count] });
      return sentTransaction(connection.publicClient, hash);
    },
    find: async (commitment) => {
      const record = await connection.publicClient.readContract({
        ...contract,
        functionName: 'getAnchor',
        args: [commitment],
      });
      if (record.height === 0) return undefined;
      return { ...record, account: record.account.toLowerCase() as Address };
    },
  };
}
