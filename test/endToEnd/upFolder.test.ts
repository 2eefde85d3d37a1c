import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, freePorts, hanse, LocalNetwork, removeFolders, temporaryFolder } from './localNetwork.ts';
import { until } from './rpc.ts';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('hanse up and its folder', () => {
  let root: string;
  let port: number;
  const up = (...more: string[]): Promise<CommandResult> =>
    hanse(['up', '--data', root, '--rpc-port', String(port), '--no-story', ...more]);
  const genesis = (): string => readFileSync(join(root, 'genesis.json'), 'utf8');

  beforeAll(async () => {
    root = temporaryFolder();
    port = await freePorts(2);
    await (await LocalNetwork.start(root, port, ['--no-story', '--members', '2'])).stop();
  });

  afterAll(removeFolders);

  it('deletes nothing when a port is taken, --fresh or not', async () => {
    const before = genesis();
    const server = createServer().listen(port + 1, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    for (const options of [[], ['--fresh', '--members', '2']]) {
      const { code, stderr } = await up(...options);
      expect(code).toBe(1);
      expect(stderr.trim()).toMatch(/^Port \d+ for JSON-RPC of bank is taken .*--rpc-port\.$/);
      expect(genesis()).toBe(before);
    }
    await new Promise((resolve) => server.close(resolve));
  });

  it('replaces what a killed start left behind, and stops members that were started again by name', async () => {
    writeFileSync(join(root, 'network.json'), '{"members":[],"accounts":[]}');
    const network = await LocalNetwork.start(root, port);
    expect(network.description.members).toHaveLength(2);
    process.kill(network.member('bank').pid, 'SIGKILL');
    await network.printed(/bank died/);
    // Somebody may have moved the log away meanwhile.
    rmSync(join(root, 'members', 'bank', 'node.log'));
    const only = hanse(['up', '--data', root, '--only', 'bank']);
    const again = await until(async () => {
      const { pid } = network.member('bank');
      return isAlive(pid) ? pid : undefined;
    });
    expect((await up('--fresh')).stderr).toMatch(/in use by process/);
    expect(await network.stop()).toBe(0);
    expect((await only).code).toBe(0);
    expect(isAlive(again)).toBe(false);
    expect(existsSync(join(root, 'network.json'))).toBe(false);
  });

  it('starts anew with --fresh, and keeps the keys of accounts', async () => {
    const before = genesis();
    writeFileSync(join(root, 'notes.txt'), 'mine');
    const network = await LocalNetwork.start(root, port, ['--no-story', '--members', '1', '--fresh']);
    expect(network.description.members).toHaveLength(1);
    expect(genesis()).not.toBe(before);
    await network.stop();
    expect(readFileSync(join(root, 'notes.txt'), 'utf8')).toBe('mine');
  });
});
