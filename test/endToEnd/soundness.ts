import { createHanseClient, type HanseClient } from '@hanse/sdk';
import { expect } from 'vitest';
import type { LocalNetwork } from './localNetwork.ts';
import { call, until } from './rpc.ts';

/** A client of a member, signing with one of the network's accounts. */
export async function clientOf(network: LocalNetwork, account: string, member?: string): Promise<HanseClient> {
  const { privateKey, member: own } = network.account(account);
  return await createHanseClient({ rpcUrl: network.member(member ?? own).rpcUrl, account: privateKey });
}

/** Gives the bank digital yuan to pay with. */
export async function fund(network: LocalNetwork): Promise<void> {
  const authority = await clientOf(network, 'authority');
  const { address } = network.account('bank');
  await (await (await authority.currency('DCNY')).issue({ bank: address, amount: '1000000.00' })).final();
}

/** The bank pays a cent through a member; resolves when that is final there. */
export async function pay(network: LocalNetwork, member = 'bank'): Promise<void> {
  const currency = await (await clientOf(network, 'bank', member)).currency('DCNY');
  await (await currency.transfer({ to: network.account('market').address, amount: '0.01' })).final();
}

export const heightOf = async (url: string): Promise<number> => Number(await call<string>(url, 'eth_blockNumber'));

/** Every member but those in `without` says that it is well; a payment that enters through `entry` is final, and all have the same head. */
export async function expectSound(
  network: LocalNetwork,
  { entry = 'farm', without = [] }: { entry?: string; without?: readonly string[] } = {},
): Promise<void> {
  const members = network.description.members.filter(({ name }) => !without.includes(name));
  await pay(network, entry);
  for (const { name, rpcUrl } of members) {
    const health = await fetch(`${rpcUrl}/health`);
    expect([name, health.status, health.status === 200 ? '' : await health.text()]).toEqual([name, 200, '']);
  }
  const height = Math.max(...(await Promise.all(members.map(({ rpcUrl }) => heightOf(rpcUrl)))));
  const heads = await Promise.all(
    members.map(async ({ rpcUrl }) => {
      await until(async () => ((await heightOf(rpcUrl)) >= height ? true : undefined));
      const { hash } = await call<{ hash: string }>(rpcUrl, 'eth_getBlockByNumber', `0x${height.toString(16)}`, false);
      return hash;
    }),
  );
  expect(new Set(heads).size).toBe(1);
}

/** One number of a member's `/metrics`. */
export async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`${url} has no metric ${name}`);
  return Number(value);
}
