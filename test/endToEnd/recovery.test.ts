import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHanseClient } from '@hanse/sdk';
import { afterAll, describe, expect, it } from 'vitest';
import { freePorts, hanse, LocalNetwork, removeFolders, temporaryFolder } from './localNetwork.ts';
import { MemberNode } from './memberNode.ts';
import { call, until } from './rpc.ts';

const nodes: MemberNode[] = [];

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  removeFolders();
});

/** Runs `hanse` and gives what it printed, or the one line of its refusal. */
async function run(...arguments_: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await hanse(arguments_);
  return code === 0 ? stdout : stderr.trimEnd();
}

describe('an alliance of four that lost two members for good', () => {
  it('goes on with the other two, after both have signed by hand', async () => {
    const root = temporaryFolder();
    const port = await freePorts(4);
    const network = await LocalNetwork.start(root, port);
    const { members, accounts } = network.description;
    const account = (name: string) => accounts.find((candidate) => candidate.name === name)!;
    const connect = (name: string) =>
      createHanseClient({ rpcUrl: members[0]!.rpcUrl, account: account(name).privateKey });
    const pay = async (): Promise<void> => {
      const yuan = await (await connect('authority')).currency('DCNY');
      await (await yuan.issue({ bank: account('bank').address, amount: '10.00' })).final();
    };
    await pay();
    await network.stop();
    const config = (name: string): string => join(root, 'members', name, 'node.json');
    const url = (name: string): string => members.find((member) => member.name === name)!.rpcUrl;
    const start = async (name: string): Promise<MemberNode> => {
      const node = new MemberNode(config(name));
      nodes.push(node);
      await until(() => call(url(name), 'eth_chainId'));
      return node;
    };
    const [authority, bank] = [await start('authority'), await start('bank')];
    const file = join(root, 'recovery.json');
    const plan = (...gone: readonly string[]) =>
      run(
        ...['recovery', 'plan', '--config', config('bank'), '--out', file, '--reason', 'a fire'],
        ...gone.flatMap((name) => ['--without', name]),
      );
    expect(await plan('nobody')).toContain('no active member nobody');
    expect(await plan('authority', 'farm', 'market')).toContain('1 of the validators before remain, but at least 2');
    expect(await plan('farm', 'market')).toContain('still to sign       authority, bank');
    expect(await run('recovery', 'sign', file, '--config', config('bank'))).toContain('must be confirmed by hand');
    expect(await run('recovery', 'sign', file, '--config', config('bank'), '--yes')).toContain(
      'Still to sign: authority',
    );
    expect(await run('recovery', 'apply', file, '--config', config('bank'))).toContain('authority has not signed it');
    expect(await run('recovery', 'sign', file, '--config', config('authority'), '--yes')).toContain('It is complete');
    for (const name of ['authority', 'bank']) {
      expect(await run('recovery', 'apply', file, '--config', config(name))).toContain('Start the node again');
    }
    expect(JSON.parse(readFileSync(file, 'utf8')).signatures).toHaveLength(2);
    await authority.stop();
    await bank.stop();
    await start('authority');
    await start('bank');
    await pay();
    const status = await call<{ epoch: number; height: number }>(url('bank'), 'hanse_status');
    expect(status.epoch).toBe(1);
    const left = await call<{ name: string }[]>(url('bank'), 'hanse_members');
    expect(left.map(({ name }) => name)).toEqual(['authority', 'bank']);
    // The block after the recovery proves itself by the new set.
    const { signers } = await call<{ signers: string[] }>(url('bank'), 'hanse_getFinality', 'latest');
    expect(signers).toEqual(['authority', 'bank']);
  }, 300_000);
});
