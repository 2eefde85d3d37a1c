import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { keyFileNames, loadSuite } from '@hanse/node';
import type { MemberRole } from '@hanse/protocol';
import { createHanseClient, type MemberEntry } from '@hanse/sdk';
import { CLIError } from '../cliError.ts';
import { descriptorFingerprint, readDescriptorFile } from '../memberDescriptor.ts';
import { createMemberFolder, type MemberFolder } from '../memberFolder.ts';
import { updateDevelopmentAccount } from './developmentAccounts.ts';
import { isAlive } from './isAlive.ts';
import { readNetworkFile } from './networkFile.ts';
import { folderState, type LocalNetwork, openLocalNetwork, updateManifest } from './networkFolder.ts';

/**
 * Makes the folder of a further member beside those of a local network, which may run. The network's description names it last, so
 * what was broken off can be repeated. It is a member once the others admitted it.
 */
export async function addLocalMember(root: string, name: string, role: MemberRole): Promise<MemberFolder> {
  if (folderState(root) !== 'network')
    throw new CLIError(`There is no local network in ${root}: run "hanse up" first, or name its folder with --data.`);
  const network = openLocalNetwork(root);
  const members = await runningMembers(network);
  refuseTakenName(network, name, members);
  const { layout, manifest } = network;
  const member = layout.member(name);
  const index = manifest.members.length;
  const descriptorFile = join(member.folder, 'descriptor.json');
  const made = existsSync(descriptorFile)
    ? await readFolder(network, name, descriptorFile)
    : await createMemberFolder({
        folder: member.folder,
        suite: manifest.suite,
        name,
        role,
        endpoints: [`127.0.0.1:${manifest.ports.peerPort + index}`],
        listen: `127.0.0.1:${manifest.ports.peerPort + index}`,
        rpc: { host: '127.0.0.1', port: manifest.ports.rpcPort + index },
        genesisPath: '../../genesis.json',
        introduced: members
          .filter(({ active }) => active)
          .map(({ name: other, transportKey, endpoints }) => ({ name: other, transportKey, endpoints })),
      });
  const suite = await loadSuite(manifest.suite);
  updateDevelopmentAccount(root, { name, file: join(member.keys, keyFileNames.account) }, suite);
  updateManifest(network, (current) => ({ members: [...current.members, name] }));
  return made;
}

/** The members as the chain has them, if the network runs. */
async function runningMembers({ layout }: LocalNetwork): Promise<readonly MemberEntry[]> {
  const alive = readNetworkFile(layout.network)?.members.find(({ pid }) => isAlive(pid));
  if (alive === undefined) return [];
  return await (await createHanseClient({ rpcUrl: alive.rpcUrl })).members.all();
}

function refuseTakenName(
  { manifest, accounts, layout }: LocalNetwork,
  name: string,
  members: readonly MemberEntry[],
): void {
  if (manifest.members.includes(name))
    throw new CLIError(`The local network has a member ${name} already. Choose another name.`);
  if (members.some((member) => member.name === name))
    throw new CLIError(`The chain has or had a member ${name}, and a name is never given again. Choose another.`);
  const isMade = existsSync(join(layout.member(name).folder, 'descriptor.json'));
  if (!isMade && accounts.some((account) => account.name === name))
    throw new CLIError(`${name} is a development account of this network. Choose another name.`);
}

/** A folder that an earlier run made and did not get to enter into the network. */
async function readFolder({ layout }: LocalNetwork, name: string, descriptorFile: string): Promise<MemberFolder> {
  const descriptor = readDescriptorFile(descriptorFile);
  const member = layout.member(name);
  return {
    descriptor,
    fingerprint: descriptorFingerprint(descriptor, await loadSuite(descriptor.suite)),
    descriptorFile,
    configFile: member.config,
    keysFolder: member.keys,
    genesisFile: layout.genesis,
    genesisHash: undefined,
  };
}
