import { CompiledAbi, Epoch, ZERO_ADDRESS } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { anchorAddress, membersAddress } from '../abi/addresses.ts';
import { membersAbi } from '../abi/membersAbi.ts';
import { TestChain, testAccounts, testAddress, testGenesis, testSuite } from '../testing/testChain.ts';

const { authority, bank, farm, market, alice, bob, stranger } = testAccounts;
const events = new CompiledAbi(membersAbi, testSuite);

function start(accounts: 'registered' | 'open' = 'registered') {
  const chain = new TestChain(testGenesis(accounts));
  return {
    chain,
    members: chain.at(membersAbi, membersAddress),
    permissions: (account: `0x${string}`) => chain.readers.readPermissions(chain.state, account),
    lastEvent: () => {
      const log = chain.logs.at(-1)!;
      const event = events.eventByTopic(log.topics[0]!)!;
      return { event: event.item.name, ...event.decode(log) };
    },
  };
}

const none = { mayTransact: false, mayDeploy: false };
const transactOnly = { mayTransact: true, mayDeploy: false };
const both = { mayTransact: true, mayDeploy: true };

describe('members of the genesis', () => {
  it('are read as the document has them, by readers and by ABI', () => {
    const genesis = testGenesis();
    const { chain, members } = start();
    const records = chain.readers.readMembers(chain.state);
    expect(records.map(({ id, active, order, ...record }) => record)).toEqual(genesis.members);
    expect(records.map(({ id, active, order }) => [id, active, order])).toEqual([
      [1, true, 0],
      [2, true, 1],
      [3, true, 2],
      [4, true, 0],
    ]);
    expect(members(stranger, 'memberCount')).toBe(4);
    expect(members(stranger, 'memberByName', 'farm')).toBe(3);
    expect(members(stranger, 'memberByName', 'nobody')).toBe(0);
    expect(members(stranger, 'getMember', 2)).toEqual({
      id: 2,
      name: 'bank',
      role: 2,
      status: 1,
      account: bank,
      validator: true,
      order: 1,
      voteKey: genesis.members[1]!.voteKey,
      transportKey: genesis.members[1]!.transportKey,
      endpoints: genesis.members[1]!.endpoints,
    });
    expect(() => members(stranger, 'getMember', 5)).toThrow('UnknownMember(5)');
  });

  it('give the validators of epoch 0 and no other epoch', () => {
    const { chain, members } = start();
    const { validators } = chain.readers.readValidatorSet(chain.state, Epoch(0))!;
    expect(validators).toEqual(
      testGenesis()
        .members.filter((member) => member.validator)
        .map(({ name, address, voteKey }) => ({ name, address, voteKey })),
    );
    expect(chain.readers.readEpoch(chain.state)).toBe(0);
    expect(chain.readers.readValidatorSet(chain.state, Epoch(1))).toBeUndefined();
    expect(members(stranger, 'validatorSet', 0n).map(({ name, member }) => [name, member])).toEqual([
      ['authority', 1],
      ['bank', 2],
      ['farm', 3],
    ]);
    expect(members(stranger, 'validatorSet', 1n)).toEqual([]);
  });

  it('come with the parameters of the document', () => {
    const { chain, members } = start();
    expect(chain.readers.readParameters(chain.state)).toEqual(testGenesis().parameters);
    expect(members(stranger, 'parameters')).toMatchObject({ blockGasLimit: 60_000_000, minGasPrice: 7n });
    const open = start('open').chain;
    expect(open.readers.readParameters(open.state).accounts).toBe('open');
  });
});

describe('permissions', () => {
  it('are those of the registration on a registered network', () => {
    const { chain, members, permissions } = start();
    for (const member of [authority, bank, farm, market]) expect(permissions(member)).toEqual(both);
    expect(permissions(alice)).toEqual(transactOnly);
    expect(permissions(bob)).toEqual(both);
    expect(permissions(stranger)).toEqual(none);
    expect(permissions(ZERO_ADDRESS)).toEqual(none);
    expect(members(stranger, 'permissionsOf', alice)).toEqual([true, false]);
    expect(chain.readers.readPermissions(chain.state, alice)).toEqual(transactOnly);
  });

  it('are unlimited on an open network', () => {
    expect(start('open').permissions(stranger)).toEqual(both);
  });

  it('cost few reads of storage', () => {
    const { chain } = start();
    let reads = 0;
    const state = {
      storage: (address: `0x${string}`, slot: bigint) => {
        reads++;
        return chain.state.getStorage(address, slot);
      },
    };
    chain.readers.readPermissions(state, alice);
    expect(reads).toBeLessThanOrEqual(5);
  });
});

describe('accounts', () => {
  it('are registered and removed by members for themselves', () => {
    const { chain, members, permissions, lastEvent } = start();
    chain.height = 42;
    members(bank, 'registerAccount', stranger, true);
    expect(lastEvent()).toEqual({
      event: 'AccountRegistered',
      account: stranger,
      member: 2,
      mayTransact: true,
      mayDeploy: true,
    });
    expect(permissions(stranger)).toEqual(both);
    expect(members(bank, 'getAccount', stranger)).toEqual({
      member: 2,
      mayTransact: true,
      mayDeploy: true,
      transactBarred: false,
      deployBarred: false,
      since: 42,
    });
    expect(members(bank, 'accountsOf', 2, 0n, 100n)).toEqual([bank, alice, stranger]);
    members(bank, 'removeAccount', alice);
    expect(lastEvent()).toEqual({ event: 'AccountRemoved', account: alice, member: 2 });
    expect(members(bank, 'accountsOf', 2, 0n, 100n)).toEqual([bank, stranger]);
    expect(members(bank, 'accountsOf', 2, 1n, 1n)).toEqual([stranger]);
    expect(members(bank, 'accountsOf', 2, 5n, 1n)).toEqual([]);
    members(bank, 'removeAccount', stranger);
    expect(members(bank, 'accountCount', 2)).toBe(1n);
    expect(permissions(stranger)).toEqual(none);
  });

  it("are nobody else's to register or remove", () => {
    const { members } = start();
    expect(() => members(alice, 'registerAccount', stranger, false)).toThrow(`NotMember(${alice})`);
    expect(() => members(farm, 'registerAccount', alice, false)).toThrow(`AccountTaken(${alice}, 2)`);
    expect(() => members(farm, 'removeAccount', alice)).toThrow(`NotResponsible(${farm}, ${alice})`);
    expect(() => members(alice, 'removeAccount', alice)).toThrow(`NotResponsible(${alice}, ${alice})`);
    expect(() => members(bank, 'removeAccount', stranger)).toThrow(`UnknownAccount(${stranger})`);
    expect(() => members(bank, 'removeAccount', bank)).toThrow(`MemberAccount(${bank})`);
    expect(() => members(bank, 'registerAccount', ZERO_ADDRESS, false)).toThrow('InvalidAccount');
    expect(() => members(bank, 'registerAccount', anchorAddress, false)).toThrow('InvalidAccount');
    members(authority, 'removeAccount', alice);
    members(farm, 'registerAccount', alice, false);
    expect(members(farm, 'getAccount', alice).member).toBe(3);
  });

  it('may deploy if a member that may deploy says so and the authority does not bar it', () => {
    const { members, permissions, lastEvent } = start();
    members(bank, 'setMayDeploy', alice, true);
    expect(lastEvent()).toMatchObject({ event: 'AccountPermissionsChanged', account: alice, mayDeploy: true });
    expect(permissions(alice)).toEqual(both);
    members(authority, 'setMayDeploy', alice, false);
    expect(() => members(bank, 'setMayDeploy', alice, true)).toThrow(`DeployNotGranted(${alice})`);
    // A new registration does not lift the bar.
    members(bank, 'removeAccount', alice);
    expect(() => members(bank, 'registerAccount', alice, true)).toThrow(`DeployNotGranted(${alice})`);
    members(bank, 'registerAccount', alice, false);
    expect(() => members(farm, 'setMayDeploy', alice, false)).toThrow('NotResponsible');
    members(authority, 'setMayDeploy', alice, true);
    expect(permissions(alice)).toEqual(both);
    // A member that lost the right itself grants it no more.
    members(authority, 'setMayDeploy', bank, false);
    expect(() => members(bank, 'registerAccount', stranger, true)).toThrow('DeployNotGranted');
    expect(permissions(bank)).toEqual(transactOnly);
  });

  it('are barred from sending by the authority, whoever registers them again', () => {
    const { members, permissions } = start();
    expect(() => members(bank, 'setMayTransact', alice, false)).toThrow(`NotAuthority(${bank})`);
    expect(() => members(authority, 'setMayTransact', bank, false)).toThrow(`MemberAccount(${bank})`);
    expect(() => members(authority, 'setMayTransact', stranger, false)).toThrow('UnknownAccount');
    members(authority, 'setMayTransact', bob, false);
    // Who may not send may not deploy either.
    expect(permissions(bob)).toEqual(none);
    members(farm, 'removeAccount', bob);
    members(bank, 'registerAccount', bob, false);
    expect(permissions(bob)).toEqual(none);
    members(authority, 'setMayTransact', bob, true);
    expect(permissions(bob)).toEqual(transactOnly);
  });
});

describe('endpoints', () => {
  it('are changed by the member itself', () => {
    const { chain, members, lastEvent } = start();
    const long = `${'a'.repeat(60)}.example:65535`;
    members(bank, 'setEndpoints', ['10.0.0.1:9000', long, '[::1]:1']);
    expect(lastEvent()).toEqual({
      event: 'EndpointsChanged',
      member: 2,
      endpoints: ['10.0.0.1:9000', long, '[::1]:1'],
    });
    members(bank, 'setEndpoints', ['bank.example:9000']);
    expect(chain.readers.readMembers(chain.state)[1]!.endpoints).toEqual(['bank.example:9000']);
    expect(() => members(alice, 'setEndpoints', ['a:1'])).toThrow('NotMember');
    expect(() => members(bank, 'setEndpoints', [])).toThrow('TooMany(0, 8)');
    expect(() => members(bank, 'setEndpoints', new Array(9).fill('a:1'))).toThrow('TooMany(9, 8)');
    expect(() => members(bank, 'setEndpoints', ['a:1', 'no port'])).toThrow('InvalidEndpoint(1)');
    expect(members(bank, 'accountCount', 2)).toBe(BigInt(2));
    expect(testAddress(2)).toBe(bank);
  });
});
