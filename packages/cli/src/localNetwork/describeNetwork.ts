import type { Address } from '@hanse/protocol';
import { createHanseClient } from '@hanse/sdk';
import { NETWORK_FILE_NOTE, type NetworkFile } from './networkFile.ts';
import type { LocalNetwork } from './networkFolder.ts';
import type { RunningNetwork } from './runningNetwork.ts';

/** Asks the running members for what `network.json` says of them. */
export async function describeNetwork(network: LocalNetwork, running: RunningNetwork): Promise<NetworkFile> {
  const clients = await Promise.all(running.members.map(({ rpcUrl }) => createHanseClient({ rpcUrl })));
  const [first] = clients;
  if (first === undefined) throw new Error('A network without members cannot be described.');
  const [status, currencies, ...statuses] = await Promise.all([
    first.status(),
    first.currencies(),
    ...clients.map((client) => client.status()),
  ]);
  const members = await first.members.list();
  // One that is not admitted yet has its account all the same.
  const addressOf = (name: string): Address | undefined =>
    [...members, ...network.accounts].find((entry) => entry.name === name)?.address;
  return {
    note: NETWORK_FILE_NOTE,
    chainId: status.chainId,
    suite: network.manifest.suite,
    genesisHash: status.genesisHash,
    members: running.members.map(({ process: member, rpcUrl, wsUrl }, index) => {
      const address = addressOf(member.name);
      if (address === undefined || statuses[index]?.name !== member.name)
        throw new Error(`${rpcUrl} is not the member ${member.name}.`);
      return { name: member.name, address, rpcUrl, wsUrl, pid: member.pid };
    }),
    accounts: network.accounts,
    currencies: currencies.map(({ symbol, decimals, address }) => ({ symbol, decimals, address })),
  };
}
