import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './isAlive.ts';
import { type LocalNetwork, memberFolders } from './networkFolder.ts';
import type { RunningNetwork } from './runningNetwork.ts';

const PATIENCE_MS = 20_000;

/** Stops members that `hanse up --only` started again, so that the end of the network is the end of all of it. */
export async function stopOtherMembers(network: LocalNetwork, running: RunningNetwork): Promise<void> {
  const own = new Set(running.members.map(({ process: member }) => member.pid));
  // Members may have been added since this network was opened.
  const others = memberFolders(network.layout.root).flatMap((name) => {
    const pid = holderOf(join(network.layout.member(name).data, 'member.lock'));
    return pid === undefined || own.has(pid) || !isAlive(pid) ? [] : [pid];
  });
  for (const pid of others) process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + PATIENCE_MS;
  while (others.some(isAlive) && Date.now() < deadline) {
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

/** The process that holds a member's data folder. */
function holderOf(lockFile: string): number | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(lockFile, 'utf8')) as { pid?: unknown };
    return typeof pid === 'number' ? pid : undefined;
  } catch {
    // No lock: nobody holds the folder.
    return undefined;
  }
}
