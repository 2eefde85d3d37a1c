import { describeError, type HanseRpcSchema, type MemberStatus } from '@hanse/sdk';
import { createPublicClient, http } from 'viem';

/** What one question to a member gave. */
export type Probe =
  | { readonly rpcUrl: string; readonly status: MemberStatus }
  | { readonly rpcUrl: string; readonly problem: string };

/** A member on the other side of the world answers in a second; one that hangs must not hold up the table. */
const PROBE_TIMEOUT_MS = 5_000;

/** Asks a member how it is, once and with little patience. Never rejects. */
export async function probeMember(rpcUrl: string): Promise<Probe> {
  const transport = http(rpcUrl, { retryCount: 0, timeout: PROBE_TIMEOUT_MS });
  const client = createPublicClient({ transport, rpcSchema: undefined as unknown as HanseRpcSchema });
  try {
    return { rpcUrl, status: await client.request({ method: 'hanse_status' }) };
  } catch (error) {
    return { rpcUrl, problem: describeError(error) };
  }
}
