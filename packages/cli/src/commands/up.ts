import { join, resolve } from 'node:path';
import { acquireFolderLock, networkLock } from '@hanse/node';
import type { Command } from 'commander';
import { CLIError } from '../cliError.ts';
import { createLocalNetwork, memberNames } from '../localNetwork/createLocalNetwork.ts';
import { describeNetwork } from '../localNetwork/describeNetwork.ts';
import { isAlive } from '../localNetwork/isAlive.ts';
import { layoutOf } from '../localNetwork/layout.ts';
import { membersTable } from '../localNetwork/membersTable.ts';
import {
  enterIntoNetworkFile,
  type NetworkFile,
  readNetworkFile,
  removeNetworkFile,
  writeNetworkFile,
} from '../localNetwork/networkFile.ts';
import {
  assertMembersStopped,
  deleteLocalNetwork,
  folderState,
  type LocalNetwork,
  type Manifest,
  type NetworkPorts,
  openLocalNetwork,
  presentMembers,
  updateManifest,
} from '../localNetwork/networkFolder.ts';
import { assertPortsFree } from '../localNetwork/ports.ts';
import { removedMembers } from '../localNetwork/removedMembers.ts';
import { RunningNetwork } from '../localNetwork/runningNetwork.ts';
import { stopOtherMembers } from '../localNetwork/stopOtherMembers.ts';
import { Stopper } from '../localNetwork/stopper.ts';
import { addExamples, dataOption, parseWhole } from '../options.ts';
import { addOutputOption, type OutputOptions, printResult } from '../output.ts';
import { STORY_CAST, tellOpeningStory } from '../story/openingStory.ts';

interface UpOptions extends OutputOptions {
  readonly data: string;
  readonly rpcPort: string;
  readonly peerPort?: string;
  readonly members?: string;
  readonly fresh?: boolean;
  readonly story: boolean;
  readonly only?: string;
}

/** Where progress goes: beside standard output where that is kept for JSON. */
let progress: NodeJS.WritableStream = process.stdout;

const say = (line: string): void => {
  progress.write(`${line}\n`);
};

/** `hanse up`: a whole network on this machine, in the foreground. */
export function addUpCommand(program: Command): void {
  const up = program
    .command('up')
    .description('create (at first) and run a local network: every member a process of its own')
    .option('--data <dir>', 'data folder of the network', '.hanse')
    .option('--rpc-port <port>', 'JSON-RPC port of the first member; the others count up', '8545')
    .option('--peer-port <port>', 'port between members, the first; the others count up (default: rpc-port + 1000)')
    .option('--members <n>', 'how many members a new network gets, 1 to 31 (default: 4)')
    .option('--fresh', 'delete the network in the data folder and create a new one')
    .option('--no-story', 'do not run the opening story')
    .option('--only <name>', 'start this one member of an existing network');
  addExamples(
    addOutputOption(up),
    'hanse up',
    'hanse up --data /tmp/trial --rpc-port 9000 --no-story',
    'hanse up --only farm      (after it died)',
  ).action(async (options: UpOptions) => {
    if (options.json === true) progress = process.stderr;
    const ports = parsePorts(options);
    const root = resolve(options.data);
    if (options.only === undefined) await runAll(root, ports, options);
    else await runOnly(root, options.only, options);
  });
}

function parsePorts(options: UpOptions): NetworkPorts {
  const rpcPort = parseWhole('--rpc-port', options.rpcPort, 1, 65_535);
  const peerPort =
    options.peerPort === undefined ? rpcPort + 1_000 : parseWhole('--peer-port', options.peerPort, 1, 65_535);
  return { rpcPort, peerPort };
}

/** Opens the network of a folder, or creates one where there is none; the caller holds the folder's lock. */
async function openOrCreate(root: string, ports: NetworkPorts, options: UpOptions): Promise<LocalNetwork> {
  const wanted = options.members === undefined ? undefined : parseWhole('--members', options.members, 1, 31);
  const exists = folderState(root) === 'network';
  if (exists && options.fresh !== true) {
    const network = openLocalNetwork(root);
    const { members } = network.manifest;
    if (wanted !== undefined && wanted !== members.length) {
      throw new CLIError(
        `The network in ${root} has ${members.length} members, not ${wanted}. Leave out --members, or start anew with --fresh (this deletes the chain).`,
      );
    }
    await assertNetworkPortsFree(network.manifest, ports);
    return updateManifest(network, () => ({ ports }));
  }
  const members = wanted ?? 4;
  // Whatever can go wrong is found out before anything is deleted or made.
  await assertNetworkPortsFree({ members: memberNames(members) }, ports);
  if (exists) {
    deleteLocalNetwork(root);
    say(`Deleted the old network in ${root}.`);
  }
  say(`Creating a network of ${members} member${members === 1 ? '' : 's'} in ${root} ...`);
  return await createLocalNetwork({ root, suite: 'international', members, ...ports, nowMs: Date.now() });
}

function assertNetworkPortsFree(
  { members, removed = [] }: Pick<Manifest, 'members' | 'removed'>,
  ports: NetworkPorts,
): Promise<void> {
  return assertPortsFree(
    members.flatMap((name, index) =>
      removed.includes(name)
        ? []
        : [
            { port: ports.rpcPort + index, use: `JSON-RPC of ${name}`, option: '--rpc-port' },
            { port: ports.peerPort + index, use: `${name} among members`, option: '--peer-port' },
          ],
    ),
  );
}

async function runAll(root: string, ports: NetworkPorts, options: UpOptions): Promise<void> {
  const stopper = new Stopper(say);
  if (folderState(root) === 'foreign') {
    throw new CLIError(
      `${root} is not empty and holds no Hanse network. Choose another folder with --data (or delete it, if a first start broke off there); nothing was changed.`,
    );
  }
  const lock = acquireFolderLock(root, networkLock);
  try {
    assertMembersStopped(root);
    // One that a killed `hanse up` left behind speaks of processes that are gone.
    removeNetworkFile(layoutOf(root).network);
    const network = await openOrCreate(root, ports, options);
    say(`Starting ${presentMembers(network.manifest).join(', ')} ...`);
    const running = await RunningNetwork.start(network);
    stopper.watch(running);
    try {
      await runUntilStopped(network, running, stopper, options);
    } finally {
      try {
        await Promise.all([running.stop(), stopOtherMembers(network, running)]);
      } finally {
        removeNetworkFile(network.layout.network);
      }
    }
    say('All members have stopped.');
  } finally {
    lock.release();
  }
}

async function runUntilStopped(
  network: LocalNetwork,
  running: RunningNetwork,
  stopper: Stopper,
  options: UpOptions,
): Promise<void> {
  await dismissRemoved(network, running);
  const file = await describeNetwork(network, running);
  writeNetworkFile(network.layout.network, file);
  const allDead = reportDeaths(running, options);
  await Promise.race([present(network, file, options), stopper.asked, allDead]);
  await Promise.race([stopper.asked, allDead]);
}

/** A member that the others removed has nothing to do any more: it is stopped, and later starts leave it out. */
async function dismissRemoved(network: LocalNetwork, running: RunningNetwork): Promise<void> {
  for (const name of await removedMembers(running)) {
    await running.dismiss(name);
    updateManifest(network, ({ removed = [] }) => ({ removed: [...removed, name] }));
    say(`${name} was removed from the network by its members and is not started any more. Its folder stays.`);
  }
}

/** Says so when a member dies; resolves when none is left. */
function reportDeaths(running: RunningNetwork, options: UpOptions): Promise<void> {
  return new Promise((resolve) => {
    let alive = running.members.length;
    running.onDeath((name, how) => {
      alive -= 1;
      say(`${name} died (${how}). Start it again with: npx hanse up --only ${name}${dataOption(options.data)}`);
      if (alive > 0) return;
      say('No member is left.');
      process.exitCode = 1;
      resolve();
    });
  });
}

/** The story (once in the life of a network), then the table. */
async function present(network: LocalNetwork, file: NetworkFile, options: UpOptions): Promise<void> {
  if (options.story && !network.manifest.storyTold) {
    if (STORY_CAST.every((name) => network.manifest.members.includes(name))) {
      await tellStory(network, file);
    } else {
      say(`The opening story needs ${STORY_CAST.join(', ')}: it is told in networks of four or more members.`);
    }
  }
  if (options.json === true) printResult(options, file, () => []);
  else say(membersTable(file));
  say('Running. Ctrl-C stops all members.');
}

/** A story that breaks off is no reason to stop a network that runs: it is told again at the next start. */
async function tellStory(network: LocalNetwork, file: NetworkFile): Promise<void> {
  try {
    await tellOpeningStory(file, say, { folder: join(network.layout.root, 'story') });
    updateManifest(network, () => ({ storyTold: true }));
  } catch (error) {
    if (!(error instanceof CLIError)) throw error;
    say(`${error.message}\nThe network runs on; the story is told again at its next start.`);
    process.exitCode = 1;
  }
}

/** Starts one member of a network whose other members run already (or not), at the ports of the network's latest start. */
async function runOnly(root: string, name: string, options: UpOptions): Promise<void> {
  const stopper = new Stopper(say);
  if (folderState(root) !== 'network')
    throw new CLIError(`There is no network in ${root}: run "hanse up" first, or name its folder with --data.`);
  const network = openLocalNetwork(root);
  const index = network.manifest.members.indexOf(name);
  if (index < 0) throw new CLIError(`There is no member ${name}. Members are: ${network.manifest.members.join(', ')}.`);
  if (network.manifest.removed?.includes(name))
    throw new CLIError(`${name} was removed from the network by its members: there is nothing that it could do.`);
  const file = readNetworkFile(network.layout.network);
  const before = file?.members.find((member) => member.name === name);
  if (before !== undefined && isAlive(before.pid)) throw new CLIError(`${name} runs already (process ${before.pid}).`);
  const running = await RunningNetwork.start(network, name);
  stopper.watch(running);
  const [member] = running.members;
  if (member !== undefined) enterIntoNetworkFile(network, member);
  const { rpcUrl, wsUrl } = member ?? {};
  if (options.json === true) printResult(options, { name, rpcUrl, wsUrl, pid: member?.process.pid }, () => []);
  say(`${name} runs at ${rpcUrl}. Ctrl-C stops it.`);
  const ended = new Promise<void>((resolve) => {
    running.onDeath((dead, how) => {
      say(`${dead} ended (${how}).`);
      if (how !== 'exit code 0') process.exitCode = 1;
      resolve();
    });
  });
  await Promise.race([stopper.asked, ended]);
  await running.stop();
}
