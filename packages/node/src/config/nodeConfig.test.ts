import { describe, expect, it } from 'vitest';
import { defaultRPCLimits } from '../rpc/limits.ts';
import { ConfigError } from './configError.ts';
import { parseNodeConfig } from './nodeConfig.ts';

const file = '/members/bank/node.json';
const good = {
  format: 1,
  name: 'bank',
  genesis: '../genesis.json',
  keys: 'keys',
  data: 'data',
  peer: { listen: '0.0.0.0:30303' },
  rpc: { host: '127.0.0.1', port: 8545 },
};
const withRPC = (rpc: object) => parseNodeConfig({ ...good, rpc: { ...good.rpc, ...rpc } }, file);

describe('the configuration of a member', () => {
  it('counts relative paths from its own folder', () => {
    expect(parseNodeConfig(good, file)).toEqual({
      ...good,
      genesis: '/members/genesis.json',
      keys: '/members/bank/keys',
      data: '/members/bank/data',
      log: 'info',
    });
  });

  it('takes limits of the JSON-RPC, the rest having their defaults', () => {
    expect(withRPC({ limits: { maxBatchCalls: 5, callGasCap: 1_000_000 } }).rpc.limits).toEqual({
      ...defaultRPCLimits,
      maxBatchCalls: 5,
      callGasCap: 1_000_000n,
    });
  });

  it('takes the host names that are answered, in any case', () => {
    expect(withRPC({ allowedHosts: ['Bank.Example', '127.0.0.1', '[::1]'] }).rpc.allowedHosts).toEqual([
      'bank.example',
      '127.0.0.1',
      '[::1]',
    ]);
  });

  it('takes members that an invitation names, each once', () => {
    const farm = { name: 'farm', transportKey: `0x${'ab'.repeat(32)}`, endpoints: ['farm.example:9545'] };
    const withIntroduced = (introduced: unknown) =>
      parseNodeConfig({ ...good, peer: { ...good.peer, introduced } }, file).peer.introduced;
    expect(withIntroduced([farm])).toEqual([farm]);
    const complaint = `${file}: peer.introduced[0] must be a member with name, transportKey and endpoints.`;
    for (const wrong of [{ name: 'Farm' }, { transportKey: '0xab' }, { endpoints: ['farm.example'] }])
      expect(() => withIntroduced([{ ...farm, ...wrong }])).toThrow(new ConfigError(complaint));
    expect(() => withIntroduced([null])).toThrow(new ConfigError(complaint));
    expect(() => withIntroduced([farm, { ...farm, name: 'market' }])).toThrow(
      'a list that has every transportKey once',
    );
    expect(() => withIntroduced({})).toThrow('a list of members');
  });

  it.each<[object, string]>([
    [{ limits: { maxBatch: 5 } }, 'rpc.limits.maxBatch is not a limit.'],
    [{ limits: { maxBatchCalls: '5' } }, 'rpc.limits.maxBatchCalls must be a whole number of at least 1.'],
    [{ limits: null }, 'rpc.limits must be an object.'],
    [{ allowedHosts: 'bank.example' }, 'rpc.allowedHosts must be a list of host names without port.'],
    [{ allowedHosts: ['bank.example:8545'] }, 'rpc.allowedHosts must be a list of host names without port.'],
    [{ allowedHosts: [] }, 'rpc.allowedHosts must be a list of host names without port.'],
    [{ port: 65_536 }, 'rpc.port must be a port from 0 to 65535.'],
    [{ hosts: [] }, 'rpc.hosts is not a setting. Known are: host, port, corsOrigin, allowedHosts, limits.'],
  ])('says of %j what is wrong, and in which file', (rpc, complaint) => {
    expect(() => withRPC(rpc)).toThrow(new ConfigError(`${file}: ${complaint}`));
  });
});
