import { createHanseClient } from '@hanse/sdk';
import type { RunningNetwork } from './runningNetwork.ts';

/** The running members that were removed from the network, by what any of them knows: a removed one may have stopped following before it heard. */
export async function removedMembers(running: RunningNetwork): Promise<readonly string[]> {
  const names = new Set(running.members.map(({ process: member }) => member.name));
  const known = await Promise.all(
    running.members.map(async ({ rpcUrl }) => (await createHanseClient({ rpcUrl })).members.all()),
  );
  const removed = known.flat().filter(({ active, name }) => !active && names.has(name));
  return [...new Set(removed.map(({ name }) => name))];
}
