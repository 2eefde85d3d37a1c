import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { openSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Hex, keccak256 } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  freePorts,
  LocalNetwork,
  type NetworkDescription,
  program,
  removeFolders,
  temporaryFolder,
} from './localNetwork.ts';
import { ask, call, until } from './rpc.ts';

/** A member under no supervisor but this test. */
interface LoneMember {
  readonly child: ChildProcess;
  readonly url: string;
  readonly errors: () => string;
  readonly exited: Promise<number | null>;
}

interface Receipt {
  readonly blockNumber: string;
  readonly blockHash: string;
}

const ledgerFile = (root: string): string => join(root, 'members', 'authority', 'data', 'ledger', 'data.mdb');

/** `hanse node`; no file may grow beyond `maxBytes`, which is what a disk without space looks like to a program. */
function startAlone(
  root: string,
  port: number,
  { maxBytes, stdout = 'ignore' }: { readonly maxBytes?: number; readonly stdout?: 'ignore' | 'pipe' | number } = {},
): LoneMember {
  const config = join(root, 'members', 'authority', 'node.json');
  const ports = ['--rpc-port', String(port), '--listen', `127.0.0.1:${port + 1_000}`];
  const limit = maxBytes === undefined ? '' : `ulimit -f ${Math.ceil(maxBytes / 512)} && `;
  const child = spawn(
    '/bin/sh',
    ['-c', `${limit}exec "$@"`, 'sh', process.execPath, program, 'node', '--config', config, ...ports],
    {
      stdio: ['ignore', stdout, 'pipe'],
    },
  );
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exited = new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  return { child, url: `http://127.0.0.1:${port}`, errors: () => errors, exited };
}

describe.skipIf(process.platform === 'win32')('a member whose disk', () => {
  let root: string;
  let port: number;
  let network: NetworkDescription;
  /** The transactions sent so far, by nonce; the last one may not be final. */
  const sent: Hex[] = [];
  const members: LoneMember[] = [];
  const shown = new Map<string, Receipt>();

  const start = async (options: Parameters<typeof startAlone>[2] = {}): Promise<LoneMember> => {
    const member = startAlone(root, port, options);
    members.push(member);
    await until(() => call(member.url, 'eth_chainId'));
    return member;
  };

  /** A transaction with so much data; gives it to a member until that shows it final, or false when the member is gone before. */
  const settle = async ({ url, child }: LoneMember, raw: Hex): Promise<boolean> =>
    await until(async () => {
      if (child.exitCode !== null) return 'gone';
      await ask(url, 'eth_sendRawTransaction', raw);
      const hash = keccak256(raw);
      const receipt = await call<Receipt | null>(url, 'eth_getTransactionReceipt', hash);
      if (receipt === null) return undefined;
      shown.set(hash, receipt);
      return 'final';
    }).then((end) => end === 'final');

  const send = async (member: LoneMember, bytes: number): Promise<boolean> => {
    const { privateKey, address } = network.accounts.find(({ name }) => name === 'authority')!;
    const raw = await privateKeyToAccount(privateKey).signTransaction({
      to: address,
      data: `0x${randomBytes(bytes).toString('hex')}`,
      nonce: sent.length,
      gas: 10_000_000n,
      maxFeePerGas: 0n,
      maxPriorityFeePerGas: 0n,
      type: 'eip1559',
      chainId: network.chainId,
    });
    sent.push(raw);
    return await settle(member, raw);
  };

  const stop = async (member: LoneMember): Promise<number | null> => {
    member.child.kill('SIGTERM');
    return await member.exited;
  };

  beforeAll(async () => {
    root = temporaryFolder();
    port = await freePorts(1);
    const up = await LocalNetwork.start(root, port, ['--members', '1', '--no-story']);
    network = up.description;
    await up.stop();
  });

  afterAll(async () => {
    await Promise.all(members.map(stop));
    removeFolders();
  });

  it('is full ends with one clear line, and goes on where it was as soon as there is space', async () => {
    const maxBytes = statSync(ledgerFile(root)).size + 300_000;
    const full = await start({ maxBytes });
    for (let round = 0; round < 40 && (await send(full, 50_000)); round++);
    expect(await full.exited).toBe(1);
    expect(full.errors().trim().split('\n')).toEqual([
      expect.stringMatching(/^The member stopped: .* Nothing final is lost\./),
    ]);
    expect(shown.size).toBeGreaterThan(0);

    const again = await start();
    for (const [hash, { blockNumber, blockHash }] of shown)
      expect(await call(again.url, 'eth_getTransactionReceipt', hash)).toMatchObject({ blockNumber, blockHash });
    // What was on its way when the disk was full is not lost either, and what comes after it is taken.
    expect(await settle(again, sent.at(-1)!)).toBe(true);
    expect(await send(again, 50_000)).toBe(true);
    expect(await call(again.url, 'hanse_health')).toMatchObject({ healthy: true });
    expect(await stop(again)).toBe(0);
  });

  it('has no space even for its lock says so in one line, and leaves nothing behind', async () => {
    const member = startAlone(root, port, { maxBytes: 0 });
    members.push(member);
    expect(await member.exited).toBe(1);
    expect(member.errors().trim().split('\n')).toEqual([
      expect.stringMatching(/^The data folder .* cannot be written: /),
    ]);
    const data = join(root, 'members', 'authority', 'data');
    expect(readdirSync(data).filter((name) => name.includes('lock'))).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('takes nothing beside its keys says so in one line', async () => {
    const mark = join(root, 'members', 'authority', 'keys', 'vote.key.used');
    rmSync(mark);
    // Nobody, root included, makes a file there.
    symlinkSync('/sys/of-hanse', mark);
    const member = startAlone(root, port);
    members.push(member);
    expect(await member.exited).toBe(1);
    expect(member.errors().trim().split('\n')).toEqual([
      expect.stringMatching(/^authority could not start: E\w+: .*keys/),
    ]);
    rmSync(mark);
  });

  it.skipIf(process.platform !== 'linux')('takes no log goes on without one', async () => {
    const member = await start({ stdout: openSync('/dev/full', 'w') });
    expect(await send(member, 10)).toBe(true);
    expect(await stop(member)).toBe(0);
  });

  it('has a log whose reader is gone goes on without one', async () => {
    const member = await start({ stdout: 'pipe' });
    member.child.stdout?.destroy();
    for (let round = 0; round < 3; round++) expect(await send(member, 10)).toBe(true);
    expect(await stop(member)).toBe(0);
  });
});
