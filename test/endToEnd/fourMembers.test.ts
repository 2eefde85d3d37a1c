import { createHanseClient, type HanseClient } from '@hanse/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts, hanse, LocalNetwork, removeFolders, temporaryFolder } from './localNetwork.ts';
import { call, until } from './rpc.ts';

interface Block {
  readonly number: `0x${string}`;
  readonly hash: string;
  readonly stateRoot: string;
  readonly transactions: readonly string[];
}

const heightOf = async (url: string): Promise<number> => Number(await call<string>(url, 'eth_blockNumber'));
const block = (url: string, height: number): Promise<Block> =>
  call<Block>(url, 'eth_getBlockByNumber', `0x${height.toString(16)}`, false);

/** A client of the member that answers for an account, signing with that account. */
function client(network: LocalNetwork, account: string, member?: string): Promise<HanseClient> {
  const { privateKey, member: own } = network.account(account);
  return createHanseClient({ rpcUrl: network.member(member ?? own).rpcUrl, account: privateKey });
}

describe('four members of a local network', () => {
  let root: string;
  let port: number;
  let network: LocalNetwork;

  beforeAll(async () => {
    root = temporaryFolder();
    port = await freePorts(4);
    network = await LocalNetwork.start(root, port);
  });

  afterAll(async () => {
    await network.stop();
    removeFolders();
  });

  it('describe themselves in network.json', async () => {
    const { chainId, suite, genesisHash, members, accounts, currencies } = network.description;
    expect(suite).toBe('international');
    expect(members.map(({ name }) => name)).toEqual(['authority', 'bank', 'farm', 'market']);
    expect(members.map(({ rpcUrl }) => rpcUrl)).toEqual(
      [0, 1, 2, 3].map((index) => `http://127.0.0.1:${port + index}`),
    );
    expect(currencies).toEqual([{ symbol: 'DCNY', decimals: 2, address: expect.stringMatching(/^0x[0-9a-f]{40}$/) }]);
    expect(accounts.every(({ privateKey }) => /^0x[0-9a-f]{64}$/.test(privateKey))).toBe(true);
    for (const { rpcUrl } of members) {
      expect(Number(await call<string>(rpcUrl, 'eth_chainId'))).toBe(chainId);
      expect((await block(rpcUrl, 0)).hash).toBe(genesisHash);
    }
  });

  it('agree on every block and state while transactions enter through all four', async () => {
    const authority = await client(network, 'authority');
    const bankAccount = network.account('bank').address;
    await (await (await authority.currency('DCNY')).issue({ bank: bankAccount, amount: '1000000.00' })).final();
    const bank = await (await client(network, 'bank')).currency('DCNY');
    const payers = ['farm', 'market', 'alice', 'bob'];
    for (const name of payers) {
      await (await bank.transfer({ to: network.account(name).address, amount: '1000.00' })).final();
    }
    const members = network.description.members;
    await Promise.all(
      payers.map(async (name, index) => {
        const member = members[index]?.name as string;
        const currency = await (await client(network, name, member)).currency('DCNY');
        for (let round = 0; round < 10; round++) {
          await (await currency.transfer({ to: bankAccount, amount: '1.00' })).final();
        }
      }),
    );
    const target = Math.max(...(await Promise.all(members.map(({ rpcUrl }) => heightOf(rpcUrl)))));
    const [first, ...others] = members;
    for (const { rpcUrl } of members) await until(async () => ((await heightOf(rpcUrl)) >= target ? true : undefined));
    for (let height = 0; height <= target; height++) {
      const expected = await block(first!.rpcUrl, height);
      for (const { rpcUrl } of others) expect(await block(rpcUrl, height)).toEqual(expected);
    }
    for (const { rpcUrl } of members) {
      const dcny = await (await createHanseClient({ rpcUrl })).currency('DCNY');
      for (const name of payers) expect(await dcny.balanceOf(network.account(name).address)).toBe(99_000n);
      expect(await dcny.totalSupply()).toBe(100_000_000n);
    }
  });

  it('prove a block final with certificates that anybody can check', async () => {
    const { members } = network.description;
    const proof = await (await createHanseClient({ rpcUrl: members[0]!.rpcUrl })).finality(1n);
    expect(proof?.signers.length).toBe(3);
  });

  it('go on when one of them is killed, which catches up when it is started again', async () => {
    const victim = network.member('farm');
    process.kill(victim.pid, 'SIGKILL');
    await network.printed(/farm died \(signal SIGKILL\)/);
    const bank = await (await client(network, 'bank')).currency('DCNY');
    for (let round = 0; round < 5; round++) {
      await (await bank.transfer({ to: network.account('market').address, amount: '1.00' })).final();
    }
    const height = await heightOf(network.member('bank').rpcUrl);
    const again = hanse(['up', '--data', root, '--rpc-port', String(port), '--only', 'farm']);
    const { rpcUrl } = victim;
    await until(async () => ((await heightOf(rpcUrl)) >= height ? true : undefined));
    expect(await block(rpcUrl, height)).toEqual(await block(network.member('bank').rpcUrl, height));
    expect(network.member('farm').pid).not.toBe(victim.pid);
    // It takes part again: a payment that enters there becomes final.
    const farm = await (await client(network, 'farm')).currency('DCNY');
    await (await farm.transfer({ to: network.account('bank').address, amount: '1.00' })).final();
    process.kill(network.member('farm').pid, 'SIGTERM');
    await again;
  });

  it('stop cleanly at Ctrl-C, even if it comes twice, and remove network.json', async () => {
    const { pid } = network.member('bank');
    network.child.kill('SIGINT');
    network.child.kill('SIGINT');
    expect(await network.closed()).toBe(0);
    expect(network.output).toContain('All members have stopped.');
    expect(network.hasNetworkFile).toBe(false);
    expect(() => process.kill(pid, 0)).toThrow();
  });

  it('continue the same chain at the next start', async () => {
    network = await LocalNetwork.start(root, port);
    const bank = await (await client(network, 'bank')).currency('DCNY');
    expect(await bank.totalSupply()).toBe(100_000_000n);
    await (await bank.transfer({ to: network.account('market').address, amount: '1.00' })).final();
  });

  it('keep everything that any of them reported final when all are killed under load', async () => {
    const reported: { hash: `0x${string}`; height: bigint }[] = [];
    const senders = ['bank', 'market', 'alice', 'bob'];
    let stopped = false;
    const load = senders.map(async (name) => {
      const currency = await (await client(network, name)).currency('DCNY');
      while (!stopped) {
        const sent = await currency.transfer({ to: network.account('farm').address, amount: '0.01' });
        const receipt = await sent.final();
        reported.push({ hash: receipt.transactionHash, height: receipt.blockNumber });
      }
    });
    const settled = Promise.allSettled(load);
    await until(async () => (reported.length >= 40 ? true : undefined));
    const { members } = network.description;
    for (const { pid } of members) process.kill(pid, 'SIGKILL');
    stopped = true;
    await network.closed();
    network = await LocalNetwork.start(root, port);
    // What was on its way either became final after all or is reported as lost; nobody waits forever.
    await settled;
    const last = Math.max(...reported.map(({ height }) => Number(height)));
    for (const { rpcUrl } of network.description.members) {
      await until(async () => ((await heightOf(rpcUrl)) >= last ? true : undefined));
      for (const { hash, height } of reported) {
        const receipt = await call<{ blockNumber: string; status: string }>(rpcUrl, 'eth_getTransactionReceipt', hash);
        expect([Number(receipt.blockNumber), receipt.status]).toEqual([Number(height), '0x1']);
      }
    }
    const dcny = await (await client(network, 'bank')).currency('DCNY');
    const balances = await Promise.all(network.description.accounts.map(({ address }) => dcny.balanceOf(address)));
    expect(balances.reduce((sum, balance) => sum + balance, 0n)).toBe(await dcny.totalSupply());
    await (await dcny.transfer({ to: network.account('market').address, amount: '1.00' })).final();
  });
});
