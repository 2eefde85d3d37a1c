import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireFolderLock } from '@hanse/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalNetwork } from './createLocalNetwork.ts';
import { layoutOf } from './layout.ts';
import {
  assertMembersStopped,
  deleteLocalNetwork,
  folderState,
  openLocalNetwork,
  updateManifest,
} from './networkFolder.ts';

describe('the folder of a local network', () => {
  let root: string;
  const create = () =>
    createLocalNetwork({
      root,
      suite: 'international',
      members: 2,
      rpcPort: 8_545,
      peerPort: 9_545,
      nowMs: 1_700_000_000_000,
    });

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'hanse-folder-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it("is absent, empty, beside keys alone, ours, or somebody else's", async () => {
    expect(folderState(join(root, 'nothing'))).toBe('absent');
    expect(folderState(root)).toBe('absent');
    mkdirSync(join(root, 'keystore'));
    expect(folderState(root)).toBe('absent');
    writeFileSync(join(root, 'hanse.json'), '{"my":"app"}');
    expect(folderState(root)).toBe('foreign');
    rmSync(join(root, 'hanse.json'));
    writeFileSync(join(root, 'notes.txt'), 'mine');
    expect(folderState(root)).toBe('foreign');
    rmSync(join(root, 'notes.txt'));
    await create();
    expect(folderState(root)).toBe('network');
    writeFileSync(layoutOf(root).manifest, '{');
    expect(folderState(root)).toBe('network');
  });

  it('opens what was created, and remembers what changes', async () => {
    const created = await create();
    updateManifest(created, () => ({ storyTold: true, ports: { rpcPort: 1, peerPort: 2 } }));
    const opened = openLocalNetwork(root);
    expect(opened.accounts).toEqual(created.accounts);
    expect(opened.manifest).toEqual({ ...created.manifest, storyTold: true, ports: { rpcPort: 1, peerPort: 2 } });
  });

  it.each([
    ['hanse.json', 'null'],
    ['hanse.json', '{'],
    ['hanse.json', '{"format":2}'],
    [
      'hanse.json',
      JSON.stringify({
        format: 1,
        kind: 'hanse local network',
        suite: 'international',
        members: [1, 2],
        ports: { rpcPort: 1, peerPort: 2 },
        storyTold: true,
      }),
    ],
    [
      'hanse.json',
      JSON.stringify({
        format: 1,
        kind: 'hanse local network',
        suite: 'international',
        members: ['../x'],
        ports: { rpcPort: 1, peerPort: 2 },
        storyTold: true,
      }),
    ],
    ['accounts.json', 'null'],
    ['accounts.json', '{"accounts":[1]}'],
    ['accounts.json', '{"accounts":[{"name":"bank","member":"bank","address":"0x12","privateKey":"0x34"}]}'],
    ['members/bank/node.json', undefined],
    ['genesis.json', undefined],
  ])('says in one line that %s holding %s is damaged, and what to do', async (file, content) => {
    await create();
    if (content === undefined) rmSync(join(root, file));
    else writeFileSync(join(root, file), content);
    expect(() => openLocalNetwork(root)).toThrow(/(damaged|missing).*--fresh/);
  });

  it('deletes a network and nothing else', async () => {
    await create();
    mkdirSync(join(root, 'keystore'));
    writeFileSync(join(root, 'keystore', 'UTC--key'), 'secret');
    mkdirSync(join(root, 'members', 'mine'));
    writeFileSync(join(root, 'notes.txt'), 'mine');
    deleteLocalNetwork(root);
    expect(readdirSync(root).sort()).toEqual(['keystore', 'members', 'notes.txt']);
    expect(readdirSync(join(root, 'members'))).toEqual(['mine']);
    expect(readFileSync(join(root, 'keystore', 'UTC--key'), 'utf8')).toBe('secret');
  });

  it('is in use while a member of it runs, whoever started it', async () => {
    await create();
    const { data } = layoutOf(root).member('bank');
    assertMembersStopped(root);
    expect(existsSync(data)).toBe(false);
    const lock = acquireFolderLock(data);
    expect(() => assertMembersStopped(root)).toThrow(/in use/);
    lock.release();
    assertMembersStopped(root);
  });
});
