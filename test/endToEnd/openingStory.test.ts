import { afterAll, describe, expect, it } from 'vitest';
import { freePorts, LocalNetwork, removeFolders, temporaryFolder } from './localNetwork.ts';
import { call } from './rpc.ts';

describe('the opening story', () => {
  const root = temporaryFolder();
  let network: LocalNetwork | undefined;

  afterAll(async () => {
    await network?.stop();
    removeFolders();
  });

  it('is told once, on real data, each step in a final block that all members hold', async () => {
    const port = await freePorts(4);
    network = await LocalNetwork.start(root, port, []);
    const { output } = network;
    expect(output).toMatch(/21 of 21 are genuine/);
    expect(output).toMatch(/is refused: the chain knows no such event/);
    const steps = [...output.matchAll(/final in block (\d+): (0x[0-9a-f]{64})/g)];
    expect(steps).toHaveLength(7);
    for (const [, height, hash] of steps) {
      for (const { rpcUrl } of network.description.members) {
        const receipt = await call<{ blockNumber: string; status: string }>(rpcUrl, 'eth_getTransactionReceipt', hash);
        expect([Number(receipt.blockNumber), receipt.status]).toEqual([Number(height), '0x1']);
      }
    }
    // network.json is there before the story: it was readable while the story ran.
    expect(output.indexOf('The opening story')).toBeLessThan(output.indexOf('Running.'));
    expect(await network.stop()).toBe(0);
    network = await LocalNetwork.start(root, port, []);
    expect(network.output).not.toMatch(/opening story/);
  });
});
