import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { currencyAbi, currencyAddress } from '@hanse/modules/abi';
import { createHanseClient } from '@hanse/sdk';
import { encodeFunctionData } from 'viem';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CommandResult, freePorts, hanse, LocalNetwork, removeFolders, temporaryFolder } from './localNetwork.ts';
import { MemberNode } from './memberNode.ts';
import { call, until } from './rpc.ts';

// The command line as people and programs use it: every step is a process of its own, nothing is called inside.

// Dozens of short processes one after another: on a busy machine each takes seconds to begin.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const CAST = [
  { name: 'authority', role: 'authority' },
  { name: 'bank', role: 'bank' },
  { name: 'farm', role: 'company' },
  { name: 'market', role: 'company' },
] as const;
const DCNY = currencyAddress(1n);

/** The JSON of a command that must succeed, and that must print nothing else. */
async function json<T = Record<string, unknown>>(...arguments_: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await hanse([...arguments_, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

/** What a command that must fail says: one line on standard error, nothing on standard output. */
function refusal({ code, stdout, stderr }: CommandResult, expectedCode = 1): string {
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^[^\n]+\n$/);
  expect(code).toBe(expectedCode);
  return stderr.trimEnd();
}

/** Holds a port as another program would. */
async function holdPort(port: number): Promise<() => Promise<void>> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen({ port, host: '127.0.0.1', exclusive: true }, resolve);
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
    });
}

describe('members on machines of their own', () => {
  const nodes: MemberNode[] = [];
  let root: string;
  let port: number;
  const folder = (name: string): string => join(root, name);
  const key = (name: string): string => join(folder(name), 'keys', 'account.key');
  const genesis = (): string => join(root, 'genesis.json');
  const rpcUrl = (name: string): string =>
    `http://127.0.0.1:${port + CAST.findIndex((member) => member.name === name)}`;

  beforeAll(async () => {
    root = temporaryFolder();
    // One more than there are at first.
    port = await freePorts(CAST.length + 1);
    await Promise.all(
      CAST.map(({ name, role }, index) => {
        const endpoint = ['--endpoint', `127.0.0.1:${port + 1_000 + index}`, '--rpc-port', String(port + index)];
        return json('member', 'init', '--name', name, '--role', role, ...endpoint, '--out', folder(name));
      }),
    );
  });

  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    removeFolders();
  });

  it('make their keys, readable by their owner only', () => {
    for (const { name } of CAST) {
      expect(statSync(folder(name)).mode & 0o777).toBe(0o700);
      expect(statSync(join(folder(name), 'keys')).mode & 0o777).toBe(0o700);
      for (const file of ['account.key', 'vote.key', 'transport.key'])
        expect(statSync(join(folder(name), 'keys', file)).mode & 0o777).toBe(0o600);
      const descriptor = readFileSync(join(folder(name), 'descriptor.json'), 'utf8');
      for (const file of ['account.key', 'vote.key', 'transport.key']) {
        const secret = readFileSync(join(folder(name), 'keys', file), 'utf8')
          .trim()
          .slice(2);
        expect(descriptor).not.toContain(secret);
      }
    }
  });

  it('never overwrite keys', async () => {
    const before = readFileSync(key('bank'), 'utf8');
    const again = await hanse([
      'member',
      'init',
      '--name',
      'x',
      '--role',
      'bank',
      '--endpoint',
      'x:1',
      '--out',
      folder('bank'),
    ]);
    expect(refusal(again)).toContain('holds a member already');
    const foreign = join(root, 'foreign');
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'thesis.txt'), 'years of work');
    const other = await hanse([
      'member',
      'init',
      '--name',
      'x',
      '--role',
      'bank',
      '--endpoint',
      'x:1',
      '--out',
      foreign,
    ]);
    expect(refusal(other)).toContain('is not empty');
    expect(readFileSync(key('bank'), 'utf8')).toBe(before);
    expect(existsSync(join(foreign, 'keys'))).toBe(false);
  });

  it('found a network from descriptors alone, and all compute the same genesis hash', async () => {
    const descriptors = CAST.map(({ name }) => join(folder(name), 'descriptor.json'));
    const currency = ['--currency', 'DCNY:Digital Yuan:2:authority'];
    const created = await json(
      'network',
      'create',
      '--from',
      ...descriptors,
      '--out',
      genesis(),
      '--name',
      'trial',
      ...currency,
    );
    const shown = await Promise.all(
      CAST.map(({ name }) => {
        const own = join(folder(name), 'genesis.json');
        cpSync(genesis(), own);
        return json('network', 'show', '--genesis', own, '--descriptor', join(folder(name), 'descriptor.json'));
      }),
    );
    for (const { genesisHash } of shown) expect(genesisHash).toBe(created.genesisHash);
    const before = readFileSync(genesis(), 'utf8');
    const again = await hanse(['network', 'create', '--from', ...descriptors, '--out', genesis()]);
    expect(refusal(again)).toContain('never overwritten');
    expect(readFileSync(genesis(), 'utf8')).toBe(before);
  });

  it('notice a swapped key', async () => {
    const file = join(root, 'swapped.json');
    const bank = JSON.parse(readFileSync(join(folder('bank'), 'descriptor.json'), 'utf8'));
    const farm = JSON.parse(readFileSync(join(folder('farm'), 'descriptor.json'), 'utf8'));
    writeFileSync(file, JSON.stringify({ ...bank, voteKey: farm.voteKey }));
    const authority = join(folder('authority'), 'descriptor.json');
    const result = await hanse([
      'network',
      'create',
      '--from',
      authority,
      file,
      '--out',
      join(root, 'swapped-genesis.json'),
    ]);
    expect(refusal(result)).toContain('signature of the account key is wrong');
    expect(existsSync(join(root, 'swapped-genesis.json'))).toBe(false);
  });

  it('reach each other and finalize payments', async () => {
    for (const { name } of CAST) nodes.push(new MemberNode(join(folder(name), 'node.json')));
    for (const { name } of CAST) {
      await until(async () => {
        const { healthy } = await call<{ healthy: boolean }>(rpcUrl(name), 'hanse_health');
        return healthy ? true : undefined;
      });
    }
    const client = await createHanseClient({ rpcUrl: rpcUrl('bank') });
    const accounts = Object.fromEntries((await client.members.list()).map(({ name, address }) => [name, address]));
    const input = encodeFunctionData({
      abi: currencyAbi,
      functionName: 'issue',
      args: [accounts.bank as `0x${string}`, 100_000n],
    });
    const issue = ['send', '--rpc', rpcUrl('authority'), '--key', key('authority'), '--to', DCNY, '--input', input];
    expect(await json(...issue, '--genesis', genesis())).toMatchObject({
      status: 'success',
      finality: { verified: true },
    });
    const pay = ['send', '--rpc', rpcUrl('bank'), '--key', key('bank'), '--to', 'farm', '--amount', '12.50'];
    const paid = await json<{ transactionHash: string; blockNumber: number }>(...pay, '--genesis', genesis());
    expect(paid).toMatchObject({ status: 'success', finality: { verified: true, certifiedHeight: paid.blockNumber } });
    const seen = await json('tx', paid.transactionHash, '--rpc', rpcUrl('bank'), '--genesis', genesis());
    expect(seen).toMatchObject({
      status: 'success',
      call: { name: 'transfer' },
      receipt: { blockNumber: String(paid.blockNumber) },
      finality: { verified: true },
    });
    for (const { name } of CAST) {
      await until(async () =>
        Number(await call<string>(rpcUrl(name), 'eth_blockNumber')) >= paid.blockNumber ? true : undefined,
      );
      const yuan = await (await createHanseClient({ rpcUrl: rpcUrl(name) })).currency('DCNY');
      expect(yuan.format(await yuan.balanceOf(accounts.farm as `0x${string}`))).toBe('12.50');
    }
  });

  it('ends with 2 where the chain refuses, and says why', async () => {
    const result = await hanse([
      'send',
      '--rpc',
      rpcUrl('farm'),
      '--key',
      key('farm'),
      '--to',
      'bank',
      '--amount',
      '99',
    ]);
    expect(refusal(result, 2)).toMatch(
      /^The chain refused: reverted: ERC20InsufficientBalance\(.*balance: 1250, needed: 9900\)/,
    );
  });

  it('register accounts of their own, and only those send transactions', async () => {
    const keystore = ['--keystore', join(root, 'keystore')];
    const made = await hanse(['account', 'new', ...keystore, '--json'], { HANSE_PASSWORD: 'a passphrase' });
    const { address, file } = JSON.parse(made.stdout) as { address: string; file: string };
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const password = join(root, 'password');
    writeFileSync(password, 'a passphrase\n');
    const pay = ['send', '--rpc', rpcUrl('bank'), '--from', address, '--to', 'bank', '--value', '0', ...keystore];
    expect(refusal(await hanse([...pay, '--password-file', password]), 2)).toContain('sender not permitted');
    const bank = ['--rpc', rpcUrl('bank'), '--member', 'bank', '--key', key('bank')];
    expect(await json('account', 'register', address, ...bank)).toMatchObject({
      status: 'success',
      mayTransact: true,
      mayDeploy: false,
    });
    expect(await json(...pay, '--password-file', password)).toMatchObject({ status: 'success' });
    const [guess, wrong] = await Promise.all([
      hanse(pay, { HANSE_PASSWORD: 'a guess' }),
      hanse(['account', 'remove', address, '--rpc', rpcUrl('bank'), '--member', 'bank', '--key', key('farm')]),
    ]);
    expect(refusal(guess)).toContain('The passphrase is wrong');
    expect(refusal(wrong)).toContain('that of the member farm, not of bank');
    expect(await json('account', 'remove', address, ...bank)).toMatchObject({ status: 'success', mayTransact: false });
  });

  it('are looked after by status and doctor', async () => {
    const status = await json<{ members: { name: string }[] }>('status', '--rpc', rpcUrl('market'));
    expect(status.members.map(({ name }) => name)).toEqual(['market', 'authority', 'bank', 'farm']);
    expect(status).toMatchObject({ warnings: [] });
    const { findings } = await json<{ findings: { level: string; what: string }[] }>(
      'doctor',
      '--config',
      join(folder('bank'), 'node.json'),
    );
    expect(findings.filter(({ level }) => level === 'problem')).toEqual([]);
    expect(findings.map(({ what }) => what)).toContainEqual(expect.stringContaining('bank runs'));
  });

  it('let another one join: it starts from an invitation, waits, and follows once it is admitted', async () => {
    const invitation = join(root, 'invitation.json');
    const config = (name: string): string => join(folder(name), 'node.json');
    const { genesisHash } = await json('member', 'invite', '--config', config('bank'), '--out', invitation);
    const at = ['--endpoint', `127.0.0.1:${port + 1_004}`, '--rpc-port', String(port + 4)];
    const made = ['--name', 'mill', '--role', 'company', '--out', folder('mill'), '--invitation', invitation];
    const descriptor = await json('member', 'init', ...made, ...at);
    expect(descriptor).toMatchObject({ name: 'mill', genesisHash });
    const mill = new MemberNode(config('mill'));
    nodes.push(mill);
    const url = `http://127.0.0.1:${port + 4}`;
    const status = (): Promise<{ membership: string }> => call(url, 'hanse_status');
    expect(await until(status)).toMatchObject({ membership: 'none', height: 0, syncing: false });
    expect(mill.output).toMatch(/the chain has no member ."mill."; its members are: authority, bank, farm, market/);
    const file = join(folder('mill'), 'descriptor.json');
    const proposed = await json('member', 'propose', 'add', file, '--config', config('authority'));
    expect(proposed).toMatchObject({ proposal: { id: 1, state: 'open' }, fingerprint: descriptor.fingerprint });
    await json('member', 'vote', '1', '--config', config('bank'));
    const vote = ['member', 'vote', '1', '--rpc', rpcUrl('market'), '--key', key('farm')];
    expect(await json(...vote)).toMatchObject({ proposal: { state: 'enacted', missing: null } });
    const ready = await json('member', 'ready', '--config', config('mill'), '--wait', '120');
    expect(ready).toMatchObject({ promoted: false, transaction: { finality: { verified: true } } });
    const again = await hanse(['member', 'init', ...made, ...at]);
    expect(refusal(again)).toContain('holds a member already');
    expect(await mill.stop()).toBe(0);
  });

  it('go on without one of them, which status tells', async () => {
    const farm = nodes[2] as MemberNode;
    expect(await farm.stop()).toBe(0);
    const pay = ['send', '--rpc', rpcUrl('bank'), '--key', key('bank'), '--to', 'market', '--amount', '1'];
    expect(await json(...pay)).toMatchObject({ status: 'success' });
    const gone = await hanse(['status', '--rpc', rpcUrl('farm')]);
    expect(refusal(gone)).toContain('does not answer');
  });

  describe('that cannot start say why in one line and change nothing', () => {
    /** A copy of the farm, which does not run, with its configuration changed. */
    function damagedFarm(name: string, change: (config: Record<string, unknown>) => unknown): string {
      const copy = join(root, name);
      cpSync(folder('farm'), copy, { recursive: true });
      const file = join(copy, 'node.json');
      const changed = change(JSON.parse(readFileSync(file, 'utf8')));
      writeFileSync(file, typeof changed === 'string' ? changed : JSON.stringify(changed));
      return file;
    }

    /** `hanse node` must end by itself; its log may come before the line. */
    async function startupRefusal(config: string): Promise<string> {
      const { code, stderr } = await hanse(['node', '--config', config]);
      expect(stderr).toMatch(/^[^\n]+\n$/);
      expect(code).toBe(1);
      return stderr.trimEnd();
    }

    it('a port that another program has', async () => {
      const taken = port + 2;
      const release = await holdPort(taken);
      const line = await startupRefusal(join(folder('farm'), 'node.json'));
      await release();
      expect(line).toContain(`127.0.0.1:${taken} for JSON-RPC is taken by another program`);
    });

    it('a damaged configuration, and a setting that does not exist', async () => {
      expect(await startupRefusal(damagedFarm('truncated', () => '{"format":1,'))).toContain('is damaged');
      expect(await startupRefusal(damagedFarm('misspelt', (config) => ({ ...config, raw: 1 })))).toContain(
        'raw is not a setting',
      );
      expect(await startupRefusal(join(root, 'nowhere', 'node.json'))).toContain('cannot be read');
    });

    it("another member's keys", async () => {
      const keys = join(folder('bank'), 'keys');
      const line = await startupRefusal(damagedFarm('borrowed', (config) => ({ ...config, keys })));
      expect(line).toContain('are not those that the chain has for farm');
    });

    it('keys that others can read', async () => {
      const file = damagedFarm('open', (config) => config);
      const vote = join(root, 'open', 'keys', 'vote.key');
      chmodSync(vote, 0o644);
      expect(await startupRefusal(file)).toContain(`chmod 600 '${vote}'`);
      const doctor = await hanse(['doctor', '--config', file]);
      expect(doctor.code).toBe(1);
      expect(doctor.stdout).toContain(`chmod 600 '${vote}'`);
      const raw = join(root, 'open', 'keys', 'account.key');
      chmodSync(raw, 0o644);
      const send = await hanse(['send', '--rpc', rpcUrl('bank'), '--key', raw, '--to', 'bank', '--value', '0']);
      expect(refusal(send)).toContain(`chmod 600 '${raw}'`);
    });

    it("another network's data folder", async () => {
      const descriptors = CAST.map(({ name }) => join(folder(name), 'descriptor.json'));
      const other = join(root, 'other-genesis.json');
      await json('network', 'create', '--from', ...descriptors, '--out', other, '--chain-id', '77');
      const line = await startupRefusal(damagedFarm('elsewhere', (config) => ({ ...config, genesis: other })));
      expect(line).toMatch(/another network|other network|genesis/i);
      const foreign = await hanse(['block', '1', '--rpc', rpcUrl('bank'), '--genesis', other]);
      expect(refusal(foreign)).toContain('The proof of finality is wrong');
    });
  });
});

describe('a local network', () => {
  let root: string;
  let network: LocalNetwork;
  const data = (): readonly string[] => ['--data', root];

  beforeAll(async () => {
    root = temporaryFolder();
    network = await LocalNetwork.start(root, await freePorts(4));
  });

  afterAll(async () => {
    await network.stop();
    removeFolders();
  });

  it('knows its people by name', async () => {
    const input = encodeFunctionData({
      abi: currencyAbi,
      functionName: 'issue',
      args: [network.account('bank').address, 5_000n],
    });
    expect(await json('send', ...data(), '--from', 'authority', '--to', DCNY, '--input', input)).toMatchObject({
      status: 'success',
    });
    const paid = await json<{ blockNumber: number; transactionHash: string }>(
      ...['send', ...data(), '--from', 'bank', '--to', 'alice', '--amount', '12.50', '--currency', 'DCNY'],
    );
    const block = await hanse(['block', String(paid.blockNumber), ...data()]);
    expect(block.stdout).toContain('DCNY.transfer(to: alice, value: 12.50)');
    expect(block.stdout).toMatch(/final {2,}certified at height \d+ .*; verified with the validators in /);
    const tx = await hanse(['tx', paid.transactionHash, ...data()]);
    expect(tx.stdout).toContain('DCNY.Transfer(from: bank, to: alice, value: 12.50)');
  });

  it('shows why a transaction reverted', async () => {
    const input = encodeFunctionData({
      abi: currencyAbi,
      functionName: 'transfer',
      args: [network.account('bank').address, 999_999n],
    });
    // With a gas limit of its own the transaction is not tried before it is sent, so it reverts in its block.
    const alice = await createHanseClient({
      rpcUrl: network.member('farm').rpcUrl,
      account: network.account('alice').privateKey,
    });
    const hash = await alice.requireWallet().sendTransaction({ to: DCNY, data: input, gas: 200_000n });
    await alice.publicClient.waitForTransactionReceipt({ hash });
    const tx = await hanse(['tx', hash, ...data()]);
    expect(tx.code).toBe(0);
    expect(tx.stdout).toMatch(/status +reverted: ERC20InsufficientBalance\(/);
  });

  it('answers usage that is wrong with 64 and the reason', async () => {
    const cases = [
      [['send', ...data(), '--from', 'bank', '--to', 'alice', '--amount', '1.005'], 64, 'more than 2 decimals'],
      [['send', ...data(), '--from', 'bank', '--to', 'nobody', '--amount', '1'], 1, 'Nobody here is called nobody'],
      [
        ['send', ...data(), '--from', 'bank', '--to', 'alice', '--amount', '1', '--currency', 'EUR'],
        1,
        'no currency EUR',
      ],
      [['send', ...data(), '--to', 'alice', '--amount', '1'], 64, 'Say who signs'],
      [['block', 'yesterday', ...data()], 64, 'yesterday is no block'],
      [['block', '999999', ...data()], 1, 'The newest is'],
      [['tx', `0x${'12'.repeat(32)}`, ...data()], 1, 'knows no transaction'],
      [['status', '--data', join(root, 'members')], 1, 'There is no local network'],
      [['status', '--rpc', 'ftp://x'], 64, '--rpc ftp://x is not possible'],
      [['up', ...data(), '--no-story'], 1, 'must never run twice'],
    ] as const;
    const results = await Promise.all(cases.map(([arguments_]) => hanse(arguments_)));
    results.forEach((result, index) => {
      const [, code, words] = cases[index] as (typeof cases)[number];
      expect(result.stderr).toContain(words);
      expect(result.stderr).toMatch(/^[^\n]+\n$/);
      expect([result.code, result.stdout]).toEqual([code, '']);
    });
    const unknown = await hanse(['sned']);
    expect(unknown.code).toBe(64);
    expect((await hanse(['status', '--help'])).code).toBe(0);
  });

  it('is well in the eyes of status and doctor', async () => {
    const status = await hanse(['status', ...data()]);
    expect(status.code).toBe(0);
    for (const { name } of CAST) expect(status.stdout).toMatch(new RegExp(`^${name} .* good `, 'm'));
    expect(status.stdout).toMatch(/native|WebAssembly|JavaScript/);
    const doctor = await hanse(['doctor', ...data()]);
    expect([doctor.code, doctor.stdout]).toEqual([0, expect.stringContaining('No problem was found.')]);
  });
});
