import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { genesisHashOf, readNodeConfig } from '@hanse/node';
import { afterAll, describe, expect, it } from 'vitest';
import { readGenesisFile } from './genesisFile.ts';
import { invitationOf, readInvitation } from './invitation.ts';
import { addLocalMember } from './localNetwork/addLocalMember.ts';
import { createLocalNetwork } from './localNetwork/createLocalNetwork.ts';
import { openLocalNetwork } from './localNetwork/networkFolder.ts';
import { createMemberFolder } from './memberFolder.ts';

const root = mkdtempSync(join(tmpdir(), 'hanse-invitation-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

const local = join(root, 'local');
const network = await createLocalNetwork({
  root: local,
  suite: 'international',
  members: 2,
  rpcPort: 9_000,
  peerPort: 9_100,
  nowMs: 1_700_000_000_000,
});
const genesis = readGenesisFile(network.layout.genesis);
const members = [{ name: 'bank', transportKey: `0x${'ab'.repeat(32)}`, endpoints: ['bank.example:9545'] }] as const;

function invitationFile(name: string, value: unknown): string {
  const file = join(root, name);
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  return file;
}

describe('an invitation', () => {
  it('gives a newcomer a folder that its node starts from: the same genesis, and the members of today', async () => {
    const file = invitationFile('good.json', invitationOf(genesis, members));
    const { configFile, genesisHash, genesisFile } = await createMemberFolder({
      folder: join(root, 'mill'),
      suite: 'international',
      name: 'mill',
      role: 'company',
      endpoints: ['mill.example:9545'],
      listen: '0.0.0.0:9545',
      rpc: { host: '127.0.0.1', port: 8_545 },
      invitation: readInvitation(file),
    });
    expect(genesisHash).toBe(await genesisHashOf(genesis));
    const config = readNodeConfig(configFile);
    expect(config).toMatchObject({ name: 'mill', genesis: genesisFile, peer: { introduced: members } });
    expect(readGenesisFile(config.genesis)).toEqual(genesis);
  });

  it.each([
    ['', 'is damaged'],
    ['null', 'is no invitation'],
    [{ ...invitationOf(genesis, members), format: 2 }, 'is no invitation'],
    [invitationOf(genesis, []), 'is damaged (its members)'],
    [invitationOf(genesis, [{ ...members[0], transportKey: '0xab' }]), 'is damaged (its members)'],
    [invitationOf(genesis, [{ ...members[0], endpoints: ['nowhere'] }]), 'is damaged (its members)'],
    [{ ...invitationOf(genesis, members), genesis: {} }, 'genesis'],
  ])('that is damaged is refused in one line', (value, complaint) => {
    const file = invitationFile('bad.json', value);
    expect(() => readInvitation(file)).toThrow(complaint);
  });
});

describe('a further member of a local network', () => {
  it('gets the next ports, an account with its name, and is entered last, so that it can be repeated', async () => {
    const made = await addLocalMember(local, 'mill', 'company');
    const opened = openLocalNetwork(local);
    expect(opened.manifest.members).toEqual(['authority', 'bank', 'mill']);
    expect(opened.accounts.find(({ name }) => name === 'mill')).toMatchObject({ address: made.descriptor.address });
    expect(readNodeConfig(made.configFile)).toMatchObject({
      genesis: network.layout.genesis,
      peer: { listen: '127.0.0.1:9102' },
      rpc: { host: '127.0.0.1', port: 9_002 },
    });
    await expect(addLocalMember(local, 'mill', 'company')).rejects.toThrow('has a member mill already');
    await expect(addLocalMember(local, 'alice', 'company')).rejects.toThrow('is a development account');
    // As if the last step had not been reached.
    const manifest = JSON.parse(readFileSync(network.layout.manifest, 'utf8')) as { members: string[] };
    writeFileSync(network.layout.manifest, JSON.stringify({ ...manifest, members: ['authority', 'bank'] }));
    const again = await addLocalMember(local, 'mill', 'company');
    expect(again.descriptor).toEqual(made.descriptor);
    expect(openLocalNetwork(local).manifest.members).toEqual(['authority', 'bank', 'mill']);
  });

  it('needs a local network', async () => {
    await expect(addLocalMember(join(root, 'nowhere'), 'mill', 'company')).rejects.toThrow('There is no local network');
  });
});
