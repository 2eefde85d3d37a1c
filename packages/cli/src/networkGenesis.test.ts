import { addressOfPrivateKey, genesisHashOf, loadSuite } from '@hanse/node';
import { bytesToHex, type MemberRole, type Suite } from '@hanse/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { type MemberDescriptor, signDescriptor } from './memberDescriptor.ts';
import { type DescriptorFile, type GenesisOptions, genesisOf } from './networkGenesis.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await loadSuite('international');
});

/** A member with keys of its own; `change` is signed too, as a member that is wrong about itself would. */
function member(number: number, role: MemberRole, change: Partial<MemberDescriptor> = {}): DescriptorFile {
  const account = new Uint8Array(32).fill(number);
  const vote = new Uint8Array(32).fill(number + 100);
  const name = change.name ?? `member${number}`;
  const content = {
    suite: 'international',
    name,
    role,
    address: addressOfPrivateKey(account, suite),
    accountKey: suite.publicKey(account),
    voteKey: suite.publicKey(vote),
    transportKey: bytesToHex(new Uint8Array(32).fill(number)),
    endpoints: [`127.0.0.1:${9_000 + number}`],
    ...change,
  } as const;
  return { file: `${name}-${number}.json`, descriptor: signDescriptor(content, { account, vote }, suite) };
}

const four = (): readonly DescriptorFile[] => [
  member(1, 'authority'),
  member(2, 'bank'),
  member(3, 'company'),
  member(4, 'company'),
];

const options = (change: Partial<GenesisOptions> = {}): GenesisOptions => ({
  descriptors: four(),
  observers: [],
  name: 'trial',
  chainId: 77,
  parameters: {},
  currencies: [],
  allocations: [],
  nowMs: 1_700_000_000_000,
  ...change,
});

describe('genesisOf', () => {
  it('takes the members in the order of the descriptors, all validators, with their keys', async () => {
    const genesis = await genesisOf(options());
    expect(genesis).toMatchObject({ name: 'trial', chainId: 77, suite: 'international', accounts: [] });
    expect(genesis.parameters).toMatchObject({ accounts: 'registered', minGasPrice: '0' });
    four().forEach(({ descriptor }, index) => {
      const { name, role, address, voteKey, transportKey, endpoints } = descriptor;
      expect(genesis.members[index]).toEqual({
        name,
        role,
        validator: true,
        address,
        voteKey,
        transportKey,
        endpoints,
      });
    });
  });

  it('has a hash that stands for every field', async () => {
    const hash = await genesisHashOf(await genesisOf(options()));
    expect(await genesisHashOf(await genesisOf(options()))).toBe(hash);
    const others: Partial<GenesisOptions>[] = [
      { name: 'other' },
      { chainId: 78 },
      { nowMs: 1_700_000_000_001 },
      { descriptors: [...four()].reverse() },
      { observers: ['member4'] },
      { parameters: { idleBlockIntervalMs: 31_000 } },
      { currencies: [{ symbol: 'DCNY', name: 'Digital Yuan', decimals: 2, authority: 'member1' }] },
      { allocations: [{ to: 'member2', wei: 1n }] },
    ];
    const hashes = await Promise.all(others.map(async (change) => genesisHashOf(await genesisOf(options(change)))));
    expect(new Set([hash, ...hashes]).size).toBe(others.length + 1);
  });

  it('draws a chain id, so that transactions of another network are not valid here', async () => {
    const { chainId: _, ...drawn } = options();
    const ids = await Promise.all([genesisOf(drawn), genesisOf(drawn)]);
    expect(ids[0]?.chainId).not.toBe(ids[1]?.chainId);
    for (const { chainId } of ids) expect(chainId).toBeGreaterThanOrEqual(1_000_000_000);
  });

  it('lowers the limit of a transaction to a smaller block', async () => {
    const { parameters } = await genesisOf(options({ parameters: { blockGasLimit: 1_000_000 } }));
    expect(parameters.maxTransactionGas).toBe(1_000_000);
  });

  it('gives coins to members by name and to addresses, where gas has a price', async () => {
    const stranger = `0x${'AB'.repeat(20)}`;
    const allocations = [
      { to: 'member2', wei: 5n },
      { to: stranger, wei: 7n },
    ];
    const { alloc } = await genesisOf(options({ parameters: { minGasPrice: '1' }, allocations }));
    const bank = four()[1]?.descriptor.address as string;
    expect(alloc).toEqual({ [bank]: { balance: '5' }, [stranger.toLowerCase()]: { balance: '7' } });
  });

  it('makes a network of one', async () => {
    expect((await genesisOf(options({ descriptors: [member(1, 'authority')] }))).members).toHaveLength(1);
  });
});

describe('genesisOf refuses', () => {
  const refused = async (change: Partial<GenesisOptions>): Promise<string> => {
    const failure = await genesisOf(options(change)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect((failure as Error).message).not.toContain('\n');
    return (failure as Error).message;
  };

  it('a network without members, without an authority, or with too many validators', async () => {
    expect(await refused({ descriptors: [] })).toContain('at least one member');
    expect(await refused({ descriptors: [member(2, 'bank')] })).toContain('role authority');
    const many = Array.from({ length: 32 }, (_, index) => member(index + 1, 'authority'));
    expect(await refused({ descriptors: many })).toContain('1 to 31 validators, not 32');
    expect((await genesisOf(options({ descriptors: many, observers: ['member32'] }))).members).toHaveLength(32);
    expect(await refused({ descriptors: [member(1, 'authority')], observers: ['member1'] })).toContain('not 0');
  });

  it('two members with one name, key or endpoint, and says which files', async () => {
    const [authority] = four() as [DescriptorFile];
    const { voteKey } = authority.descriptor;
    const twin = (change: Partial<MemberDescriptor>): readonly DescriptorFile[] => [
      authority,
      member(2, 'bank', change),
    ];
    expect(await refused({ descriptors: twin({ name: 'member1' }) })).toBe(
      'member1-1.json and member1-2.json have the same name member1: every member needs its own.',
    );
    expect(await refused({ descriptors: twin({ transportKey: authority.descriptor.transportKey }) })).toContain(
      'same transport key',
    );
    expect(await refused({ descriptors: twin({ endpoints: authority.descriptor.endpoints }) })).toContain(
      'same endpoint 127.0.0.1:9001',
    );
    // The vote key is another's, so the signature with it is missing: that is noticed first.
    expect(await refused({ descriptors: twin({ voteKey }) })).toContain('signature of the vote key');
    expect(await refused({ descriptors: [authority, authority] })).toContain('twice');
  });

  it('a descriptor that was changed', async () => {
    const [authority, bank] = four() as [DescriptorFile, DescriptorFile];
    const changed = { ...bank, descriptor: { ...bank.descriptor, endpoints: ['evil.example.com:1'] } };
    expect(await refused({ descriptors: [authority, changed] })).toContain('member2-2.json: the signature');
  });

  it('observers, currencies and coins of nobody', async () => {
    expect(await refused({ observers: ['ghost'] })).toContain('--observer ghost is no member');
    const currency = { symbol: 'DCNY', name: 'Digital Yuan', decimals: 2 };
    expect(await refused({ currencies: [{ ...currency, authority: 'ghost' }] })).toContain('currencies[0].authority');
    expect(await refused({ currencies: [{ ...currency, authority: 'member2' }] })).toContain('no authority');
    expect(await refused({ allocations: [{ to: 'ghost', wei: 1n }] })).toContain(
      'ghost is neither a member nor an address',
    );
    expect(
      await refused({
        allocations: [
          { to: 'member2', wei: 1n },
          { to: 'member2', wei: 1n },
        ],
      }),
    ).toContain('twice');
  });

  it('a price of gas that nobody could pay', async () => {
    expect(await refused({ parameters: { minGasPrice: '1' } })).toContain('give --allocate');
  });
});
