import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { membersAbi } from '@hanse/modules/abi';
import { loadSuite, readKeyFile, writeKeyFile } from '@hanse/node';
import type { Hex } from '@hanse/protocol';
import type { MemberEntry } from '@hanse/sdk';
import { encodeErrorResult } from 'viem';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { MemberContext } from './memberContext.ts';
import { type KeyKind, nextKeyFile, publicPartOf, readHeldKeys } from './memberKeyFolder.ts';
import { newKey, rotate } from './rotation.ts';

const root = mkdtempSync(join(tmpdir(), 'hanse-rotation-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

const suite = await loadSuite('international');
const KINDS = ['vote', 'transport', 'account'] as const;

/** The process ends at this point, as by kill -9. */
class Killed extends Error {}

describe.each(KINDS)('rotating the %s key', (kind: KeyKind) => {
  let folder: string;
  let used: Set<Hex>;
  let current: Hex;
  let tooSoonUntil: number | undefined;
  let sent: Hex[];
  const names = (): readonly string[] => readdirSync(folder).sort();
  const put = (name: string): Hex => {
    const key = newKey(kind, suite);
    writeKeyFile(join(folder, name), key);
    return publicPartOf(kind, key, suite);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(root, 'keys-'));
    current = put(`${kind}.key`);
    used = new Set([current]);
    tooSoonUntil = undefined;
    sent = [];
  });

  /** A chain that answers as the module does, and a process that dies as soon as the chain has heard of the new key. */
  function context(): MemberContext {
    const self = { number: 2, name: 'bank', account: current, voteKey: current, transportKey: current } as MemberEntry;
    const error = (errorName: 'KeyUsed' | 'TooSoon', args: readonly unknown[]): Hex =>
      encodeErrorResult({ abi: membersAbi, errorName, args } as never);
    const refusalOf = async (_: Hex, __: string, [key]: readonly [Hex]): Promise<Hex | undefined> => {
      // An account may come back, a key may not.
      if (kind !== 'account' && used.has(key)) return error('KeyUsed', [2]);
      return tooSoonUntil === undefined ? undefined : error('TooSoon', [2, tooSoonUntil]);
    };
    const send = async (key: Hex): Promise<never> => {
      sent.push(key);
      expect(readHeldKeys(folder, kind, suite).map(({ publicPart }) => publicPart)).toContain(key);
      throw new Killed();
    };
    const client = { members: { refusalOf, rotateVoteKey: send, rotateTransportKey: send, rotateAccount: send } };
    return { suite, self, client, members: [self] } as unknown as MemberContext;
  }

  const attempt = () => rotate(kind, context(), folder, {});

  it('has the new key durable in the folder before the chain hears of it, and takes it again when repeated', async () => {
    await expect(attempt()).rejects.toThrow(Killed);
    expect(names()).toEqual([`${kind}-2.key`, `${kind}.key`]);
    await expect(attempt()).rejects.toThrow(Killed);
    expect(names()).toEqual([`${kind}-2.key`, `${kind}.key`]);
    expect(new Set(sent).size).toBe(1);
    // The transaction was final although the process never heard so, and a second change would come too soon.
    current = sent[0]!;
    used.add(current);
    tooSoonUntil = 1_700_000_600;
    expect(await attempt()).toMatchObject({ changed: false, publicPart: current, notBefore: 1_700_000_600 });
    expect(names()).toHaveLength(2);
  });

  it('leaves nothing behind where the chain refuses', async () => {
    current = put(`${kind}-2.key`);
    used.add(current);
    tooSoonUntil = 1_700_000_600;
    put(`${kind}-3.key`);
    await expect(attempt()).rejects.toThrow('may again from 2023-11-14T22:23:20Z on');
    expect(names()).toHaveLength(3);
  });

  it('makes the key after the one in force, and never returns to an older one', async () => {
    current = put(`${kind}-2.key`);
    used.add(current);
    await expect(attempt()).rejects.toThrow(Killed);
    expect(names()).toEqual([`${kind}-2.key`, `${kind}-3.key`, `${kind}.key`]);
    expect(sent).toEqual([publicPartOf(kind, readKeyFile(join(folder, `${kind}-3.key`)), suite)]);
  });
});

describe('the names of key files', () => {
  it('count up, and a lost first one is made again', () => {
    const folder = mkdtempSync(join(root, 'names-'));
    expect(nextKeyFile(folder, 'vote')).toBe(join(folder, 'vote.key'));
    for (const name of ['vote.key', 'vote-7.key', 'vote-spare.key', 'transport-9.key'])
      writeKeyFile(join(folder, name), newKey('vote', suite));
    expect(nextKeyFile(folder, 'vote')).toBe(join(folder, 'vote-8.key'));
    expect(readHeldKeys(folder, 'vote', suite).map(({ number }) => number)).toEqual([0, 1, 7]);
  });
});
