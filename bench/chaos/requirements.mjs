// What a campaign needs of the machine, found out by trying it in a namespace that is thrown away.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Namespaces of network, mounts and processes: whatever a campaign sets up is in there, and the kernel removes all of it when its first
 * process ends, however that ends.
 */
export const UNSHARE = ['unshare', '--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];

/** The one thing of each kind that the campaign will make many of. */
const TRIAL = [
  'mount -t tmpfs tmpfs /run && mkdir /run/netns',
  'ip netns add trial',
  'ip link add trial0 type bridge',
  'ip link add trial1 type veth peer name eth0 netns trial',
  'ip link add trial2 type vxlan id 1 dstport 4789 remote 192.0.2.1 dev lo nolearning',
  'nsenter --net=/run/netns/trial ip link set lo up',
].join(' && ');

/** `missing`: one line that says what is missing, undefined if nothing is. `faketime`: the library that steps clocks, if it is there. */
export function findRequirements() {
  const faketime = findFaketime();
  if (process.platform !== 'linux') return { missing: 'it needs Linux (network namespaces)', faketime };
  if (process.getuid?.() !== 0) return { missing: 'it needs root (sudo npm run chaos)', faketime };
  for (const [program, debian] of [
    ['unshare', 'util-linux'],
    ['nsenter', 'util-linux'],
    ['mount', 'mount'],
    ['ip', 'iproute2'],
  ]) {
    const { error } = spawnSync(program, ['-V'], { stdio: 'ignore' });
    if (error !== undefined)
      return { missing: `the program ${program} is missing (Debian package ${debian})`, faketime };
  }
  const [program, ...options] = UNSHARE;
  const { status, stderr } = spawnSync(program, [...options, 'sh', '-c', TRIAL], { encoding: 'utf8' });
  if (status === 0) return { missing: undefined, faketime };
  const why = stderr.trim().split('\n')[0] || `exit code ${status}`;
  return { missing: `network namespaces with bridge, veth and VXLAN cannot be made here: ${why}`, faketime };
}

/** Where Debian and its relatives, Fedora and Alpine put the library (the package is called faketime or libfaketime). */
function findFaketime() {
  const roots = ['/usr/lib', '/usr/lib64', '/usr/local/lib'].filter(existsSync);
  const folders = roots.flatMap((root) => [
    root,
    ...readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && /-linux-(gnu|musl)/.test(entry.name))
      .map(({ name }) => join(root, name)),
  ]);
  const candidates = folders.flatMap((folder) => [folder, join(folder, 'faketime')]);
  // The variant for programs with threads.
  return candidates.map((folder) => join(folder, 'libfaketimeMT.so.1')).find(existsSync);
}
