import type { MemberStatus } from '@hanse/sdk';
import { CLIError } from '../cliError.ts';
import type { MemberContext } from './memberContext.ts';

/** Why a node is not yet as it should be, in one line; undefined if it is. */
export type NodeCheck = (status: MemberStatus) => string | undefined;

const POLL_MS = 200;
const PENDING_TIMEOUT_MS = 60_000;

/** Throws unless the node that answers is the acting member's own. */
export function assertOwnNode({ network, self }: MemberContext): void {
  const { name } = network.status;
  if (name !== self.name)
    throw new CLIError(
      `${network.rpcUrl} is the node of ${name}, not of ${self.name}. Name ${self.name}'s own with --rpc URL, or its configuration with --config.`,
    );
}

/** Asks the member's node until it is as it should be; after `patienceMs` the reason why it is not is thrown. */
export async function waitForNode(
  { client }: Pick<MemberContext, 'client'>,
  patienceMs: number,
  check: NodeCheck,
): Promise<MemberStatus> {
  const deadlineMs = Date.now() + patienceMs;
  for (;;) {
    const status = await client.status();
    const reason = check(status);
    if (reason === undefined) return status;
    if (Date.now() >= deadlineMs) throw new CLIError(reason);
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

/** Waits until the member's account has no transaction on its way; true if it had one. */
export async function waitForPending({ client, self }: Pick<MemberContext, 'client' | 'self'>): Promise<boolean> {
  const { publicClient } = client;
  const { account: address } = self;
  const count = (blockTag: 'latest' | 'pending'): Promise<number> =>
    publicClient.getTransactionCount({ address, blockTag });
  const pending = await count('pending');
  const deadlineMs = Date.now() + PENDING_TIMEOUT_MS;
  for (let asked = 0; ; asked++) {
    if ((await count('latest')) >= pending) return asked > 0;
    if (Date.now() >= deadlineMs)
      throw new CLIError(
        `An earlier transaction of ${self.name} is not final after ${PENDING_TIMEOUT_MS / 1_000} s. See "hanse status" for members that are missing, and run the command again.`,
      );
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}
