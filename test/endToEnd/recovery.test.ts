import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createHanseClient, type MemberStatus } from '@hanse/sdk';
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
    const bank = await start('bank');
    const file = join(root, 'recovery.json');
    const recovery = (verb: string, name: string, ...more: readonly string[]) =>
      run('recovery', verb, ...more, '--config', config(name));
    const plan = (...gone: readonly string[]) =>
      recovery('plan', 'bank', '--out', file, '--reason', 'a fire', ...gone.flatMap((name) => ['--without', name]));
    expect(await plan('farm')).toContain('The node of bank runs: stop it first');
    await bank.stop();
    expect(await plan('nobody')).toContain('no active member nobody');
    expect(await plan('authority', 'farm', 'market')).toContain('1 of the validators before remain, but at least 2');
    expect(await plan('farm', 'market')).toContain('still to sign       authority, bank');
    const wrong = join(root, 'wrong.json');
    const another = await recovery('plan', 'bank', '--out', wrong, '--reason', 'another', '--validator', 'bank');
    expect(another).toContain('leave the alliance  nobody');
    expect(await recovery('sign', 'bank', wrong)).toContain('must be confirmed by hand');
    expect(await recovery('sign', 'bank', wrong, '--yes')).toContain('Still to sign: authority, farm, market');
    expect(await recovery('apply', 'bank', wrong)).toContain('authority has not signed it');

    // Whoever signed is bound, whatever comes of it: it follows without a vote, and signs no other document of the block.
    const waiting = await start('bank');
    const bound = await call<MemberStatus>(url('bank'), 'hanse_status');
    expect(bound).toMatchObject({ voting: 'recovery', recoveryPending: bound.height, healthy: false });
    await waiting.stop();
    expect(await recovery('sign', 'bank', file, '--yes')).toContain('bank signed another document, from block');

    // The way out is that somebody who must sign never does.
    expect(await recovery('refuse', 'authority', wrong)).toContain('authority will never sign this document');
    expect(await recovery('sign', 'authority', wrong, '--yes')).toContain('authority refused this document for good');
    expect(await recovery('withdraw', 'bank', wrong, '--unsigned', 'bank', '--yes')).toContain(
      'does not wait for bank',
    );
    const withdrawn = await recovery('withdraw', 'bank', wrong, '--unsigned', 'authority', '--yes');
    expect(withdrawn).toContain('bank is not bound by the document any more');
    expect(await recovery('sign', 'bank', file, '--yes')).toContain('Still to sign: authority');
    expect(await recovery('sign', 'authority', file, '--yes')).toContain('It is complete');
    expect(await recovery('refuse', 'authority', file)).toContain('authority has signed this document');
    expect(await recovery('withdraw', 'bank', file, '--unsigned', 'authority', '--yes')).toContain('has signed it');
    for (const name of ['authority', 'bank']) {
      expect(await recovery('apply', name, file)).toContain('Start the node: it goes on from there');
    }
    expect(await recovery('withdraw', 'bank', file, '--unsigned', 'authority', '--yes')).toContain('in force here');
    expect(JSON.parse(readFileSync(file, 'utf8')).signatures).toHaveLength(2);
    await start('authority');
    const again = await start('bank');
    await pay();
    expect(await call(url('bank'), 'hanse_status')).toMatchObject({
      epoch: 1,
      voting: 'voting',
      recoveryPending: null,
    });
    const left = await call<{ name: string }[]>(url('bank'), 'hanse_members');
    expect(left.map(({ name }) => name)).toEqual(['authority', 'bank']);
    // The block after the recovery proves itself by the new set.
    const { signers } = await call<{ signers: string[] }>(url('bank'), 'hanse_getFinality', 'latest');
    expect(signers).toEqual(['authority', 'bank']);

    // Two validators need each other. One that lost its log cannot find out what it signed: a document that removes nobody mends it.
    await again.stop();
    rmSync(join(root, 'members', 'bank', 'data', 'log'), { recursive: true });
    const lost = await start('bank');
    expect((await call<MemberStatus>(url('bank'), 'hanse_status')).voting).toBe('amnesia');
    await Promise.all([lost.stop(), ...nodes.map((node) => node.stop())]);
    const mended = join(root, 'mended.json');
    const same = await recovery('plan', 'bank', '--out', mended, '--reason', 'bank lost its log');
    expect(same).toContain('begins epoch        2');
    for (const name of ['bank', 'authority']) await recovery('sign', name, mended, '--yes');
    for (const name of ['bank', 'authority']) await recovery('apply', name, mended);
    for (const name of ['bank', 'authority']) await start(name);
    await pay();
    expect(await call(url('bank'), 'hanse_status')).toMatchObject({ epoch: 2, voting: 'voting' });
  }, 300_000);
});
