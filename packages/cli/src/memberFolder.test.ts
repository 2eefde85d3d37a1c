import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSuite, readMemberKeys, readNodeConfig } from '@hanse/node';
import { afterAll, describe, expect, it } from 'vitest';
import { readDescriptorFile, verifyDescriptor } from './memberDescriptor.ts';
import { createMemberFolder, listenAddressFor, type MemberFolderOptions } from './memberFolder.ts';

const root = mkdtempSync(join(tmpdir(), 'hanse-member-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

const options = (name: string): MemberFolderOptions => ({
  folder: join(root, name),
  suite: 'international',
  name: 'bank',
  role: 'bank',
  endpoints: ['bank.example.com:9545'],
  listen: '0.0.0.0:9545',
  rpc: { host: '127.0.0.1', port: 8545 },
});

describe('createMemberFolder', () => {
  it('writes what a node reads: keys for their owner alone, a configuration, a descriptor that is sound', async () => {
    const { configFile, keysFolder, descriptorFile, genesisFile } = await createMemberFolder(options('new'));
    const config = readNodeConfig(configFile);
    expect(config).toMatchObject({
      name: 'bank',
      genesis: genesisFile,
      keys: keysFolder,
      peer: { listen: '0.0.0.0:9545' },
    });
    const suite = await loadSuite('international');
    const descriptor = readDescriptorFile(descriptorFile);
    verifyDescriptor(descriptor, suite, descriptorFile);
    expect(suite.publicKey(readMemberKeys(keysFolder).vote)).toBe(descriptor.voteKey);
    for (const file of readdirSync(keysFolder)) expect(statSync(join(keysFolder, file)).mode & 0o777).toBe(0o600);
    expect(statSync(keysFolder).mode & 0o777).toBe(0o700);
    expect(statSync(join(root, 'new')).mode & 0o777).toBe(0o700);
  });

  it('takes an empty folder, and closes it to others', async () => {
    mkdirSync(join(root, 'empty'), { mode: 0o755 });
    await createMemberFolder(options('empty'));
    expect(statSync(join(root, 'empty')).mode & 0o777).toBe(0o700);
  });

  it('never touches a folder that holds anything', async () => {
    await createMemberFolder(options('used'));
    const key = join(root, 'used', 'keys', 'vote.key');
    const before = readFileSync(key, 'utf8');
    await expect(createMemberFolder(options('used'))).rejects.toThrow('holds a member already');
    expect(readFileSync(key, 'utf8')).toBe(before);
    mkdirSync(join(root, 'foreign'));
    writeFileSync(join(root, 'foreign', 'thesis.txt'), '');
    await expect(createMemberFolder(options('foreign'))).rejects.toThrow('is not empty');
    expect(readdirSync(join(root, 'foreign'))).toEqual(['thesis.txt']);
    writeFileSync(join(root, 'file'), '');
    await expect(createMemberFolder(options('file'))).rejects.toThrow('cannot be used');
  });
});

describe('listenAddressFor', () => {
  it.each([
    ['bank.example.com:9545', '0.0.0.0:9545'],
    ['192.0.2.1:1', '0.0.0.0:1'],
    ['127.0.0.1:9545', '127.0.0.1:9545'],
    ['localhost:9545', '127.0.0.1:9545'],
    ['[::1]:9545', '[::1]:9545'],
    ['[2001:db8::1]:9545', '[::]:9545'],
  ])('listens for %s at %s', (endpoint, listen) => {
    expect(listenAddressFor(endpoint)).toBe(listen);
  });
});
