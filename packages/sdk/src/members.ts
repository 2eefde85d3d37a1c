import { membersAbi, membersAddress } from '@hanse/modules/abi';
import type { Address } from '@hanse/protocol';
import { type Governance, governanceOf } from './governance.ts';
import type { HanseConnection } from './hanseConnection.ts';
import type { MemberDescription } from './hanseRpc.ts';
import { type SentTransaction, sentTransaction } from './sentTransaction.ts';

/** What an account may do on this network. */
export interface AccountPermissions {
  readonly mayTransact: boolean;
  readonly mayDeploy: boolean;
}

/** The alliance's members and their accounts, and how the members change both (the module `members`). */
export interface Members extends Governance {
  list(): Promise<readonly MemberDescription[]>;
  permissionsOf(account: Address): Promise<AccountPermissions>;
  /** A member's own account registers an account that it answers for. */
  registerAccount(registration: { account: Address; mayDeploy: boolean }): Promise<SentTransaction>;
  /** The member that registered an account removes it. */
  removeAccount(account: Address): Promise<SentTransaction>;
}

export function membersOf(connection: HanseConnection): Members {
  const contract = { address: membersAddress, abi: membersAbi } as const;
  const { publicClient } = connection;
  return {
    ...governanceOf(connection),
    list: () => publicClient.request({ method: 'hanse_members' }),
    permissionsOf: async (account) => {
      const [mayTransact, mayDeploy] = await publicClient.readContract({
        ...contract,
        functionName: 'permissionsOf',
        args: [account],
      });
      return { mayTransact, mayDeploy };
    },
    registerAccount: async ({ account, mayDeploy }) => {
      const wallet = connection.requireWallet();
      const hash = await wallet.writeContract({
        ...contract,
        functionName: 'registerAccount',
        args: [account, mayDeploy],
      });
      return sentTransaction(publicClient, hash);
    },
    removeAccount: async (account) => {
      const wallet = connection.requireWallet();
      const hash = await wallet.writeContract({ ...contract, functionName: 'removeAccount', args: [account] });
      return sentTransaction(publicClient, hash);
    },
  };
}
